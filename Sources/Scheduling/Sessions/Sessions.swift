import DequeModule
import Dispatch
import Inference
import Synchronization

/// The sessions of a server: the table under a lock, the requests that wait for one, and the clock.
package final class Sessions: Sendable {
  /// The states that a request goes on from, nil for a session that begins; or why it gets none.
  package typealias Grant = Result<[SequenceState?], SessionRefusal>

  /// A request that may have to wait for a session.
  package struct Waiter: Hashable, Sendable {
    fileprivate let number: UInt64
  }

  private struct Waiting {
    let waiter: Waiter
    let openings: [SessionTable.Opening]
    let model: String
    let floatCount: Int
    /// When its client stops waiting, and the time-out by which it does.
    let due: (deadline: ContinuousClock.Instant, timeout: Duration)?
    let completion: @Sendable (Grant) -> Void
  }

  private struct LockedState {
    var table: SessionTable
    let clock: @Sendable () -> ContinuousClock.Instant
    /// In the order in which they came, by the session that they wait for.
    var waiting: [SessionTable.Key: Deque<Waiting>] = [:]
    /// Whether a timer looks at the deadlines of waiting requests.
    var isWatched = false
    /// Requests that wait no more, whose completions are yet to be called, in order.
    var reports: Deque<(Waiting, Grant)> = []
    /// Whether a thread is calling them.
    var isReporting = false

    /// Opens the sessions of a request, or lets it wait for the one that is busy; nil where it waits.
    mutating func open(_ request: Waiting, mayWait: Bool) -> Grant? {
      do throws(SessionRefusal) {
        return .success(
          try table.open(
            request.openings, model: request.model, floatCount: request.floatCount, now: clock()))
      } catch {
        guard mayWait, case .busy(let id) = error else { return .failure(error) }
        let key = SessionTable.Key(model: request.model, id: id)
        guard waiting[key]?.count ?? 0 < table.limits.maxWaiters else {
          return .failure(.tooManyWait(id, limit: table.limits.maxWaiters))
        }
        waiting[key, default: []].append(request)
        return nil
      }
    }

    /// Opens `key` for the first request that waits for it.
    mutating func admitWaiters(of key: SessionTable.Key) {
      // A request that has to wait again waits for another session, as this one is free.
      while !table.isOpen(key), let request = waiting[key]?.popFirst() {
        if let grant = open(request, mayWait: true) { reports.append((request, grant)) }
      }
      if waiting[key]?.isEmpty == true { waiting[key] = nil }
    }

    /// Removes the requests whose deadline passed.
    mutating func removeLate(now: ContinuousClock.Instant) -> [Waiting] {
      func isLate(_ request: Waiting) -> Bool { request.due.map { $0.deadline <= now } ?? false }
      let late = waiting.values.joined().filter(isLate)
      if !late.isEmpty {
        for key in waiting.keys { waiting[key]?.removeAll(where: isLate) }
        waiting = waiting.filter { !$0.value.isEmpty }
      }
      return Array(late)
    }

    /// The next completion to call; nil where there is none.
    mutating func nextReport() -> (Waiting, Grant)? {
      isReporting = !reports.isEmpty
      return reports.popFirst()
    }
  }

  private let state: Mutex<LockedState>
  private let waiterCount = Atomic<UInt64>(0)

  /// Sessions that expire within a second of their time.
  ///
  /// - Parameter clock: by which they expire, and time-outs pass.
  package init(
    limits: SessionLimits, clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    state = Mutex(LockedState(table: SessionTable(limits: limits), clock: clock))
    expireLater()
  }

  private func expireLater() {
    DispatchQueue.global().asyncAfter(deadline: .now() + 1) { [weak self] in
      guard let self else { return }
      state.withLock { $0.table.expire(now: $0.clock()) }
      expireLater()
    }
  }

  /// The number by which a request may leave while it waits; made before it does, so that it can leave from the first moment.
  package func makeWaiter() -> Waiter {
    Waiter(number: waiterCount.add(1, ordering: .relaxed).newValue)
  }

  /// Takes up sessions for a request, all or none; `close` gives them back.
  ///
  /// - Parameters:
  ///   - waits: whether to wait where one of them is busy, holding none meanwhile.
  ///   - arrived: when the request came.
  ///   - timeout: how long after that it waits at the most.
  ///   - waiter: made for this request.
  ///   - completion: called once, here or on a thread that gives a session back; not after `leave`.
  package func open(
    _ openings: [SessionTable.Opening], model: String, floatCount: Int, waits: Bool,
    arrived: ContinuousClock.Instant, timeout: Duration?, as waiter: Waiter,
    completion: @escaping @Sendable (Grant) -> Void
  ) {
    let request = Waiting(
      waiter: waiter, openings: openings, model: model, floatCount: floatCount,
      due: timeout.map { (arrived + $0, $0) }, completion: completion)
    let (grant, startsClock) = state.withLock { state in
      let grant = state.open(request, mayWait: waits)
      guard grant == nil, timeout != nil, !state.isWatched else { return (grant, false) }
      state.isWatched = true
      return (grant, true)
    }
    if let grant { completion(grant) }
    if startsClock { refuseLateLater() }
  }

  /// How often the timer looks at deadlines, while a waiting request has one.
  private static let watchSeconds = 0.05

  /// Refuses the requests whose deadline passed while they waited, and looks again as long as there are any with one: one
  /// timer for all of them.
  private func refuseLateLater() {
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.watchSeconds) { [weak self] in
      guard let self else { return }
      let (late, goesOn) = state.withLock { state in
        let late = state.removeLate(now: state.clock())
        state.isWatched = state.waiting.values.joined().contains { $0.due != nil }
        return (late, state.isWatched)
      }
      for request in late {
        guard let (_, timeout) = request.due else { preconditionFailure("late without a deadline") }
        request.completion(.failure(.deadlinePassed(timeout: timeout)))
      }
      if goesOn { refuseLateLater() }
    }
  }

  /// Removes a request whose client left; false where it does not wait, or no more.
  @discardableResult
  package func leave(_ waiter: Waiter) -> Bool {
    state.withLock { state in
      for (key, queue) in state.waiting {
        guard let index = queue.firstIndex(where: { $0.waiter == waiter }) else { continue }
        state.waiting[key]?.remove(at: index)
        if state.waiting[key]?.isEmpty == true { state.waiting[key] = nil }
        return true
      }
      return false
    }
  }

  /// Gives back the sessions of a request that is done.
  ///
  /// - Parameter results: the state that each has now, nil where it keeps what it had, and whether it ends.
  /// - Returns: false where the sessions are frozen, so that none of these has moved.
  @discardableResult
  package func close(
    _ results: [(id: String, state: SequenceState?, ends: Bool)], model: String
  ) -> Bool {
    let (isTaken, tells) = state.withLock { state in
      guard !state.table.isFrozen else { return (false, false) }
      let now = state.clock()
      for result in results {
        let key = SessionTable.Key(model: model, id: result.id)
        state.table.close(key, with: result.state, now: now)
        if result.ends, result.state != nil { try? state.table.end(key, now: now) }
      }
      for result in results { state.admitWaiters(of: .init(model: model, id: result.id)) }
      guard !state.isReporting, !state.reports.isEmpty else { return (true, false) }
      state.isReporting = true
      return (true, true)
    }
    // A completion may close its sessions at once, and let the next request go on: in this loop, not by recursion.
    guard tells else { return isTaken }
    while let (request, grant) = state.withLock({ $0.nextReport() }) { request.completion(grant) }
    return isTaken
  }

  /// From now on no session moves, begins or ends, so that they can be carried to the next process; waiting requests are
  /// refused.
  package func freeze() {
    let waiting = state.withLock { state in
      state.table.freeze()
      defer { state.waiting = [:] }
      return state.waiting.values.flatMap(Array.init)
    }
    for request in waiting { request.completion(.failure(.frozen)) }
  }

  /// Calls `body` with the table, for changes that no waiting request depends on.
  package func withTable<Value: Sendable, Failure: Error>(
    _ body: (inout SessionTable) throws(Failure) -> sending Value
  ) throws(Failure) -> Value {
    try state.withLock { state throws(Failure) in try body(&state.table) }
  }
}
