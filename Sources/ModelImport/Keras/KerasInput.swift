import JSON
import ModelFormat

/// An input of the model. Its kind is known when a layer has used it.
struct KerasInput {
  let name: String
  /// The axes in Keras.
  var axes: [KerasValue.Axis]
  /// The number of layers that use it.
  private(set) var uses: Int
  /// The first of the inputs with the same number of steps.
  var axis: Int
  /// The nodes of masks of its steps.
  var masks: Set<String> = []
  private(set) var kind: ModelDescription.Input.Kind?
  /// The number of steps that sequences must have; nil for any.
  private(set) var exactSteps: Int?

  /// Whether ids are elements of it, which are numbers in the folder.
  let isOfNumbers: Bool
  /// Whether it was read as ids and as numbers.
  private(set) var isMixed = false

  /// The array that Keras's model takes, with its axes and as it was before a layer read it otherwise.
  private let source: Source

  struct Source {
    /// The name in Keras.
    let name: String
    /// The sizes in the file, the batch's first; nil for one that is open.
    let sizes: [Int?]
    /// Whether its numbers are whole: ids, or true and false.
    let isWhole: Bool
    let axes: [KerasValue.Axis]
  }

  init(name: String, source: Source, uses: Int, place: Int, isOfNumbers: Bool) {
    self.isOfNumbers = isOfNumbers
    self.name = name
    self.source = source
    axes = source.axes
    self.uses = uses
    axis = place
  }

  /// What Keras's model takes, of so many steps where any number will do.
  func example(steps: Int) -> ExampleInput {
    var shape = source.sizes.map { $0 ?? steps }
    shape[0] = source.sizes[0] ?? 1
    let isAsSent = axes == source.axes
    let stepAxis = isAsSent ? KerasValue(name: "", axes: axes).stepAxis : nil
    return ExampleInput(
      name: source.name, shape: shape, node: name, isWhole: source.isWhole,
      stepAxis: stepAxis.flatMap { $0 > 0 ? $0 + 1 : nil })
  }

  /// - Parameter axis: the name of its axis; nil if all inputs have the same.
  func description(axis: String?) -> ModelDescription.Input? {
    guard let kind else { return nil }
    if case .vector = kind { return ModelDescription.Input(name: name, kind: kind) }
    return ModelDescription.Input(name: name, kind: kind, axis: axis, steps: exactSteps)
  }

  /// Whether it has steps.
  var isSequence: Bool {
    switch kind {
    case .features, .tokens: true
    case .vector, nil: false
    }
  }

  /// Whether nothing has used the input yet, so that its axes can still be changed.
  var isOpen: Bool { kind == nil && uses == 1 }

  /// Whether it is a sequence of so many steps, or will be.
  func hasSteps(_ count: Int) -> Bool {
    // An input of one axis may still turn out to be a vector.
    guard isSequence || kind == nil && axes.count > 1 else { return false }
    return KerasValue(name: "", axes: axes).hasSteps(count)
  }

  /// The number of steps or ids that the model was made for; nil for any.
  var fixedSteps: Int? {
    switch axes.first {
    case .steps(let count)?: count
    case .size(let count)? where axes.count == 1: count
    case .size?, nil: nil
    }
  }

  /// Whether it is of one axis, which is neither that of ids nor of steps that the model reads.
  var isVector: Bool {
    guard axes.count == 1, case .size = axes[0] else { return false }
    if case .tokens? = kind { return false }
    return true
  }

  /// Whether its numbers are whole in Keras.
  var isWhole: Bool { source.isWhole }

  /// Whether Keras's array has the batch alone as its axis.
  var isOneNumber: Bool { source.sizes.count == 1 }

  /// Makes an input of one axis a number for each step.
  mutating func readAsSteps() {
    if isVector, kind == nil, case .size(let count)? = axes.first { axes = [.steps(count)] }
  }

  /// Records that the model holds for that number of steps alone.
  mutating func keepSteps() { exactSteps = fixedSteps }

  /// Counts another use: its steps are those of another value, so that its axes can't be changed any more.
  mutating func noteUse() { uses += 1 }

  /// Marks the input as features.
  mutating func declareFloats(for call: KerasCall) throws(ImportError) {
    let value = KerasValue(name: name, axes: axes)
    switch kind {
    case .tokens:
      isMixed = true
      throw call.layer.refusal(
        "the input \(name.jsonExcerpt) is both ids of an Embedding and numbers; give the model two inputs"
      )
    case .features, .vector: return
    case nil:
      kind =
        value.stepAxis == nil
        ? .vector(size: value.size) : .features(size: value.size, mean: nil, scale: nil)
    }
  }

  /// Marks the input as ids.
  mutating func declareTokens(
    size: Int, vocabulary: [String]? = nil, for call: KerasCall
  ) throws(ImportError) {
    switch kind {
    case .tokens(let other, let known):
      kind = .tokens(size: min(size, other), vocabulary: known ?? vocabulary)
    case .features, .vector:
      isMixed = true
      throw call.layer.refusal(
        "the input \(name.jsonExcerpt) is both ids and numbers; give the model two inputs")
    case nil: kind = .tokens(size: size, vocabulary: vocabulary)
    }
  }

  /// Makes the input normalise its elements: `(x - mean) / scale`.
  mutating func normalise(
    mean: [Float], scale: [Float], for call: KerasCall
  ) throws(ImportError) {
    try declareFloats(for: call)
    if case .features(let size, _, _) = kind {
      kind = .features(size: size, mean: mean, scale: scale)
    }
  }
}

extension KerasInput {
  /// What a person should know of how a question gives the input, which is `description` in the folder.
  func notes(on description: ModelDescription.Input, isMasked: Bool) -> [String] {
    let value = KerasValue(name: "", axes: axes)
    var notes: [String] = []
    if case .features(let size, _, _) = description.kind, axes.count > 2, let place = value.stepAxis
    {
      notes.append(
        place == 0
          ? "the input \(name.jsonExcerpt) has \(axes.count - 1) axes behind its steps: a question has the \(size) numbers of "
            + "a step side by side, [steps, \(size)]"
          : "the input \(name.jsonExcerpt) is \(value.shape): a question has the steps first, and the \(size) numbers of a step side "
            + "by side, [steps, \(size)]")
    }
    if isSequence, let steps = fixedSteps ?? value.stepCount, steps > 1, description.steps == nil,
      !isMasked
    {
      notes.append(
        "the input \(name.jsonExcerpt) has \(steps) steps in the file, and no mask: sequences of others are answered as they are; "
          + "where the model was trained with padding to \(steps) steps, send them padded so")
    }
    return notes
  }
}

extension [KerasInput] {
  /// Gives the inputs behind values that have the same steps the same axis.
  mutating func unify(_ values: [KerasValue]) {
    let origins = values.filter { $0.stepAxis != nil }.compactMap(\.origin)
    guard let first = origins.first else { return }
    let axis = self[first].axis
    for origin in origins {
      let other = self[origin].axis
      for index in indices where self[index].axis == other { self[index].axis = axis }
    }
  }
}
