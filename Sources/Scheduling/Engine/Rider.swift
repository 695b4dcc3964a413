import Inference
import Synchronization

/// A sequence on its way: queued or on board.
struct Rider {
  private var input: InputSequence
  private let selection: Selection
  private var continuation: Continuation
  let group: RiderGroup
  /// Its place among the group's sequences.
  let index: Int
  /// Whether it had a seat before, which it left to others.
  private(set) var hasBoarded = false
  /// Whether a seat was free when it came.
  let foundSeat: Bool
  let arrived: ContinuousClock.Instant
  let timeout: Duration?
  private let returnsState: Bool

  /// Steps of `input` that are done.
  private var cursor = 0
  /// Steps done in all, those fed back included.
  private var position: Int
  /// What it goes on from, until the next turn is done; nil for what its seat holds, or a sequence that begins.
  private var resumed: SequenceState?
  /// What it ends with, where that was asked for.
  private var finalState: SequenceState?
  /// What has been reported so far, an array an output.
  private var reported: [[Float]] = []
  private var forecast: [Float] = []

  init(
    input: InputSequence, selection: Selection, continuation: Continuation, group: RiderGroup,
    index: Int,
    foundSeat: Bool, arrived: ContinuousClock.Instant, timeout: Duration?, states: StateTransfer
  ) {
    self.input = input
    self.selection = selection
    self.continuation = continuation
    self.group = group
    self.index = index
    self.foundSeat = foundSeat
    self.arrived = arrived
    self.timeout = timeout
    returnsState = states.returnsFinal
    resumed = states.initial.isEmpty ? nil : states.initial[index]
    position = resumed?.position ?? 0
  }

  /// When nobody waits for its answer any more.
  var deadline: ContinuousClock.Instant? { timeout.map { arrived + $0 } }

  /// The rider's share of a turn.
  func part(_ part: Turn.Part) -> TurnRider {
    TurnRider(
      input: input, steps: cursor..<cursor + part.steps, position: position,
      finishes: part.finishes, selection: selection, seat: part.seat,
      resumed: resumed)
  }

  /// What goes on with this rider's last scores in a turn, if anything does.
  func generation(after part: Turn.Part) -> Generation? {
    guard case .generation(let generation) = continuation, part.finishes else { return nil }
    return generation
  }

  /// Takes what a turn reported for this rider, the turn's `index`-th.
  mutating func take(
    _ part: Turn.Part, index: Int, from workspace: Workspace, states: SeatStates,
    graph: ModelGraph
  ) {
    cursor += part.steps
    position += part.steps
    resumed = nil
    // What a forecast feeds back is the model's own guess: no part of the sequence.
    if part.finishes, returnsState, finalState == nil {
      finalState = states.state(ofSeat: part.seat, position: position)
    }
    if case .generation = continuation { return }
    if reported.isEmpty {
      reported = Array(repeating: [], count: graph.model.outputs.count)
      if selection == .all {
        // As much as was reserved for it: growing by doubling would take twice that.
        for output in reported.indices {
          reported[output].reserveCapacity(input.stepCount * graph.model.outputs[output].size)
        }
      }
    }
    for output in reported.indices {
      reported[output] += workspace.values(ofOutput: output, rider: index)
    }
  }

  /// What a rider does when its steps are done.
  enum Next {
    /// Goes on with so many steps that are fed back to it.
    case steps(Int)
    /// Waits for its reader.
    case pause
    case end
  }

  /// What it does now that its steps are done, with the token that was drawn where it writes text.
  mutating func next(
    _ generation: Generation?, _ drawn: Engine.DrawnToken, _ graph: ModelGraph
  ) -> Next {
    guard let generation, let (token, reply) = drawn else {
      return feedBack(graph: graph).map { .steps($0) } ?? .end
    }
    feedBack(generation, token: token, graph: graph)
    switch reply {
    case .goOn: return .steps(stepsLeft)
    case .wait: return .pause
    case .stop: return .end
    }
  }

  /// Feeds the forecast back where the horizon is not reached; returns the steps to go on for, nil at the end.
  private mutating func feedBack(graph: ModelGraph) -> Int? {
    guard case .forecast(let horizon) = continuation,
      let (output, source, stepCount) = graph.forecast
    else { return nil }
    let size = reported[output].count / stepCount
    forecast += reported[output]
    guard forecast.count < horizon * size else { return nil }
    let next = reported[output]
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

  /// Feeds the token that was drawn back: the only step to go on for, or the last of all that are run again.
  private mutating func feedBack(
    _ generation: Generation, token: Int32, graph: ModelGraph
  ) {
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

  /// The steps that a rider without a seat has before it.
  func journey(of graph: ModelGraph) -> Journey {
    .init(
      steps: stepsLeft, following: continuation.followingSteps(of: graph, after: input.stepCount))
  }

  /// Steps of its input that are not done.
  var stepsLeft: Int { input.stepCount - cursor }

  /// Leaves its seat with the state that it holds, to board again later. A graph that needs whole sequences begins each
  /// turn anew: there is no state to keep.
  mutating func park(seat: Int, states: SeatStates, graph: ModelGraph) {
    hasBoarded = true
    resumed = graph.isStreamable ? states.state(ofSeat: seat, position: position) : nil
  }

  /// The answer, once the rider is done.
  func prediction(of graph: ModelGraph) -> Prediction {
    if case .generation = continuation { return Prediction(outputs: []) }
    if case .forecast(let horizon) = continuation, let (output, _, stepCount) = graph.forecast {
      let size = reported[output].count / stepCount
      let values = Array(forecast.prefix(horizon * size))
      return Prediction(
        outputs: [
          size == 1
            ? Prediction.Output(rows: nil, size: horizon, values: values)
            : Prediction.Output(rows: horizon, size: size, values: values)
        ], state: finalState)
    }
    return Prediction(
      outputs: reported.enumerated().map { output, values in
        let size = graph.model.outputs[output].size
        return Prediction.Output(
          rows: graph.rowCount(
            ofOutput: output, selection: selection, stepCount: values.count / size),
          size: size, values: values)
      }, state: finalState)
  }
}

/// The sequences of one request: answered together, once.
final class RiderGroup: Sendable {
  private struct State {
    var predictions: [Prediction?]
    var remaining: Int
    var completion: (@Sendable (Result<[Prediction], Refusal>) -> Void)?
  }

  private let state: Mutex<State>

  init(count: Int, completion: @escaping @Sendable (Result<[Prediction], Refusal>) -> Void) {
    state = Mutex(
      State(
        predictions: Array(repeating: nil, count: count), remaining: count,
        completion: completion))
  }

  /// Whether the request was answered, or refused.
  var isCompleted: Bool { state.withLock { $0.completion == nil } }

  /// Records the prediction of one sequence; the last one completes the request.
  func finish(_ index: Int, with prediction: Prediction) {
    let complete =
      state.withLock { state in
        state.predictions[index] = prediction
        state.remaining -= 1
        guard state.remaining == 0, let completion = state.completion else { return nil }
        state.completion = nil
        return (completion, state.predictions.compactMap(\.self))
      } as (@Sendable (Result<[Prediction], Refusal>) -> Void, [Prediction])?
    if let (completion, predictions) = complete { completion(.success(predictions)) }
  }

  /// Completes the request without predictions; returns false where it was complete.
  @discardableResult
  func refuse(_ refusal: Refusal) -> Bool {
    let completion = state.withLock { state in
      defer { state.completion = nil }
      return state.completion
    }
    completion?(.failure(refusal))
    return completion != nil
  }
}
