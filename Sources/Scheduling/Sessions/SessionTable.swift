import Inference

/// The states that clients leave with the server, by id: which sessions there are, which requests have them open, and
/// which are evicted.
///
/// A state machine without threads or clocks. A request opens its sessions before it runs and closes them when it is
/// done; in between no other request gets them, and they neither expire nor are evicted. Other sessions expire when
/// nobody has used them for `idleTimeout`, and the least recently used make room for new ones.
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

  /// How a request opens a session.
  package struct Opening: Sendable, Equatable {
    package enum Way: Sendable, Equatable {
      /// Goes on from the session's state.
      case resume
      /// Begins the session, from nothing or from a state that the client brings.
      case begin
      /// Begins the session with the state of another one.
      case fork(from: String)
    }

    package let id: String
    package let way: Way
    /// The steps that the client believes the state to have that the request goes on from; nil if it does not say.
    package let at: Int?
    /// Whether the request replaces a session that already exists under this id.
    package let replaces: Bool
    /// Whether the session ends with the request.
    package var ends: Bool

    package init(
      _ id: String, _ way: Way = .resume, at: Int? = nil, replaces: Bool = false, ends: Bool = false
    ) {
      self.id = id
      self.way = way
      self.at = at
      self.replaces = replaces
      self.ends = ends
    }
  }

  /// A session as operators see it.
  package struct Listing: Sendable, Equatable {
    package let id: String
    /// Steps done.
    package let steps: Int
    /// The time since the session began, and since it was last used.
    package let age: Duration
    package let idle: Duration

    package init(id: String, steps: Int, age: Duration, idle: Duration) {
      self.id = id
      self.steps = steps
      self.age = age
      self.idle = idle
    }
  }

  struct Entry {
    let key: Key
    /// Nil until its first request is done.
    var state: SequenceState?
    let byteCount: Int
    var created: Instant
    var used: Instant
    /// The session's version in the store; 0 if it is not there, or there is no store.
    var version = 0
    var use = Use.idle

    enum Use: Equatable {
      case idle
      /// A request has the session open; `anew` if the request begins it, or begins it anew.
      case open(anew: Bool)
    }
  }

  /// The number of a model's sessions, and the bytes that they take.
  package struct Usage: Sendable, Equatable {
    package var count = 0
    package var byteCount = 0

    package init() {}

    package static func += (sum: inout Usage, part: Usage) {
      sum.count += part.count
      sum.byteCount += part.byteCount
    }
  }

  /// Some sessions of a model, and the count and bytes of all of them.
  package struct Page: Sendable, Equatable {
    package let listings: [Listing]
    package let usage: Usage

    package init(listings: [Listing], usage: Usage) {
      self.listings = listings
      self.usage = usage
    }
  }

  /// The bytes that a session takes beside its floats and its id: its entry, its places in tables, and what the
  /// allocator rounds up; measured with 200,000 sessions.
  package static let overheadBytes = 312

  package let limits: SessionLimits
  /// Whether a store has the sessions: then a session that leaves the table does not end, and one that is not in the
  /// table is looked up in the store.
  package let isCache: Bool
  var indices: [Key: Int] = [:]
  var entries = UseList<Entry>()
  var ends = SessionEnds()
  var lost = LostSessions()
  /// Whether the sessions are on their way to the next process: from then on none moves, begins or ends.
  package internal(set) var isFrozen = false

  /// The memory that all sessions take.
  package internal(set) var byteCount = 0
  /// The memory that open sessions take.
  var openByteCount = 0
  /// The number of sessions.
  package var count: Int { indices.count }
  /// The count and bytes of sessions, by model.
  package private(set) var usage: [String: Usage] = [:]
  /// The number of sessions that ended, by reason.
  package private(set) var endCounts: [SessionEnd: Int] = [:]

  package init(limits: SessionLimits, isCache: Bool = false) {
    self.limits = limits
    self.isCache = isCache
  }

  // MARK: - Requests

  /// Opens sessions for a request, all or none.
  ///
  /// - Parameters:
  ///   - openings: no id may come twice.
  ///   - floatCount: the number of floats in a state of the model.
  ///   - findings: what the store knows of the sessions that are not in the table (`missing`).
  /// - Returns: the states to go on from, in order; nil for a session that begins.
  package mutating func open(
    _ openings: [Opening], model: String, floatCount: Int,
    findings: [Key: SessionFinding] = [:], now: Instant
  ) throws(SessionRefusal) -> [SequenceState?] {
    guard !isFrozen else { throw .frozen }
    expire(now: now)
    let keys = openings.map { Key(model: model, id: $0.id) }
    var states: [SequenceState?] = []
    for (opening, key) in zip(openings, keys) {
      var steps: Int?
      if let index = indices[key] {
        guard entries[index].use == .idle else { throw .busy(opening.id) }
        steps = entries[index].state?.position ?? 0
      } else if case .session(let record, _) = findings[key] {
        steps = record.state.position
      }
      if let steps, opening.way != .resume, !opening.replaces {
        throw .exists(opening.id, steps: steps)
      }
      states.append(try initialState(of: opening, key, findings))
    }
    let (needed, new) = keys.reduce(into: (0, 0)) { sums, key in
      let byteCount = Self.byteCount(of: key, floatCount: floatCount)
      sums.0 += byteCount
      if indices[key] == nil { sums.1 += byteCount }
    }
    guard needed <= limits.maxBytes else {
      throw .tooLarge(needed: needed, limit: limits.maxBytes)
    }
    // Checked before any session is evicted, as evicting would be in vain.
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
    for (opening, key) in zip(openings, keys) where indices[key] == nil {
      var entry = Entry(
        key: key, byteCount: Self.byteCount(of: key, floatCount: floatCount), created: now,
        used: now, use: .open(anew: opening.way != .resume))
      if case .session(let record, let version) = findings[key] {
        entry.state = record.state
        entry.version = version
        entry.created = now - record.age
      }
      insert(entry)
    }
    return states
  }

  /// The state that a request goes on from; nil where it begins.
  private func initialState(
    of opening: Opening, _ key: Key, _ findings: [Key: SessionFinding]
  ) throws(SessionRefusal) -> SequenceState? {
    let source: Key
    switch opening.way {
    case .begin: return nil
    case .resume: source = key
    case .fork(let id): source = Key(model: key.model, id: id)
    }
    let state: SequenceState
    do throws(SessionRefusal) { state = try self.state(of: source, findings) } catch {
      guard error == .unknown(source.id) else { throw error }
      // With `maxBytes` 0 no session can begin either, so this is the better reason.
      guard limits.maxBytes > 0 else { throw .tooLarge(needed: 0, limit: 0) }
      if case .fork = opening.way { throw .unknownSource(source.id, fork: opening.id) }
      throw error
    }
    if let steps = opening.at, steps != state.position {
      throw .stepsMismatch(source.id, found: state.position, expected: steps)
    }
    return state
  }

  /// Closes a session with its new state, or, if `state` is nil because the request failed, with the one that it had.
  /// Does nothing to a frozen table.
  package mutating func close(_ key: Key, with state: SequenceState?, now: Instant) {
    guard !isFrozen, let index = indices[key], case .open(let anew) = entries[index].use else {
      return
    }
    entries[index].use = .idle
    openByteCount -= entries[index].byteCount
    if let state {
      entries[index].version += 1
      entries[index].state = state
      if anew { entries[index].created = now }
    }
    // No request completed, so there is no state to keep: remove the entry.
    guard entries[index].state != nil else { return remove(index) }
    touch(index, now: now)
  }

  /// Marks a session as used now.
  private mutating func touch(_ index: Int, now: Instant) {
    entries[index].used = now
    entries.touch(index)
  }

  /// Whether there is a session called `key`.
  package func has(_ key: Key) -> Bool { indices[key] != nil }

  /// Whether a request has the session called `key` open.
  package func isOpen(_ key: Key) -> Bool {
    indices[key].map { entries[$0].use != .idle } ?? false
  }

  /// Ends a session as its client asks for it.
  package mutating func end(_ key: Key, now: Instant) throws(SessionRefusal) {
    guard !isFrozen else { throw .frozen }
    expire(now: now)
    _ = try state(of: key)
    if let index = indices[key] { end(index, .ended) }
  }

  /// The state of a session that exists and that no request has open.
  private func state(
    of key: Key, _ findings: [Key: SessionFinding] = [:]
  ) throws(SessionRefusal) -> SequenceState {
    if indices[key] == nil {
      switch findings[key] {
      case .session(let record, _): return record.state
      case .ended(let reason): throw .gone(key.id, reason)
      case .unknown, nil: break
      }
    }
    let entry = try entry(key)
    guard entry.use == .idle, let state = entry.state else { throw .busy(key.id) }
    return state
  }

  func entry(_ key: Key) throws(SessionRefusal) -> Entry {
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

  /// Evicts idle sessions until `needed` bytes fit; open sessions have to leave that much.
  mutating func makeRoom(_ needed: Int) {
    endOldest(.evicted) { table, _ in table.byteCount + needed <= table.limits.maxBytes }
  }

  /// Ends idle sessions, the least recently used first, until `suffices` returns true for the time when the next one
  /// was last used.
  private mutating func endOldest(
    _ reason: SessionEnd, until suffices: (Self, Instant) -> Bool
  ) {
    var next = entries.oldest
    while let index = next, !suffices(self, entries[index].used) {
      next = entries.newer(than: index)
      guard entries[index].use == .idle else { continue }
      if isCache { remove(index) } else { end(index, reason) }
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

  /// The same, and the count and bytes of all sessions of `model`.
  mutating func page(of model: String, limit: Int, now: Instant) -> Page {
    let listings = listings(of: model, limit: limit, now: now)
    return Page(listings: listings, usage: usage[model] ?? Usage())
  }

  // MARK: - Entries

  /// The bytes of memory that a session takes, all in all.
  package static func byteCount(of key: Key, floatCount: Int) -> Int {
    floatCount * MemoryLayout<Float>.stride + key.id.utf8.count + overheadBytes
  }

  mutating func insert(_ entry: Entry) {
    byteCount += entry.byteCount
    usage[entry.key.model, default: Usage()].count += 1
    usage[entry.key.model, default: Usage()].byteCount += entry.byteCount
    indices[entry.key] = entries.append(entry)
    ends.remove(entry.key)
    lost.remove(entry.key)
  }

  mutating func end(_ index: Int, _ reason: SessionEnd) {
    let key = entries[index].key
    remove(index)
    endCounts[reason, default: 0] += 1
    remember(key, reason)
  }

  mutating func remove(_ index: Int) {
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
