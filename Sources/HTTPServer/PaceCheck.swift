import HTTPCore

/// Checks how fast a peer sends the body that is waited for, and receives the output that waits for it; in a drain, whether it
/// does anything at all.
///
/// To be looked at several times in each time-out, as long as anything is measured.
struct PaceCheck {
  /// The result of a check.
  enum Finding {
    case none
    /// The protocol has ended transfers that were too slow: there is more to send, and events say which streams it gave up.
    case ended([ConnectionEvent])
    /// Nothing has come for as long as a drain waits.
    case stalled
    /// The peer takes too little of what it is sent, or is done, and the connection is to be closed.
    case over
  }

  let timeouts: Timeouts
  let counters: ServerCounters

  /// Checks what the peer of `connection` sends.
  func checkUploads(of connection: Connection, now: Int, isDraining: Bool) -> Finding {
    let (pace, isLingering) = (
      isDraining ? timeouts.drain : timeouts.upload, connection.lifecycle.isLingering
    )
    if isLingering {
      // All that remains is for the peer to end its side. One that has acknowledged everything (RFC 9112 §9.6), and sends
      // nothing, is not waited for in a drain.
      guard isDraining, connection.transport.unacknowledgedCount == 0 else { return .none }
      return check(connection, now, pace) == .inTime ? .none : .over
    }
    // Input that is left unread, as the connection's share is used up or its output waits, is not held against the peer.
    guard connection.watched.contains(.input), !connection.isLate else {
      connection.upload.pause()
      connection.wire.pauseBodies()
      return .none
    }
    let count = connection.wire.refuseSlowBodies(now: now, pace: pace)
    if count > 0, !isDraining { counters.slowUploads.add(count, ordering: .relaxed) }
    let ended = count > 0 ? Finding.ended([]) : .none
    switch connection.wire.phase {
    case .readingHead where isDraining, .readingBody where isDraining:
      return check(connection, now, pace) == .inTime ? ended : .stalled
    case .readingBody:
      // Over HTTP/1 the deadline of the phase ends a connection on which nothing comes.
      guard check(connection, now, pace) == .slow else { return ended }
      counters.slowUploads.add(1, ordering: .relaxed)
      counters.connectionsTimedOut.add(1, ordering: .relaxed)
      let error = HTTP1Error.bodyTooSlow(bytesPerSecond: pace.bytesPerSecond)
      connection.wire.refuseLargestBody(error.response)
      return .ended([])
    case .idle, .readingHead, .answering:
      connection.upload.pause()
      return ended
    }
  }

  private func check(
    _ connection: Connection, _ now: Int, _ pace: TransferPace
  ) -> TransferMeter.Verdict {
    connection.upload.check(count: connection.receivedCount, now: now, pace: pace)
  }

  /// Checks what the peer of `connection` receives.
  func checkDownloads(of connection: Connection, now: Int) -> Finding {
    guard connection.output.count > 0 else {
      // The transport has taken all that may be sent: what waits, waits for an HTTP/2 peer to open its windows.
      let (count, events) = connection.wire.resetSlowReaders(now: now, pace: timeouts.download)
      guard count > 0 else { return .none }
      counters.slowDownloads.add(count, ordering: .relaxed)
      return .ended(events)
    }
    guard !connection.isLate else {
      connection.download.pause()
      return .none
    }
    let verdict = connection.download.check(
      count: connection.acknowledgedCount, now: now, pace: timeouts.download)
    guard verdict != .inTime else { return .none }
    counters.slowDownloads.add(1, ordering: .relaxed)
    counters.connectionsTimedOut.add(1, ordering: .relaxed)
    return .over
  }
}
