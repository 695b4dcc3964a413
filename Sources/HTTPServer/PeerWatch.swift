import CLinux
import Glibc
import Synchronization

/// Tells any thread whether a connection's peer has left, also while its loop has yet to look.
final class PeerWatch: Sendable {
  /// Those of the given events that have come, and failures.
  typealias Poll = @Sendable (_ events: Poller.Readiness) -> Poller.Readiness

  /// Nil once the connection takes no more requests, before its descriptor is closed.
  private let poll: Mutex<Poll?>

  init(_ poll: @escaping Poll) { self.poll = Mutex(poll) }

  /// Asks the kernel about a descriptor.
  convenience init(_ descriptor: CInt) {
    self.init { events in
      // poll's flags have the values of epoll's, one of them under a name that only GNU sources see.
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

  /// Whether something has come that may say that the peer gives up a request: the end of its side, or, where requests
  /// can be given up one by one, anything that the loop has yet to read.
  func mayHaveGivenUp(isHTTP2: Bool) -> Bool {
    poll(for: isHTTP2 ? [.peerEnd, .input] : .peerEnd) != []
  }

  /// Whether the connection is broken: its peer has answered bytes with a reset, or not at all.
  var isBroken: Bool { poll(for: []) != [] }

  /// Those of `events` that have come, and failures; the end where no further request is taken.
  private func poll(for events: Poller.Readiness) -> Poller.Readiness {
    // The lock is held, so that the number is not another descriptor's by now.
    poll.withLock { $0?(events) ?? .hangUp }
  }
}
