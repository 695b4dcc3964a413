import HTTPCore

/// How fast a peer sends what it is waited for, and takes what waits for it.
extension EventLoop {
  /// Ends the transfers of `connection` that their peer is too slow for. To be called at each tick.
  func checkPace(of connection: Connection) {
    if isDraining { endStalled(connection) } else { checkUploads(of: connection) }
    guard connection.isOpen else { return }
    checkDownloads(of: connection)
  }

  private func checkUploads(of connection: Connection) {
    // What a connection sends that waits for its share, or until its answers are read, waits for this side.
    guard connection.watched.contains(.input), !connection.isLate else {
      connection.upload.pause()
      connection.wire.pauseBodies()
      return
    }
    let count = connection.wire.refuseSlowBodies(
      now: clock.now, pace: timeouts.upload)
    if count > 0 {
      counters.slowUploads.add(count, ordering: .relaxed)
      unsettle(connection)
    }
    guard connection.wire.phase == .readingBody else {
      connection.upload.pause()
      return
    }
    // Over HTTP/1 silence is the deadline's of the phase.
    let verdict = connection.upload.check(
      count: connection.receivedCount, now: clock.now, pace: timeouts.upload)
    guard verdict == .slow else { return }
    counters.slowUploads.add(1, ordering: .relaxed)
    counters.connectionsTimedOut.add(1, ordering: .relaxed)
    let error = HTTP1Error.bodyTooSlow(bytesPerSecond: timeouts.upload.bytesPerSecond)
    connection.wire.refuseLargestBody(error.response)
    unsettle(connection)
  }

  private func checkDownloads(of connection: Connection) {
    guard connection.unsentCount > 0 else {
      // The socket has taken all that may be sent: what waits, waits for an HTTP/2 peer to open its windows.
      let (count, events) = connection.wire.resetSlowReaders(
        now: clock.now, pace: timeouts.download)
      guard count > 0 else { return }
      counters.slowDownloads.add(count, ordering: .relaxed)
      take(events, from: connection)
      unsettle(connection)
      return
    }
    guard !connection.isLate else {
      connection.download.pause()
      return
    }
    let verdict = connection.download.check(
      count: connection.acknowledgedCount, now: clock.now, pace: timeouts.download)
    guard verdict != .inTime else { return }
    counters.slowDownloads.add(1, ordering: .relaxed)
    counters.connectionsTimedOut.add(1, ordering: .relaxed)
    hangUp(connection)
  }
}
