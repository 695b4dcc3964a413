/// What a model may hold at most, so that a wrong or hostile file is refused before it costs memory.
package enum ModelLimits {
  /// The bytes of a safetensors header; the reference implementation's limit.
  package static let headerBytes = 100_000_000
  /// The bytes of a `model.json`: room for a vocabulary of some hundred thousand words.
  package static let descriptionBytes = 16 << 20
  /// The bytes of a name (of a model, a version, an input, a node).
  package static let nameBytes = 100
  package static let inputs = 100
  package static let nodes = 1000
  package static let outputs = 100
  /// The tokens that a decoder comes to.
  package static let decoderSteps = 65_536
  /// The inputs of one node.
  package static let nodeInputs = 100
  /// The steps of a sequence that attends to itself: they are compared each with each.
  package static let attentionSteps = 2048
  /// The labels that `top_k` answers of a step.
  package static let rankedLabels = 100
  /// The quantiles that one output foretells.
  package static let quantiles = 100
  /// The labels of a CRF, which are compared each with each at every step.
  package static let crfLabels = 512
  /// The label sequences that a beam search follows at once.
  package static let beamWidth = 100
  /// How many times the steps of an input a value may have, and how many steps more, or in all where that is fixed.
  package static let stepGrowth = 1024
  package static let addedSteps = 65536
  /// The steps of a value that has more than its input.
  package static let grownSteps = 1 << 20
  /// The elements of all steps of a vector that is repeated a fixed number of times.
  package static let repeatedElements = 1 << 24
  /// The elements of a value a step or a sequence, and the ids of a token input: concatenations can't overflow.
  package static let size = 1 << 22
}
