import Inference
import Scheduling

/// What a prediction is asked for, checked against its model.
package struct Question: Sendable {
  let model: ServedModel
  let inputs: DecodedInputs
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

  /// Decodes the body of `POST /predict`; `name` is the model of the path, where that gives one.
  init(
    _ document: JSONDocument, name: String?, models: ModelCatalogue, settings: ServiceSettings,
    sealer: StateSealer
  ) throws(APIError) {
    let members = try Members(document)
    model = try members.model(in: document, path: name, models: models)
    horizon = try members.horizon(in: document, of: model, limit: settings.maxHorizon)
    timeout = try members.timeout(in: document)
    selection = try members.selection(in: document, of: model, hasHorizon: horizon != nil)
    guard let node = members.inputs else { throw .missing(path: "inputs") }
    returnedState = try members.returnedState(in: document, of: model)
    inputs = try InputDecoder(document: document, model: model, settings: settings).decode(node)
    sessions = try members.sessions(in: document, of: model, for: inputs)
    states = StateTransfer(
      initial: try members.states(in: document, of: model, for: inputs, sealer: sealer),
      returnsFinal: returnedState != nil || !sessions.isEmpty)
    for (index, use) in sessions.enumerated() where use != nil && use?.opening.way != .begin {
      guard states.initial.isEmpty || states.initial[index] == nil else {
        throw .stateOfSession(path: inputs.isArray ? "state[\(index)]" : "state")
      }
    }
  }
}

/// The nodes of a body's members. They come in any order, so that all are found before any is read.
private struct Members {
  private(set) var inputs: Int?
  private var model: Int?
  private var outputs: Int?
  private var horizon: Int?
  private var timeout: Int?
  private var state: Int?
  private var returnState: Int?
  private var session: Int?

  private static let known = [
    "inputs", "model", "outputs", "horizon", "timeout_ms", "state", "return_state", "session",
  ]

  init(_ document: JSONDocument) throws(APIError) {
    var node = 1
    for _ in 0..<document.count(0) {
      let name = document.string(node)
      let value = node + 1
      switch name {
      case "inputs": try Self.set(&inputs, value, name)
      case "model": try Self.set(&model, value, name)
      case "outputs": try Self.set(&outputs, value, name)
      case "horizon": try Self.set(&horizon, value, name)
      case "timeout_ms": try Self.set(&timeout, value, name)
      case "state": try Self.set(&state, value, name)
      case "return_state": try Self.set(&returnState, value, name)
      case "session": try Self.set(&session, value, name)
      default: throw .unknown(name, path: nil, known: Self.known)
      }
      node = document.next(value)
    }
  }

  private static func set(_ member: inout Int?, _ value: Int, _ name: String) throws(APIError) {
    guard member == nil else { throw .duplicate(path: name) }
    member = value
  }

  func model(
    in document: JSONDocument, path: String?, models: ModelCatalogue
  ) throws(APIError) -> ServedModel {
    guard let model else {
      if let path { return try models.model(path) }
      guard let defaultModel = models.defaultModel else { throw .noModels }
      return defaultModel
    }
    guard document.kind(model) == .string else {
      throw .unexpected(path: "model", found: document.found(model), expected: .string)
    }
    let name = document.string(model)
    if let path, path != name { throw .otherModel(inPath: path, inBody: name) }
    return try models.model(name)
  }

  func timeout(in document: JSONDocument) throws(APIError) -> Duration? {
    guard let timeout else { return nil }
    let (found, bounds) = (document.found(timeout), ServiceSettings.timeoutMilliseconds)
    guard case .number(let number) = found, let milliseconds = Int(exactly: number),
      bounds.contains(milliseconds)
    else {
      throw .unexpected(path: "timeout_ms", found: found, expected: .integer(bounds))
    }
    return .milliseconds(milliseconds)
  }

  func horizon(
    in document: JSONDocument, of model: ServedModel, limit: Int
  ) throws(APIError) -> Int? {
    guard let horizon else { return nil }
    let found = document.found(horizon)
    guard case .number(let number) = found, let steps = Int(exactly: number), steps >= 1 else {
      throw .unexpected(path: "horizon", found: found, expected: .integer(1...limit))
    }
    guard steps <= limit else {
      throw .tooMany(
        .steps, path: "horizon", found: steps, limit: limit, setting: "max_horizon")
    }
    guard model.graph.forecastSteps != nil else { throw .notForecaster(model: model.name) }
    return steps
  }

  /// What `return_state` asks for: true is f32, false nothing.
  func returnedState(
    in document: JSONDocument, of model: ServedModel
  ) throws(APIError) -> StateElement? {
    guard let returnState else { return nil }
    let element: StateElement
    let found = document.found(returnState)
    switch found {
    case .boolean(false): return nil
    case .boolean(true): element = .f32
    case .string(let name):
      guard let named = StateElement(rawValue: name) else { fallthrough }
      element = named
    case .null, .number, .numbers, .array, .object:
      throw .unexpected(path: "return_state", found: found, expected: .returnState)
    }
    guard model.fingerprint != nil else {
      throw .notStreamable(option: "return_state", model: model.name)
    }
    return element
  }

  /// What the sequences do with which sessions; empty where they have none.
  func sessions(
    in document: JSONDocument, of model: ServedModel, for inputs: DecodedInputs
  ) throws(APIError) -> [SessionUse?] {
    guard let session, document.kind(session) != .null else { return [] }
    guard model.fingerprint != nil else {
      throw .notStreamable(option: "session", model: model.name)
    }
    let uses = try SessionDecoder(document: document).decode(session, for: inputs)
    return uses.contains { $0 != nil } ? uses : []
  }

  /// What the sequences go on from; empty where all begin.
  func states(
    in document: JSONDocument, of model: ServedModel, for inputs: DecodedInputs,
    sealer: StateSealer
  ) throws(APIError) -> [SequenceState?] {
    guard let state, document.kind(state) != .null else { return [] }
    guard let fingerprint = model.fingerprint else {
      throw .notStreamable(option: "state", model: model.name)
    }
    return try StateDecoder(
      document: document, model: model, fingerprint: fingerprint, sealer: sealer
    ).decode(state, for: inputs)
  }

  func selection(
    in document: JSONDocument, of model: ServedModel, hasHorizon: Bool
  ) throws(APIError) -> Selection {
    guard let outputs else {
      let selection = model.graph.defaultSelection
      return !hasHorizon && model.graph.supports(selection) ? selection : .last
    }
    let found = document.found(outputs)
    guard case .string(let name) = found, let selection = Selection(rawValue: name) else {
      throw .unexpected(
        path: "outputs", found: found, expected: .oneOf(Selection.allCases.map(\.rawValue)))
    }
    if selection == .all, hasHorizon { throw .allWithHorizon }
    guard model.graph.supports(selection) else { throw .notEveryStep(model: model.name) }
    return selection
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
