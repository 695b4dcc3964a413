import CKernels
import Glibc

/// How the next token is drawn from a model's scores.
package struct Sampling: Sendable, Equatable {
  /// What the scores are divided by: below 1 the likely become likelier; 0 takes the likeliest.
  package var temperature: Float
  /// Only as many of the likeliest tokens are drawn from; nil for all.
  package var topK: Int?
  /// Only the likeliest tokens whose probabilities reach this sum are drawn from.
  package var topP: Float
  /// What the random numbers begin with: the same seed draws the same tokens.
  package var seed: UInt64

  package init(temperature: Float = 1, topK: Int? = nil, topP: Float = 1, seed: UInt64) {
    precondition(temperature >= 0 && topK ?? 1 > 0 && topP > 0 && topP <= 1)
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.seed = seed
  }
}

/// Draws tokens one after another: by the inverse of the cumulative distribution, with random numbers of its own.
///
/// The same scores and seed give the same token on every CPU: exponentials come from the kernels, sums are made in the
/// order of the ids.
package struct TokenSampler: Sendable {
  /// What a model's output says of each token.
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

  /// The next token, by the scores of all; nil where a score is not a number, or none is finite.
  package mutating func draw(from scores: ArraySlice<Float>) -> Int32? {
    // Infinitely unlikely is a score; infinitely likely is an overflow.
    guard let best = likeliest(in: scores), scores[best].isFinite else { return nil }
    guard sampling.temperature > 0 else { return Int32(best - scores.startIndex) }
    var weights = weights(of: scores, best: scores[best])
    restrict(&weights)
    let total = weights.reduce(0) { $0 + Double($1) }
    // 53 bits: every double from 0 to 1 that is a multiple of 2⁻⁵³.
    let threshold = Double(random.next() >> 11) * 0x1p-53 * total
    var sum = 0.0
    for (token, weight) in weights.enumerated() {
      sum += Double(weight)
      if sum > threshold { return Int32(token) }
    }
    // Rounded up to the total: the last that can be drawn.
    return weights.lastIndex { $0 > 0 }.map { Int32($0) }
  }

  /// The first of the highest scores; nil where one is NaN.
  private func likeliest(in scores: ArraySlice<Float>) -> Int? {
    var best: Int?
    for index in scores.indices {
      if scores[index].isNaN { return nil }
      if best.map({ scores[index] > scores[$0] }) ?? true { best = index }
    }
    return best
  }

  /// Probabilities at the temperature, but for a factor: that of the likeliest is 1.
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

  /// Takes those away that `topK` and then `topP` leave out.
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

  /// Keeps the likeliest tokens whose weights reach `topP` of all.
  ///
  /// The sum of all is that of the weights from the likeliest to the least likely, so that it has the same bits as ever.
  /// A sum in any other order is so near to it that it nearly always tells where to stop, and spares ordering all.
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
    // Too near to tell: in order, all of them.
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

  /// Takes the weights of all other tokens away.
  private func keep(_ tokens: some Sequence<Int>, in weights: inout [Float]) {
    var kept = [Float](repeating: 0, count: weights.count)
    for token in tokens { kept[token] = weights[token] }
    weights = kept
  }
}

/// Tokens from the likeliest to the least likely, as many as are asked for: a binary heap, made in linear time, from
/// which each takes logarithmic time. Of equal ones the first counts as likelier.
struct TokenRanking {
  private let weights: [Float]
  private var heap: [Int]

  init(_ weights: [Float]) {
    self.weights = weights
    heap = Array(weights.indices)
    for node in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(node) }
  }

  private func isLikelier(_ a: Int, _ b: Int) -> Bool {
    weights[a] == weights[b] ? a < b : weights[a] > weights[b]
  }

  /// The likeliest of those that were not given yet; nil when all were.
  mutating func next() -> Int? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink(0)
    }
    return first
  }

  private mutating func sink(_ start: Int) {
    let token = heap[start]
    var node = start
    while 2 * node + 1 < heap.count {
      var child = 2 * node + 1
      if child + 1 < heap.count, isLikelier(heap[child + 1], heap[child]) { child += 1 }
      guard isLikelier(heap[child], token) else { break }
      heap[node] = heap[child]
      node = child
    }
    heap[node] = token
  }
}
