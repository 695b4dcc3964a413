import Dispatch
import Glibc
import Inference
import Synchronization

/// Runs a model: takes requests from any thread, lets their sequences ride, and calls back.
///
/// Workers turn the carousel for as long as anybody waits or rides, each on a serial queue of its own: the
/// first by itself while few ride, more when there is enough for them. A worker that turns by itself may
/// divide the hidden units of a large model among the cores that the others leave idle. Requests and turns
/// meet in one lock, which is never held while a turn computes.
package final class Engine: Sendable {
  package let graph: ModelGraph
  package let limits: EngineLimits
  let boarding: Mutex<Boarding>
  let workers: [Worker]
  /// As many cores as there are workers; nil where dividing units among them can't pay.
  let crew: Crew?
  /// The cores, where other engines turn on them too, and this engine's number among them.
  let share: CoreShare?
  let metrics = EngineMetrics()

  /// The sequences of one call of `predict`.
  package struct Ticket: Sendable {
    fileprivate let riders: [RiderID]
  }

  /// What requests and turns share.
  struct Boarding {
    var carousel: Carousel
    var riders: [RiderID: Rider] = [:]
    /// Riders whose readers are behind: they wait for `resume`, without a seat.
    var parked: Set<RiderID> = []
    /// Riders whose readers caught up before they were parked.
    var resumed: Set<RiderID> = []
    /// Whether the deadlines of parked riders are looked at.
    var isWatched = false
    /// By worker.
    var isTurning: [Bool]
    var isDraining = false
    var division = WorkDivision()
    var costs = TurnCosts()

    /// Lets a rider whose reader caught up board again, or be spared from parking.
    mutating func resume(_ rider: RiderID, graph: ModelGraph) {
      guard let found = riders[rider] else { return }
      if self.parked.remove(rider) != nil {
        carousel.rejoin(rider, found.journey(of: graph), deadline: found.deadline)
      } else {
        resumed.insert(rider)
      }
    }

    /// The workers that have to start turning, now that there are more riders; they count as turning.
    mutating func workersToWake() -> [Int] {
      let missing = carousel.neededWorkers - isTurning.count(where: \.self)
      let idle = isTurning.indices.filter { !isTurning[$0] }.prefix(Swift.max(0, missing))
      for worker in idle { isTurning[worker] = true }
      return Array(idle)
    }
  }

  /// What turns: a queue, and what only that queue touches.
  final class Worker: Sendable {
    struct Belongings {
      var states: SeatStates
      var workspace: Workspace
    }

    let queue: DispatchQueue
    let belongings: Mutex<Belongings>

    init(name: String, graph: ModelGraph) {
      queue = DispatchQueue(label: name, qos: .userInitiated)
      belongings = Mutex(
        Belongings(states: SeatStates(graph: graph), workspace: Workspace(graph: graph)))
    }
  }

  /// Cores that several engines share, and the number of one of them.
  package typealias CoreShare = (cores: Cores, model: Int)

  package init(
    graph: ModelGraph, limits: EngineLimits = EngineLimits(), share: CoreShare? = nil
  ) {
    self.share = share
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
    boarding = Mutex(
      Boarding(
        carousel: carousel, isTurning: Array(repeating: false, count: carousel.workerCount)))
  }

  /// Lets all of `sequences` ride.
  ///
  /// - Parameters:
  ///   - selection: one that `graph.supports`.
  ///   - horizon: steps to forecast, for a forecaster only; its own output is fed back until they are there.
  ///   - states: for a streamable graph only; the last ones are those behind the sequences' own steps.
  ///   - completion: called once: with predictions in the sequences' order, from a worker's queue; or
  ///     with the refusal, at once on the caller's thread or when the request is cancelled.
  @discardableResult
  package func predict(
    _ sequences: [InputSequence], selection: Selection, horizon: Int? = nil,
    terms: RideTerms = RideTerms(), states: StateTransfer = StateTransfer(),
    completion: @escaping @Sendable (Result<[Prediction], Refusal>) -> Void
  ) -> Ticket {
    precondition(!sequences.isEmpty && graph.supports(selection))
    precondition(horizon == nil || (graph.forecast != nil && selection == .last))
    precondition(states.fits(graph, sequenceCount: sequences.count))
    return admit(
      sequences, selection: selection,
      continuation: horizon.map { .forecast(horizon: $0) } ?? .ends, terms: terms,
      states: states, completion: completion)
  }

  /// Takes each token as it is drawn, nil for none where a score is not finite; called from a worker's queue.
  package typealias TokenReader = @Sendable (Int32?) -> TokenReply

  /// Lets `prompt` ride, and goes on with tokens that the model itself foretells.
  ///
  /// - Parameters:
  ///   - prompt: for a graph with a `generation`.
  ///   - maxSteps: tokens that it will come to at the most, as far as the caller knows.
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
      [prompt], selection: .last, continuation: .generation(generation), terms: terms,
      states: StateTransfer(), completion: completion)
  }

  private func admit(
    _ sequences: [InputSequence], selection: Selection, continuation: Continuation,
    terms: RideTerms, states: StateTransfer,
    completion: @escaping @Sendable (Result<[Prediction], Refusal>) -> Void
  ) -> Ticket {
    let group = RiderGroup(count: sequences.count, completion: completion)
    let now = ContinuousClock.now
    let arrival: Result<(riders: [RiderID], wake: [Int]), Refusal> =
      boarding.withLock { boarding in
        guard !boarding.isDraining else { return .failure(.draining) }
        do throws(Refusal) {
          let riders = try boarding.carousel.arrive(
            sequences.map {
              .init(
                steps: $0.stepCount,
                following: continuation.followingSteps(of: graph, after: $0.stepCount))
            },
            terms: terms, now: now, costs: boarding.costs)
          let foundSeat = boarding.carousel.hasFreeSeat
          for (index, rider) in riders.enumerated() {
            boarding.riders[rider] = Rider(
              input: sequences[index], selection: selection, continuation: continuation,
              group: group, index: index, foundSeat: foundSeat, arrived: terms.arrived,
              timeout: terms.timeout,
              states: states)
          }
          return .success((riders, terms.startsLater ? [] : boarding.workersToWake()))
        } catch {
          return .failure(error)
        }
      }
    switch arrival {
    case .success(let (riders, wake)):
      start(wake)
      return Ticket(riders: riders)
    case .failure(let refusal):
      metrics.count(refusal)
      completion(.failure(refusal))
      return Ticket(riders: [])
    }
  }

  /// The client of `ticket` left: its sequences give up their places by the next turn.
  package func cancel(_ ticket: Ticket) {
    let groups = boarding.withLock { boarding in
      boarding.carousel.leave(ticket.riders)
      return ticket.riders.compactMap { rider in
        boarding.parked.remove(rider)
        boarding.resumed.remove(rider)
        return boarding.riders.removeValue(forKey: rider)?.group
      }
    }
    guard let group = groups.first else { return }
    metrics.count(.cancelled)
    group.refuse(.cancelled)
  }

  /// The reader of a generation that replied `.wait` is ready for the next token.
  package func resume(_ ticket: Ticket) {
    let wake = boarding.withLock { boarding in
      for rider in ticket.riders { boarding.resume(rider, graph: graph) }
      return boarding.workersToWake()
    }
    start(wake)
  }

  /// Gives back what turns computed with, once none is under way; the next one allocates it anew.
  package func releaseScratch() {
    for worker in workers {
      worker.queue.async { [graph] in
        worker.belongings.withLock { $0.workspace = Workspace(graph: graph) }
      }
    }
  }

  /// Refuses newcomers from now on; whoever waits or rides is still answered.
  package func shutDown() {
    boarding.withLock { $0.isDraining = true }
  }

  /// The engine's counters and gauges at this moment.
  package func snapshot() -> EngineStatistics {
    boarding.withLock { boarding in
      metrics.snapshot(
        of: boarding.carousel, parked: boarding.parked.count, costs: boarding.costs)
    }
  }
}
