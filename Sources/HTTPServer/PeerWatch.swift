import CLinux
import Glibc
import Synchronization

/// Tells any thread whether a connection's peer has left, also while its loop has yet to look.
final class PeerWatch: Sendable {
  /// The connection's descriptor; nil once it takes no more requests, before the descriptor is closed.
  private let descriptor: Mutex<CInt?>

  init(_ descriptor: CInt) { self.descriptor = Mutex(descriptor) }

  /// From now on the peer counts as one that has left.
  func end() { descriptor.withLock { $0 = nil } }

  /// Whether no further request can come: either side has ended the connection.
  ///
  /// poll's flag for that has the value of epoll's, under a name that only GNU sources see.
  var hasLeft: Bool {
    // The lock is held, so that the number is not another descriptor's by now.
    descriptor.withLock { descriptor in
      guard let descriptor else { return true }
      var poll = pollfd(fd: descriptor, events: Int16(EPOLLRDHUP.rawValue), revents: 0)
      // SAFETY: the kernel writes to the one element, a local that lives through the call.
      return unsafe Glibc.poll(&poll, 1, 0) > 0
    }
  }
}
