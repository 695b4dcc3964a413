import Inference
import ModelFormat
import Scheduling

/// What a prediction is asked for, checked against its model.
package struct Question: Sendable {
  package let model: ServedModel
  package let inputs: InputBatch
  package let selection: Selection
  package let horizon: Int?
  /// How long the client waits; nil for as long as it takes.
  package let timeout: Duration?
  /// The states that its sequences go on from, and whether it asks for their last ones.
  package let states: StateTransfer
  /// The precision of the states that it asks for.
  package let returnedState: StateElement?
  /// The sessions that its sequences go on with, nil for a sequence without; empty where none has one.
  package let sessions: [SessionUse?]
  /// What is answered of what there is.
  package let answer: AnswerMembers
  /// How the tokens of a model with a decoder are chosen; nil for others.
  package let decoding: Decoding?
  /// Whether each sequence is answered by an array of the best sequences of tokens, and not by the best.
  package let answersAlternatives: Bool

  package init(
    model: ServedModel, inputs: InputBatch, selection: Selection, horizon: Int? = nil,
    timeout: Duration? = nil, states: StateTransfer = StateTransfer(),
    returnedState: StateElement? = nil, sessions: [SessionUse?] = [],
    answer: AnswerMembers = .all, decoding: Decoding? = nil, answersAlternatives: Bool = false
  ) {
    self.model = model
    self.inputs = inputs
    self.selection = selection
    self.horizon = horizon
    self.timeout = timeout
    self.states = states
    self.returnedState = returnedState
    self.sessions = sessions
    self.answer = answer
    self.decoding = decoding
    self.answersAlternatives = answersAlternatives
  }

  @inlinable package var sequences: [InputSequence] { inputs.sequences }
  /// Whether many sequences were sent, be it one in an array.
  @inlinable package var isBatch: Bool { inputs.isArray }
  /// Whether states go in or out beside the predictions, or sessions are named.
  package var carriesState: Bool {
    !sessions.isEmpty || returnedState != nil || !states.initial.isEmpty
  }

  /// What was read, for people: "2 sequences of 3 to 5 steps".
  package var sequencesText: String {
    let counts = sequences.map(\.stepCount)
    let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
    let steps = least == most ? counted(most, "step") : "\(least) to \(counted(most, "step"))"
    return "\(counted(counts.count, "sequence")) of \(steps)"
  }
}

// MARK: - Answers

extension Question {
  /// The names of the outputs of each prediction: all of the model's, or with a horizon the forecast's and those of its
  /// quantiles.
  package var outputNames: [String] {
    let names = model.outputNames
    guard horizon != nil, let forecast = model.graph.forecast else { return names }
    let name = names[forecast.point.output]
    return [name] + forecast.quantiles.map { "\(name).q\($0.text)" }
  }

  /// What decodes an output; nil where its labels and scores are not answered. A forecast is numbers.
  package func decoder(ofOutput output: Int) -> OutputDecoder? {
    guard horizon == nil, !answer.isDisjoint(with: [.labels, .scores]) else { return nil }
    return model.graph.decoders[output]
  }

  /// What an output reconstructs; nil where its errors are not answered.
  package func reconstruction(ofOutput output: Int) -> Model.ResolvedReconstruction? {
    guard horizon == nil, answer.contains(.errors) else { return nil }
    return model.graph.model.outputs[output].reconstructs
  }

  /// Refuses a question whose labels or errors depend on steps that are not in it.
  package func checkDecoding() throws(Fault) {
    guard !model.decodedOutputs.isEmpty || !model.reconstructions.isEmpty else { return }
    for (index, output) in model.graph.model.outputs.enumerated() {
      if reconstruction(ofOutput: index) != nil, selection.steps(ofOutput: index) != .all {
        throw Fault(InputsError.erredWhole(output: output.name))
      }
      guard let decode = output.decode, decode.needsAllSteps, decoder(ofOutput: index) != nil
      else { continue }
      if selection.steps(ofOutput: index) != .all {
        throw Fault(
          InputsError.decodedWhole(path: "outputs", output: output.name, decoder: decode.name))
      }
      if carriesState {
        throw Fault(
          InputsError.decodedWhole(
            path: sessions.isEmpty ? "state" : "session", output: output.name, decoder: decode.name)
        )
      }
    }
  }

  /// The quantiles that are answered beside the forecast: none without a horizon.
  package var quantiles: [Model.Forecast.Quantile] {
    guard horizon != nil, answer.contains(.quantiles) else { return [] }
    return model.graph.forecast?.quantiles ?? []
  }

  /// The rows of an output that are reported, without a horizon, for `sequence`.
  package func rows(ofOutput output: Int, for sequence: InputSequence) -> Int {
    model.graph.rowCount(
      ofOutput: output, selection: selection, stepCounts: sequence.stepCounts) ?? 1
  }

  /// Refuses predictions with numbers that are not finite.
  package func check(_ predictions: [Prediction]) throws(Fault) {
    let names = outputNames
    for prediction in predictions {
      for (name, output) in zip(names, prediction.outputs) { try check(output, name) }
    }
  }

  /// Refuses an output with numbers that are not finite: JSON can't write them, and no client could use them.
  package func check(_ output: Prediction.Output, _ name: String) throws(Fault) {
    guard output.values.allSatisfy(\.isFinite) else {
      throw Fault(ModelChoiceError.outputNotFinite(model: model.name, output: name))
    }
  }
}

// MARK: - Sessions

extension Question {
  /// The states that its sequences go on from: those of the opened sessions, in their order, and those that the client
  /// brought.
  package func states(with opened: [SequenceState?]) -> StateTransfer {
    var (merged, remaining) = (states.initial, opened[...])
    if merged.isEmpty { merged = Array(repeating: nil, count: sessions.count) }
    for (index, use) in sessions.enumerated() where use != nil {
      if let state = remaining.removeFirst() { merged[index] = state }
    }
    return StateTransfer(initial: merged, returnsFinal: true)
  }

  /// The sessions as the predictions leave them; without predictions they stay as they were.
  package func sessionResults(
    of predictions: [Prediction]?
  ) -> [(id: String, state: SequenceState?, ends: Bool)] {
    sessions.indices.compactMap { index in
      sessions[index].map { ($0.id, predictions?[index].state, $0.ends) }
    }
  }
}
