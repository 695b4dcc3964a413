import CKernels
import ModelFormat

/// The search for the tokens that answer a sequence: sampling or beam search.
///
/// A state machine: the caller runs a decoder step for each hypothesis (`DecoderTurn`) and passes the scores to the search.
package struct TokenSearch: Sendable {
  private let decoder: DecoderGraph
  private let decoding: Decoding
  private var sampler: TokenSampler?
  /// The packed keys and values of attention, which all hypotheses share; nil if the decoder packs none.
  private let memory: AttentionCache?
  /// The hypotheses that are still growing, the likeliest first.
  private var live: [Hypothesis] = []
  /// Hypotheses that ended, in the order in which they ended.
  private var ended: [(hypothesis: Hypothesis, end: DecodedSequence.End)] = []
  /// Whether a step had scores that are not finite.
  package private(set) var isNotFinite = false
  /// The number of tokens that `reportCertainTokens` returned.
  private var reportedTokenCount = 0
  private var stepsDone = 0

  /// - Parameter values: the encoder's values, in the order of its model's `decoded`.
  package init(_ decoder: DecoderGraph, _ decoding: Decoding, values: [[Float]]) {
    self.decoder = decoder
    self.decoding = decoding
    memory = decoder.attention.nodes.isEmpty ? nil : AttentionCache(decoder.attention)
    if case .sampling(let sampling) = decoding.choice {
      sampler = TokenSampler(sampling, scale: decoder.scale, kernels: decoder.graph.kernels)
    }
    if let input = decoder.firstInput(values) {
      live = [Hypothesis(input)]
    } else {
      isNotFinite = true
    }
  }

  /// Whether no further step is needed.
  package var isDone: Bool { live.isEmpty }
  /// A bound on the remaining steps.
  package var remainingSteps: Int { isDone ? 0 : decoding.maxSteps - stepsDone }
  /// The number of growing hypotheses, each of which is a rider of the next step.
  package var width: Int { live.count }

  /// The riders for the turn that computes the next step, with seats from `seat` on.
  func riders(seat: Int) -> [TurnRider] {
    live.enumerated().map { $1.rider(seat: seat + $0, memory: memory) }
  }

  /// Advances the search by the step that a turn computed.
  ///
  /// - Parameter place: the search's first row in the turn.
  package mutating func advance(_ place: Int, of turn: DecoderTurn) {
    stepsDone += 1
    let steps = live.indices.map { index in
      Step(
        scores: turn.values(ofOutput: 0, row: place + index), decoder: decoder)
    }
    guard steps.allSatisfy(\.isFinite) else { return fail() }
    guard let chosen = choose(from: steps) else { return fail() }
    var next: [Hypothesis] = []
    for choice in chosen {
      let hypothesis = live[choice.hypothesis]
      let isEnd = decoder.decoder.ends.contains(choice.token)
      let isLast = stepsDone == decoding.maxSteps
      let longer = hypothesis.appending(
        choice.token, logarithm: choice.logarithm,
        row: decoding.returnsSteps ? Array(steps[choice.hypothesis].scores) : nil,
        next: isEnd || isLast
          ? nil
          : (
            input(after: hypothesis, choice.token, row: place + choice.hypothesis, of: turn),
            turn.state(row: place + choice.hypothesis, position: stepsDone)
          ))
      if isEnd {
        ended.append((longer, .token))
      } else if isLast {
        ended.append((longer, .limit))
      } else {
        next.append(longer)
      }
    }
    live = next
    if isDecided { live = [] }
  }

  /// The input of the step after a token.
  private func input(
    after hypothesis: Hypothesis, _ token: Int32, row: Int, of turn: DecoderTurn
  ) -> InputSequence {
    var input = InputSequence(
      replacing: 0, of: hypothesis.input, with: token)
    for (index, source) in decoder.decoder.sources.enumerated() {
      guard case .feedback(let output, _) = source else { continue }
      input = InputSequence(
        replacing: index, of: input,
        with: Array(turn.values(ofOutput: output, row: row)), stepCount: 1)
    }
    return input
  }

  private mutating func fail() {
    isNotFinite = true
    live = []
  }

  /// Ends the search because the reader wants no more tokens: the likeliest growing hypothesis becomes an answer as it
  /// is.
  package mutating func stop() {
    ended += live.prefix(1).map { ($0, .reader) }
    live = []
  }

  // MARK: - Choices

  /// A candidate: a hypothesis and a token that may follow.
  private struct Candidate {
    let hypothesis: Int
    let token: Int32
    let logarithm: Double
    /// The logarithm of the whole sequence's probability.
    let sum: Double
    /// The token's score as the model computed it, without further rounding.
    let score: Float

    /// Whether this candidate is better than `other`: the likelier one; of equals, the first.
    func isBetter(than other: Candidate) -> Bool {
      if sum != other.sum { return sum > other.sum }
      if hypothesis != other.hypothesis { return hypothesis < other.hypothesis }
      return score != other.score ? score > other.score : token < other.token
    }
  }

  /// The best candidates, the likeliest first; nil if there is none.
  private mutating func choose(from steps: [Step]) -> [Candidate]? {
    if sampler != nil {
      guard let token = sampler?.draw(from: steps[0].scores) else { return nil }
      return [candidate(0, token, of: steps[0])]
    }
    let count = decoding.width - ended.count
    var best: [Candidate] = []
    for (index, step) in steps.enumerated() {
      // `count` candidates are kept in all, so no hypothesis can have more of them.
      var ranking = TokenRanking(Array(step.scores))
      for _ in 0..<count {
        guard let token = ranking.next(), step.scores[step.scores.startIndex + token] > step.floor
        else { break }
        let candidate = candidate(index, Int32(token), of: step)
        if best.count == count {
          guard candidate.isBetter(than: best[count - 1]) else { break }
          best.removeLast()
        }
        best.insert(candidate, at: best.firstIndex { candidate.isBetter(than: $0) } ?? best.count)
      }
    }
    return best.isEmpty ? nil : best
  }

  private func candidate(_ index: Int, _ token: Int32, of step: Step) -> Candidate {
    let logarithm = step.logarithm(of: token)
    return Candidate(
      hypothesis: index, token: token, logarithm: logarithm,
      sum: live[index].logarithm + logarithm,
      score: step.scores[step.scores.startIndex + Int(token)])
  }

  // MARK: - The answer

  /// Whether no continuing hypothesis can become better than the ended ones that will be answered.
  private var isDecided: Bool {
    guard ended.count >= decoding.alternatives, let first = live.first else { return false }
    // A hypothesis's logarithm only decreases as it grows, and is divided by at most the divisor of the longest
    // sequence.
    let bound = score(first.logarithm, count: decoding.maxSteps)
    return results[decoding.alternatives - 1].score >= bound
  }

  /// The ended sequences, the best first.
  private var results: [(hypothesis: Hypothesis, end: DecodedSequence.End, score: Double)] {
    ended.enumerated().map {
      ($0, $1.hypothesis, $1.end, score($1.hypothesis.logarithm, count: $1.hypothesis.tokens.count))
    }.sorted { $0.3 != $1.3 ? $0.3 > $1.3 : $0.0 < $1.0 }.map { ($0.1, $0.2, $0.3) }
  }

  private func score(_ logarithm: Double, count: Int) -> Double {
    guard case .beam(_, let penalty) = decoding.choice, penalty > 0, count > 1 else {
      return logarithm
    }
    // `Elementary` rounds the same on every machine.
    return logarithm / Elementary.exp(penalty * Elementary.log(Double(count)))
  }

  /// The answer, once the search is done: the best sequence first.
  package var answer: [DecodedSequence] {
    results.prefix(decoding.alternatives).map { hypothesis, end, score in
      DecodedSequence(
        tokens: hypothesis.tokens(without: end), score: score, end: end,
        steps: hypothesis.rows.flatMap(\.self))
    }
  }

  /// Returns the tokens that have become certain since the last call: the common beginning of all hypotheses that can still be
  /// the best.
  package mutating func reportCertainTokens() -> [Int32] {
    var candidates = live.map(\.tokens)
    if let best = results.first { candidates.append(best.hypothesis.tokens(without: best.end)) }
    guard let first = candidates.first, !isNotFinite else { return [] }
    let count = candidates.dropFirst().reduce(first.count) { count, tokens in
      zip(first.prefix(count), tokens).prefix { $0 == $1 }.count
    }
    guard count > reportedTokenCount else { return [] }
    defer { reportedTokenCount = count }
    return Array(first[reportedTokenCount..<count])
  }
}

extension Hypothesis {
  fileprivate func tokens(without end: DecodedSequence.End) -> [Int32] {
    end == .token ? tokens.dropLast() : tokens
  }
}

/// The scores of one step of a hypothesis.
private struct Step {
  let scores: ArraySlice<Float>
  private let scale: TokenSampler.Scale
  /// Subtracted from the scores, this makes them logarithms of probabilities.
  private let offset: Double

  init(scores: ArraySlice<Float>, decoder: DecoderGraph) {
    self.scores = scores
    scale = decoder.scale
    let best = scores.max() ?? 0
    switch scale {
    case .probability: offset = 0
    case .logarithm:
      var powers = scores.map { $0 - best }
      // SAFETY: the routine works in place on the floats that the array holds.
      unsafe powers.withUnsafeMutableBufferPointer {
        unsafe decoder.graph.kernels.routines.exp_f32($0.baseAddress!, $0.count)
      }
      offset = Double(best) + Elementary.log(powers.reduce(0) { $0 + Double($1) })
    }
  }

  /// Whether at least one score is finite, and the others are finite or mean a probability of 0.
  var isFinite: Bool {
    var hasFinite = false
    for score in scores {
      if score.isNaN || score == .infinity { return false }
      hasFinite = hasFinite || score.isFinite
    }
    return hasFinite
  }

  /// The score of a token with probability 0, which is never chosen.
  var floor: Float { scale == .probability ? 0 : -.infinity }

  func logarithm(of token: Int32) -> Double {
    let score = Double(scores[scores.startIndex + Int(token)])
    switch scale {
    case .probability: return Elementary.log(score)
    case .logarithm: return score - offset
    }
  }
}
