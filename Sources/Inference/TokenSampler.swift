import CKernels
import Glibc

/// How to draw the next token from a model's scores.
package struct Sampling: Sendable, Equatable {
  /// The divisor of the scores: below 1, likely tokens become likelier; 0 always takes the likeliest.
  package var temperature: Float
  /// Draws only from this many of the likeliest tokens; nil for all.
  package var topK: Int?
  /// Draws only from the likeliest tokens whose probabilities together reach this number.
  package var topP: Float
  /// The seed of the random numbers: the same seed draws the same tokens.
  package var seed: UInt64

  package init(temperature: Float = 1, topK: Int? = nil, topP: Float = 1, seed: UInt64) {
    precondition(temperature >= 0 && topK ?? 1 > 0 && topP > 0 && topP <= 1)
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.seed = seed
  }
}

/// Draws tokens one after another, by inverting the cumulative distribution with random numbers of its own.
///
/// The same scores and seed give the same token on every CPU: exponentials are the kernels', and sums are in the order of
/// the ids.
package struct TokenSampler: Sendable {
  /// The scale of scores.
  package enum Scale: Sendable, Equatable {
    /// Logits or logarithms of probabilities, which differ by a constant.
    case logarithm
    case probability
  }

  private let sampling: Sampling
  private let scale: Scale
  private let kernels: Kernels
  private var random: Noise

  package init(_ sampling: Sampling, scale: Scale, kernels: Kernels = .shared) {
    self.sampling = sampling
    self.scale = scale
    self.kernels = kernels
    random = Noise(from: sampling.seed)
  }

  /// Draws the next token; nil if a score is NaN, or the highest is not finite.
  package mutating func draw(from scores: ArraySlice<Float>) -> Int32? {
    // A score of −∞ is valid (probability 0); +∞ is an overflow.
    guard let best = likeliest(in: scores), scores[best].isFinite else { return nil }
    guard sampling.temperature > 0 else { return Int32(best - scores.startIndex) }
    var weights = weights(of: scores, best: scores[best])
    restrict(&weights)
    let total = weights.reduce(0) { $0 + Double($1) }
    // 53 random bits: a multiple of 2⁻⁵³ from 0 to below 1.
    let threshold = Double(random.next() >> 11) * 0x1p-53 * total
    var sum = 0.0
    for (token, weight) in weights.enumerated() {
      sum += Double(weight)
      if sum > threshold { return Int32(token) }
    }
    // The threshold was rounded up to the total: take the last token that can be drawn.
    return weights.lastIndex { $0 > 0 }.map { Int32($0) }
  }

  /// The index of the highest score, the first of equals; nil if a score is NaN.
  private func likeliest(in scores: ArraySlice<Float>) -> Int? {
    var best: Int?
    for index in scores.indices {
      if scores[index].isNaN { return nil }
      if best.map({ scores[index] > scores[$0] }) ?? true { best = index }
    }
    return best
  }

  /// Unnormalised probabilities at the temperature; the likeliest token has 1.
  private func weights(of scores: ArraySlice<Float>, best: Float) -> [Float] {
    var weights: [Float]
    switch scale {
    case .probability where sampling.temperature == 1: return Array(scores)
    case .probability:
      weights = scores.map { Float(log(Double($0) / Double(best))) / sampling.temperature }
    case .logarithm: weights = scores.map { ($0 - best) / sampling.temperature }
    }
    // SAFETY: the routine works in place on the floats that the array holds.
    unsafe weights.withUnsafeMutableBufferPointer {
      unsafe kernels.routines.exp_f32($0.baseAddress!, $0.count)
    }
    return weights
  }

  /// Sets the weights of tokens that `topK`, and then `topP`, exclude to 0.
  private func restrict(_ weights: inout [Float]) {
    guard sampling.topK ?? weights.count < weights.count || sampling.topP < 1 else { return }
    var ranking = TokenRanking(weights)
    let count = sampling.topK.map { Swift.min($0, weights.count) } ?? weights.count
    var kept: [Int] = []
    guard sampling.topP < 1 else {
      for _ in 0..<count { kept.append(ranking.next()!) }
      return keep(kept, in: &weights)
    }
    if sampling.topK == nil {
      keepLikeliest(by: &ranking, in: &weights)
    } else {
      for _ in 0..<count { kept.append(ranking.next()!) }
      let limit = kept.reduce(0) { $0 + Double(weights[$1]) } * Double(sampling.topP)
      var sum = 0.0
      let end = kept.firstIndex {
        sum += Double(weights[$0])
        return sum >= limit
      }
      keep(kept[...(end ?? kept.endIndex - 1)], in: &weights)
    }
  }

  /// Keeps the likeliest tokens whose weights reach the fraction `topP` of all weights.
  ///
  /// By definition the total is summed from the likeliest to the least likely token, which needs all tokens sorted. The
  /// sum in the order of the ids is so close that it nearly always decides where to stop; only if it does not are all
  /// tokens sorted.
  private func keepLikeliest(by ranking: inout TokenRanking, in weights: inout [Float]) {
    let share = Double(sampling.topP)
    let sum = weights.reduce(0) { $0 + Double($1) }
    // Each order's error is below count · 2⁻⁵³ of the sum, as the weights are positive (Higham 2002, §4.2).
    let error = 4 * Double(weights.count) * 0x1p-53 * sum + .leastNormalMagnitude
    let limits = (sum * share - error)...(sum * share + error)
    var (kept, reached): ([Int], Double) = ([], 0)
    while let token = ranking.next() {
      kept.append(token)
      reached += Double(weights[token])
      if reached >= limits.upperBound { return keep(kept, in: &weights) }
      if reached >= limits.lowerBound { break }
    }
    // The sums are too close to decide: sort all tokens.
    var order = kept
    while let token = ranking.next() { order.append(token) }
    let limit = order.reduce(0) { $0 + Double(weights[$1]) } * share
    var total = 0.0
    let end = order.firstIndex {
      total += Double(weights[$0])
      return total >= limit
    }
    keep(order[...(end ?? order.endIndex - 1)], in: &weights)
  }

  /// Sets the weights of all tokens except `tokens` to 0.
  private func keep(_ tokens: some Sequence<Int>, in weights: inout [Float]) {
    var kept = [Float](repeating: 0, count: weights.count)
    for token in tokens { kept[token] = weights[token] }
    weights = kept
  }
}

/// Gives tokens from the likeliest to the least likely: a binary heap, built in linear time; each token takes logarithmic
/// time. Of equals, the first counts as likelier.
struct TokenRanking {
  private let weights: [Float]
  private var heap: [Int]

  init(_ weights: [Float]) {
    self.weights = weights
    heap = Array(weights.indices)
    heap.makeHeap { Self.isLikelier($0, $1, by: weights) }
  }

  private static func isLikelier(_ a: Int, _ b: Int, by weights: [Float]) -> Bool {
    weights[a] == weights[b] ? a < b : weights[a] > weights[b]
  }

  /// Removes and returns the likeliest remaining token; nil if none remains.
  mutating func next() -> Int? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      let weights = weights
      heap.siftDown(from: 0) { Self.isLikelier($0, $1, by: weights) }
    }
    return first
  }
}
