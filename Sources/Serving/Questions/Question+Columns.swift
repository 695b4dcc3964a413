import Inference

extension ServedModel {
  /// The selection of `steps` for all outputs.
  ///
  /// - Throws: for all steps, if the model does not answer every step or a forecast is asked for too.
  package func selection(of steps: Selection.Steps, hasHorizon: Bool) throws(Fault) -> Selection {
    if steps == .all, hasHorizon { throw Fault(InputsError.allWithHorizon(path: "outputs")) }
    guard graph.supports(Selection(steps)) else {
      throw Fault(InputsError.notEveryStep(model: name, output: nil))
    }
    return Selection(steps)
  }

  /// The selection if the question names no steps.
  package func defaultSelection(hasHorizon: Bool) -> Selection {
    hasHorizon ? .last : graph.defaultSelection
  }

  /// Throws unless the model forecasts its own input, as a horizon needs.
  package func checkForecasts() throws(Fault) {
    guard graph.forecastSteps != nil else {
      throw Fault(
        ModelChoiceError.notForecaster(
          model: name, ForecastGap(in: self, ofTokens: false)))
    }
  }
}

extension Question {
  /// Asks `model` for predictions of the sequences in `columns`, one for each input of the model, in its order.
  package convenience init(
    of model: ServedModel, _ columns: [InputColumn], outputs: Selection.Steps? = nil,
    horizon: Int? = nil, limits: QuestionLimits
  ) throws(Fault) {
    if let horizon {
      try model.checkForecasts()
      guard horizon <= limits.maxHorizon else {
        throw Fault(
          InputsError.tooMany(
            .steps, path: "horizon", found: horizon, limit: limits.maxHorizon,
            setting: "max_horizon"))
      }
    }
    if model.graph.decoder != nil, outputs == .last {
      throw Fault(InputsError.wholeAnswer(path: "outputs", model: model.name))
    }
    let selection =
      model.graph.decoder != nil
      ? .last
      : try outputs.map { (steps) throws(Fault) in
        try model.selection(of: steps, hasHorizon: horizon != nil)
      } ?? model.defaultSelection(hasHorizon: horizon != nil)
    let inputs: InputBatch
    do { inputs = try InputBatch(columns, for: model.graph.model) } catch {
      throw Fault(InputsError(error))
    }
    try limits.check(inputs.sequences)
    if let horizon { try inputs.checkLengths(with: horizon, path: "horizon", for: model) }
    self.init(
      model: model, inputs: inputs, selection: selection, horizon: horizon,
      decoding: model.graph.decoder.map {
        Decoding(
          maxSteps: Swift.min($0.decoder.maxSteps, limits.maxGenerationSteps),
          returnsSteps: outputs == .all)
      })
    try checkDecoding()
  }
}

extension QuestionLimits {
  fileprivate func check(_ sequences: [InputSequence]) throws(Fault) {
    guard sequences.count <= maxSequencesPerRequest else {
      throw Fault(
        InputsError.tooMany(
          .sequences, path: "inputs", found: sequences.count, limit: maxSequencesPerRequest,
          setting: "max_sequences_per_request"))
    }
    for (index, sequence) in sequences.enumerated() where sequence.stepCount > maxSequenceSteps {
      throw Fault(
        InputsError.tooMany(
          .steps, path: "inputs[\(index)]", found: sequence.stepCount, limit: maxSequenceSteps,
          setting: "max_sequence_steps"))
    }
  }
}

extension InputsError {
  /// The error for columns of the member `inputs`.
  package init(_ flaw: InputBatch.Flaw) {
    switch flaw {
    case .sequenceCounts(let input, let found, let expected):
      self = .sequenceCounts(path: "inputs.\(input)", found: found, expected: expected)
    case .sequence(let index, let error):
      let place = index.map { "[\($0)]" } ?? ""
      guard case .stepCounts(let input, let found, let other, let expected) = error else {
        self = .input(path: "inputs\(place)", error)
        return
      }
      self = .stepCounts(
        path: "inputs.\(input)\(place)", found: found, other: "inputs.\(other)\(place)",
        expected: expected)
    }
  }
}
