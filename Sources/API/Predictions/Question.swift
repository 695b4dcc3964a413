import Inference
import JSON
import Scheduling
import Serving

/// What a prediction is asked for, checked against its model.
package struct Question: Sendable {
  let model: ServedModel
  let inputs: InputBatch
  package let selection: Selection
  package let horizon: Int?
  /// After which the client does not wait any more; nil for never.
  let timeout: Duration?
  /// The states that its sequences go on from, and whether it asks for their last ones.
  let states: StateTransfer
  /// What the states that it asks for hold.
  let returnedState: StateElement?
  /// The sessions that its sequences go on with, nil for a sequence without; empty where none has one.
  let sessions: [SessionUse?]

  package var sequences: [InputSequence] { inputs.sequences }
  /// Whether many sequences were sent, be it one in an array.
  package var isBatch: Bool { inputs.isArray }
  /// Whether states go in or out beside the predictions, or sessions are named.
  package var carriesState: Bool {
    !sessions.isEmpty || returnedState != nil || !states.initial.isEmpty
  }

  /// The names of the outputs that predictions have, in their order.
  ///
  /// - Throws: an error whose description is the sentence of the refusal, where a number is not finite.
  package func outputNames(of predictions: [Prediction]) throws -> [String] {
    let names = AnswerEncoder.outputNames(of: self)
    for prediction in predictions {
      for (name, output) in zip(names, prediction.outputs) {
        try AnswerEncoder.check(output, name, of: self)
      }
    }
    return names
  }

  /// What was read, for people: "2 sequences of 3 to 5 steps".
  package var sequencesText: String {
    func counted(_ count: Int, _ noun: String) -> String {
      "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
    let counts = sequences.map(\.stepCount)
    let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
    let steps = least == most ? counted(most, "step") : "\(least) to \(counted(most, "step"))"
    return "\(counted(counts.count, "sequence")) of \(steps)"
  }

  private static let members = [
    "inputs", "model", "outputs", "horizon", "timeout_ms", "state", "return_state", "session",
  ]

  /// Decodes the body of `POST /predict`; `name` is the model of the path, where that gives one.
  init(
    _ document: JSONDocument, name: String?, models: ModelSnapshot, limits: QuestionLimits,
    sealer: StateSealer
  ) throws(Fault) {
    let members = try BodyMembers(Self.members, others: .refused, of: document)
    model = try members.model(path: name, models: models)
    horizon = try members.horizon(of: model, limit: limits.maxHorizon)
    timeout = try members.timeout()
    selection = try members.selection(
      of: model.graph, model: model.name, hasHorizon: horizon != nil)
    let node = try members.node("inputs")
    returnedState = try members.returnedState(of: model)
    inputs = try InputDecoder(document: document, model: model, limits: limits).decode(node)
    if let horizon { try inputs.checkLengths(with: horizon, path: "horizon", for: model) }
    sessions = try members.sessions(of: model, for: inputs)
    states = StateTransfer(
      initial: try members.states(of: model, for: inputs, sealer: sealer),
      returnsFinal: returnedState != nil || !sessions.isEmpty)
    for (index, use) in sessions.enumerated() where use != nil && use?.opening.way != .begin {
      guard states.initial.isEmpty || states.initial[index] == nil else {
        throw Fault(SessionError.stateOfSession(path: inputs.isArray ? "state[\(index)]" : "state"))
      }
    }
  }
}

extension BodyMembers {
  fileprivate func horizon(of model: ServedModel, limit: Int) throws(Fault) -> Int? {
    guard let horizon = self["horizon"] else { return nil }
    let steps = try document.horizon(horizon, path: "horizon", limit: limit)
    guard model.graph.forecastSteps != nil else {
      throw Fault(
        ModelChoiceError.notForecaster(model: model.name, ForecastGap(in: model, ofTokens: false)))
    }
    return steps
  }

  /// What `return_state` asks for: true is f32, false nothing.
  fileprivate func returnedState(of model: ServedModel) throws(Fault) -> StateElement? {
    guard let returnState = self["return_state"] else { return nil }
    let element: StateElement
    let found = document.found(returnState)
    switch found {
    case .boolean(false): return nil
    case .boolean(true): element = .f32
    case .string(let name):
      guard let named = StateElement(rawValue: name) else { fallthrough }
      element = named
    case .null, .number, .largeNumber, .numbers, .array, .object:
      throw Fault(BodyError.unexpected(path: "return_state", found: found, expected: .returnState))
    }
    guard model.fingerprint != nil else {
      throw Fault(StateError.notStreamable(option: "return_state", model: model.name))
    }
    return element
  }

  /// What the sequences do with which sessions; empty where they have none.
  fileprivate func sessions(
    of model: ServedModel, for inputs: InputBatch
  ) throws(Fault) -> [SessionUse?] {
    guard let session = self["session"], document.kind(session) != .null else { return [] }
    guard model.fingerprint != nil else {
      throw Fault(StateError.notStreamable(option: "session", model: model.name))
    }
    let uses = try SessionDecoder(document: document).decode(session, for: inputs)
    return uses.contains { $0 != nil } ? uses : []
  }

  /// What the sequences go on from; empty where all begin.
  fileprivate func states(
    of model: ServedModel, for inputs: InputBatch, sealer: StateSealer
  ) throws(Fault) -> [SequenceState?] {
    guard let state = self["state"], document.kind(state) != .null else { return [] }
    guard let fingerprint = model.fingerprint else {
      throw Fault(StateError.notStreamable(option: "state", model: model.name))
    }
    return try StateDecoder(
      document: document, model: model, fingerprint: fingerprint, sealer: sealer
    ).decode(state, for: inputs)
  }
}

// MARK: - Sessions

extension Question {
  /// What its sequences go on from: the states of sessions as they were opened, in their order, and those that the
  /// client brought.
  func states(with opened: [SequenceState?]) -> StateTransfer {
    var (merged, remaining) = (states.initial, opened[...])
    if merged.isEmpty { merged = Array(repeating: nil, count: sessions.count) }
    for (index, use) in sessions.enumerated() where use != nil {
      if let state = remaining.removeFirst() { merged[index] = state }
    }
    return StateTransfer(initial: merged, returnsFinal: true)
  }

  /// What becomes of its sessions; without predictions they stay what they were.
  func sessionResults(
    of predictions: [Prediction]?
  ) -> [(id: String, state: SequenceState?, ends: Bool)] {
    sessions.indices.compactMap { index in
      sessions[index].map { ($0.id, predictions?[index].state, $0.ends) }
    }
  }
}

extension InputBatch {
  /// Checks that the model takes the sequences with so many steps more, which the member at `path` asks for.
  func checkLengths(with more: Int, path: String, for model: ServedModel) throws(Fault) {
    for sequence in sequences {
      do { try sequence.checkLength(with: more, for: model.graph.model) } catch {
        throw .inputs(.input(path: path, error))
      }
    }
  }
}
