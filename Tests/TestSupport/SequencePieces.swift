import Inference
import ModelFormat

extension InputSequence {
  /// Some of its steps, as a sequence of their own; vectors stay whole.
  package func piece(_ steps: Range<Int>, for model: Model) throws -> InputSequence {
    try InputSequence(
      values.map { value in
        switch value {
        case .features(let floats):
          let size = floats.count / stepCount
          return .features(Array(floats[steps.lowerBound * size..<steps.upperBound * size]))
        case .tokens(let ids): return .tokens(Array(ids[steps]))
        case .vector: return value
        }
      }, for: model, mayContinue: true)
  }

  /// Its steps in pieces of random lengths, in order; one piece at least.
  package func pieces(
    for model: Model, using random: inout some RandomNumberGenerator
  ) throws -> [InputSequence] {
    var cuts: Set<Int> = [0, stepCount]
    for _ in 0..<Int.random(in: 0...4, using: &random) {
      cuts.insert(.random(in: 0...stepCount, using: &random))
    }
    let ordered = cuts.sorted()
    return try zip(ordered, ordered.dropFirst()).map { try piece($0..<$1, for: model) }
  }
}
