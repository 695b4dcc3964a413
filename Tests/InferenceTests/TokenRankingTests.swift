import TestSupport
import Testing

@testable import Inference

/// The likeliest tokens are found without ordering all, and are those that ordering finds.
@Suite struct TokenRankingTests {
  private func weights(_ count: Int, distinct: Int, _ noise: inout TestSupport.Noise) -> [Float] {
    (0..<count).map { _ in Float(Int.random(in: 0..<distinct, using: &noise)) / Float(distinct) }
  }

  @Test(arguments: [0, 1, 2, 3, 7, 100, 1000], [1, 3, 1 << 20])
  func theOrderIsThatOfSorting(count: Int, distinct: Int) {
    var noise = TestSupport.Noise(seed: UInt64(count + distinct))
    let weights = weights(count, distinct: distinct, &noise)
    var ranking = TokenRanking(weights)
    let order = weights.indices.sorted {
      weights[$0] == weights[$1] ? $0 < $1 : weights[$0] > weights[$1]
    }
    #expect(order.allSatisfy { ranking.next() == $0 } && ranking.next() == nil)
  }

  /// Draws as they are with all tokens in order: sums from the likeliest on, in doubles.
  private struct Sorted {
    var random: Inference.Noise

    mutating func draw(_ probabilities: [Float], _ sampling: Sampling) -> Int32 {
      let order = probabilities.indices.sorted {
        probabilities[$0] == probabilities[$1]
          ? $0 < $1 : probabilities[$0] > probabilities[$1]
      }
      var kept = order.prefix(sampling.topK ?? order.count)
      if sampling.topP < 1 {
        let limit =
          kept.reduce(0) { $0 + Double(probabilities[$1]) } * Double(sampling.topP)
        var sum = 0.0
        let end = kept.firstIndex {
          sum += Double(probabilities[$0])
          return sum >= limit
        }
        kept = kept[...(end ?? kept.endIndex - 1)]
      }
      let set = Set(kept)
      let total = probabilities.indices.reduce(0) {
        $0 + (set.contains($1) ? Double(probabilities[$1]) : 0)
      }
      let threshold = Double(random.next() >> 11) * 0x1p-53 * total
      var sum = 0.0
      for token in probabilities.indices where set.contains(token) {
        sum += Double(probabilities[token])
        if sum > threshold { return Int32(token) }
      }
      return Int32(set.filter { probabilities[$0] > 0 }.max()!)
    }
  }

  /// Few distinct ones: equal weights, and sums that come to just what `topP` asks for.
  @Test(
    arguments: [nil, 1, 5, 40] as [Int?], [1, 0.9, 0.5, 0.25, 1e-30] as [Float])
  func drawsAreThoseOfSorting(topK: Int?, topP: Float) {
    for (seed, distinct) in [(1, 2), (2, 4), (3, 1 << 22)] as [(UInt64, Int)] {
      var noise = TestSupport.Noise(seed: seed)
      let sampling = Sampling(topK: topK, topP: topP, seed: seed)
      var sampler = TokenSampler(sampling, scale: .probability)
      var sorted = Sorted(random: Inference.Noise(from: seed))
      for _ in 0..<40 {
        let probabilities = weights(64, distinct: distinct, &noise) + [0.5]
        #expect(
          sampler.draw(from: probabilities[...]) == sorted.draw(probabilities, sampling))
      }
    }
  }
}
