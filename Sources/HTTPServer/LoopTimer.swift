import CLinux
import Glibc

/// Wakes a loop that waits in epoll when a deadline is due (timerfd).
struct LoopTimer: ~Copyable {
  private let descriptor: Descriptor

  /// The token of the timer's events in the poller: neither a listener's nor a connection's.
  static let token = UInt64.max - 1

  init() throws(HTTPServerError) {
    let flags = CInt(TFD_CLOEXEC | TFD_NONBLOCK)
    guard let descriptor = Descriptor(adopting: timerfd_create(CLOCK_MONOTONIC, flags)) else {
      throw .systemCall(name: "timerfd_create", address: "", port: 0, errno: errno)
    }
    self.descriptor = descriptor
  }

  /// Registers the timer with `poller`, edge-triggered: each expiry is one event, so that nothing needs to be read.
  func register(with poller: Poller) {
    let isWatched = poller.add(descriptor, for: [.input, .edge], token: Self.token)
    precondition(isWatched, "epoll has room for one more")
  }

  /// Sets the timer to expire once, in so many nanoseconds (at least 1), in place of an earlier setting.
  func set(after nanoseconds: Int) {
    var time = itimerspec()
    time.it_value.tv_sec = nanoseconds / 1_000_000_000
    time.it_value.tv_nsec = nanoseconds % 1_000_000_000
    // SAFETY: the kernel reads a local that lives through the call, and writes nothing.
    _ = unsafe timerfd_settime(descriptor.number, 0, &time, nil)
  }
}
