import ModelFormat

/// Finds the labels for the numbers of one output; holds the tensors for this.
///
/// Labels depend on the numbers of one sequence only. They are computed in double precision and in one order, so they
/// are the same in every batch and on every machine.
package enum OutputDecoder: Sendable {
  case argmax
  case topK(Int)
  case viterbi(ViterbiDecoder)
  case ctcGreedy(CTCScores, blank: Int)
  case ctcBeam(CTCScores, blank: Int, width: Int)

  /// The decoder of an output; nil where it has none.
  init?(
    _ output: Model.ResolvedOutput, of model: Model, kernels: Kernels
  ) throws(ModelError) {
    switch output.decode {
    case nil: return nil
    case .argmax: self = .argmax
    case .topK(let count): self = .topK(count)
    case .crf(let crf):
      self = .viterbi(
        try ViterbiDecoder(
          crf, size: output.size, tensors: model.tensors, kernels: kernels))
    case .ctc(let ctc):
      var scores = CTCScores.logits
      if case .node(let node) = output.value, model.nodes[node].op == .softmax {
        scores = .probabilities
      }
      self =
        ctc.beam.map { .ctcBeam(scores, blank: ctc.blank, width: $0) }
        ?? .ctcGreedy(scores, blank: ctc.blank)
    }
  }

  /// The number of steps after which a long search calls its checkpoint again.
  static let stepsBetweenCheckpoints = 64

  /// Finds the labels and scores of an output, whose numbers must be finite.
  ///
  /// - Parameter output: the output's rows; all steps, if the decoder needs them.
  package func decode(_ output: Prediction.Output) -> DecodedLabels {
    decode(output, checkpoint: {})
  }

  /// The same, with a checkpoint that can end the search.
  ///
  /// - Parameter checkpoint: called every `stepsBetweenCheckpoints` steps of a search that takes long; an error that it
  ///   throws ends the search.
  package func decode<E: Error>(
    _ output: Prediction.Output, checkpoint: () throws(E) -> Void
  ) throws(E) -> DecodedLabels {
    let output = output.counted
    switch self {
    case .argmax:
      let indices = output.rowRanges.map { output.values.ranked(1, in: $0)[0] }
      return output.labels(at: indices, form: output.rows == nil ? .one : .row)
    case .topK(let count):
      let indices = output.rowRanges.flatMap { output.values.ranked(count, in: $0) }
      return output.labels(at: indices, form: output.rows == nil ? .row : .rows(size: count))
    case .viterbi(let decoder):
      let path = try decoder.path(output.values, checkpoint: checkpoint)
      return DecodedLabels(labels: Nested(path.labels, .row), scores: Nested([path.score], .one))
    case .ctcGreedy(let scores, let blank):
      return try scores.greedy(output, blank: blank, checkpoint: checkpoint)
    case .ctcBeam(let scores, let blank, let width):
      var search = CTCBeamSearch(blank: blank, width: width)
      for (step, range) in output.rowRanges.enumerated() {
        if step.isMultiple(of: Self.stepsBetweenCheckpoints) { try checkpoint() }
        search.advance(by: scores.logarithms(output.values[range]))
      }
      return search.best
    }
  }

  /// An upper bound on the numbers of labels and scores of a sequence with `rows` answered steps.
  package func counts(rows: Int) -> (labels: Int, scores: Int) {
    switch self {
    case .argmax: (rows, rows)
    case .topK(let count): (rows * count, rows * count)
    case .viterbi, .ctcGreedy, .ctcBeam: (rows, 1)
    }
  }

  /// An upper bound on the bytes held while a sequence of `steps` steps is decoded.
  package func workBytes(steps: Int, size: Int) -> Int {
    switch self {
    case .argmax, .topK, .ctcGreedy: 0
    case .viterbi: ViterbiDecoder.workBytes(steps: steps, size: size)
    case .ctcBeam(_, _, let width): CTCBeamSearch.workBytes(steps: steps, size: size, width: width)
    }
  }

  /// The bytes of the decoder's tensors in memory.
  var byteCount: Int {
    switch self {
    case .argmax, .topK, .ctcGreedy, .ctcBeam: 0
    case .viterbi(let decoder): decoder.byteCount
    }
  }

  /// The approximate number of operations that decoding `steps` steps takes.
  package func operationCount(steps: Int, size: Int) -> Int {
    switch self {
    case .argmax, .topK: steps * size
    case .ctcGreedy: 16 * steps * size
    case .viterbi: steps * size * size
    case .ctcBeam(_, _, let width): steps * (16 * size + 64 * width * width)
    }
  }
}

extension Prediction.Output {
  /// The output without the steps that the mask excludes.
  fileprivate var counted: Self {
    guard let mask else { return self }
    var counted = Self(rows: 0, size: size, values: [])
    for (row, range) in zip(mask, rowRanges) where row != 0 { counted.values += values[range] }
    counted.rows = counted.values.count / size
    return counted
  }

  /// For each row, the range of its elements in `values`; a vector is one row.
  var rowRanges: [Range<Int>] {
    stride(from: 0, to: values.count, by: size).map { $0..<$0 + size }
  }

  /// The `indices` as labels, and the elements of `values` there as scores.
  fileprivate func labels<Indices: Sequence<Int>>(
    at indices: Indices, form: NestedForm
  ) -> DecodedLabels {
    DecodedLabels(
      labels: Nested(indices.map { Int32($0 % size) }, form),
      scores: Nested(indices.map { values[$0] }, form))
  }
}
