import Inference

/// The states that clients leave with the server, by id: which sessions there are, which requests have them open, and which are
/// evicted.
///
/// A state machine without threads or clocks. A request opens its sessions before it runs and closes them when it is
/// done; in between they are its own, and nothing takes them away. Of the others, those that nobody used for
/// `idleTimeout` expire, and the least recently used make room for new ones.
package struct SessionTable {
  package typealias Instant = ContinuousClock.Instant

  /// A session's name: each model has ids of its own. The caller chooses the text that stands for a model; it is the same for
  /// two models that can go on with each other's states.
  package struct Key: Hashable, Sendable {
    package let model: String
    package let id: String

    package init(model: String, id: String) {
      self.model = model
      self.id = id
    }
  }

  /// How a request takes up a session.
  package struct Opening: Sendable, Equatable {
    package enum Way: Sendable, Equatable {
      /// Goes on from its state.
      case resume
      /// Starts it, from nothing or from a state that the client brings.
      case begin
      /// Starts it from the state of another.
      case fork(from: String)
    }

    package let id: String
    package let way: Way
    /// The steps that its client believes the state to have that it goes on from; nil where it does not say.
    package let at: Int?
    /// Whether it starts over what is there under its id.
    package let replaces: Bool

    package init(_ id: String, _ way: Way = .resume, at: Int? = nil, replaces: Bool = false) {
      self.id = id
      self.way = way
      self.at = at
      self.replaces = replaces
    }
  }

  /// A session as operators see it.
  package struct Listing: Sendable, Equatable {
    package let id: String
    /// Steps done.
    package let steps: Int
    package let age: Duration
    package let idle: Duration
  }

  fileprivate struct Entry {
    let key: Key
    /// Nil until its first request is done.
    var state: SequenceState?
    let byteCount: Int
    var created: Instant
    var used: Instant
    var use = Use.idle

    enum Use: Equatable {
      case idle
      /// A request has it, which begins it anew or goes on with it.
      case open(anew: Bool)
    }
  }

  /// Sessions of a model, and what they take.
  package struct Usage: Sendable, Equatable {
    package var count = 0
    package var byteCount = 0

    package init() {}
  }

  /// What a session takes beside its floats and its id: its entry, its places in tables, and what the allocator
  /// rounds up; measured with 200,000 of them.
  package static let overheadBytes = 312

  package let limits: SessionLimits
  private var indices: [Key: Int] = [:]
  private var entries = UseList<Entry>()
  private var ends = SessionEnds()
  private var lost = LostSessions()
  /// Whether the sessions are on their way to the next process: from then on none moves, begins or ends.
  package private(set) var isFrozen = false

  /// The memory that all sessions take.
  package private(set) var byteCount = 0
  /// The memory that open sessions take.
  private var openByteCount = 0
  /// Sessions there are.
  package var count: Int { indices.count }
  /// By model.
  package private(set) var usage: [String: Usage] = [:]
  /// Sessions that ended, by how.
  package private(set) var endCounts: [SessionEnd: Int] = [:]

  package init(limits: SessionLimits) { self.limits = limits }

  // MARK: - Requests

  /// Takes up sessions for a request, all or none.
  ///
  /// - Parameters:
  ///   - openings: no id twice.
  ///   - floatCount: the floats of a state of the model.
  /// - Returns: the states to go on from, in order; nil for what begins.
  package mutating func open(
    _ openings: [Opening], model: String, floatCount: Int, now: Instant
  ) throws(SessionRefusal) -> [SequenceState?] {
    guard !isFrozen else { throw .frozen }
    expire(now: now)
    let keys = openings.map { Key(model: model, id: $0.id) }
    var states: [SequenceState?] = []
    for (opening, key) in zip(openings, keys) {
      if let index = indices[key] {
        guard entries[index].use == .idle else { throw .busy(opening.id) }
        guard opening.way == .resume || opening.replaces else {
          throw .exists(opening.id, steps: entries[index].state?.position ?? 0)
        }
      }
      states.append(try initialState(of: opening, key))
    }
    let (needed, new) = keys.reduce(into: (0, 0)) { sums, key in
      let byteCount = Self.byteCount(of: key, floatCount: floatCount)
      sums.0 += byteCount
      if indices[key] == nil { sums.1 += byteCount }
    }
    guard needed <= limits.maxBytes else {
      throw .tooLarge(needed: needed, limit: limits.maxBytes)
    }
    // Checked before any session is evicted, which would be in vain.
    guard openByteCount + needed <= limits.maxBytes else { throw .full(limit: limits.maxBytes) }
    openByteCount += needed
    for (opening, key) in zip(openings, keys) {
      guard let index = indices[key] else { continue }
      entries[index].use = .open(anew: opening.way != .resume)
    }
    for case .fork(let source) in openings.map(\.way) {
      // A session that is copied counts as used.
      if let index = indices[Key(model: model, id: source)] { touch(index, now: now) }
    }
    makeRoom(new)
    for key in keys where indices[key] == nil {
      insert(
        Entry(
          key: key, byteCount: Self.byteCount(of: key, floatCount: floatCount), created: now,
          used: now, use: .open(anew: true)))
    }
    return states
  }

  /// The state that a request goes on from; nil where it begins.
  private func initialState(
    of opening: Opening, _ key: Key
  ) throws(SessionRefusal) -> SequenceState? {
    let source: Key
    switch opening.way {
    case .begin: return nil
    case .resume: source = key
    case .fork(let id): source = Key(model: key.model, id: id)
    }
    let state: SequenceState
    do throws(SessionRefusal) { state = try self.state(of: source) } catch {
      guard error == .unknown(source.id) else { throw error }
      // None can begin either.
      guard limits.maxBytes > 0 else { throw .tooLarge(needed: 0, limit: 0) }
      if case .fork = opening.way { throw .unknownSource(source.id, fork: opening.id) }
      throw error
    }
    if let steps = opening.at, steps != state.position {
      throw .otherSteps(source.id, found: state.position, expected: steps)
    }
    return state
  }

  /// Gives a session back with the state that it has now, or with the one that it had, where the request failed.
  /// Of a frozen table, none is taken back.
  package mutating func close(_ key: Key, with state: SequenceState?, now: Instant) {
    guard !isFrozen, let index = indices[key], case .open(let anew) = entries[index].use else {
      return
    }
    entries[index].use = .idle
    openByteCount -= entries[index].byteCount
    if let state {
      entries[index].state = state
      if anew { entries[index].created = now }
    }
    // No request completed, so there is no state to keep: remove the entry.
    guard entries[index].state != nil else { return remove(index) }
    touch(index, now: now)
  }

  /// Notes that a session was used.
  private mutating func touch(_ index: Int, now: Instant) {
    entries[index].used = now
    entries.touch(index)
  }

  /// Whether there is a session called `key`.
  package func has(_ key: Key) -> Bool { indices[key] != nil }

  /// Whether a request has the session called `key`.
  package func isOpen(_ key: Key) -> Bool {
    indices[key].map { entries[$0].use != .idle } ?? false
  }

  /// Ends a session by its client's request.
  package mutating func end(_ key: Key, now: Instant) throws(SessionRefusal) {
    guard !isFrozen else { throw .frozen }
    expire(now: now)
    _ = try state(of: key)
    if let index = indices[key] { end(index, .ended) }
  }

  /// The state of a session that exists and that no request has open.
  private func state(of key: Key) throws(SessionRefusal) -> SequenceState {
    let entry = try entry(key)
    guard entry.use == .idle, let state = entry.state else { throw .busy(key.id) }
    return state
  }

  private func entry(_ key: Key) throws(SessionRefusal) -> Entry {
    guard let index = indices[key] else {
      if let reason = ends[key] { throw .gone(key.id, reason) }
      if lost.contains(key) { throw .gone(key.id, .lost) }
      throw .unknown(key.id)
    }
    return entries[index]
  }

  // MARK: - Expiry and eviction

  /// Ends the sessions that were not used for `idleTimeout`.
  package mutating func expire(now: Instant) {
    guard !isFrozen else { return }
    endOldest(.expired) { table, used in used + table.limits.idleTimeout > now }
  }

  /// Evicts idle sessions until `needed` bytes fit; the open sessions leave that much.
  private mutating func makeRoom(_ needed: Int) {
    endOldest(.evicted) { table, _ in table.byteCount + needed <= table.limits.maxBytes }
  }

  /// Ends idle sessions, the least recently used first, until `suffices` of the time when the next was last used.
  private mutating func endOldest(
    _ reason: SessionEnd, until suffices: (Self, Instant) -> Bool
  ) {
    var next = entries.oldest
    while let index = next, !suffices(self, entries[index].used) {
      next = entries.newer(than: index)
      if entries[index].use == .idle { end(index, reason) }
    }
  }

  // MARK: - For operators

  /// The session called `key`.
  package mutating func listing(
    of key: Key, now: Instant
  ) throws(SessionRefusal) -> Listing {
    expire(now: now)
    return Listing(try entry(key), now: now)
  }

  /// Up to `limit` sessions of `model`, the last used first.
  package mutating func listings(of model: String, limit: Int, now: Instant) -> [Listing] {
    expire(now: now)
    var found: [Listing] = []
    var next = entries.newest
    while let index = next, found.count < limit {
      if entries[index].key.model == model { found.append(Listing(entries[index], now: now)) }
      next = entries.older(than: index)
    }
    return found
  }

  // MARK: - To another process

  /// A session as it is carried from one process to the next.
  package struct Record: Sendable, Equatable {
    package let key: Key
    package let state: SequenceState
    package let age: Duration
    package let idle: Duration

    package init(key: Key, state: SequenceState, age: Duration, idle: Duration) {
      self.key = key
      self.state = state
      self.age = age
      self.idle = idle
    }
  }

  /// Freezes the sessions for the next process.
  package mutating func freeze() { isFrozen = true }

  /// An iteration over the sessions of a frozen table, the least recently used first.
  package struct Walk: Sendable {
    fileprivate var next: Int?
  }

  package func walk() -> Walk { Walk(next: entries.oldest) }

  /// The next sessions of an iteration, up to `limit` of them; none at its end.
  package func records(_ walk: inout Walk, limit: Int = .max, now: Instant) -> [Record] {
    var found: [Record] = []
    while found.count < limit, let index = walk.next {
      let entry = entries[index]
      if let state = entry.state {
        found.append(
          Record(
            key: entry.key, state: state, age: entry.created.duration(to: now),
            idle: entry.used.duration(to: now)))
      }
      walk.next = entries.newer(than: index)
    }
    return found
  }

  /// The sessions that are gone, and why, in the order in which they ended.
  package var rememberedEnds: [(key: Key, reason: SessionEnd)] { ends.remembered }

  /// Takes in a session of another process; they come in the order of `records`, before any request.
  package mutating func restore(_ record: Record, now: Instant) {
    let byteCount = Self.byteCount(of: record.key, floatCount: record.state.floats.count)
    guard indices[record.key] == nil else { return }
    guard byteCount <= limits.maxBytes else { return remember(record.key, .evicted) }
    makeRoom(byteCount)
    insert(
      Entry(
        key: record.key, state: record.state, byteCount: byteCount, created: now - record.age,
        used: now - record.idle))
  }

  /// Remembers that a process before this one had a session and did not hand it over.
  package mutating func rememberLost(_ key: Key) { lost.insert(key.stableHash) }

  /// Remembers what processes before that one had lost: their `rememberedLost`.
  package mutating func rememberLost(_ hashes: [UInt64]) {
    for hash in hashes { lost.insert(hash) }
  }

  /// The sessions that processes before this one did not hand over, as hashes of their keys; first those lost first.
  package var rememberedLost: [UInt64] { lost.remembered }

  /// Remembers why a session is gone, be it one of another process that this one can't go on with.
  package mutating func remember(_ key: Key, _ reason: SessionEnd) {
    ends.insert(key, reason)
  }

  // MARK: - Entries

  private static func byteCount(of key: Key, floatCount: Int) -> Int {
    floatCount * MemoryLayout<Float>.stride + key.id.utf8.count + overheadBytes
  }

  private mutating func insert(_ entry: Entry) {
    byteCount += entry.byteCount
    usage[entry.key.model, default: Usage()].count += 1
    usage[entry.key.model, default: Usage()].byteCount += entry.byteCount
    indices[entry.key] = entries.append(entry)
    ends.remove(entry.key)
    lost.remove(entry.key)
  }

  private mutating func end(_ index: Int, _ reason: SessionEnd) {
    let key = entries[index].key
    remove(index)
    endCounts[reason, default: 0] += 1
    remember(key, reason)
  }

  private mutating func remove(_ index: Int) {
    let entry = entries.remove(index)
    byteCount -= entry.byteCount
    usage[entry.key.model, default: Usage()].count -= 1
    usage[entry.key.model, default: Usage()].byteCount -= entry.byteCount
    indices[entry.key] = nil
  }
}

extension SessionTable.Listing {
  fileprivate init(_ entry: SessionTable.Entry, now: SessionTable.Instant) {
    self.init(
      id: entry.key.id, steps: entry.state?.position ?? 0, age: entry.created.duration(to: now),
      idle: entry.used.duration(to: now))
  }
}
