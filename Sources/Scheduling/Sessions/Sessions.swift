import DequeModule
import Dispatch
import Inference
import Synchronization

/// The sessions of a server: the table under a lock, the requests that wait for one, and the clock.
package final class Sessions: Sendable {
  /// What a request gets: the states to go on from, nil for what begins, or why not.
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
    /// When nobody waits for it any more, and the time-out that says so.
    let due: (deadline: ContinuousClock.Instant, timeout: Duration)?
    let completion: @Sendable (Grant) -> Void
  }

  private struct Room {
    var table: SessionTable
    let clock: @Sendable () -> ContinuousClock.Instant
    /// In the order in which they came, by the session that they wait for.
    var waiting: [SessionTable.Key: Deque<Waiting>] = [:]
    /// Whether the deadlines of those who wait are looked at.
    var isWatched = false
    /// Requests that wait no more and have yet to be told, in order.
    var news: Deque<(Waiting, Grant)> = []
    /// Whether a thread is at it.
    var isTelling = false

    /// Lets a request have its sessions, or wait for the one that is busy; nil where it waits.
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

    /// Lets those have `key` who wait for it.
    mutating func admitWaiters(of key: SessionTable.Key) {
      // Whoever has to wait again does so for another session, as this one is nobody's.
      while !table.isOpen(key), let request = waiting[key]?.popFirst() {
        if let grant = open(request, mayWait: true) { news.append((request, grant)) }
      }
      if waiting[key]?.isEmpty == true { waiting[key] = nil }
    }

    /// Takes out those whose deadline passed.
    mutating func removeLate(now: ContinuousClock.Instant) -> [Waiting] {
      func isLate(_ request: Waiting) -> Bool { request.due.map { $0.deadline <= now } ?? false }
      let late = waiting.values.joined().filter(isLate)
      if !late.isEmpty {
        for key in waiting.keys { waiting[key]?.removeAll(where: isLate) }
        waiting = waiting.filter { !$0.value.isEmpty }
      }
      return Array(late)
    }

    /// For the thread that tells: what comes next, nil where it is done.
    mutating func nextNews() -> (Waiting, Grant)? {
      isTelling = !news.isEmpty
      return news.popFirst()
    }
  }

  private let room: Mutex<Room>
  private let waiterCount = Atomic<UInt64>(0)

  /// Sessions that expire within a second of their time.
  ///
  /// - Parameter clock: by which they expire, and time-outs pass.
  package init(
    limits: SessionLimits, clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    room = Mutex(Room(table: SessionTable(limits: limits), clock: clock))
    expireLater()
  }

  private func expireLater() {
    DispatchQueue.global().asyncAfter(deadline: .now() + 1) { [weak self] in
      guard let self else { return }
      room.withLock { $0.table.expire(now: $0.clock()) }
      expireLater()
    }
  }

  /// What a request waits as: known before it does, so that it can leave from the first moment on.
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
    let (grant, startsClock) = room.withLock { room in
      let grant = room.open(request, mayWait: waits)
      guard grant == nil, timeout != nil, !room.isWatched else { return (grant, false) }
      room.isWatched = true
      return (grant, true)
    }
    if let grant { completion(grant) }
    if startsClock { refuseLateLater() }
  }

  /// How often deadlines are looked at, while anybody who waits has one.
  private static let watchSeconds = 0.05

  /// Refuses those whose deadline passed while they waited, for as long as there are any with one: one timer for all,
  /// however many come and go.
  private func refuseLateLater() {
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.watchSeconds) { [weak self] in
      guard let self else { return }
      let (late, goesOn) = room.withLock { room in
        let late = room.removeLate(now: room.clock())
        room.isWatched = room.waiting.values.joined().contains { $0.due != nil }
        return (late, room.isWatched)
      }
      for request in late {
        guard let (_, timeout) = request.due else { preconditionFailure("late without a deadline") }
        request.completion(.failure(.deadlinePassed(timeout: timeout)))
      }
      if goesOn { refuseLateLater() }
    }
  }

  /// The client of a request left; false where it does not wait, or no more.
  @discardableResult
  package func leave(_ waiter: Waiter) -> Bool {
    room.withLock { room in
      for (key, queue) in room.waiting {
        guard let index = queue.firstIndex(where: { $0.waiter == waiter }) else { continue }
        room.waiting[key]?.remove(at: index)
        if room.waiting[key]?.isEmpty == true { room.waiting[key] = nil }
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
    let (isTaken, tells) = room.withLock { room in
      guard !room.table.isFrozen else { return (false, false) }
      let now = room.clock()
      for result in results {
        let key = SessionTable.Key(model: model, id: result.id)
        room.table.close(key, with: result.state, now: now)
        if result.ends, result.state != nil { try? room.table.end(key, now: now) }
      }
      for result in results { room.admitWaiters(of: .init(model: model, id: result.id)) }
      guard !room.isTelling, !room.news.isEmpty else { return (true, false) }
      room.isTelling = true
      return (true, true)
    }
    // Who is told may close at once, refused by an engine, and so may the next: in this loop, not ever deeper.
    guard tells else { return isTaken }
    while let (request, grant) = room.withLock({ $0.nextNews() }) { request.completion(grant) }
    return isTaken
  }

  /// From now on no session moves, begins or ends, so that they can be carried to the next process; who waits for one is
  /// refused.
  package func freeze() {
    let waiting = room.withLock { room in
      room.table.freeze()
      defer { room.waiting = [:] }
      return room.waiting.values.flatMap(Array.init)
    }
    for request in waiting { request.completion(.failure(.frozen)) }
  }

  /// Does to the table what has no waiter to tell.
  package func withTable<Value: Sendable, Failure: Error>(
    _ body: (inout SessionTable) throws(Failure) -> sending Value
  ) throws(Failure) -> Value {
    try room.withLock { room throws(Failure) in try body(&room.table) }
  }
}
