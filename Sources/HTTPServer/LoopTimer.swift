import CLinux
import Glibc

/// Interrupts a loop that waits for its sockets when it is time to.
struct LoopTimer: ~Copyable {
  private let descriptor: Descriptor

  /// What its event in the poller carries: neither a listener's token nor a connection's.
  static let token = UInt64.max - 1

  init() throws(HTTPServerError) {
    let flags = CInt(TFD_CLOEXEC | TFD_NONBLOCK)
    guard let descriptor = Descriptor(adopting: timerfd_create(CLOCK_MONOTONIC, flags)) else {
      throw .systemCall(name: "timerfd_create", address: "", port: 0, errno: errno)
    }
    self.descriptor = descriptor
  }

  /// Has `poller` tell of it. Each time is one event, so that nothing needs to be read.
  func register(with poller: Poller) {
    let isWatched = poller.add(descriptor, for: [.input, .edge], token: Self.token)
    precondition(isWatched, "epoll has room for one more")
  }

  /// Has it go off once in so many nanoseconds, at least one, in place of when it would have.
  func set(after nanoseconds: Int) {
    var time = itimerspec()
    time.it_value.tv_sec = nanoseconds / 1_000_000_000
    time.it_value.tv_nsec = nanoseconds % 1_000_000_000
    // SAFETY: the kernel reads a local that lives through the call, and writes nothing.
    _ = unsafe timerfd_settime(descriptor.number, 0, &time, nil)
  }
}
