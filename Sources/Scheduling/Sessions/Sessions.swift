import Dispatch
import Inference
import Synchronization

/// The sessions of a server: the table under a lock, the requests that wait for one, and the clock.
package final class Sessions: Sendable {
  /// What a request gets: the states to go on from, nil for what begins, or why not.
  package typealias Grant = Result<[SequenceState?], SessionRefusal>

  /// A request that waits for a session.
  package struct Waiter: Hashable, Sendable {
    fileprivate let number: UInt64
  }

  private struct Waiting {
    let waiter: Waiter
    let openings: [SessionTable.Opening]
    let model: String
    let floatCount: Int
    let completion: @Sendable (Grant) -> Void
  }

  private struct Room {
    var table: SessionTable
    /// In the order in which they came, by the session that they wait for.
    var waiting: [SessionTable.Key: [Waiting]] = [:]
    var nextWaiter: UInt64 = 0

    /// Lets a request have its sessions, or wait for the one that is busy; nil where it waits.
    mutating func open(_ request: Waiting, mayWait: Bool) -> Grant? {
      do throws(SessionRefusal) {
        return .success(
          try table.open(
            request.openings, model: request.model, floatCount: request.floatCount, now: .now))
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

    /// Lets those have `key` who wait for it; returns what to tell them.
    mutating func admitWaiters(of key: SessionTable.Key) -> [(Waiting, Grant)] {
      var told: [(Waiting, Grant)] = []
      // Whoever has to wait again joins the end of a queue.
      for _ in 0..<(waiting[key]?.count ?? 0) {
        guard let request = waiting[key]?.first else { break }
        waiting[key]?.removeFirst()
        if let grant = open(request, mayWait: true) { told.append((request, grant)) }
      }
      if waiting[key]?.isEmpty == true { waiting[key] = nil }
      return told
    }
  }

  private let room: Mutex<Room>

  /// Sessions that expire within a second of their time.
  package init(limits: SessionLimits) {
    room = Mutex(Room(table: SessionTable(limits: limits)))
    expireLater()
  }

  private func expireLater() {
    DispatchQueue.global().asyncAfter(deadline: .now() + 1) { [weak self] in
      guard let self else { return }
      room.withLock { $0.table.expire(now: .now) }
      expireLater()
    }
  }

  /// Takes up sessions for a request, all or none; `close` gives them back.
  ///
  /// - Parameters:
  ///   - waits: whether to wait where one of them is busy, holding none meanwhile.
  ///   - timeout: how long at the most.
  ///   - completion: called once, here or on the thread that gives a session back; not after `leave`.
  /// - Returns: what waits; nil where `completion` was called.
  package func open(
    _ openings: [SessionTable.Opening], model: String, floatCount: Int, waits: Bool,
    timeout: Duration?, completion: @escaping @Sendable (Grant) -> Void
  ) -> Waiter? {
    let (waiter, grant) = room.withLock { room in
      let waiter = Waiter(number: room.nextWaiter)
      room.nextWaiter += 1
      let request = Waiting(
        waiter: waiter, openings: openings, model: model, floatCount: floatCount,
        completion: completion)
      return (waiter, room.open(request, mayWait: waits))
    }
    if let grant {
      completion(grant)
      return nil
    }
    if let timeout {
      DispatchQueue.global().asyncAfter(deadline: .now() + timeout.seconds) { [weak self] in
        if self?.leave(waiter) == true { completion(.failure(.deadlinePassed(timeout: timeout))) }
      }
    }
    return waiter
  }

  /// The client of a request that waits left; false where it waits no more.
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
  package func close(
    _ results: [(id: String, state: SequenceState?, ends: Bool)], model: String
  ) {
    let told = room.withLock { room in
      let now = ContinuousClock.now
      for result in results {
        let key = SessionTable.Key(model: model, id: result.id)
        room.table.close(key, with: result.state, now: now)
        if result.ends, result.state != nil { try? room.table.end(key, now: now) }
      }
      return results.flatMap { room.admitWaiters(of: .init(model: model, id: $0.id)) }
    }
    for (request, grant) in told { request.completion(grant) }
  }

  /// Does to the table what has no waiter to tell.
  package func withTable<Value: Sendable, Failure: Error>(
    _ body: (inout SessionTable) throws(Failure) -> sending Value
  ) throws(Failure) -> Value {
    try room.withLock { room throws(Failure) in try body(&room.table) }
  }
}
