import JSON
import ModelFormat

/// A body for `POST /predict` that the model answers: its own example, or else three made-up steps.
struct ExampleQuestion {
  let json: String

  /// Nil if the model has no example and an input has more than 16 elements, so that the body would be long.
  init?(for model: ModelDescription) {
    if let example = model.example {
      json = "{\"inputs\": \(example)}"
      return
    }
    var examples: [(name: String, json: String)] = []
    for input in model.inputs {
      guard let json = input.example else { return nil }
      examples.append((input.name, json))
    }
    let inputs =
      examples.count == 1
      ? examples[0].json
      : "{" + examples.map { "\($0.name.jsonText): \($0.json)" }.joined(separator: ", ") + "}"
    json = "{\"inputs\": \(inputs)}"
  }
}

extension ModelDescription.Input {
  /// Three steps of the input (or one vector) as JSON.
  fileprivate var example: String? {
    guard kind.size <= 16 || kind.form == .tokens else { return nil }
    switch kind {
    case .tokens(let size, _):
      return Self.array((0..<3).map { String($0 % size) })
    case .vector(let size):
      return Self.array(Array(repeating: "0", count: size))
    case .features(let size, let mean, _):
      // The mean by which a model normalises is a typical value.
      let step = (mean ?? Array(repeating: 0, count: size)).map { "\($0)" }
      // Steps of size 1 are written as single numbers.
      return Self.array(Array(repeating: size == 1 ? step[0] : Self.array(step), count: 3))
    }
  }

  private static func array(_ elements: [String]) -> String {
    "[\(elements.joined(separator: ", "))]"
  }
}
