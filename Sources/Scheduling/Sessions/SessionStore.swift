import Inference

/// Keeps sessions beyond the end of the process.
///
/// With a store, the `SessionTable` is a cache of it that also knows which requests have which sessions open. Sessions
/// that are not in the table are fetched, and no session counts as moved before the store has its new state. Without a
/// store, sessions are in the table only.
///
/// Calls return at once. Each completion is called once, on the store's own thread and never before its call returns.
package protocol SessionStore: AnyObject, Sendable {
  /// What an answer waits for before it leaves.
  var durability: SessionDurability { get }
  /// Whether other processes may use the store too. If so, each request takes its sessions from the store (`take`), and
  /// the table keeps only sessions that a request has open.
  var isShared: Bool { get }
  /// Why the store would refuse everything at the moment; nil if it works.
  var problem: SessionStoreProblem? { get }
  var statistics: SessionStoreStatistics { get }
  /// The most bytes that its sessions may take together, counted as in memory.
  var maxBytes: Int { get }

  /// Sets the function that has to agree before the store expires or evicts a session. Called before the first request.
  ///
  /// - Parameter mayEnd: returns false for a session that a request has open or that was used recently. If it returns
  ///   true, no request of this process has the session from then on.
  func attach(mayEnd: @escaping @Sendable (SessionTable.Key, SessionEnd) -> Bool)

  /// Looks sessions up. The findings hold until `completion` returns.
  ///
  /// - Parameter floatCount: the number of floats that a state has to have.
  func fetch(
    _ keys: [SessionTable.Key], floatCount: Int,
    completion: @escaping @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void)

  /// Takes sessions of a shared store that this process has kept since it last moved them, all or none: like `take`,
  /// but at once.
  ///
  /// - Returns: the findings for `keys`, then for `sources`; nil if the store has to be asked.
  func takeKept(
    _ keys: [SessionTable.Key], beside sources: [SessionTable.Key], floatCount: Int
  ) -> [SessionFinding]?

  /// Takes sessions of a shared store for a request, all or none: until `write` or `release` no other request gets
  /// them, in any process.
  ///
  /// - Parameters:
  ///   - sources: sessions that are only looked up; no other request may have these either.
  ///   - freesOnly: whether the request ends all of `keys` and does nothing else: then even a store without room takes
  ///     them.
  ///   - completion: gets the findings for `keys`, then for `sources`; or `SessionStoreProblem.leased`.
  func take(
    _ keys: [SessionTable.Key], beside sources: [SessionTable.Key], floatCount: Int,
    freesOnly: Bool,
    completion: @escaping @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void)

  /// Gives back sessions of a shared store that a request has taken and does not move.
  func release(_ keys: [SessionTable.Key])

  /// Makes the moves of one request, all or none, and gives the sessions back, even if the moves fail. Moves are made
  /// in the order of the calls.
  func write(
    _ moves: [SessionMove],
    completion: @escaping @Sendable (Result<Void, SessionStoreProblem>) -> Void)

  /// Marks sessions as used that do not move, as other sessions begin as their copies.
  func touch(_ keys: [SessionTable.Key])

  /// Gets up to `limit` sessions of a model, the last used first as far as the store keeps their order, and the count
  /// and bytes of all sessions of the model.
  func list(
    of model: String, limit: Int,
    completion: @escaping @Sendable (Result<SessionTable.Page, SessionStoreProblem>) -> Void)

  /// Takes in sessions and ends that were kept elsewhere, before anything is asked of them here. What the store knows of an id stays, be
  /// it that its session has ended. Where this fails, some may be taken in; asked again, it takes in the others.
  ///
  /// - Parameters:
  ///   - items: at least one.
  ///   - completion: gets, once all is as safe as this store keeps anything, what became of each.
  func takeOver(
    _ items: [SessionHandover],
    completion: @escaping @Sendable (Result<[HandoverOutcome], SessionStoreProblem>) -> Void)

  /// Finishes the work that it was given, and closes its files; later calls fail with `SessionStoreProblem.closed`.
  ///
  /// - Parameter completion: is told whether everything is stored.
  func close(completion: @escaping @Sendable (_ isWell: Bool) -> Void)
}

extension SessionStore {
  package var isShared: Bool { false }

  package func takeKept(
    _ keys: [SessionTable.Key], beside sources: [SessionTable.Key], floatCount: Int
  ) -> [SessionFinding]? { nil }

  package func take(
    _ keys: [SessionTable.Key], beside sources: [SessionTable.Key], floatCount: Int,
    freesOnly: Bool,
    completion: @escaping @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void
  ) {
    fetch(keys + sources, floatCount: floatCount, completion: completion)
  }

  package func release(_ keys: [SessionTable.Key]) {}

  package var maxBytes: Int { .max }

  /// Why a request for these sessions is refused before the store is asked; nil if it is not.
  func refusal(
    of keys: [SessionTable.Key], floatCount: Int, _ takeover: StoreTakeover
  ) -> SessionRefusal? {
    if let problem = takeover.problem(of: self) { return .store(problem) }
    let needed = keys.reduce(0) { $0 + SessionTable.byteCount(of: $1, floatCount: floatCount) }
    return needed > maxBytes ? .tooLargeForStore(needed: needed, limit: maxBytes) : nil
  }
}

/// What an answer waits for before it leaves, with a store (`session_durability`).
package enum SessionDurability: String, Sendable, CaseIterable {
  /// The session's state is safe from the end of the process, however that comes.
  case answer
  /// The session's state is on the disk, safe from a power cut too.
  case sync
  /// Nothing: the session's state is written after the answer has left.
  case behind
}

/// What a store knows of a session that it was asked for.
package enum SessionFinding: Sendable, Equatable {
  /// The session is there; its version grows with each move.
  case session(SessionTable.Record, version: Int)
  case ended(SessionEnd)
  case unknown
}

/// What one request does to a session.
package struct SessionMove: Sendable, Equatable {
  package let key: SessionTable.Key
  /// The version that the session had before, 0 if there was none; if the store has another version, no session of the
  /// request moves.
  package let version: Int
  /// The session's new state.
  package let state: SequenceState
  /// Whether the request began the session anew.
  package let isAnew: Bool
  /// Whether the session ends with this move.
  package let ends: Bool

  package init(
    key: SessionTable.Key, version: Int, state: SequenceState, isAnew: Bool, ends: Bool
  ) {
    self.key = key
    self.version = version
    self.state = state
    self.isAnew = isAnew
    self.ends = ends
  }
}

/// What a store is to take over that was kept elsewhere.
package enum SessionHandover: Sendable, Equatable {
  /// A session, and the version that it is to have: the same however often it is handed over, and another one for another state.
  case session(SessionTable.Record, version: Int)
  /// A session that is gone, and why.
  case end(SessionTable.Key, SessionEnd)

  package var key: SessionTable.Key {
    switch self {
    case .session(let record, _): record.key
    case .end(let key, _): key
    }
  }
}

/// What became of it.
package enum HandoverOutcome: Int, Sendable, Equatable {
  /// The store has it, now or since an earlier attempt.
  case taken = 0
  /// The store has another session of that id, which stays.
  case present = 1
  /// The store remembers that a session of that id has ended.
  case ended = 2
}

/// Why a store does not do what it is asked.
package enum SessionStoreProblem: Error, Sendable, Equatable {
  /// The store fails, for a reason in words.
  case failing(reason: String)
  /// The store has not answered for this long.
  case slow(Duration)
  case closed
  /// A session was moved or ended by someone else; `steps` is what it has now, nil if it is gone.
  case moved(id: String, steps: Int?)
  /// Another process has the session's lease. If `isUsed` is false, no request of that process uses the session, and
  /// the process has just been asked to give the lease back.
  case leased(id: String, isUsed: Bool)
  /// It is not known whether the store made the moves: it was lost, or did not answer, in the meantime.
  case unsure(reason: String)
}

/// A store's figures for operators.
package struct SessionStoreStatistics: Sendable {
  /// The count and bytes of its sessions, by model.
  package var usage: [String: SessionTable.Usage] = [:]
  /// The number of sessions that ended since the start, by reason.
  package var endCounts: [SessionEnd: Int] = [:]
  /// The bytes that its files take on the disk or, if the store is not a file, the bytes of its memory.
  package var fileBytes = 0
  /// The most bytes that its sessions may take; 0 for no bound.
  package var maxBytes = 0
  /// The number of commits; one commit may hold the moves of several requests.
  package var commits = 0
  /// The number of moves that were written.
  package var moves = 0
  /// Whether its last operation failed.
  package var isFailing = false
  /// The number of operations that failed.
  package var failures = 0

  package init() {}
}
