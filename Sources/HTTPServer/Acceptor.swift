import CLinux
import Glibc
import HTTPCore
import Synchronization

/// Accepts connections from the listeners of one event loop, and decides which of them are admitted.
final class Acceptor {
  /// An accepted connection: admitted, or one too many.
  enum Newcomer: ~Copyable {
    /// A connection to be served, and its place among those of its address.
    case admitted(AcceptedSocket, AddressShares.Place?)
    /// A connection beyond `max_connections`, or beyond the share of its address. It is refused, unless it turns out to
    /// be a health check that is answered.
    case extra(AcceptedSocket, isBeyondShare: Bool)
  }

  private var listeners: [Listener]
  private let counters: ServerCounters
  private var maxConnections = 0
  /// Nil when connections per address are not limited.
  private let shares: AddressShares?
  /// The trusted proxies. Their connections do not count against the proxy's address; with the PROXY protocol,
  /// `ProxiedTransport` counts them against the client's.
  private let proxies: TrustedProxies
  /// Whether a connection beyond `maxConnections` can be accepted, to refuse it or to answer its health check.
  private let hasRoomForExtra: () -> Bool
  /// Whether the poller watches the listeners for new connections.
  private var isWatching = false

  /// Why accepting pauses. Meanwhile new connections stay in the kernel's accept queue.
  enum Pause: Error {
    /// Descriptors or memory are exhausted.
    case exhausted(errno: CInt)
    /// There is no room for another connection beyond `maxConnections` until one of these can be closed
    /// (`ExtraConnections.hasRoom`).
    case crowded

    /// How long accepting pauses.
    var nanoseconds: Int {
      switch self {
      case .exhausted: 100_000_000
      case .crowded: ExtraConnections.hearingNanoseconds
      }
    }
  }

  /// The bit that marks a listener's token; the other bits are the listener's index.
  private static let listenerBit: UInt64 = 1 << 63

  init(
    listeners: [Listener], counters: ServerCounters, shares: AddressShares?,
    proxies: TrustedProxies, hasRoomForExtra: @escaping () -> Bool
  ) {
    self.listeners = listeners
    self.counters = counters
    self.shares = shares
    self.proxies = proxies
    self.hasRoomForExtra = hasRoomForExtra
  }

  /// Whether an event's token is that of a listener.
  static func owns(_ token: UInt64) -> Bool { token & listenerBit != 0 }

  /// Begins to accept connections, up to `maxConnections` over all loops.
  func open(_ poller: Poller, maxConnections: Int) {
    self.maxConnections = maxConnections
    isWatching = true
    for (index, listener) in listeners.enumerated() {
      let isWatched = poller.add(listener.socket, for: .input, token: Self.token(index))
      precondition(isWatched, "epoll has room for a handful of listeners")
    }
  }

  /// Starts or stops watching the listeners. While they are not watched, new connections wait in the kernel's accept queue.
  func watch(_ watches: Bool, _ poller: Poller) {
    guard watches != isWatching else { return }
    isWatching = watches
    for (index, listener) in listeners.enumerated() {
      poller.modify(listener.socket, for: watches ? .input : [], token: Self.token(index))
    }
  }

  private static func token(_ index: Int) -> UInt64 { listenerBit | UInt64(index) }

  /// Makes the kernel drop new SYNs. A client that connects now retries within about a second, and then reaches another
  /// server or none. Closing the listeners instead would reset the connections that arrived since the last `acceptAll`.
  func dropNewcomers() {
    for listener in listeners { _ = clinux_drop_newcomers(listener.socket.number) }
  }

  /// Closes the listeners; the kernel resets the connections that still wait in their accept queues.
  func close() {
    listeners = []
  }

  /// Accepts all connections that wait at the listener of `token`, and passes each to `admit`.
  func accept(
    _ token: UInt64, _ admit: (consuming Newcomer) -> Void
  ) throws(Pause) {
    let index = Int(token & ~Self.listenerBit)
    guard index < listeners.count else { return }
    try accept(from: listeners[index], admit)
  }

  /// Accepts all connections that wait at any listener, and passes each to `admit`.
  func acceptAll(_ admit: (consuming Newcomer) -> Void) throws(Pause) {
    for listener in listeners { try accept(from: listener, admit) }
  }

  private func accept(
    from listener: Listener, _ admit: (consuming Newcomer) -> Void
  ) throws(Pause) {
    while true {
      guard counters.connectionsOpen.load(ordering: .relaxed) < maxConnections || hasRoomForExtra()
      else { throw .crowded }
      guard let accepted = try next(of: listener) else { return }
      // Increment first, then compare: so two loops never both take the last place.
      let open = counters.connectionsOpen.add(1, ordering: .relaxed).newValue
      guard open <= maxConnections else {
        counters.connectionsOpen.subtract(1, ordering: .relaxed)
        admit(.extra(accepted, isBeyondShare: false))
        continue
      }
      guard let shares, !proxies.contains(accepted.peer.address) else {
        admit(.admitted(accepted, nil))
        continue
      }
      if let place = shares.take(accepted.peer.address) {
        admit(.admitted(accepted, place))
      } else {
        counters.connectionsOpen.subtract(1, ordering: .relaxed)
        counters.connectionsBeyondShare.add(1, ordering: .relaxed)
        admit(.extra(accepted, isBeyondShare: true))
      }
    }
  }

  private func next(of listener: Listener) throws(Pause) -> AcceptedSocket? {
    do throws(Listener.Exhaustion) { return try listener.accept() } catch {
      throw .exhausted(errno: error.errno)
    }
  }
}
