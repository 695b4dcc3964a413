import DequeModule
import Dispatch
import Inference
import Synchronization

/// The interval, in seconds, at which a timer checks deadlines while a waiting request has one.
private let watchSeconds = 0.05

/// The sessions of a server: the table under a lock, the requests that wait for one, and the clock.
package final class Sessions: Sendable {
  /// The states that a request goes on from, nil for a session that begins; or why the request gets none.
  package typealias Grant = Result<[SequenceState?], SessionRefusal>

  /// Names a request that may have to wait for a session.
  package struct Waiter: Hashable, Sendable {
    let number: UInt64
  }

  /// A request for sessions, which may have to wait for one of them.
  struct Waiting: Sendable {
    let waiter: Waiter
    let openings: [SessionTable.Opening]
    let model: String
    let floatCount: Int
    /// When its client stops waiting, and the time-out that says so; nil for never.
    let due: (deadline: ContinuousClock.Instant, timeout: Duration)?
    let mayWait: Bool
    let completion: @Sendable (Grant) -> Void

    /// The sessions that it opens.
    var keys: [SessionTable.Key] { openings.map { .init(model: model, id: $0.id) } }

    /// The sessions that it copies.
    var sources: [SessionTable.Key] {
      openings.compactMap { opening in
        guard case .fork(let source) = opening.way else { return nil }
        return SessionTable.Key(model: model, id: source)
      }
    }
  }

  /// What happens to a request that asks for sessions.
  enum Outcome {
    case grant(Grant)
    /// It waits for a session that is busy.
    case waits
    /// The store has to be asked for these sessions first.
    case fetch([SessionTable.Key])

    /// Whether the request has its sessions.
    var isGranted: Bool { if case .grant(.success) = self { true } else { false } }
  }

  /// What the lock guards.
  struct LockedState {
    var table: SessionTable
    /// The store, if other processes use it too; else nil.
    let shared: (any SessionStore)?
    let clock: @Sendable () -> ContinuousClock.Instant
    /// The questions that the store has not answered yet, and the requests that wait for its answers.
    var questions = PendingStoreRequests()
    /// The waiting requests, in order of arrival, by the session that they wait for.
    var waiting: [SessionTable.Key: Deque<Waiting>] = [:]
    /// Whether a timer looks at the deadlines of waiting requests.
    var isWatched = false
    /// The sessions that requests of this process ask a shared store for; later requests for them are in `waiting`.
    var reserved: Set<SessionTable.Key> = []
    /// Requests that wait no more, and what to tell them, in order.
    var reports: Deque<(Waiting, Outcome)> = []
    /// Whether a thread is telling them (`tellWaiters`).
    var isReporting = false

    /// Opens the sessions of a request, or lets it wait for one that is busy.
    ///
    /// - Parameter findings: what the store has just said of the sessions that it was asked for.
    mutating func open(
      _ request: Waiting, findings: [SessionTable.Key: SessionFinding] = [:]
    ) -> Outcome {
      if let shared, !table.isFrozen, findings.isEmpty { return take(request, from: shared) }
      if table.isCache, shared == nil, !table.isFrozen {
        let missing = table.missing(for: request.openings, model: request.model)
        // If another session has left the table since, the store is asked for all of them again: those found before may
        // have moved.
        if missing.contains(where: { findings[$0] == nil }) { return .fetch(missing) }
      }
      do throws(SessionRefusal) {
        return .grant(
          .success(
            try table.open(
              request.openings, model: request.model, floatCount: request.floatCount,
              findings: findings, now: clock())))
      } catch {
        guard case .busy(let id) = error else { return .grant(.failure(error)) }
        return wait(request, for: id)
      }
    }

    /// Opens sessions of a shared store: at once if the store has kept them for this process, else after asking it.
    private mutating func take(_ request: Waiting, from store: any SessionStore) -> Outcome {
      let (keys, sources) = (request.keys, request.sources)
      if let taken = (keys + sources).first(where: isTaken) { return wait(request, for: taken.id) }
      guard
        let found = store.takeKept(keys, beside: sources, floatCount: request.floatCount)
      else {
        reserved.formUnion(keys)
        return .fetch(keys)
      }
      let outcome = open(
        request, findings: Dictionary(zip(keys + sources, found), uniquingKeysWith: { $1 }))
      if !outcome.isGranted { store.release(keys) }
      return outcome
    }

    /// Whether a request of this process has `key` open, or is about to take it.
    func isTaken(_ key: SessionTable.Key) -> Bool { table.isOpen(key) || reserved.contains(key) }

    /// Lets a request wait for a session that is busy, if it may.
    private mutating func wait(_ request: Waiting, for id: String) -> Outcome {
      guard request.mayWait else { return .grant(.failure(.busy(id))) }
      let key = SessionTable.Key(model: request.model, id: id)
      guard waiting[key]?.count ?? 0 < table.limits.maxWaiters else {
        return .grant(.failure(.tooManyWait(id, limit: table.limits.maxWaiters)))
      }
      waiting[key, default: []].append(request)
      return .waits
    }

    /// Opens `key` for the first request that waits for it.
    mutating func admitWaiters(of key: SessionTable.Key) {
      // As this session is free, a request that has to wait again waits for another one.
      while !isTaken(key), let request = waiting[key]?.popFirst() {
        let outcome = open(request)
        if case .waits = outcome { continue }
        reports.append((request, outcome))
      }
      if waiting[key]?.isEmpty == true { waiting[key] = nil }
    }

    /// Notes that a timer checks the deadlines; returns whether the caller has to start that timer.
    mutating func startWatch() -> Bool {
      defer { isWatched = true }
      return !isWatched
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

    /// Closes the sessions of a request that is done, and opens them for the requests that wait for them. Returns whether
    /// the caller has to call `tellWaiters` once it has released the lock.
    mutating func close(_ results: [Closing], model: String) -> Bool {
      let now = clock()
      for result in results {
        let key = SessionTable.Key(model: model, id: result.id)
        table.close(key, with: result.state, now: now)
        if shared != nil {
          // Another process may have moved the session in the store by the next request.
          table.discard(key)
          continue
        }
        guard result.ends, result.state != nil else { continue }
        if table.isCache { table.discard(key) } else { try? table.end(key, now: now) }
      }
      return admitWaiters(of: results.map(\.id), model: model)
    }

    /// Opens sessions that are free again for the requests that wait for them. Returns whether the caller has to call
    /// `tellWaiters` once it has released the lock.
    mutating func admitWaiters(of ids: [String], model: String) -> Bool {
      for id in ids { admitWaiters(of: .init(model: model, id: id)) }
      guard !isReporting, !reports.isEmpty else { return false }
      isReporting = true
      return true
    }

    /// The next request to tell, and what; nil if there is none.
    mutating func nextReport() -> (Waiting, Outcome)? {
      isReporting = !reports.isEmpty
      return reports.popFirst()
    }
  }

  /// A session that a request gives back: its new state, or nil if it keeps the one that it had, and whether it ends.
  package typealias Closing = (id: String, state: SequenceState?, ends: Bool)

  let state: Mutex<LockedState>
  /// The store that keeps sessions beyond the end of the process; nil if there is none.
  package let store: (any SessionStore)?
  /// Whether the store is being filled with what was kept elsewhere.
  package let takeover = StoreTakeover()
  private let waiterCount = Atomic<UInt64>(0)

  /// Begins without sessions. A session expires within a second of its time.
  ///
  /// - Parameter clock: the clock by which sessions expire and time-outs pass.
  package init(
    limits: SessionLimits, store: (any SessionStore)? = nil,
    clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    self.store = store
    state = Mutex(
      LockedState(
        table: SessionTable(limits: limits, isCache: store != nil),
        shared: store.flatMap { $0.isShared ? $0 : nil }, clock: clock))
    expireLater()
    store?.attach { [weak self] key, reason in
      guard let self else { return true }
      return state.withLock { $0.table.allowEnd(key, because: reason, now: $0.clock()) }
    }
  }

  private func expireLater() {
    timers.asyncAfter(deadline: .now() + 1) { [weak self] in
      guard let self else { return }
      state.withLock { $0.table.expire(now: $0.clock()) }
      expireLater()
    }
  }

  /// Makes the name by which a request can leave while it waits; made before `open`, so that it can do so at any moment.
  package func makeWaiter() -> Waiter { Waiter(number: nextNumber()) }

  func nextNumber() -> UInt64 { waiterCount.add(1, ordering: .relaxed).newValue }

  /// Opens sessions for a request, all or none; `close` gives them back.
  ///
  /// - Parameters:
  ///   - waits: whether to wait if one of them is busy; the request holds none of them meanwhile.
  ///   - arrived: when the request came.
  ///   - timeout: the longest time after `arrived` for which it waits.
  ///   - waiter: made for this request.
  ///   - completion: called once, on any thread, perhaps this one; not after a `leave` that returned true.
  package func open(
    _ openings: [SessionTable.Opening], model: String, floatCount: Int, waits: Bool,
    arrived: ContinuousClock.Instant, timeout: Duration?, as waiter: Waiter,
    completion: @escaping @Sendable (Grant) -> Void
  ) {
    let request = Waiting(
      waiter: waiter, openings: openings, model: model, floatCount: floatCount,
      due: timeout.map { (arrived + $0, $0) }, mayWait: waits, completion: completion)
    if let refusal = store?.refusal(of: request.keys, floatCount: floatCount, takeover) {
      return completion(.failure(refusal))
    }
    let (outcome, startsClock) = state.withLock { state in
      let outcome = state.open(request)
      guard case .waits = outcome, timeout != nil else { return (outcome, false) }
      return (outcome, state.startWatch())
    }
    if startsClock { refuseLateLater() }
    tell(request, outcome)
  }

  /// Carries out the outcome for a request that asked for sessions.
  func tell(_ request: Waiting, _ outcome: Outcome) {
    switch outcome {
    case .grant(let grant):
      if let store, case .success = grant {
        let sources = request.sources
        if !sources.isEmpty { store.touch(sources) }
      }
      request.completion(grant)
    case .waits: break
    case .fetch(let keys):
      if let store, store.isShared {
        SessionTaking(sessions: self, store: store, request: request, keys: keys).begin()
      } else {
        fetch(keys, for: request)
      }
    }
  }

  /// Tells the requests that wait no more. A completion may close its sessions at once, which lets the next request go on:
  /// this loop tells that one, without recursion.
  func tellWaiters() {
    while let (request, outcome) = state.withLock({ $0.nextReport() }) { tell(request, outcome) }
  }

  /// Refuses requests whose deadline passed while they waited for a session or for the store, after `watchSeconds`, and
  /// again as long as any of them has a deadline: one timer for all.
  func refuseLateLater() {
    timers.asyncAfter(deadline: .now() + watchSeconds) { [weak self] in
      guard let self else { return }
      let (late, unanswered, goesOn) = state.withLock { state in
        let now = state.clock()
        let (late, unanswered) = (state.removeLate(now: now), state.questions.removeLate(now: now))
        state.isWatched =
          !state.questions.isEmpty || state.waiting.values.joined().contains { $0.due != nil }
        return (late, unanswered, state.isWatched)
      }
      for question in unanswered { question.giveUp() }
      for request in late {
        guard let (_, timeout) = request.due else { preconditionFailure("late without a deadline") }
        request.completion(.failure(.deadlinePassed(timeout: timeout)))
      }
      if goesOn { refuseLateLater() }
    }
  }

  /// Removes a request whose client left; returns false if it does not wait, or no longer waits.
  @discardableResult
  package func leave(_ waiter: Waiter) -> Bool {
    state.withLock { state in
      if state.questions.remove(waiter.number) != nil { return true }
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
  /// - Parameter completion: called once, here or on the store's thread: nil once all have moved, so that the answer may leave,
  ///   or why none has.
  package func close(
    _ results: [Closing], model: String,
    completion: @escaping @Sendable (SessionRefusal?) -> Void = { _ in }
  ) {
    if let store, results.contains(where: { $0.state != nil }) {
      return write(results, model: model, to: store, completion: completion)
    }
    // Released before the requests that wait for these sessions ask the store.
    store?.release(results.map { .init(model: model, id: $0.id) })
    let (isFrozen, tells) = state.withLock { state in
      state.table.isFrozen ? (true, false) : (false, state.close(results, model: model))
    }
    if tells { tellWaiters() }
    completion(isFrozen ? .frozen : nil)
  }

  /// Freezes the sessions for the export to the next process: none moves, begins or ends any more; who waits is refused.
  package func freeze() {
    let (waiting, unanswered) = state.withLock { state in
      state.table.freeze()
      defer { state.waiting = [:] }
      return (state.waiting.values.flatMap(Array.init), state.questions.removeFetches())
    }
    for request in waiting { request.completion(.failure(.frozen)) }
    for question in unanswered { question.refuse(.frozen) }
  }

  /// Calls `body` with the table, for changes that no waiting request depends on.
  package func withTable<Value: Sendable, Failure: Error>(
    _ body: (inout SessionTable) throws(Failure) -> sending Value
  ) throws(Failure) -> Value {
    try state.withLock { state throws(Failure) in try body(&state.table) }
  }
}
