import Dispatch
import Inference
import Synchronization

/// Runs a model: takes requests from any thread, lets their sequences ride, and calls back.
///
/// One serial queue turns the carousel for as long as anybody waits or rides. Requests and turns meet in
/// one lock, which is never held while a turn computes.
package final class Engine: Sendable {
  package let graph: ModelGraph
  package let limits: EngineLimits
  private let queue: DispatchQueue
  private let boarding: Mutex<Boarding>
  private let worker: Mutex<Worker>
  private let metrics = EngineMetrics()

  /// The sequences of one call of `predict`.
  package struct Ticket: Sendable {
    fileprivate let riders: [Carousel.RiderID]
  }

  /// What requests and turns share.
  private struct Boarding {
    var carousel: Carousel
    var riders: [Carousel.RiderID: Rider] = [:]
    var isTurning = false
    var isDraining = false
    /// A moving average of what a step of one rider costs.
    var secondsPerStep: Double = 0
  }

  /// What only the turning queue touches.
  private struct Worker {
    var states: SeatStates
    var workspace: Workspace
  }

  package init(graph: ModelGraph, limits: EngineLimits = EngineLimits()) {
    self.graph = graph
    self.limits = limits
    queue = DispatchQueue(label: "engine \(graph.model.description.name)", qos: .userInitiated)
    boarding = Mutex(
      Boarding(
        carousel: Carousel(
          limits: limits, chunking: graph.isStreamable ? .steps : .wholeSequences)))
    worker = Mutex(
      Worker(
        states: SeatStates(seats: limits.maxSeats, graph: graph),
        workspace: Workspace(graph: graph)))
  }

  /// Lets all of `sequences` ride.
  ///
  /// - Parameters:
  ///   - selection: one that `graph.supports`.
  ///   - horizon: steps to forecast, for a forecaster only; its own output is fed back until they are there.
  ///   - completion: called once: with predictions in the sequences' order, from the engine's queue; or
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
    let arrival: Result<(riders: [Carousel.RiderID], wake: Bool), Refusal> =
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
          let wake = !boarding.isTurning
          boarding.isTurning = true
          return .success((riders, wake))
        } catch {
          return .failure(error)
        }
      }
    switch arrival {
    case .success(let (riders, wake)):
      if wake { queue.async { self.turn() } }
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
  private func turn() {
    worker.withLock { worker in
      while let (turn, riders) = nextTurn() {
        for move in turn.moves { worker.states.move(from: move.from, to: move.to) }
        // A rider that was cancelled after the turn was planned is passed over.
        let aboard = zip(turn.parts, riders).compactMap { part, rider in
          rider.map { (part: part, rider: $0) }
        }
        guard !aboard.isEmpty else { continue }
        let start = ContinuousClock.now
        graph.forward(
          aboard.map { $0.rider.part($0.part) }, states: &worker.states,
          workspace: &worker.workspace)
        let steps = aboard.reduce(0) { $0 + $1.part.steps }
        let finished = finish(
          aboard.map(\.part), workspace: worker.workspace,
          secondsPerStep: start.duration(to: .now).seconds / Double(steps))
        metrics.countTurn(rows: aboard.count, steps: steps, finished: finished.count)
        for rider in finished { rider.group.finish(rider.index, with: rider.prediction(of: graph)) }
      }
    }
  }

  private func nextTurn() -> (Carousel.Turn, [Rider?])? {
    boarding.withLock { boarding in
      guard let turn = boarding.carousel.nextTurn() else {
        boarding.isTurning = false
        return nil
      }
      for boarded in turn.boardings {
        guard let rider = boarding.riders[boarded.rider] else { continue }
        metrics.countBoarding(waited: rider.arrived.duration(to: .now).seconds)
      }
      return (turn, turn.parts.map { boarding.riders[$0.rider] })
    }
  }

  /// Takes what the turn reported; returns the riders that are done.
  private func finish(
    _ parts: [Carousel.Part], workspace: Workspace, secondsPerStep: Double
  ) -> [Rider] {
    boarding.withLock { boarding in
      boarding.secondsPerStep =
        boarding.secondsPerStep == 0
        ? secondsPerStep : 0.9 * boarding.secondsPerStep + 0.1 * secondsPerStep
      var finished: [Rider] = []
      for (index, part) in parts.enumerated() {
        guard var rider = boarding.riders.removeValue(forKey: part.rider) else { continue }
        rider.take(part, index: index, from: workspace, graph: graph)
        if part.finishes {
          guard let steps = rider.feedBack(graph: graph) else {
            boarding.carousel.alight(seat: part.seat)
            finished.append(rider)
            continue
          }
          boarding.carousel.extend(seat: part.seat, by: steps)
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
