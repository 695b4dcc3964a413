import Glibc
import HTTPCore

/// A connection's socket, and its registration with a loop's poller.
struct WatchedSocket: ~Copyable {
  private var socket: Descriptor
  private let poller: Poller
  private let token: UInt64
  private(set) var isWatched = false

  /// - Parameter token: the token that events of the poller carry.
  init(_ socket: consuming Descriptor, poller: Poller, token: UInt64) {
    self.socket = socket
    self.poller = poller
    self.token = token
  }

  /// The descriptor, for system calls; once closed it is -1, at which they fail.
  var number: CInt { socket.number }

  /// Watches the socket for `readiness` from now on; returns whether the kernel can.
  mutating func watch(for readiness: Poller.Readiness) -> Bool {
    if isWatched {
      poller.modify(socket, for: readiness, token: token)
    } else {
      isWatched = poller.add(socket, for: readiness, token: token)
    }
    return isWatched
  }

  /// Shuts down the sending side.
  func endOutput() { _ = shutdown(number, CInt(SHUT_WR)) }

  /// Closes the socket at once, even if its connection object lives on: more connections may come and go in one round
  /// than there are descriptors.
  mutating func close() {
    if isWatched { poller.remove(socket) }
    isWatched = false
    socket.close()
  }
}
