import API
import Inference
import ModelFormat
import Serving

/// Sequences on which a model's answers are compared, and the options of the question.
struct Sample {
  /// The sequences' origin, for people.
  let origin: String
  let sequences: [InputSequence]
  let selection: Selection
  let horizon: Int?
  /// How the tokens of a model with a decoder are chosen; nil for other models.
  var decoding: Decoding?

  var stepCount: Int { sequences.reduce(0) { $0 + $1.stepCount } }

  /// The sequences and options of `question`.
  init(_ question: Question, origin: String) {
    self.origin = origin
    sequences = question.sequences
    selection = question.selection
    horizon = question.horizon
    decoding = question.decoding
  }

  /// The model's example, if it has a valid one, and random inputs, the same each time.
  init(of model: OfflineModel) throws(InputError) {
    let description = model.graph.model.description
    let example = description.example.flatMap {
      try? model.question(in: Array("{\"inputs\": \($0)}".utf8)).sequences
    }
    var noise = Noise()
    let width =
      description.inputs.reduce(0) { $0 + $1.kind.size }
      + model.graph.model.outputs.reduce(0) { $0 + $1.size }
    let steps = min(Self.noiseSteps, max(1, Self.maxFloats / (Self.noiseSequences * width)))
    let inner = model.graph.model
    let counts = inner.stepCounts(near: steps)
    var sequences = example ?? []
    for _ in 0..<Self.noiseSequences {
      sequences.append(
        try InputSequence(
          zip(description.inputs, counts).map { noise.values(for: $0.kind, steps: $1) },
          for: inner))
    }
    origin = (example == nil ? "" : "the model's example and ") + "random sequences"
    self.sequences = sequences
    // All steps, if possible: more answers make a better comparison.
    selection = model.graph.supports(.all) ? .all : .last
    horizon = nil
    decoding = model.graph.decoder.map { Decoding(maxSteps: $0.decoder.maxSteps) }
  }

  private static let noiseSequences = 8
  private static let noiseSteps = 100
  /// A bound on the floats of random inputs and their outputs, 64 MB; wide models get fewer steps.
  private static let maxFloats = 1 << 24
}

extension Noise {
  /// Random values for an input: features with the mean and deviation by which the model normalises, any ids, standard normal
  /// vectors.
  fileprivate mutating func values(
    for kind: ModelDescription.Input.Kind, steps: Int
  ) -> InputSequence.Values {
    switch kind {
    case .features(let size, let mean, let scale):
      .features(
        (0..<steps * size).map {
          (mean?[$0 % size] ?? 0) + (scale?[$0 % size] ?? 1) * normal()
        })
    case .tokens(let size, _):
      .tokens((0..<steps).map { _ in Int32.random(in: 0..<Int32(size), using: &self) })
    case .vector(let size):
      .vector((0..<size).map { _ in normal() })
    }
  }
}
