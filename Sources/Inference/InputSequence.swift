import ModelFormat

/// One sequence for a model, checked against the model's inputs.
///
/// A class, as every turn hands the sequences of its riders to the graph.
package final class InputSequence: Sendable, Equatable {
  /// The values of one input, in the client's units: normalisation happens inside the model.
  package enum Values: Sendable, Equatable {
    /// stepCount × size, row-major.
    case features([Float])
    /// stepCount ids.
    case tokens([Int32])
    /// size floats, one vector for the whole sequence.
    case vector([Float])
  }

  /// The values in the order of the model's inputs.
  package let values: [Values]
  /// The number of steps for each of the model's `inputAxes`.
  package let stepCounts: [Int]
  /// The greatest of `stepCounts`: the number of steps for which the sequence rides.
  package var stepCount: Int { stepCounts.reduce(0, Swift.max) }

  /// Checks that each input has a value of its kind and size, finite and in range, that all inputs of an axis have the
  /// same number of steps, and that the model allows that many.
  ///
  /// - Parameter mayContinue: whether the sequence may go on from a state. If so, the caller checks by `checkStart` those that
  ///   don't.
  package init(
    _ values: [Values], for model: Model, mayContinue: Bool = false
  ) throws(InputError) {
    let inputs = model.description.inputs
    guard values.count == inputs.count else {
      throw .inputCount(found: values.count, expected: inputs.count)
    }
    var counts = Array(repeating: 0, count: model.inputAxes.count)
    for (index, input) in inputs.enumerated() {
      guard let count = try Self.check(values[index], against: input),
        let axis = model.axis(of: .input(index))
      else { continue }
      let expected = counts[axis]
      guard expected == 0 || expected == count else {
        throw .stepCounts(
          input: input.name, found: count, other: inputs[model.inputAxes[axis].input].name,
          expected: expected)
      }
      guard count > 0 else { throw .noSteps(input: input.name) }
      counts[axis] = count
    }
    self.values = values
    stepCounts = counts
    if !mayContinue { try checkStart(for: model) }
    try checkLength(with: 0, for: model)
  }

  /// Checks that the sequence has as many steps as the model needs at the start of a sequence.
  package func checkStart(for model: Model) throws(InputError) {
    for (axis, count) in zip(model.inputAxes, stepCounts) where count < axis.least {
      guard let node = axis.neededBy else {
        throw .otherSteps(
          input: model.description.inputs[axis.input].name, found: count, expected: axis.least)
      }
      throw .tooFewSteps(
        input: model.description.inputs[axis.input].name, found: count, least: axis.least,
        node: node)
    }
  }

  /// Checks that the model allows the sequence with `more` additional steps.
  package func checkLength(with more: Int, for model: Model) throws(InputError) {
    for (axis, count) in zip(model.inputAxes, stepCounts) where count + more > axis.most {
      guard let node = axis.limitedBy else {
        throw .otherSteps(
          input: model.description.inputs[axis.input].name, found: count + more,
          expected: axis.most)
      }
      throw .tooManySteps(found: count + more, limit: axis.most, node: node)
    }
  }

  /// The sequence that continues `previous`: `forecast` replaces the values of the input that it predicts, on the first
  /// axis. Inputs of other axes stay the same.
  package init(
    replacing input: Int, of previous: InputSequence, with forecast: [Float], stepCount: Int
  ) {
    values = Self.replacing(previous.values, input, .features(forecast))
    stepCounts = Self.replacing(previous.stepCounts, 0, stepCount)
  }

  /// The one step that continues `previous`: `token` replaces the values of the input that it was drawn for.
  package init(replacing input: Int, of previous: InputSequence, with token: Int32) {
    values = Self.replacing(previous.values, input, .tokens([token]))
    stepCounts = Self.replacing(previous.stepCounts, 0, 1)
  }

  /// Appends a step to `previous`: `token` follows the tokens of the input that it was drawn for.
  package init(appending token: Int32, to input: Int, of previous: InputSequence) {
    guard case .tokens(let ids) = previous.values[input] else {
      preconditionFailure("input \(input) holds no tokens")
    }
    values = Self.replacing(previous.values, input, .tokens(ids + [token]))
    stepCounts = [previous.stepCount + 1]
  }

  private static func replacing<Element>(
    _ elements: [Element], _ index: Int, _ element: Element
  ) -> [Element] {
    var elements = elements
    elements[index] = element
    return elements
  }

  package static func == (one: InputSequence, other: InputSequence) -> Bool {
    one.values == other.values && one.stepCounts == other.stepCounts
  }

  /// The floats of a features input.
  package func features(_ input: Int) -> [Float] {
    guard case .features(let floats) = values[input] else {
      preconditionFailure("input \(input) holds no features")
    }
    return floats
  }

  /// Checks one value; returns its number of steps, nil for a vector.
  private static func check(
    _ value: Values, against input: ModelDescription.Input
  ) throws(InputError) -> Int? {
    switch (input.kind, value) {
    case (.features(let size, _, _), .features(let floats)):
      guard floats.count.isMultiple(of: size) else {
        throw .ragged(input: input.name, found: floats.count, size: size)
      }
      try checkFinite(floats, input: input.name)
      return floats.count / size
    case (.tokens(let size, _), .tokens(let ids)):
      for (step, id) in ids.enumerated() where id < 0 || Int(id) >= size {
        throw .tokenRange(input: input.name, step: step, found: Int(id), size: size)
      }
      return ids.count
    case (.vector(let size), .vector(let floats)):
      guard floats.count == size else {
        throw .vectorSize(input: input.name, found: floats.count, expected: size)
      }
      try checkFinite(floats, input: input.name)
      return nil
    case (.features, _), (.tokens, _), (.vector, _):
      throw .kind(input: input.name, found: value.kindName, expected: input.kind.name)
    }
  }

  private static func checkFinite(_ floats: [Float], input: String) throws(InputError) {
    for (index, value) in floats.enumerated() where !value.isFinite {
      throw .notFinite(input: input, index: index)
    }
  }
}

extension InputSequence.Values {
  fileprivate var kindName: String {
    switch self {
    case .features: "features"
    case .tokens: "tokens"
    case .vector: "a vector"
    }
  }
}

extension ModelDescription.Input.Kind {
  fileprivate var name: String {
    switch self {
    case .features: "features"
    case .tokens: "tokens"
    case .vector: "a vector"
    }
  }
}

/// Why values are not a valid sequence for a model.
package enum InputError: Error, Equatable, CustomStringConvertible {
  case inputCount(found: Int, expected: Int)
  case kind(input: String, found: String, expected: String)
  case ragged(input: String, found: Int, size: Int)
  case vectorSize(input: String, found: Int, expected: Int)
  case tokenRange(input: String, step: Int, found: Int, size: Int)
  case notFinite(input: String, index: Int)
  case noSteps(input: String)
  case stepCounts(input: String, found: Int, other: String, expected: Int)
  /// Another number of steps than the model's input says, including those of a horizon or continuation.
  case otherSteps(input: String, found: Int, expected: Int)
  /// Fewer steps than a kernel covers or a slice names.
  case tooFewSteps(input: String, found: Int, least: Int, node: String)
  /// More steps than a node allows, including those of a horizon or continuation.
  case tooManySteps(found: Int, limit: Int, node: String)

  package var description: String {
    switch self {
    case .inputCount(let found, let expected):
      "\(found) inputs given, the model takes \(expected)"
    case .kind(let input, let found, let expected):
      "input \"\(input)\" holds \(found), expected \(expected)"
    case .ragged(let input, let found, let size):
      "input \"\(input)\" holds \(found) numbers, expected a multiple of its size \(size)"
    case .vectorSize(let input, let found, let expected):
      "input \"\(input)\" holds \(found) numbers, expected \(expected)"
    case .tokenRange(let input, let step, let found, let size):
      "input \"\(input)\" holds id \(found) at step \(step), expected 0 to \(size - 1)"
    case .notFinite(let input, let index):
      "input \"\(input)\" holds a number that is not finite at index \(index)"
    case .noSteps(let input):
      "input \"\(input)\" holds no steps, expected at least one"
    case .stepCounts(let input, let found, let other, let expected):
      "input \"\(input)\" holds \(found) steps, expected \(expected) as \"\(other)\" has"
    case .otherSteps(let input, let found, let expected):
      "input \"\(input)\" holds \(found) \(found == 1 ? "step" : "steps"), expected exactly \(expected), as many as the "
        + "model was made for"
        + (found > expected && found % expected == 0
          ? "; \(found / expected) sequences of as many are sent as \(found / expected) lists of \(expected)"
          : "")
    case .tooFewSteps(let input, let found, let least, let node):
      "input \"\(input)\" holds \(found) \(found == 1 ? "step" : "steps"), expected at least \(least), which node "
        + "\"\(node)\" of the model needs"
    case .tooManySteps(let found, let limit, let node):
      "the sequence has \(found) steps with those that are to follow, expected at most \(limit): node \"\(node)\" of the "
        + "model takes no more"
    }
  }
}
