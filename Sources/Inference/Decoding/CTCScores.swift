/// What the numbers of an output with CTC labels are. Also does greedy CTC decoding.
package enum CTCScores: Sendable {
  /// Logits or logarithms of probabilities.
  case logits
  case probabilities

  /// The logarithms of a step's probabilities.
  func logarithms(_ row: ArraySlice<Float>) -> [Double] {
    switch self {
    case .probabilities: return row.map { Elementary.log(Double($0)) }
    case .logits:
      let most = Double(row.max() ?? 0)
      let sum = row.reduce(0) { $0 + Elementary.exp(Double($1) - most) }
      let shift = most + Elementary.log(sum)
      return row.map { Double($0) - shift }
    }
  }

  /// The most probable label of each step, with repetitions removed first and blanks then. The score is the logarithm
  /// of the probability that the steps have these labels.
  func greedy<E: Error>(
    _ output: Prediction.Output, blank: Int, checkpoint: () throws(E) -> Void
  ) throws(E) -> DecodedLabels {
    var labels: [Int32] = []
    var last = blank
    var score = 0.0
    for (step, range) in output.rowRanges.enumerated() {
      if step.isMultiple(of: OutputDecoder.stepsBetweenCheckpoints) { try checkpoint() }
      let best = output.values.ranked(1, in: range)[0]
      score += logarithms(output.values[range])[best - range.lowerBound]
      let label = best - range.lowerBound
      if label != last, label != blank { labels.append(Int32(label)) }
      last = label
    }
    return DecodedLabels(labels: Nested(labels, .row), scores: Nested([Float(score)], .one))
  }
}
