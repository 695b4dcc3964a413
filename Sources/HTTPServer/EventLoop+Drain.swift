import Dispatch
import HTTPCore

/// The end of a loop: what was accepted is answered, and nobody who sends and takes nothing holds it up.
extension EventLoop {
  /// Takes no new connection, gives the idle ones `drain_grace` for a request that is on its way, and calls
  /// `completion` when that is over and the last one is gone.
  func drain(_ completion: @escaping @Sendable () -> Void) {
    queue.async { [self] in
      onDrained = completion
      isDraining = true
      clock.update()
      // Who waits in the kernel's queue, and what they have sent, came before the end.
      acceptor.dropNewcomers()
      acceptAll()
      for connection in connections.all {
        if connection.watched.contains(.input) { read(connection) }
        // Silence counts from here on, whatever came before.
        connection.upload.pause()
        connection.wire.pauseBodies()
        // A request may be on its way to one that is silent.
        guard connection.isOpen, !connection.isLingering, !connection.isSilent else { continue }
        connection.wire.shutDown()
        unsettle(connection)
      }
      turn()
      tickAsDraining()
      queue.asyncAfter(deadline: .now() + .nanoseconds(settings.drainGrace.nanoseconds)) {
        self.endGrace()
      }
    }
  }

  /// Admits who waits in the kernel's queues; where descriptors are used up, those are left to it.
  private func acceptAll() {
    try? acceptor.acceptAll { admit($0) }
  }

  /// Ends the connections that have brought no request since the drain began; those of HTTP/2 take no further one, also
  /// where the peer has not told that it knows of the end. Handshakes that were under way then have come to their end.
  private func endGrace() {
    clock.update()
    acceptAll()
    acceptor.close()
    for connection in connections.all {
      if connection.isSilent {
        read(connection)
        guard connection.isOpen else { continue }
        if connection.isSilent {
          hangUp(connection)
          continue
        }
      }
      connection.wire.finishShutDown()
      unsettle(connection)
    }
    isGraceOver = true
    turn()
    endIfDrained()
  }

  /// Ends the requests of `connection` of which a part has come and nothing more within `drain_grace`; and the connection
  /// where all that remains is for its peer to end its side, which has acknowledged everything (RFC 9112 §9.6) and has sent
  /// nothing for as long.
  ///
  /// To be called at each tick of a drain.
  func endStalled(_ connection: Connection) {
    if connection.isLingering {
      if connection.isAcknowledged, isStalled(connection) { hangUp(connection) }
      return
    }
    // What is not read waits for this side.
    guard connection.watched.contains(.input), !connection.isLate else {
      connection.upload.pause()
      connection.wire.pauseBodies()
      return
    }
    if connection.wire.refuseSlowBodies(now: clock.now, pace: timeouts.drain) > 0 {
      unsettle(connection)
    }
    switch connection.wire.phase {
    case .readingHead, .readingBody:
      if isStalled(connection) { timeOut(connection) }
    case .idle, .answering:
      connection.upload.pause()
    }
  }

  /// Whether nothing has come over `connection` for `drain_grace`, of all the time since its meter began.
  private func isStalled(_ connection: Connection) -> Bool {
    connection.upload.check(
      count: connection.receivedCount, now: clock.now, pace: timeouts.drain) != .inTime
  }

  /// Closes every connection, whatever it is owed.
  func abort() {
    queue.async { [self] in
      for connection in connections.all { hangUp(connection) }
    }
  }

  /// Ends the loop once the grace is over and the last connection is gone.
  func endIfDrained() {
    guard let onDrained, isGraceOver, connections.count == 0 else { return }
    self.onDrained = nil
    source?.cancel()
    onDrained()
  }
}
