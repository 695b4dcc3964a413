import JSON
import ModelFormat

/// An input of the model, whose kind is known once a layer has used it.
struct KerasInput {
  let name: String
  /// Keras's axes.
  var axes: [KerasValue.Axis]
  /// How many layers use it.
  let uses: Int
  /// The first of the inputs that have as many steps as this one.
  var axis: Int
  private(set) var kind: ModelDescription.Input.Kind?

  init(name: String, axes: [KerasValue.Axis], uses: Int, place: Int) {
    self.name = name
    self.axes = axes
    self.uses = uses
    axis = place
  }

  /// - Parameter axis: the name of its steps; nil where all inputs have the same.
  func description(axis: String?) -> ModelDescription.Input? {
    guard let kind else { return nil }
    if case .vector = kind { return ModelDescription.Input(name: name, kind: kind) }
    return ModelDescription.Input(name: name, kind: kind, axis: axis)
  }

  /// Whether it has steps.
  var isSequence: Bool {
    switch kind {
    case .features, .tokens: true
    case .vector, nil: false
    }
  }

  /// Whether nothing has used it yet, so that it may be read in another way.
  var isOpen: Bool { kind == nil && uses == 1 }

  /// Takes the input for numbers.
  mutating func declareFloats(for call: KerasCall) throws(ImportError) {
    let value = KerasValue(name: name, axes: axes)
    switch kind {
    case .tokens:
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

  /// Takes the input for ids.
  mutating func declareTokens(
    size: Int, vocabulary: [String]? = nil, for call: KerasCall
  ) throws(ImportError) {
    switch kind {
    case .tokens(let other, let known):
      kind = .tokens(size: min(size, other), vocabulary: known ?? vocabulary)
    case .features, .vector:
      throw call.layer.refusal(
        "the input \(name.jsonExcerpt) is both ids and numbers; give the model two inputs")
    case nil: kind = .tokens(size: size, vocabulary: vocabulary)
    }
  }

  /// Lets the input itself make `(x - mean) / scale`, an element each.
  mutating func normalise(
    mean: [Float], scale: [Float], for call: KerasCall
  ) throws(ImportError) {
    try declareFloats(for: call)
    if case .features(let size, _, _) = kind {
      kind = .features(size: size, mean: mean, scale: scale)
    }
  }
}
