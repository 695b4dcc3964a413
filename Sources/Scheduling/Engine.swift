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
  private let boarding: Mutex<Boarding>
  private let workers: [Worker]
  /// As many cores as there are workers; nil where dividing units among them can't pay.
  private let crew: Crew?
  private let metrics = EngineMetrics()

  /// The sequences of one call of `predict`.
  package struct Ticket: Sendable {
    fileprivate let riders: [Carousel.RiderID]
  }

  /// What requests and turns share.
  private struct Boarding {
    var carousel: Carousel
    var riders: [Carousel.RiderID: Rider] = [:]
    /// By worker.
    var isTurning: [Bool]
    var isDraining = false
    var division = WorkDivision()
    /// A moving average of what a step of one rider costs a worker.
    var secondsPerStep: Double = 0

    /// The workers that have to start turning, now that there are more riders; they count as turning.
    mutating func workersToWake() -> [Int] {
      let missing = carousel.neededWorkers - isTurning.count(where: \.self)
      let idle = isTurning.indices.filter { !isTurning[$0] }.prefix(Swift.max(0, missing))
      for worker in idle { isTurning[worker] = true }
      return Array(idle)
    }
  }

  /// What turns: a queue, and what only that queue touches.
  private final class Worker: Sendable {
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

  package init(graph: ModelGraph, limits: EngineLimits = EngineLimits()) {
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
  ///   - completion: called once: with predictions in the sequences' order, from a worker's queue; or
  ///     with the refusal, at once on the caller's thread or when the request is cancelled.
  @discardableResult
  package func predict(
    _ sequences: [InputSequence], selection: Selection, horizon: Int? = nil,
    completion: @escaping @Sendable (Result<[Prediction], Refusal>) -> Void
  ) -> Ticket {
    precondition(!sequences.isEmpty && graph.supports(selection))
    precondition(horizon == nil || (graph.forecast != nil && selection == .last))
    let group = RiderGroup(count: sequences.count, completion: completion)
    let now = ContinuousClock.now
    let arrival: Result<(riders: [Carousel.RiderID], wake: [Int]), Refusal> =
      boarding.withLock { boarding in
        guard !boarding.isDraining else { return .failure(.draining) }
        do throws(Refusal) {
          let riders = try boarding.carousel.arrive(
            steps: sequences.map(\.stepCount), secondsPerStep: boarding.secondsPerStep)
          for (index, rider) in riders.enumerated() {
            boarding.riders[rider] = Rider(
              input: sequences[index], selection: selection, horizon: horizon, group: group,
              index: index, arrived: now)
          }
          return .success((riders, boarding.workersToWake()))
        } catch {
          return .failure(error)
        }
      }
    switch arrival {
    case .success(let (riders, wake)):
      for worker in wake { workers[worker].queue.async { self.turn(worker) } }
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
      ticket.riders.compactMap { rider in
        boarding.carousel.leave(rider)
        return boarding.riders.removeValue(forKey: rider)?.group
      }
    }
    guard let group = groups.first else { return }
    metrics.count(.cancelled)
    group.refuse(.cancelled)
  }

  /// Refuses newcomers from now on; whoever waits or rides is still answered.
  package func shutDown() {
    boarding.withLock { $0.isDraining = true }
  }

  /// The engine's counters and gauges at this moment.
  package func snapshot() -> EngineStatistics {
    boarding.withLock { boarding in
      metrics.snapshot(
        seated: boarding.carousel.seatedCount, maxSeats: limits.maxSeats,
        queuedSequences: boarding.carousel.queuedCount,
        queuedSteps: boarding.carousel.queuedSteps, secondsPerStep: boarding.secondsPerStep)
    }
  }

  // MARK: - Turning

  /// Turns until nobody is left.
  private func turn(_ index: Int) {
    workers[index].belongings.withLock { worker in
      while let (turn, riders, way) = nextTurn(index) {
        for move in turn.moves { worker.states.move(from: move.from, to: move.to) }
        let start = ContinuousClock.now
        graph.forward(
          riders, states: &worker.states, workspace: &worker.workspace,
          crew: way == .together ? crew : nil)
        let steps = turn.parts.reduce(0) { $0 + $1.steps }
        let finished = finish(
          turn.parts, worker: index, workspace: worker.workspace, way: way,
          secondsPerStep: start.duration(to: .now).seconds / Double(steps))
        metrics.countTurn(rows: riders.count, steps: steps, finished: finished.count)
        for rider in finished { rider.group.finish(rider.index, with: rider.prediction(of: graph)) }
      }
      worker.workspace.trim()
    }
  }

  private func nextTurn(_ worker: Int) -> (Carousel.Turn, [TurnRider], WorkDivision.Way)? {
    boarding.withLock { boarding in
      guard let turn = boarding.carousel.nextTurn(worker: worker) else {
        boarding.isTurning[worker] = false
        return nil
      }
      for boarded in turn.boardings {
        guard let rider = boarding.riders[boarded.rider] else { continue }
        metrics.countBoarding(waited: rider.arrived.duration(to: .now).seconds)
      }
      let riders = turn.parts.map { part in
        guard let rider = boarding.riders[part.rider] else {
          preconditionFailure("a rider that the engine does not know")
        }
        return rider.part(part)
      }
      let isByItself = boarding.isTurning.count(where: \.self) == 1
      let way = crew != nil && isByItself ? boarding.division.choose(riders: riders.count) : .alone
      return (turn, riders, way)
    }
  }

  /// Takes what the turn reported; returns the riders that are done.
  private func finish(
    _ parts: [Carousel.Part], worker: Int, workspace: Workspace, way: WorkDivision.Way,
    secondsPerStep: Double
  ) -> [Rider] {
    boarding.withLock { boarding in
      boarding.division.record(riders: parts.count, way, secondsPerStep: secondsPerStep)
      boarding.secondsPerStep =
        boarding.secondsPerStep == 0
        ? secondsPerStep : 0.9 * boarding.secondsPerStep + 0.1 * secondsPerStep
      var finished: [Rider] = []
      for (index, part) in parts.enumerated() {
        // A client may have left while the turn ran.
        guard var rider = boarding.riders.removeValue(forKey: part.rider) else { continue }
        rider.take(part, index: index, from: workspace, graph: graph)
        if part.finishes {
          guard let steps = rider.feedBack(graph: graph) else {
            boarding.carousel.alight(seat: part.seat, worker: worker)
            finished.append(rider)
            continue
          }
          boarding.carousel.extend(seat: part.seat, worker: worker, by: steps)
        }
        boarding.riders[part.rider] = rider
      }
      return finished
    }
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
