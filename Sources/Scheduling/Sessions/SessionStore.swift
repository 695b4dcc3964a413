import Inference

/// Where sessions are kept that survive the process.
///
/// With a store the `SessionTable` is a cache of it, which also knows which requests have which sessions: what it does not
/// hold is fetched, and no session counts as moved before the store has it. Without one the table is all there is.
///
/// Calls return at once. Each completion is called once, on the store's own thread and never before its call returns.
package protocol SessionStore: AnyObject, Sendable {
  /// What an answer waits for.
  var durability: SessionDurability { get }
  /// Whether other processes may have it too: then a session is taken for each request, and the table keeps none that no request
  /// has.
  var isShared: Bool { get }
  /// Why it would take nothing at the moment; nil where it works.
  var problem: SessionStoreProblem? { get }
  var statistics: SessionStoreStatistics { get }
  /// What its sessions may take together, counted as in memory.
  var maxBytes: Int { get }

  /// Says who else has to agree before a session expires or is evicted; before the first request.
  ///
  /// - Parameter mayEnd: false for a session that a request has open or used of late; else nobody has it from then on.
  func attach(mayEnd: @escaping @Sendable (SessionTable.Key, SessionEnd) -> Bool)

  /// Looks sessions up: what is found holds until `completion` returns.
  ///
  /// - Parameter floatCount: the floats that a state has to have.
  func fetch(
    _ keys: [SessionTable.Key], floatCount: Int,
    completion: @escaping @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void)

  /// Takes sessions of a shared store that this process has kept since it moved them last, all or none: as `take` would, and at once.
  ///
  /// - Returns: what is known of `keys`, then of `sources`; nil where the store has to be asked.
  func takeKept(
    _ keys: [SessionTable.Key], beside sources: [SessionTable.Key], floatCount: Int
  ) -> [SessionFinding]?

  /// Takes sessions of a shared store for a request, all or none: until `write` or `release` no other request gets them, in no process.
  ///
  /// - Parameters:
  ///   - sources: sessions that are only looked up; they too must not be another request's.
  ///   - freesOnly: whether the request ends all of them, so that a store without room takes them for it all the same.
  ///   - completion: gets what is known of `keys`, then of `sources`; or `SessionStoreProblem.leased`.
  func take(
    _ keys: [SessionTable.Key], beside sources: [SessionTable.Key], floatCount: Int,
    freesOnly: Bool,
    completion: @escaping @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void)

  /// Gives sessions of a shared store back that a request has taken and does not move.
  func release(_ keys: [SessionTable.Key])

  /// Makes the moves of one request, all or none, and gives the sessions back, also where that fails. Moves are made in the order of the calls.
  func write(
    _ moves: [SessionMove],
    completion: @escaping @Sendable (Result<Void, SessionStoreProblem>) -> Void)

  /// Notes that sessions are used, though they do not move: others begin as their copies.
  func touch(_ keys: [SessionTable.Key])

  /// Up to `limit` sessions of a model, the last used first, as far as the store keeps their order, and what all of them are.
  func list(
    of model: String, limit: Int,
    completion: @escaping @Sendable (Result<SessionTable.Page, SessionStoreProblem>) -> Void)

  /// Finishes what it was given, and lets go of its files; whoever calls it afterwards is told that it is closed.
  ///
  /// - Parameter completion: is told whether all is stored.
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

  /// Why a request for these sessions is refused before the store is asked; nil where it is not.
  func refusal(of keys: [SessionTable.Key], floatCount: Int) -> SessionRefusal? {
    if let problem { return .store(problem) }
    let needed = keys.reduce(0) { $0 + SessionTable.byteCount(of: $1, floatCount: floatCount) }
    return needed > maxBytes ? .tooLargeForStore(needed: needed, limit: maxBytes) : nil
  }
}

/// What an answer waits for before it leaves, with a store (`session_durability`).
package enum SessionDurability: String, Sendable, CaseIterable {
  /// Its state is safe from the end of the process, however that comes.
  case answer
  /// Its state is on the disk: safe from a power cut, too.
  case sync
  /// Nothing: its state is written behind it.
  case behind
}

/// What a store knows of a session that it was asked for.
package enum SessionFinding: Sendable, Equatable {
  /// It is there; its version grows with each move.
  case session(SessionTable.Record, version: Int)
  case ended(SessionEnd)
  case unknown
}

/// What one request does to a session.
package struct SessionMove: Sendable, Equatable {
  package let key: SessionTable.Key
  /// The version that it had before, 0 where there was no such session; if it has another one in the store, nothing moves.
  package let version: Int
  /// The state that it has now.
  package let state: SequenceState
  /// Whether it began anew.
  package let isAnew: Bool
  /// Whether it ends with this.
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

/// Why a store does not do what it is asked.
package enum SessionStoreProblem: Error, Sendable, Equatable {
  /// It fails, for a reason in words.
  case failing(reason: String)
  /// It has not answered for so long.
  case slow(Duration)
  case closed
  /// A session has moved, or ended, otherwise than by this process; its steps where it is there.
  case moved(id: String, steps: Int?)
  /// Another process has a session: a request of it uses it, or it keeps it, and gives it back as it is asked now.
  case leased(id: String, isUsed: Bool)
  /// It was lost while it made moves: whether it has made them is not known.
  case unsure(reason: String)
}

/// What operators want to know of a store.
package struct SessionStoreStatistics: Sendable {
  /// By model.
  package var usage: [String: SessionTable.Usage] = [:]
  /// Sessions that ended since the start, by how.
  package var endCounts: [SessionEnd: Int] = [:]
  /// What its files take on the disk, or where it is no file its memory.
  package var fileBytes = 0
  /// What its sessions may take; 0 where it has no bound.
  package var maxBytes = 0
  /// Times that sessions were written together.
  package var commits = 0
  /// Moves of sessions that were written.
  package var moves = 0
  /// Whether what it was asked last failed.
  package var isFailing = false
  /// Times that it failed.
  package var failures = 0

  package init() {}
}
