import CLinux
import Glibc

/// Wakes a loop that waits in epoll, from any thread (eventfd).
final class WakeupEvent: Sendable {
  private let descriptor: Descriptor

  /// The token of the event in the poller: neither a listener's nor a connection's.
  static let token = UInt64.max

  init() throws(HTTPServerError) {
    guard let descriptor = Descriptor(adopting: eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK)))
    else { throw .systemCall(name: "eventfd", address: "", port: 0, errno: errno) }
    self.descriptor = descriptor
  }

  /// Registers with `poller`, edge-triggered: each signal is one event, so that nothing needs to be read.
  func register(with poller: Poller) {
    let isWatched = poller.add(descriptor, for: [.input, .edge], token: Self.token)
    precondition(isWatched, "epoll has room for one more")
  }

  func signal() { _ = eventfd_write(descriptor.number, 1) }
}
