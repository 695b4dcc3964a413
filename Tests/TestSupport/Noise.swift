import Inference
import ModelFormat

/// Numbers that look random, the same for the same seed (a 64-bit linear congruential generator, Knuth's constants).
package struct Noise: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  package mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    // The low bits of such a generator have short periods.
    let high = state >> 32
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return high << 32 | state >> 32
  }

  /// A sequence of `steps` random steps, or of as many as it takes, for `model`, its floats between −3 and 3. Inputs of another
  /// axis than the first one's have steps of their own.
  /// - Parameter isEqual: whether all axes have as many, within their bounds.
  package mutating func sequence(
    for model: Model, steps: Int, isEqual: Bool = false
  ) throws -> InputSequence {
    var values: [InputSequence.Values] = []
    var counts: [Int] = []
    for (index, input) in model.description.inputs.enumerated() {
      let axis = model.axis(of: .input(index)) ?? 0
      if counts.count <= axis {
        let count = axis == 0 || isEqual ? steps : Int.random(in: 1...steps + 3, using: &self)
        let bounds = model.inputAxes[axis]
        counts.append(Swift.min(Swift.max(count, bounds.least), bounds.most))
      }
      let steps = counts[axis]
      switch input.kind {
      case .features(let size, _, _): values.append(.features(floats(steps * size, scale: 3)))
      case .tokens(let size, _):
        values.append(
          .tokens((0..<steps).map { _ in Int32.random(in: 0..<Int32(size), using: &self) }))
      case .vector(let size): values.append(.vector(floats(size, scale: 3)))
      }
    }
    return try InputSequence(values, for: model)
  }

  /// Floats between −scale and scale.
  package mutating func floats(_ count: Int, scale: Float = 1) -> [Float] {
    (0..<count).map { _ in Float.random(in: -scale...scale, using: &self) }
  }
}
