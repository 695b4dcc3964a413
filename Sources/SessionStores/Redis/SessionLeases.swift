import Inference
import Scheduling

/// The leases that a process has, by session.
///
/// A request takes one with its session. Of a session that one process moves again and again, the lease is kept behind a move, for as long
/// as Redis keeps it for the process: the next request goes on from the state that is known here, and asks Redis for nothing
/// before its own move. Where another process asks for it, it is given back: at once, or behind the move of the request that
/// uses it. Pure: time comes in as an argument.
struct SessionLeases {
  typealias Key = SessionTable.Key
  typealias Instant = ContinuousClock.Instant

  struct Held: Sendable, Hashable {
    let key: Key
    let token: RedisToken
  }

  struct Lease: Sendable, Equatable {
    let token: RedisToken
    /// The session as it was last known to be in Redis; nil where it is not there.
    var entry: RedisEntry?
    /// When it was created, by this process's clock.
    var created: Instant
    /// When Redis was last asked to let it live on, and to list the session as used.
    var renewed: Instant
    var listed: Instant?
    /// Whether a request uses it; else it is kept for the next one.
    var isUsed = true
    /// Whether Redis says that a request uses it, or is about to.
    var isMarked = true
    /// Whether another process has asked for it.
    var isWanted = false
  }

  /// What a process does about a lease that another one wants.
  enum Answer: Equatable {
    /// The request that uses it gives it back.
    case none
    /// Redis is told that a request uses it.
    case mark
    case giveBack
  }

  private var leases: [Key: Lease] = [:]
  /// What kept sessions take, in the table's count.
  private(set) var keptByteCount = 0

  subscript(key: Key) -> Lease? { leases[key] }

  mutating func insert(_ key: Key, _ lease: Lease) {
    forget(key)
    leases[key] = lease
  }

  /// Uses sessions that are kept, all or none, for a request.
  ///
  /// - Parameter life: how long Redis keeps a lease after it was asked to.
  mutating func useKept(_ keys: [Key], now: Instant, life: Duration) -> [Lease]? {
    var found: [Lease] = []
    for key in keys {
      guard let lease = leases[key], !lease.isUsed, lease.renewed + life > now else { return nil }
      found.append(lease)
    }
    for (key, lease) in zip(keys, found) {
      keptByteCount -= Self.byteCount(key, lease)
      leases[key]?.isUsed = true
    }
    return found
  }

  /// Keeps a lease that its request does not use any more.
  ///
  /// - Returns: false where it has to be given back: another process wants it, or it would be more than `limit` bytes.
  mutating func keep(_ key: Key, _ token: RedisToken, limit: Int, change: (inout Lease) -> Void)
    -> Bool
  {
    guard var lease = leases[key], lease.token == token, lease.isUsed, !lease.isWanted else {
      return false
    }
    change(&lease)
    let byteCount = Self.byteCount(key, lease)
    guard keptByteCount + byteCount <= limit else { return false }
    keptByteCount += byteCount
    lease.isUsed = false
    leases[key] = lease
    return true
  }

  /// Another process wants a lease. A token that is not known is one that this process has forgotten.
  mutating func want(_ key: Key, _ token: RedisToken) -> Answer {
    guard let lease = leases[key], lease.token == token else { return .giveBack }
    guard lease.isUsed else {
      forget(key)
      return .giveBack
    }
    leases[key]?.isWanted = true
    leases[key]?.isMarked = true
    return lease.isMarked ? .none : .mark
  }

  /// Forgets a lease, unless another has been taken since.
  mutating func remove(_ key: Key, _ token: RedisToken) {
    if leases[key]?.token == token { forget(key) }
  }

  mutating func forget(_ key: Key) {
    guard let lease = leases.removeValue(forKey: key) else { return }
    if !lease.isUsed { keptByteCount -= Self.byteCount(key, lease) }
  }

  /// Forgets what is kept and has run out, or all that is kept: nobody hears any more who wants it.
  mutating func forgetKept(renewedBefore moment: Instant? = nil) {
    for (key, lease) in leases where !lease.isUsed && moment.map({ lease.renewed < $0 }) ?? true {
      forget(key)
    }
  }

  /// Those that requests use.
  var used: [Held] {
    leases.compactMap { $0.value.isUsed ? Held(key: $0.key, token: $0.value.token) : nil }
  }

  func held(_ keys: [Key]) -> [Held] {
    keys.compactMap { key in leases[key].map { Held(key: key, token: $0.token) } }
  }

  var all: [Held] { leases.map { Held(key: $0.key, token: $0.value.token) } }

  private static func byteCount(_ key: Key, _ lease: Lease) -> Int {
    SessionTable.byteCount(of: key, floatCount: lease.entry?.state.floats.count ?? 0)
  }
}
