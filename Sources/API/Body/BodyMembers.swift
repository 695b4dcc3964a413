import JSON
import Serving

/// The members of a JSON object in a body; errors are the service's `Fault`s.
typealias BodyMembers = JSONMembers<Fault>

extension Fault: JSONMemberFailure {
  package init(_ error: JSONMemberError) { self.init(BodyError(error)) }
}

extension BodyError {
  /// Converts an error of the JSON module into the service's own.
  fileprivate init(_ error: JSONMemberError) {
    self =
      switch error {
      case .missing(let path, let others): .missing(path: path, others: others)
      case .unknown(let name, let path, let known): .unknown(name, path: path, known: known)
      case .duplicate(let path): .duplicate(path: path)
      case .unexpected(let path, let found, .string):
        .unexpected(path: path, found: found, expected: .string)
      case .unexpected(let path, let found, .boolean):
        .unexpected(path: path, found: found, expected: .boolean)
      case .unexpected(let path, let found, .integer(let bounds)):
        .unexpected(path: path, found: found, expected: .integer(bounds))
      }
  }
}

/// Members that every request may have.
extension BodyMembers {
  /// The model named by the body, or else by the path, or else the default model.
  func model(path: String?, models: ModelSnapshot) throws(Fault) -> ServedModel {
    guard let node = self["model"] else {
      if let path { return try models.model(path) }
      return try models.defaultModel()
    }
    guard document.kind(node) == .string else {
      throw Fault(
        BodyError.unexpected(path: "model", found: document.found(node), expected: .string))
    }
    let name = document.string(node)
    if let path, path != name {
      throw Fault(ModelChoiceError.otherModel(inPath: path, inBody: name))
    }
    return try models.model(name)
  }

  /// The value of `timeout_ms`; nil where it is not given.
  func timeout() throws(Fault) -> Duration? {
    try integer("timeout_ms", in: ServiceSettings.timeoutMilliseconds).map { .milliseconds($0) }
  }

  /// The number called `name`, if `isRight` accepts it; nil where the member is missing.
  func number(
    _ name: String, expected: BodyError.Expectation, _ isRight: (Double) -> Bool
  ) throws(Fault) -> Double? {
    guard let node = self[name] else { return nil }
    guard document.kind(node) == .number, case let number = document.number(node), isRight(number)
    else {
      throw Fault(
        BodyError.unexpected(path: path(of: name), found: document.found(node), expected: expected))
    }
    return number
  }
}
