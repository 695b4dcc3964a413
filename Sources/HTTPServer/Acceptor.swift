import CLinux
import Glibc
import HTTPCore
import Synchronization

/// A loop's listeners, and which newcomers are admitted.
final class Acceptor {
  /// A connection that was accepted.
  enum Newcomer: ~Copyable {
    case admitted(AcceptedSocket, AddressShares.Place?)
    /// One more than may be open: to be refused, or heard for a moment where it may be a probe.
    case extra(AcceptedSocket, isBeyondShare: Bool)
  }

  private var listeners: [Listener]
  private let counters: ServerCounters
  private var maxConnections = 0
  /// Nil where an address may have all connections.
  private let shares: AddressShares?
  /// Those whose connections are their clients', which have shares of their own.
  private let proxies: TrustedProxies
  /// Whether one more than may be open can be accepted.
  private let hasRoomForExtra: () -> Bool
  /// Whether the listeners are watched for newcomers.
  private var isWatching = false

  /// Why nobody is accepted for a moment: who waits then stays in the kernel's queue.
  enum Pause: Error {
    /// Descriptors or memory are used up.
    case exhausted(errno: CInt)
    /// Those beyond the most that may be open have yet to be heard.
    case crowded

    var nanoseconds: Int {
      switch self {
      case .exhausted: 100_000_000
      case .crowded: ExtraConnections.hearingNanoseconds
      }
    }
  }

  /// Set on a listener's token, whose other bits are its index.
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

  /// Begins to accept, up to `maxConnections` of all loops together.
  func open(_ poller: Poller, maxConnections: Int) {
    self.maxConnections = maxConnections
    isWatching = true
    for (index, listener) in listeners.enumerated() {
      let isWatched = poller.add(listener.socket, for: .input, token: Self.token(index))
      precondition(isWatched, "epoll has room for a handful of listeners")
    }
  }

  /// Watches the listeners, or leaves newcomers in the kernel's queue.
  func watch(_ watches: Bool, _ poller: Poller) {
    guard watches != isWatching else { return }
    isWatching = watches
    for (index, listener) in listeners.enumerated() {
      poller.modify(listener.socket, for: watches ? .input : [], token: Self.token(index))
    }
  }

  private static func token(_ index: Int) -> UInt64 { listenerBit | UInt64(index) }

  /// Has the kernel drop new connections: whoever tries now tries again within a second or so, and finds another
  /// server or none, where closing alone would reset those who came since `acceptAll`.
  func dropNewcomers() {
    for listener in listeners { _ = clinux_drop_newcomers(listener.socket.number) }
  }

  /// Closes the listeners; the kernel turns away who is in their queues.
  func close() {
    listeners = []
  }

  /// Calls `admit` for each connection that waits at the listener of `token`.
  func accept(
    _ token: UInt64, _ admit: (consuming Newcomer) -> Void
  ) throws(Pause) {
    let index = Int(token & ~Self.listenerBit)
    guard index < listeners.count else { return }
    try accept(from: listeners[index], admit)
  }

  /// Calls `admit` for each connection that waits at any listener.
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
      // Counted first and then looked at: so two loops never both take the last place.
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
