import CLinux
import Glibc

/// An epoll descriptor, which reports which of the sockets that it watches are ready.
///
/// Belongs to one event loop; the loop's sockets keep it alive.
@safe final class Poller {
  /// What a socket is watched for, or ready for.
  struct Readiness: OptionSet {
    let rawValue: UInt32
    static let input = Readiness(rawValue: EPOLLIN.rawValue)
    /// Edge-triggered: reported once for each arrival, not for as long as there is input.
    static let edge = Readiness(rawValue: EPOLLET.rawValue)
    /// The peer has ended its side, even if some of its bytes are unread.
    static let peerEnd = Readiness(rawValue: EPOLLRDHUP.rawValue)
    static let output = Readiness(rawValue: EPOLLOUT.rawValue)
    /// Both directions are shut down; always watched for.
    static let hangUp = Readiness(rawValue: EPOLLHUP.rawValue)
    /// The connection was reset; always watched for.
    static let failure = Readiness(rawValue: EPOLLERR.rawValue)
  }

  /// The most events that one `poll` reports; if it reports this many, there may be more.
  static let maxEvents = 256

  let descriptor: Descriptor
  private var events = unsafe [epoll_event](repeating: epoll_event(), count: maxEvents)

  init() throws(HTTPServerError) {
    guard let descriptor = Descriptor(adopting: epoll_create1(CInt(EPOLL_CLOEXEC))) else {
      throw .systemCall(name: "epoll_create1", address: "", port: 0, errno: errno)
    }
    self.descriptor = descriptor
  }

  /// Begins to watch `socket`; its events carry `token`. Returns whether the kernel could.
  func add(_ socket: borrowing Descriptor, for readiness: Readiness, token: UInt64) -> Bool {
    control(EPOLL_CTL_ADD, socket, readiness, token)
  }

  /// Changes what `socket` is watched for.
  func modify(_ socket: borrowing Descriptor, for readiness: Readiness, token: UInt64) {
    _ = control(EPOLL_CTL_MOD, socket, readiness, token)
  }

  /// Stops watching `socket`.
  func remove(_ socket: borrowing Descriptor) {
    _ = control(EPOLL_CTL_DEL, socket, [], 0)
  }

  private func control(
    _ operation: CInt, _ socket: borrowing Descriptor, _ readiness: Readiness, _ token: UInt64
  ) -> Bool {
    var event = unsafe epoll_event()
    unsafe event.events = readiness.rawValue
    unsafe event.data.u64 = token
    // SAFETY: the kernel copies the event during the call.
    return unsafe epoll_ctl(descriptor.number, operation, socket.number, &event) == 0
  }

  /// Asks which sockets are ready, if `waits` until one is; returns how many events `event(_:)` has.
  func poll(waits: Bool) -> Int {
    // SAFETY: the kernel writes at most `count` events into the array's storage.
    let count = unsafe epoll_wait(
      descriptor.number, &events, CInt(events.count), waits ? -1 : 0)
    return max(0, Int(count))
  }

  /// The event at `index` of the last `poll`.
  func event(_ index: Int) -> (token: UInt64, readiness: Readiness) {
    // SAFETY: every event was given a u64, the only member of the union in use.
    unsafe (events[index].data.u64, Readiness(rawValue: events[index].events))
  }
}
