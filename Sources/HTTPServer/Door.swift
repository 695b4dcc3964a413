import CLinux
import Glibc
import HTTPCore
import Synchronization

/// A loop's listeners, and who is let in.
final class Door {
  /// A newcomer.
  enum Newcomer: ~Copyable {
    case admitted(Descriptor)
    /// One too many: to be told so and closed.
    case refused(Descriptor)
  }

  private var listeners: [Listener]
  private let maxConnections: Int
  private let counters: ServerCounters
  /// A descriptor to spare: where descriptors are used up, closing it lets us take a newcomer from
  /// the queue and close it, rather than be told of it for ever.
  private var reserve: Descriptor?

  /// Set on a listener's token, whose other bits are its index.
  private static let listenerBit: UInt64 = 1 << 63

  init(listeners: [Listener], maxConnections: Int, counters: ServerCounters) {
    self.listeners = listeners
    self.maxConnections = maxConnections
    self.counters = counters
    reserve = Self.spare()
  }

  /// Whether an event's token is that of a listener.
  static func owns(_ token: UInt64) -> Bool { token & listenerBit != 0 }

  /// Begins to listen to newcomers.
  func open(_ poller: borrowing Poller) {
    for (index, listener) in listeners.enumerated() {
      let isWatched = poller.add(
        listener.socket, for: .input, token: Self.listenerBit | UInt64(index))
      precondition(isWatched, "epoll has room for a handful of listeners")
    }
  }

  /// Lets no one join the kernel's queue any more: whoever tries now tries again within a second or so, and finds
  /// another server or none, where closing alone would reset those who came since `acceptAll`.
  func shut() {
    for listener in listeners { _ = clinux_drop_newcomers(listener.socket.number) }
  }

  /// Lets no one in any more; who is in the kernel's queue is turned away by it.
  func close() {
    listeners = []
  }

  /// Calls `admit` for each who waits at the listener of `token`.
  func accept(_ token: UInt64, _ admit: (consuming Newcomer) -> Void) {
    let index = Int(token & ~Self.listenerBit)
    guard index < listeners.count else { return }
    accept(from: listeners[index], admit)
  }

  /// Calls `admit` for each who waits at any listener.
  func acceptAll(_ admit: (consuming Newcomer) -> Void) {
    for listener in listeners { accept(from: listener, admit) }
  }

  private func accept(from listener: Listener, _ admit: (consuming Newcomer) -> Void) {
    while true {
      switch listener.accept() {
      case .connection(let socket):
        let open = counters.connectionsOpen.load(ordering: .relaxed)
        admit(open < maxConnections ? .admitted(socket) : .refused(socket))
      case .retry: continue
      case .nothing: return
      case .exhausted:
        guard dropOne(from: listener) else { return }
      }
    }
  }

  /// Takes the first who waits by means of the spare descriptor, and closes it.
  private func dropOne(from listener: Listener) -> Bool {
    guard reserve != nil else {
      reserve = Self.spare()
      return false
    }
    reserve = nil
    let isDropped = if case .connection = listener.accept() { true } else { false }
    reserve = Self.spare()
    if isDropped { counters.connectionsRefused.add(1, ordering: .relaxed) }
    return isDropped
  }

  private static func spare() -> Descriptor? {
    // SAFETY: the path is a constant that lives through the call.
    unsafe Descriptor(adopting: Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC))
  }
}
