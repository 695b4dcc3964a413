import CLinux
import Glibc

/// Interrupts a loop that waits for its sockets, from any thread.
struct Bell: ~Copyable {
  private let descriptor: Descriptor

  /// What its event in the poller carries: neither a listener's token nor a connection's.
  static let token = UInt64.max

  init() throws(HTTPServerError) {
    guard let descriptor = Descriptor(adopting: eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK)))
    else { throw .systemCall(name: "eventfd", address: "", port: 0, errno: errno) }
    self.descriptor = descriptor
  }

  /// Has `poller` listen to it. Each ring is one event, so that nothing needs to be read.
  func hang(in poller: borrowing Poller) -> Bool {
    poller.add(descriptor, for: [.input, .edge], token: Self.token)
  }

  func ring() { _ = eventfd_write(descriptor.number, 1) }
}
