/// Limits on models, so that a wrong or hostile file is refused before it takes memory.
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
  /// The tokens that a decoder generates.
  package static let decoderSteps = 65_536
  /// The inputs of one node.
  package static let nodeInputs = 100
  /// The steps of a sequence that attends to itself: every step is compared with every other.
  package static let attentionSteps = 2048
  /// The labels that `top_k` answers for a step.
  package static let rankedLabels = 100
  /// The quantiles of one output.
  package static let quantiles = 100
  /// The labels of a CRF: at every step, each is compared with every other.
  package static let crfLabels = 512
  /// The width of a beam search over labels.
  package static let beamWidth = 100
  /// How many times the steps of its input a value may have.
  package static let stepGrowth = 1024
  /// The steps that a value may have in addition to those of its input, or in all if their number is fixed.
  package static let addedSteps = 65536
  /// The steps of a value that has more steps than its input.
  package static let grownSteps = 1 << 20
  /// A vector that is repeated a fixed number of times: its elements in all steps together.
  package static let repeatedElements = 1 << 24
  /// The elements of a step or of a vector, and the ids of a token input; sums of such sizes can't overflow.
  package static let size = 1 << 22
}
