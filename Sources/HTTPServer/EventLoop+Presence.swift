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

  // MARK: When it is asked

  /// Whoever asked waits so long for an acknowledgement before it is looked for again, and then twice as long each time.
  private static let firstAcknowledgementDelay = 500_000
  private static let maxAcknowledgementDelay = 32_000_000

  /// Calls `action` with whether the client is there for the answer of `stream`, now or when it has told.
  func tellPresence(
    of token: UInt64, _ stream: StreamID, _ action: @escaping @Sendable (Bool) -> Void
  ) {
    // What it has sent by now, the reset of the stream or the end of its side, comes before the answer.
    if let connection = connections[token], connection.watched.contains(.input), !connection.isLate
    {
      read(connection)
      unsettle(connection)
    }
    guard let connection = connections[token], connection.owes(stream) else { return action(false) }
    guard connection.peer.hasLeft else { return action(true) }
    guard connection.wire.survivesEndOfInput, !connection.peer.isBroken else {
      hangUp(connection)
      return action(false)
    }
    notePeerEnd(of: connection)
    // Where bytes wait for it already, or none can be sent before the answer, it counts as there.
    guard connection.unsentCount == 0, connection.wire.beginAnswer() else { return action(true) }
    settle(connection)
    awaitAcknowledgement(
      from: token, of: connection.writtenCount, since: clock.now,
      delay: Self.firstAcknowledgementDelay, action)
  }

  /// Calls `action` with true once the peer has acknowledged `count` bytes, with false where it is gone, and closes the
  /// connection of one that does not tell for `write_timeout`.
  private func awaitAcknowledgement(
    from token: UInt64, of count: Int, since start: Int, delay: Int,
    _ action: @escaping @Sendable (Bool) -> Void
  ) {
    guard let connection = connections[token] else { return action(false) }
    if connection.peer.isBroken || clock.read() - start > timeouts.download.window {
      hangUp(connection)
      return action(false)
    }
    if connection.acknowledgedCount >= count { return action(true) }
    queue.asyncAfter(deadline: .now() + .nanoseconds(delay)) { [self] in
      awaitAcknowledgement(
        from: token, of: count, since: start,
        delay: min(2 * delay, Self.maxAcknowledgementDelay), action)
    }
  }
}
