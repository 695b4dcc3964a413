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
    // Of equal ones the first counts as likelier.
    let order = weights.indices.sorted {
      weights[$0] == weights[$1] ? $0 < $1 : weights[$0] > weights[$1]
    }
    var kept = order.prefix(sampling.topK ?? order.count)
    if sampling.topP < 1 {
      let limit = kept.reduce(0) { $0 + Double(weights[$1]) } * Double(sampling.topP)
      var sum = 0.0
      let end = kept.firstIndex {
        sum += Double(weights[$0])
        return sum >= limit
      }
      kept = kept[...(end ?? kept.endIndex - 1)]
    }
    for token in order[kept.endIndex...] { weights[token] = 0 }
  }
}
