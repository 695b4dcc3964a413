import Inference
import JSON
import Scheduling
import Serving

extension Question {
  private static let members =
    [
      "inputs", "model", "outputs", "horizon", "timeout_ms", "state", "return_state", "session",
      "answer",
    ] + BodyMembers.decodingNames

  /// Decodes the body of `POST /predict`; `name` is the model in the path, if the path names one.
  convenience init(
    _ document: JSONDocument, name: String?, models: ModelSnapshot, limits: QuestionLimits,
    sealer: StateSealer
  ) throws(Fault) {
    let members = try BodyMembers(
      Self.members, others: .refused, of: document)
    let model = try members.model(path: name, models: models)
    let horizon = try members.horizon(of: model, limit: limits.maxHorizon)
    let timeout = try members.timeout()
    let answer = try members.answer(of: model, hasHorizon: horizon != nil)
    var returnsSteps = false
    if model.graph.decoder != nil {
      // Asked for by `outputs`, or by `"outputs"` in `answer`.
      returnsSteps =
        try members.stepScores(of: model) || (members["answer"] != nil && answer.contains(.outputs))
    }
    let decoding = try members.decoding(
      of: model, names: BodyMembers.decodingNames, limits: limits, returnsSteps: returnsSteps)
    let selection =
      decoding == nil ? try members.selection(of: model, hasHorizon: horizon != nil) : .last
    let node = try members.node("inputs")
    let returnedState = try members.returnedState(of: model)
    let mayContinue = members["state"] != nil || members["session"] != nil
    let inputs = try InputDecoder(document: document, model: model, limits: limits)
      .decode(node, mayContinue: mayContinue)
    if let horizon { try inputs.checkLengths(with: horizon, path: "horizon", for: model) }
    let sessions = try members.sessions(of: model, for: inputs)
    let states = StateTransfer(
      initial: try members.states(of: model, for: inputs, sealer: sealer),
      returnsFinal: returnedState != nil || !sessions.isEmpty)
    for index in inputs.sequences.indices where mayContinue {
      let hasState = !states.initial.isEmpty && states.initial[index] != nil
      let way = sessions.isEmpty ? nil : sessions[index]?.opening.way
      guard let way, way != .begin else {
        if !hasState { try inputs.checkStart(of: index, for: model) }
        continue
      }
      guard !hasState else {
        throw Fault(SessionError.stateOfSession(path: inputs.isArray ? "state[\(index)]" : "state"))
      }
    }
    self.init(
      model: model, inputs: inputs, selection: selection, horizon: horizon, timeout: timeout,
      states: states, returnedState: returnedState, sessions: sessions,
      answer: answer, decoding: decoding?.0,
      answersAlternatives: decoding?.answersAlternatives ?? false)
    try checkDecoding()
  }
}

extension ServedModel {
  /// Whether an answer of the model can have `member`.
  fileprivate func answers(_ member: AnswerMembers, hasHorizon: Bool) -> Bool {
    guard graph.decoder == nil else { return [.outputs, .labels, .scores].contains(member) }
    return switch member {
    case .outputs: true
    case .quantiles: hasHorizon && graph.forecast?.quantiles.isEmpty == false
    case .errors: !hasHorizon && !reconstructions.isEmpty
    default: !hasHorizon && !decodedOutputs.isEmpty
    }
  }
}

extension BodyMembers {
  /// The members that `answer` asks for, an array of their names; all where it is not given.
  fileprivate func answer(of model: ServedModel, hasHorizon: Bool) throws(Fault) -> AnswerMembers {
    guard let node = self["answer"] else { return .all }
    let names = AnswerMembers.named.map(\.name)
    let expected = BodyError.Expectation.members(names)
    guard document.kind(node) == .array, document.count(node) > 0 else {
      throw Fault(
        BodyError.unexpected(path: "answer", found: document.found(node), expected: expected))
    }
    var asked: AnswerMembers = []
    var element = node + 1
    for index in 0..<document.count(node) {
      let (path, found) = ("answer[\(index)]", document.found(element))
      guard case .string(let name) = found,
        let (_, member) = AnswerMembers.named.first(where: { $0.name == name })
      else {
        throw Fault(BodyError.unexpected(path: path, found: found, expected: .oneOf(names)))
      }
      guard asked.isDisjoint(with: member) else { throw Fault(BodyError.duplicate(path: path)) }
      guard model.answers(member, hasHorizon: hasHorizon) else {
        throw Fault(InputsError.notAnswered(path: path, member: name, model: model.name))
      }
      asked.insert(member)
      element = document.next(element)
    }
    return asked
  }

  fileprivate func horizon(of model: ServedModel, limit: Int) throws(Fault) -> Int? {
    guard let horizon = self["horizon"] else { return nil }
    let steps = try document.horizon(horizon, path: "horizon", limit: limit)
    try model.checkForecasts()
    return steps
  }

  /// The precision that `return_state` asks for: true means f32; nil for no state.
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

  /// How each sequence uses its session; empty where no sequence has one.
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

  /// The states that the sequences continue from; empty where all sequences start afresh.
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
