/// Why a state can't be used or returned. Cases carry facts; `sentence` words them.
package enum StateError: Error, Equatable, Sendable {
  /// A text that is not a state token of the model.
  case unreadable(path: String, model: String, StateFlaw)
  /// `state` or `return_state` for a model that needs whole sequences.
  case notStreamable(option: String, model: String)
  /// A state holds a number beyond the range of the element type of the token.
  case notFinite(model: String, StateElement)
}

extension StateError: FaultSource {
  package var kind: Fault.Kind {
    switch self {
    case .unreadable, .notStreamable: .badRequest
    case .notFinite: .unprocessable
    }
  }

  package var sentence: String {
    switch self {
    case .unreadable(let path, let model, let flaw):
      "\(shortened(path)): \(flaw.phrase(model: model))"
    case .notStreamable(let option, let model):
      "\(option): model \(quoted(model)) needs the whole of a sequence at once, so it has no state to go on from"
    case .notFinite(let model, .f32):
      "the inputs are too large for model \(quoted(model)): a number in its state is beyond the range of a 32-bit float"
    case .notFinite(let model, .f16):
      "return_state: found \"f16\", expected \"f32\": a number in the state of model \(quoted(model)) is beyond the range of a 16-bit float"
    }
  }
}

extension StateFlaw {
  fileprivate func phrase(model: String) -> String {
    switch self {
    case .tooLong(let found, let limit):
      "found \(found) characters, expected at most \(limit), as a state of model \(quoted(model)) has"
    case .character(let position):
      "found no base64url at character \(position), expected a state as an answer gave it"
    case .signature(let found, let expected):
      "found \(found) characters that are not signed with this server's state_key, expected a state of model \(quoted(model)) as an answer gave it, unchanged (\(list(expected.map(String.init), "or")) characters)"
    case .version(let found, let expected):
      "found version \(found.map(String.init) ?? "none") of the layout, expected \(expected)"
    case .otherModel(let found, let expected):
      "found the state of another model (\(found)), expected one of \(quoted(model)) with its present weights, graph, precision and layout of states (\(expected))"
    case .element(let found): "found element type \(found), expected 1 (f32) or 2 (f16)"
    case .size(let found, let expected):
      "found \(found) bytes, expected \(expected), as a state of model \(quoted(model)) has"
    case .position(let found, let limit): "found \(found) steps, expected 1 to \(limit)"
    case .notFinite(let index):
      "found a number that is not finite at index \(index), expected a finite one"
    }
  }
}
