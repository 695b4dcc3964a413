import JSON
import ModelFormat

/// A body for `POST /predict` that the model answers: its own example, or else made-up steps: three, or as near to it as the
/// model allows.
struct ExampleQuestion {
  /// The body, or the Python that makes one of many numbers.
  let json: String
  private let isPython: Bool

  init(for model: Model) {
    self.init(for: model.description, steps: model.stepCounts(near: 3))
  }

  /// - Parameter steps: the number of each input's steps.
  init(for model: ModelDescription, steps: [Int]) {
    if let example = model.example {
      json = "{\"inputs\": \(example)}"
      isPython = false
      return
    }
    let examples = zip(model.inputs, steps).map { input, steps in
      (name: input.name, json: input.example(steps: steps))
    }
    isPython = zip(model.inputs, steps).contains { $0.isLong(steps: $1) }
    let inputs =
      examples.count == 1
      ? examples[0].json
      : "{" + examples.map { "\($0.name.jsonText): \($0.json)" }.joined(separator: ", ") + "}"
    json = "{\"inputs\": \(inputs)}"
  }

  /// A line of a shell that sends the question to `url`.
  ///
  /// - Parameter options: further options of curl.
  func command(to url: String, options: String) -> String {
    let curl = "curl -s \(url)\(options) -d"
    guard isPython else { return "\(curl) \(json.printable.shellQuoted)" }
    let code = "import json; print(json.dumps(\(json.printable)))"
    return "python3 -c \(code.shellQuoted) | \(curl) @-"
  }
}

extension String {
  /// The text as one word of a POSIX shell.
  fileprivate var shellQuoted: String {
    "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}

extension ModelDescription.Input {
  /// Whether JSON with all numbers would be long.
  fileprivate func isLong(steps: Int) -> Bool {
    steps > 256 || kind.form != .tokens && (kind.size > 16 || kind.size * steps > 256)
  }

  /// So many steps of the input (or one vector) as JSON; as Python, if that would be long.
  fileprivate func example(steps: Int) -> String {
    if isLong(steps: steps) {
      switch kind {
      case .tokens: return "[0] * \(steps)"
      case .vector(let size): return "[0] * \(size)"
      case .features(let size, _, _):
        return size == 1 ? "[0] * \(steps)" : "[[0] * \(size)] * \(steps)"
      }
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
