import HTTPCore
import Scheduling
import Serving
import Synchronization

/// Enforces each client's limits on the rate and the concurrency of requests (`RequestLimits`).
///
/// A client is a token, or an address where no token is shown. Up to `maxClients` recent clients are remembered; a
/// forgotten client counts as new, with a full bucket. Called for every request except health checks. Takes no lock if
/// nothing is limited, else one of 32 locks, by the client's hash.
final class ClientLimiter: Sendable {
  /// The client that a request counts towards.
  enum Client: Hashable {
    case token(String)
    case address(ClientNetwork)
    /// A test's request, which has no connection.
    case nobody
  }

  let limits: RequestLimits
  /// The number of requests refused because of the rate, and because of concurrency.
  let rateRefusals = Counter()
  let concurrencyRefusals = Counter()
  private let shards: [Shard]
  private let now: @Sendable () -> Int

  /// The most clients that are remembered.
  static let maxClients = 65_536
  private static let shardCount = 32

  private final class Shard: Sendable {
    let clients = Mutex(ClientTable())
  }

  /// - Parameters:
  ///   - limits: the limits of clients without limits of their own.
  ///   - now: returns nanoseconds of a monotonic clock.
  init(
    limits: RequestLimits, maxClients: Int = ClientLimiter.maxClients,
    now: @escaping @Sendable () -> Int = ClientLimiter.monotonic
  ) {
    self.limits = limits
    self.now = now
    shards = (0..<Self.shardCount).map { _ in Shard() }
    for shard in shards {
      shard.clients.withLock { $0.maxCount = max(2, maxClients / Self.shardCount) }
    }
  }

  private static let start = ContinuousClock.now

  /// The nanoseconds since the process first asked for them.
  @Sendable static func monotonic() -> Int {
    Int(clamping: start.duration(to: .now).attoseconds / 1_000_000_000)
  }

  /// Admits a request from `peer` whose client has the permissions `grant`.
  ///
  /// - Returns: the request's place in the concurrency limit, to be left at its answer; nil where concurrency is not
  ///   limited.
  func admit(_ grant: Grant, from peer: HTTPPeer?) throws(Fault) -> ConcurrencySlot? {
    let limits = grant.limits.map { self.limits.with($0) } ?? self.limits
    guard !limits.areNone else { return nil }
    let client: Client =
      if let name = grant.tokenName {
        .token(name)
      } else {
        peer.map { .address(ClientNetwork($0.address)) } ?? .nobody
      }
    let hash = UInt(bitPattern: client.hashValue)
    let state = shards[Int(hash % UInt(shards.count))].clients.withLock {
      $0.state(of: client)
    }
    switch state.enter(limits, now: now()) {
    case .entered: return limits.concurrency > 0 ? ConcurrencySlot(state) : nil
    case .tooFast(let wait):
      rateRefusals.add()
      throw Fault(LimitError.rate(client: client.description, limits, wait: wait))
    case .tooMany:
      concurrencyRefusals.add()
      throw Fault(LimitError.concurrency(client: client.description, limits))
    }
  }

  /// Calls `find` for the route of a request and its client's permissions, and admits the request.
  ///
  /// If `find` throws, the request counts towards its address: whoever tries out tokens or paths is limited, too.
  /// - Parameter isPreflight: whether an OPTIONS request, which has no route, is a preflight of an allowed origin.
  func admitting(
    _ peer: HTTPPeer?, isPreflight: @autoclosure () -> Bool,
    _ find: () throws(Fault) -> (Route?, Grant)
  ) throws(Fault) -> (route: Route?, grant: Grant, place: ConcurrencySlot?) {
    let found: (route: Route?, grant: Grant)
    do throws(Fault) { found = try find() } catch {
      _ = try admit(.all, from: peer)
      throw error
    }
    // Health checks are not limited: a failed one might get the server restarted. Nor is what a browser asks, without a
    // token, ahead of a request that has one.
    if found.route?.isHealthCheck ?? isPreflight() { return (found.route, found.grant, nil) }
    return (found.route, found.grant, try admit(found.grant, from: peer))
  }

  /// How many clients are remembered.
  var rememberedCount: Int {
    shards.reduce(0) { $0 + $1.clients.withLock { $0.count } }
  }
}

extension ClientLimiter.Client: CustomStringConvertible {
  var description: String {
    switch self {
    case .token(let name): "the token \(quoted(name))"
    case .address(let network): "the address \(network)"
    case .nobody: "this client"
    }
  }
}

/// The clients seen recently, in two generations. When the present generation reaches half of `maxCount`, it becomes
/// the former one and the old former one is forgotten. A client seen again moves to the present generation, so active
/// clients stay.
struct ClientTable {
  var maxCount = 2
  private var present: [ClientLimiter.Client: ClientState] = [:]
  private var former: [ClientLimiter.Client: ClientState] = [:]

  var count: Int { present.count + former.count }

  /// The state of `client`, new if the client is not remembered.
  mutating func state(of client: ClientLimiter.Client) -> ClientState {
    if let known = present[client] { return known }
    let state = former.removeValue(forKey: client) ?? ClientState()
    if present.count >= maxCount / 2 {
      former = present
      present = [:]
    }
    present[client] = state
    return state
  }
}

/// The recent requests of one client. Its requests in flight keep this object alive even after the table has forgotten
/// it.
final class ClientState: Sendable {
  /// The result of `enter`.
  enum Entry: Equatable {
    case entered
    /// The next request will be admitted in `wait` nanoseconds.
    case tooFast(wait: Int)
    case tooMany
  }

  private let asked = Mutex((meter: RateMeter(), underWay: 0))

  /// Admits and counts a request if the limits allow it now.
  func enter(_ limits: RequestLimits, now: Int) -> Entry {
    asked.withLock { asked in
      // Checked first, so that a request refused for concurrency uses nothing of the rate.
      if limits.concurrency > 0, asked.underWay >= limits.concurrency { return .tooMany }
      if limits.rate > 0 {
        let wait = asked.meter.take(now: now, rate: limits.rate, burst: limits.effectiveBurst)
        if let wait { return .tooFast(wait: wait) }
      }
      if limits.concurrency > 0 { asked.underWay += 1 }
      return .entered
    }
  }

  fileprivate func leave() { asked.withLock { $0.underWay -= 1 } }
}

/// A request's place among its client's requests in flight.
final class ConcurrencySlot: Sendable {
  private let state: ClientState
  private let isLeft = Atomic(false)

  fileprivate init(_ state: ClientState) { self.state = state }

  /// Gives the place back, only once. Called before the answer leaves, so that a client that has its answer finds room
  /// for its next request.
  func leave() {
    if !isLeft.exchange(true, ordering: .relaxed) { state.leave() }
  }

  /// For a request that was never answered because its body did not come.
  deinit { leave() }
}
