import Dispatch
import Glibc
import Inference
import Synchronization

/// Runs a model: takes requests from any thread, lets their sequences ride, and calls back.
///
/// Workers turn the carousel as long as riders wait or ride, each on a serial queue of its own: the first alone while
/// few ride, more when there are enough riders for them. A worker that turns alone may divide the hidden units of a
/// large model among the idle cores. Requests and turns share one lock, which is held neither while a turn computes nor
/// while its results are copied.
package final class Engine: Sendable {
  package let graph: ModelGraph
  package let limits: EngineLimits
  let state: Mutex<EngineState>
  let workers: [Worker]
  /// The threads among which a worker that turns alone may divide hidden units; nil where that can't pay.
  let crew: Crew?
  /// This engine's share of the cores; nil if no other engine turns on them.
  let share: CoreShare?
  /// Calls a function that answers several requests, one after another: here what each would cost anew may be put off
  /// to the end of all.
  let answering: @Sendable (() -> Void) -> Void
  let metrics = EngineMetrics()
  /// The answers that another thread than their worker's is still delivering.
  let deliveries = DispatchGroup()

  /// Names the sequences of one call of `predict`, `generate` or `decode`.
  package struct Ticket: Sendable {
    fileprivate let riders: [RiderID]
    fileprivate let group: RiderGroup
  }

  /// A worker: a queue, and the state that only this queue touches, or a thread that takes a turn in the worker's
  /// place.
  final class Worker: Sendable {
    let queue: DispatchQueue
    /// Delivers long answers, which would keep the worker from its next turn.
    let answers: DispatchQueue
    let state: Mutex<WorkerState>

    init(name: String, graph: ModelGraph) {
      queue = DispatchQueue(label: name, qos: .userInitiated)
      answers = DispatchQueue(label: "answers of \(name)", qos: .userInitiated)
      state = Mutex(WorkerState(graph: graph))
    }
  }

  package init(
    graph: ModelGraph, limits: EngineLimits = EngineLimits(), share: CoreShare? = nil,
    answering: @escaping @Sendable (() -> Void) -> Void = { $0() }
  ) {
    self.share = share
    self.answering = answering
    self.graph = graph
    self.limits = limits
    let carousel = Carousel(
      limits: limits, chunking: graph.isStreamable ? .steps : .wholeSequences,
      workerCount: limits.workers ?? sysconf(CInt(_SC_NPROCESSORS_ONLN)))
    workers = (0..<carousel.workerCount).map {
      Worker(name: "engine \(graph.model.description.name) \($0)", graph: graph)
    }
    let isLarge = graph.largestRecurrentByteCount >= WorkDivision.leastBytes
    crew = isLarge && carousel.workerCount > 1 ? Crew(size: carousel.workerCount) : nil
    state = Mutex(EngineState(graph: graph, carousel: carousel, dividesWork: crew != nil))
  }

  // MARK: - Requests

  /// Lets all of `sequences` ride.
  ///
  /// - Parameters:
  ///   - selection: one that `graph.supports`.
  ///   - horizon: the steps to forecast, for a forecaster only: its own output is fed back until there are that many.
  ///   - decoding: how the tokens of a graph with a decoder are chosen; nil for the likeliest at each step.
  ///   - states: for a streamable graph only; final states are those after the sequences' own steps, before any that
  ///     are fed back.
  ///   - completion: called once. Predictions come in the sequences' order, on the thread that computed the last of
  ///     them or, if they have many numbers, on another one, so that the worker can go on. A refusal comes on the
  ///     caller's thread if the request is not admitted or is cancelled, and on a worker's or the timers' thread if its
  ///     deadline passes.
  @discardableResult
  package func predict(
    _ sequences: [InputSequence], selection: Selection, horizon: Int? = nil,
    terms: RideTerms = RideTerms(), states: StateTransfer = StateTransfer(),
    decoding: Decoding? = nil, departure: Departure = .atOnce,
    completion: @escaping @Sendable (Result<[Prediction], Refusal>) -> Void
  ) -> Ticket {
    precondition(!sequences.isEmpty && graph.supports(selection))
    precondition(decoding == nil || graph.decoder != nil)
    precondition(horizon == nil || (graph.forecast != nil && selection == .last))
    precondition(states.fits(graph, sequenceCount: sequences.count))
    return admit(
      RideRequest(
        sequences, selection: selection,
        continuation: horizon.map { .forecast(horizon: $0) } ?? ending(decoding), terms: terms,
        states: states, completion: completion), departure)
  }

  /// What follows a sequence's own steps: for a graph with a decoder its tokens, the likeliest at each step unless
  /// `decoding` says otherwise; for another graph nothing.
  private func ending(
    _ decoding: Decoding?, reader: TokenReader? = nil
  ) -> Continuation {
    guard let decoder = graph.decoder?.decoder else { return .ends }
    return .decoding(decoding ?? Decoding(maxSteps: decoder.maxSteps), onToken: reader)
  }

  /// Takes each token as it is drawn, or nil if a score is not finite and there is no token; called from a worker's
  /// queue.
  package typealias TokenReader = @Sendable (Int32?) -> TokenReply

  /// Lets `prompt` ride, and continues it with tokens drawn from the model's own scores.
  ///
  /// - Parameters:
  ///   - prompt: for a graph with a `generation`.
  ///   - maxSteps: the most tokens that will be drawn, as far as the caller knows.
  ///   - reader: says after each token whether it wants the next.
  ///   - completion: called once, after the last token, with one prediction without outputs; or with the refusal.
  package func generate(
    _ prompt: InputSequence, sampling: Sampling, maxSteps: Int, terms: RideTerms,
    reader: @escaping TokenReader,
    completion: @escaping @Sendable (Result<[Prediction], Refusal>) -> Void
  ) -> Ticket {
    guard let (output, input, scale) = graph.generation else {
      preconditionFailure("a model that does not continue text")
    }
    let generation = Generation(
      sampler: TokenSampler(sampling, scale: scale), output: output, input: input,
      remainingSteps: maxSteps, onToken: reader)
    return admit(
      RideRequest(
        [prompt], selection: .last, continuation: .generation(generation), terms: terms,
        completion: completion), .atOnce)
  }

  /// Lets `sequence` ride, and gives each token of the graph's decoder to the reader as soon as the token is certain.
  ///
  /// - Parameters:
  ///   - reader: says after each token whether it wants the next; it gets nil if scores are not finite.
  ///   - completion: called once, after the last token, with one prediction; or with the refusal.
  package func decode(
    _ sequence: InputSequence, _ decoding: Decoding, terms: RideTerms,
    reader: @escaping TokenReader,
    completion: @escaping @Sendable (Result<[Prediction], Refusal>) -> Void
  ) -> Ticket {
    precondition(graph.decoder != nil)
    return admit(
      RideRequest(
        [sequence], selection: .last, continuation: ending(decoding, reader: reader), terms: terms,
        completion: completion), .atOnce)
  }

  private func admit(_ request: RideRequest, _ departure: Departure) -> Ticket {
    let journeys = request.journeys(through: graph)
    let now = ContinuousClock.now
    let arrival: Result<(riders: [RiderID], wake: [Int]), Refusal> = state.withLock { state in
      do throws(Refusal) {
        let riders = try state.admit(request, journeys, now: now)
        return .success((riders, departure.postpone == nil ? state.claimIdleWorkers() : []))
      } catch {
        return .failure(error)
      }
    }
    switch arrival {
    case .success(let (riders, wake)):
      start(wake)
      departure.postpone? { [self] in depart(mayTurnHere: $0) }
      return Ticket(riders: riders, group: request.group)
    case .failure(let refusal):
      metrics.count(refusal)
      request.group.refuse(refusal)
      return Ticket(riders: [], group: request.group)
    }
  }

  /// The client of `ticket` left: its sequences give up their places by the next turn.
  package func cancel(_ ticket: Ticket) {
    // The riders are released outside the lock.
    let (_, end) = state.withLock { ($0.leave(ticket.riders), $0.takeShutdownCompletions()) }
    if ticket.group.refuse(.cancelled) { metrics.count(.cancelled) }
    callShutdownCompletions(end)
  }

  /// The reader of a generation that replied `.wait` is ready for the next token.
  package func resume(_ ticket: Ticket) {
    let wake = state.withLock { state in
      for rider in ticket.riders { state.resume(rider) }
      return state.claimIdleWorkers()
    }
    start(wake)
  }

  // MARK: - The engine itself

  /// Frees the turns' scratch memory once none is under way; the next one allocates it anew.
  package func releaseScratch() {
    for worker in workers {
      worker.queue.async { worker.state.withLock { $0.releaseScratch() } }
    }
  }

  /// Refuses newcomers from now on; riders that were admitted are still answered.
  ///
  /// - Parameter completion: called once, from another thread, when all are answered and no worker turns.
  package func shutDown(completion: @escaping @Sendable () -> Void = {}) {
    callShutdownCompletions(
      state.withLock { state in
        state.drain(completion)
        return state.takeShutdownCompletions()
      })
  }

  /// Calls the completions of `shutDown` after the last answer is delivered.
  func callShutdownCompletions(_ completions: [@Sendable () -> Void]) {
    guard !completions.isEmpty else { return }
    deliveries.notify(queue: .global()) { for completion in completions { completion() } }
  }

  /// The engine's counters and gauges at this moment.
  package func snapshot() -> EngineStatistics {
    state.withLock { metrics.snapshot(of: $0.carousel, costs: $0.costs) }
  }
}
