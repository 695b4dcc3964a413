import JSON
import ModelFormat

/// A body for `POST /predict` that the model answers: its own example, or else made-up steps: three, or as near to it as the
/// model allows.
struct ExampleQuestion {
  let json: String

  init?(for model: Model) {
    self.init(for: model.description, steps: model.stepCounts(near: 3))
  }

  /// Nil if the model has no example and an input has more than 16 elements or many steps, so that the body would be long.
  ///
  /// - Parameter steps: the number of each input's steps.
  init?(for model: ModelDescription, steps: [Int]) {
    if let example = model.example {
      json = "{\"inputs\": \(example)}"
      return
    }
    var examples: [(name: String, json: String)] = []
    for (input, steps) in zip(model.inputs, steps) {
      guard let json = input.example(steps: steps) else { return nil }
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
  /// So many steps of the input (or one vector) as JSON.
  fileprivate func example(steps: Int) -> String? {
    guard steps <= 256, kind.form == .tokens || kind.size <= 16 && kind.size * steps <= 256 else {
      return nil
    }
    switch kind {
    case .tokens(let size, _):
      return Self.array((0..<steps).map { String($0 % size) })
    case .vector(let size):
      return Self.array(Array(repeating: "0", count: size))
    case .features(let size, let mean, _):
      // The mean by which a model normalises is a typical value.
      let step = (mean ?? Array(repeating: 0, count: size)).map { "\($0)" }
      // Steps of size 1 are written as single numbers.
      return Self.array(Array(repeating: size == 1 ? step[0] : Self.array(step), count: steps))
    }
  }

  private static func array(_ elements: [String]) -> String {
    "[\(elements.joined(separator: ", "))]"
  }
}
