import CLinux
import Glibc
import Synchronization

/// Tells any thread whether a connection's peer has left, even if the connection's loop has not noticed yet.
final class PeerWatch: Sendable {
  /// Returns which of the given events have occurred, and failures.
  typealias Poll = @Sendable (_ events: Poller.Readiness) -> Poller.Readiness

  /// Set to nil when the connection takes no more requests, and before its descriptor is closed.
  private let poll: Mutex<Poll?>

  init(_ poll: @escaping Poll) { self.poll = Mutex(poll) }

  /// Makes a watch that asks the kernel about `descriptor` by poll(2).
  convenience init(_ descriptor: CInt) {
    self.init { events in
      // poll's flags have the values of epoll's; the name POLLRDHUP is only defined under _GNU_SOURCE.
      var poll = pollfd(fd: descriptor, events: Int16(events.rawValue), revents: 0)
      // SAFETY: the kernel writes to the one element, a local that lives through the call.
      return unsafe Glibc.poll(&poll, 1, 0) > 0
        ? Poller.Readiness(rawValue: UInt32(UInt16(bitPattern: poll.revents))) : []
    }
  }

  /// From now on the peer counts as one that has left.
  func end() { poll.withLock { $0 = nil } }

  /// Whether no further request can come: either side has ended the connection.
  var hasLeft: Bool { poll(for: .peerEnd) != [] }

  /// Whether something has come that may mean that the peer gives up a request: the end of its side, or over HTTP/2,
  /// where single requests can be given up, any input that the loop has yet to read.
  func mayHaveGivenUp(isHTTP2: Bool) -> Bool {
    poll(for: isHTTP2 ? [.peerEnd, .input] : .peerEnd) != []
  }

  /// Whether the connection is broken: its peer has answered bytes with a reset, or not at all.
  var isBroken: Bool { poll(for: []) != [] }

  /// Which of `events` have occurred, and failures; `hangUp` after `end()`.
  private func poll(for events: Poller.Readiness) -> Poller.Readiness {
    // The lock is held meanwhile, so that the descriptor is not closed and its number not reused.
    poll.withLock { $0?(events) ?? .hangUp }
  }
}
