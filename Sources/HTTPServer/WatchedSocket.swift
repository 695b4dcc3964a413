import Glibc
import HTTPCore

/// A connection's socket, and what a loop's poller watches it for.
struct WatchedSocket: ~Copyable {
  private var socket: Descriptor
  private let poller: Poller
  private let token: UInt64
  private(set) var isWatched = false

  /// - Parameter token: what events of the poller are to carry.
  init(_ socket: consuming Descriptor, poller: Poller, token: UInt64) {
    self.socket = socket
    self.poller = poller
    self.token = token
  }

  /// For calls of the kernel, which fail at -1: that it is once closed.
  var number: CInt { socket.number }

  /// Watches it for `readiness` from now on; returns whether the kernel can.
  mutating func watch(for readiness: Poller.Readiness) -> Bool {
    if isWatched {
      poller.modify(socket, for: readiness, token: token)
    } else {
      isWatched = poller.add(socket, for: readiness, token: token)
    }
    return isWatched
  }

  /// Sends no more.
  func endOutput() { _ = shutdown(number, CInt(SHUT_WR)) }

  /// Closes it at once, whoever still holds its connection: of those that come and go in one round there may be more than
  /// there are descriptors.
  mutating func close() {
    if isWatched { poller.remove(socket) }
    isWatched = false
    socket.close()
  }
}
