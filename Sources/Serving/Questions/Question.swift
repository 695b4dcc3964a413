import Inference
import ModelFormat
import Scheduling

/// A request for predictions, checked against its model.
///
/// A class, as several parts of the service hold on to it until it is answered.
package final class Question: Sendable {
  package let model: ServedModel
  package let inputs: InputBatch
  package let selection: Selection
  /// The number of steps to forecast; nil for no forecast.
  package let horizon: Int?
  /// How long the client waits; nil without a limit.
  package let timeout: Duration?
  /// The states that the sequences continue, and whether their final states are asked for.
  package let states: StateTransfer
  /// The precision of the states to return.
  package let returnedState: StateElement?
  /// The session of each sequence, nil for a sequence without one; empty if none has one.
  package let sessions: [SessionUse?]
  /// The members to answer.
  package let answer: AnswerMembers
  /// How the tokens of a model with a decoder are chosen; nil for other models.
  package let decoding: Decoding?
  /// Whether the answer to a sequence is an array of the best token sequences, not just the best.
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

  package var sequences: [InputSequence] { inputs.sequences }
  /// Whether the client sent an array of sequences, even of one.
  package var isBatch: Bool { inputs.isArray }
  /// Whether the question brings or asks for states, or names sessions.
  package var carriesState: Bool {
    !sessions.isEmpty || returnedState != nil || !states.initial.isEmpty
  }

  /// The sequences in words: "2 sequences of 3 to 5 steps".
  package var sequencesText: String {
    let counts = sequences.map(\.stepCount)
    let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
    let steps = least == most ? counted(most, "step") : "\(least) to \(counted(most, "step"))"
    return "\(counted(counts.count, "sequence")) of \(steps)"
  }
}

// MARK: - Answers

extension Question {
  /// The names of each prediction's outputs: all of the model's or, with a horizon, those of the forecast and its quantiles.
  package var outputNames: [String] {
    let names = model.outputNames
    guard horizon != nil, let forecast = model.graph.forecast else { return names }
    let name = names[forecast.point.output]
    return [name] + forecast.quantiles.map { "\(name).q\($0.text)" }
  }

  /// The decoder of an output; nil where labels and scores are not answered. Forecasts are not decoded.
  package func decoder(ofOutput output: Int) -> OutputDecoder? {
    guard horizon == nil, !answer.isDisjoint(with: [.labels, .scores]) else { return nil }
    return model.graph.decoders[output]
  }

  /// The reconstruction of an output; nil where its errors are not answered.
  package func reconstruction(ofOutput output: Int) -> Model.ResolvedReconstruction? {
    guard horizon == nil, answer.contains(.errors) else { return nil }
    return model.graph.model.outputs[output].reconstructs
  }

  /// Throws if labels or errors need steps that the question does not have or ask for.
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

  /// The quantiles to answer beside the forecast; none without a horizon.
  package var quantiles: [Model.Forecast.Quantile] {
    guard horizon != nil, answer.contains(.quantiles) else { return [] }
    return model.graph.forecast?.quantiles ?? []
  }

  /// The most rows of an output that are answered for `sequence`, without a horizon.
  package func mostRows(ofOutput output: Int, for sequence: InputSequence) -> Int {
    model.graph.mostRows(
      ofOutput: output, selection: selection, stepCounts: sequence.stepCounts)
  }

  /// Throws if a prediction holds a number that is not finite.
  package func check(_ predictions: [Prediction]) throws(Fault) {
    let names = outputNames
    for prediction in predictions {
      for (name, output) in zip(names, prediction.outputs) { try check(output, name) }
    }
  }

  /// Throws if an output holds a number that is not finite: JSON can't represent it, and no client could use it.
  package func check(_ output: Prediction.Output, _ name: String) throws(Fault) {
    guard output.values.allSatisfy(\.isFinite) else {
      throw Fault(ModelChoiceError.outputNotFinite(model: model.name, output: name))
    }
  }
}

// MARK: - Sessions

extension Question {
  /// The states that the sequences continue: those of the `opened` sessions, in order, and those that the client sent.
  package func states(with opened: [SequenceState?]) -> StateTransfer {
    var (merged, remaining) = (states.initial, opened[...])
    if merged.isEmpty { merged = Array(repeating: nil, count: sessions.count) }
    for (index, use) in sessions.enumerated() where use != nil {
      if let state = remaining.removeFirst() { merged[index] = state }
    }
    return StateTransfer(initial: merged, returnsFinal: true)
  }

  /// The sessions after the predictions; without predictions they are unchanged.
  package func sessionResults(
    of predictions: [Prediction]?
  ) -> [(id: String, state: SequenceState?, ends: Bool)] {
    sessions.indices.compactMap { index in
      sessions[index].map { ($0.id, predictions?[index].state, $0.ends) }
    }
  }
}
