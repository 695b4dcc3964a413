import Inference

/// A sequence on its way: queued, on board or parked.
///
/// Unchecked `Sendable`: a rider has one owner at a time, and only the owner uses it: `EngineState` (within its lock)
/// while it waits or is parked, a `WorkerState` while it rides, or the thread that has removed it from these. All
/// others know only its name.
final class Rider: @unchecked Sendable {
  private var input: InputSequence
  private let selection: Selection
  private var continuation: Continuation
  let group: RiderGroup
  /// Its index among the group's sequences.
  let index: Int
  /// Whether it had a seat before and left it to others.
  private(set) var hasBoarded = false
  /// Whether a seat was free when it came.
  let foundSeat: Bool
  let arrived: ContinuousClock.Instant
  let timeout: Duration?
  private let returnsState: Bool

  /// Whether it has had a turn.
  private var hasRun = false
  /// Steps of `input` that are done.
  private var cursor = 0
  /// Steps done in all, those fed back included.
  private var position: Int
  /// The state that its next turn starts from; nil if its seat holds the state, or the sequence has none yet.
  private var resumed: SequenceState?
  /// Its final state, where the request asked for it.
  private var finalState: SequenceState?
  /// The rows reported so far, an array for each output.
  private var reported: [[Float]] = []
  /// The search for the decoder's tokens; nil until the rider's own steps are done, and for a graph without a decoder.
  private(set) var search: TokenSearch?
  var isDecoding: Bool { search != nil }
  /// The values forecast so far, for each part of the forecast.
  private var forecastValues: [[Float]] = []

  /// The rider of a request's `index`-th sequence.
  init(_ request: RideRequest, index: Int, foundSeat: Bool) {
    input = request.sequences[index]
    selection = request.selection
    continuation = request.continuation
    group = request.group
    self.index = index
    self.foundSeat = foundSeat
    arrived = request.terms.arrived
    timeout = request.terms.timeout
    returnsState = request.states.returnsFinal
    resumed = request.states.initial.isEmpty ? nil : request.states.initial[index]
    position = resumed?.position ?? 0
  }

  /// The rider's share of a turn.
  func part(_ part: Turn.Part) -> TurnRider {
    TurnRider(
      input: input, steps: cursor..<cursor + part.steps, position: position,
      finishes: part.finishes, selection: selection, seat: part.seat,
      resumed: resumed, opensRequest: !hasRun)
  }

  // MARK: - After a turn

  /// What a rider does after a turn.
  enum Next {
    /// Rides on: its steps are not done.
    case rides
    /// Goes on with this many steps, which are fed back to it.
    case goesOn(steps: Int)
    /// Waits for its reader, with this journey still before it.
    case pauses(Journey)
    /// It is done.
    case ends
    /// Another sequence of its request was refused, so no answer is needed.
    case leaves
  }

  /// Copies the rows that a turn reported for this rider, which is the `index`-th in the turn's pass. If its steps are
  /// done and it generates text, draws a token and hands it to the reader.
  func advance(
    _ part: Turn.Part, index: Int, from workspace: Workspace, states: SeatStates, graph: ModelGraph
  ) -> Next {
    guard !group.isCompleted else { return .leaves }
    hasRun = true
    cursor += part.steps
    position += part.steps
    resumed = nil
    // The final state is the one after the sequence's own steps: what a forecast feeds back is only the model's guess.
    if part.finishes, returnsState, finalState == nil {
      finalState = states.state(ofSeat: part.seat, position: position)
    }
    // Most riders draw no tokens: theirs is not copied.
    guard case .generation = continuation else {
      collect(index, from: workspace, graph: graph)
      guard part.finishes else { return .rides }
      if case .decoding(let decoding, let reader) = continuation {
        return beginDecoding(decoding, reader: reader, graph: graph)
      }
      return feedBack(graph: graph).map { .goesOn(steps: $0) } ?? .ends
    }
    guard part.finishes, case .generation(var generation) = continuation else { return .rides }
    let token = generation.sampler.draw(
      from: workspace.values(ofOutput: generation.output, rider: index))
    let reply = generation.onToken(token)
    feedBack(generation, token: token ?? 0, graph: graph)
    guard token != nil else { return .ends }
    switch reply {
    case .goOn: return .goesOn(steps: stepsLeft)
    case .stop: return .ends
    case .wait:
      leaveSeat(part.seat, states: states, graph: graph)
      return .pauses(
        Journey(
          steps: stepsLeft,
          following: continuation.followingSteps(of: graph, after: input.stepCount)))
    }
  }

  private func collect(_ index: Int, from workspace: Workspace, graph: ModelGraph) {
    if reported.isEmpty {
      reported = Array(repeating: [], count: graph.answerCount)
      if selection == .all {
        // As much as the memory budget reserved: growing by doubling might take twice that.
        for output in graph.model.outputs.indices {
          let rows = graph.mostRows(
            ofOutput: output, selection: selection, stepCounts: input.stepCounts)
          reported[output].reserveCapacity(rows * graph.model.outputs[output].size)
        }
      }
    }
    for output in reported.indices where workspace.hasValues(ofOutput: output, rider: index) {
      reported[output] += workspace.values(ofOutput: output, rider: index)
    }
  }

  /// Feeds the forecast back unless the horizon is reached; returns the number of steps to go on for, nil at the end.
  private func feedBack(graph: ModelGraph) -> Int? {
    guard case .forecast(let horizon) = continuation,
      let forecast = graph.forecast
    else { return nil }
    if forecastValues.isEmpty { forecastValues = forecast.parts.map { _ in [] } }
    for (index, part) in forecast.parts.enumerated() {
      forecastValues[index] += part.elements(of: reported[part.output])
    }
    guard forecastValues[0].count < horizon * forecast.size else { return nil }
    let (source, stepCount) = (forecast.input, forecast.stepCount)
    let next = forecast.feedback.elements(of: reported[forecast.feedback.output])
    reported.removeAll()
    cursor = 0
    if graph.isStreamable {
      input = InputSequence(
        replacing: source, of: input, with: next, stepCount: stepCount)
    } else {
      // The graph needs the whole sequence at once: it starts again, longer.
      position = 0
      input = InputSequence(
        replacing: source, of: input, with: input.features(source) + next,
        stepCount: input.stepCount + stepCount)
    }
    return input.stepCount
  }

  /// Feeds the drawn token back. It is the only step of the next input or, if the graph needs whole sequences, the last
  /// step of an input that runs again from its beginning.
  private func feedBack(_ generation: Generation, token: Int32, graph: ModelGraph) {
    var generation = generation
    generation.remainingSteps = Swift.max(0, generation.remainingSteps - 1)
    continuation = .generation(generation)
    if graph.isStreamable {
      input = InputSequence(replacing: generation.input, of: input, with: token)
    } else {
      position = 0
      input = InputSequence(appending: token, to: generation.input, of: input)
    }
    cursor = 0
  }

  /// Steps of its input that are not done.
  private var stepsLeft: Int { input.stepCount - cursor }

  // MARK: - A decoder's tokens

  /// The encoder is done: starts the decoder with the encoder's results.
  private func beginDecoding(
    _ decoding: Decoding, reader: Engine.TokenReader?, graph: ModelGraph
  ) -> Next {
    guard let decoder = graph.decoder else { preconditionFailure("a graph without a decoder") }
    let values = Array(reported.suffix(graph.model.decoded.count))
    reported.removeLast(values.count)
    search = TokenSearch(decoder, decoding, values: values)
    guard search?.isDone == false else {
      _ = reader?(nil)
      return .ends
    }
    return .goesOn(steps: 1)
  }

  /// Advances the search by one step of the decoder, and hands tokens that are now certain to the reader.
  ///
  /// - Parameter place: the index of the rider's first row in the turn.
  func advance(decoding place: Int, of turn: DecoderTurn) -> Next {
    guard !group.isCompleted else { return .leaves }
    search?.advance(place, of: turn)
    var reply = TokenReply.goOn
    if case .decoding(_, let reader?) = continuation {
      for token in search?.reportCertainTokens() ?? [] where reply != .stop {
        reply = reader(token)
      }
      if search?.isNotFinite == true { _ = reader(nil) }
    }
    guard let remaining = search?.remainingSteps, remaining > 0 else { return .ends }
    switch reply {
    case .goOn: return .goesOn(steps: 1)
    case .stop:
      search?.stop()
      return .ends
    case .wait:
      hasBoarded = true
      return .pauses(Journey(steps: 1, following: remaining - 1))
    }
  }

  // MARK: - Seats

  /// Takes along the state that its seat holds, to board again later. If the graph needs whole sequences, each turn
  /// begins anew, and there is no state to keep.
  func leaveSeat(_ seat: Int, states: SeatStates, graph: ModelGraph) {
    hasBoarded = true
    // While decoding, each hypothesis keeps its own state, and the seat holds none.
    guard search == nil else { return }
    resumed = graph.isStreamable ? states.state(ofSeat: seat, position: position) : nil
  }

  /// Stays in its seat after `leaveSeat`: the seat still holds its state.
  func keepSeat() { resumed = nil }

  // MARK: - The answer

  /// The answer, once the rider is done.
  func prediction(of graph: ModelGraph) -> Prediction {
    if case .generation = continuation { return Prediction(outputs: []) }
    if case .forecast(let horizon) = continuation, let size = graph.forecast?.size {
      return Prediction(
        outputs: forecastValues.map { forecastValues in
          let values = Array(forecastValues.prefix(horizon * size))
          return size == 1
            ? Prediction.Output(rows: nil, size: horizon, values: values)
            : Prediction.Output(rows: horizon, size: size, values: values)
        }, state: finalState)
    }
    return Prediction(
      outputs: reported.prefix(graph.model.outputs.count).enumerated().map { output, values in
        let size = graph.model.outputs[output].size
        return Prediction.Output(
          rows: graph.answersSteps(ofOutput: output, selection: selection)
            ? values.count / size : nil,
          size: size, values: values,
          mask: graph.model.maskPlace(ofOutput: output).map { reported[$0] })
      }, state: finalState, decoded: search.flatMap { $0.isNotFinite ? nil : $0.answer })
  }
}
