import HTTPCore
import Scheduling
import Serving
import Synchronization

/// Holds clients to their rates and to their numbers of requests under way (`RequestLimits`).
///
/// A client is a token, or where none is shown an address. Of those that have asked it remembers the last `maxClients` or
/// fewer: whoever is forgotten counts as new, with a full bucket. It is asked for every request but health checks, and takes
/// no lock where nothing is limited, else one that a 32nd of the clients share.
final class ClientLimiter: Sendable {
  /// Whom a request is counted to.
  enum Client: Hashable {
    case token(String)
    case address(ClientNetwork)
    /// A test's, which comes over no connection.
    case nobody
  }

  let limits: RequestLimits
  /// Requests refused for their rate, and for those under way.
  let rateRefusals = Counter()
  let concurrencyRefusals = Counter()
  private let shards: [Shard]
  private let now: @Sendable () -> Int

  /// Those that are remembered.
  static let maxClients = 65_536
  private static let shardCount = 32

  private final class Shard: Sendable {
    let clients = Mutex(ClientTable())
  }

  /// - Parameters:
  ///   - limits: of every client that has no others.
  ///   - now: nanoseconds of a clock that never goes back.
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

  @Sendable static func monotonic() -> Int {
    Int(clamping: start.duration(to: .now).attoseconds / 1_000_000_000)
  }

  /// Lets a request in whose client has shown what `grant` says, or comes from `peer`.
  ///
  /// - Returns: its place among those under way, which it leaves with its answer; nil where these are not counted.
  func admit(_ grant: Grant, from peer: HTTPPeer?) throws(Fault) -> ClientPlace? {
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
    case .entered: return limits.concurrency > 0 ? ClientPlace(state) : nil
    case .tooFast(let wait):
      rateRefusals.add()
      throw Fault(LimitError.rate(client: client.description, limits, wait: wait))
    case .tooMany:
      concurrencyRefusals.add()
      throw Fault(LimitError.concurrency(client: client.description, limits))
    }
  }

  /// Looks by `find` for the route of a request and for what its client may do, and lets it in.
  ///
  /// A request for which there is none counts too, to its address: whoever tries out tokens or paths has a rate.
  func admitting(
    _ peer: HTTPPeer?, _ find: () throws(Fault) -> (Route?, Grant)
  ) throws(Fault) -> (route: Route?, grant: Grant, place: ClientPlace?) {
    let found: (route: Route?, grant: Grant)
    do throws(Fault) { found = try find() } catch {
      _ = try admit(.all, from: peer)
      throw error
    }
    // Nobody restarts a server as it is asked often.
    if found.route?.isHealthCheck == true { return (found.route, found.grant, nil) }
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

/// The clients that were seen last: those of the present round and of the one before. A round ends when half of the room is
/// taken, so that who keeps asking stays.
struct ClientTable {
  var maxCount = 2
  private var present: [ClientLimiter.Client: ClientState] = [:]
  private var former: [ClientLimiter.Client: ClientState] = [:]

  var count: Int { present.count + former.count }

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

/// What one client has asked for of late; it lives on with its requests where the table forgets it.
final class ClientState: Sendable {
  enum Entry: Equatable {
    case entered
    /// The next request is taken in so many nanoseconds.
    case tooFast(wait: Int)
    case tooMany
  }

  private let asked = Mutex((meter: RateMeter(), underWay: 0))

  /// Counts a request, if it may come now.
  func enter(_ limits: RequestLimits, now: Int) -> Entry {
    asked.withLock { asked in
      // First, as what is refused for it costs nothing of the rate.
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

/// A request's place among those that its client has under way.
final class ClientPlace: Sendable {
  private let state: ClientState
  private let isLeft = Atomic(false)

  fileprivate init(_ state: ClientState) { self.state = state }

  /// Gives the place back, once, at the answer: a client that has it finds room for its next request.
  func leave() {
    if !isLeft.exchange(true, ordering: .relaxed) { state.leave() }
  }

  /// Of a request that never came to its answer, as its body did not come.
  deinit { leave() }
}
