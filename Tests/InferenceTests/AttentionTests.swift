import Glibc
import Inference
import ModelFormat
import TestSupport
import Testing

/// Attention whose scores are large sums against double precision.
@Suite struct AttentionTests {
  static let scores: [AttentionOp.Score] = [.dot, .additive, .bilinear]

  /// Scores are exponents: what their sums lose is a share of every weight. Those here are hundreds, close to each other.
  @Test(arguments: scores)
  func largeScoresAreExact(score: AttentionOp.Score) throws {
    let (size, steps) = (512, 12)
    var noise = Noise(seed: 21)
    let keys = noise.floats(steps * size).map { 2 * $0 }
    // Queries differ little from step to step, keys not at all from each other but in some elements.
    let common = noise.floats(size).map { $0 < 0 ? -1 : Float(1) }
    let x = (0..<steps * size).map { common[$0 % size] + keys[$0] / 16 }
    let weight: [Float]
    switch score {
    case .dot: weight = []
    case .additive: weight = (0..<size).map { common[$0] * 3 }
    case .bilinear:
      weight = (0..<size * size).map { $0 % (size + 1) == 0 ? 1.5 : 0 }
    }
    let shape = score == .bilinear ? [size, size] : [size]
    let model = try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [.init(name: "x", kind: .features(size: size, mean: nil, scale: nil))],
        nodes: [.init(name: "y", op: .attention(score: score), inputs: ["x", "x"])],
        outputs: [.init(name: "y")]),
      tensors: TensorFile(
        bytes: TensorFile.serialize(weight.isEmpty ? [] : [("y.weight", shape, weight)])))
    let found = Runner.run(
      try ModelGraph(model), [try InputSequence([.features(x)], for: model)], selections: [.all])
    let row = { (step: Int) in (0..<size).map { Double(x[step * size + $0]) } }
    for query in 0..<steps {
      let scores = (0..<steps).map { key in
        zip(row(query), row(key)).enumerated().reduce(0.0) { sum, pair in
          let (k, (q, r)) = pair
          switch score {
          case .dot: return sum + q * r
          case .additive: return sum + Double(weight[k]) * tanh(q + r)
          case .bilinear: return sum + 1.5 * q * r
          }
        }
      }
      #expect(scores[0] > 300)
      let shares = scores.map { exp($0 - scores.max()!) }
      for k in 0..<size {
        let expected = (0..<steps).reduce(0) { $0 + shares[$1] * row($1)[k] } / shares.reduce(0, +)
        let answer = Double(found[0][0][query * size + k])
        #expect(abs(answer - expected) < 1e-6, "\(query), \(k)")
      }
    }
  }
}
