import Dispatch
import HTTPCore

/// Whether a peer that has ended its side is still there.
extension EventLoop {
  /// The peer of an answer under way is given so long to get it before it is asked whether it is still there.
  private static let presenceDelay = 2_000_000

  /// Notes that the peer has ended its side. A peer of HTTP/2 that does has left; over HTTP/1 it may wait for answers,
  /// and is asked: see `checkPresence`.
  func notePeerEnd(of connection: Connection) {
    guard connection.isOpen, !connection.hasPeerEnded else { return }
    connection.hasPeerEnded = true
    guard connection.wire.survivesEndOfInput else {
      if !connection.watched.contains(.input) { hangUp(connection) }
      return
    }
    let token = connection.token
    connection.presenceCheck = clock.now + connection.presenceInterval
    queue.asyncAfter(deadline: .now() + .nanoseconds(Self.presenceDelay)) { [self] in
      guard let connection = connections[token] else { return }
      checkPresence(of: connection)
      turn()
    }
  }

  /// Sends a peer that has ended its side, and is owed an answer, a byte of it: one that has closed resets the
  /// connection, and what is done for it ends.
  func checkPresence(of connection: Connection) {
    // Where bytes wait for it, those tell the same.
    guard connection.unsentCount == 0, !connection.owed.isEmpty else { return }
    if connection.wire.beginAnswer() { unsettle(connection) }
  }
}
