import HTTPCore

/// Checks how fast a peer sends request bodies and receives output; in a drain, whether it sends anything at all.
///
/// To be called several times in each time-out while a transfer is measured.
struct PaceCheck {
  /// The result of a check.
  enum Finding {
    case none
    /// The protocol has ended transfers that were too slow: it has more to send, and the events say which streams it
    /// gave up.
    case ended([ConnectionEvent])
    /// In a drain, nothing has come for `drain_grace`.
    case stalled
    /// The connection is to be closed: the peer receives too slowly, or in a drain has everything and sends nothing.
    case over
  }

  let timeouts: Timeouts
  let counters: ServerCounters

  /// Checks how fast the peer of `connection` sends.
  func checkUploads(of connection: Connection, now: Int, isDraining: Bool) -> Finding {
    let (pace, isLingering) = (
      isDraining ? timeouts.drain : timeouts.upload, connection.lifecycle.isLingering
    )
    if isLingering {
      // All that remains is for the peer to end its side. In a drain, a peer that has acknowledged everything (RFC 9112
      // §9.6) and sends nothing is not waited for.
      guard isDraining, connection.transport.unacknowledgedCount == 0 else { return .none }
      return check(connection, now, pace) == .inTime ? .none : .over
    }
    // While the loop does not read, as the connection's share is used up or its output waits, the peer's pace is not
    // judged.
    guard connection.watched.contains(.input), !connection.isLate else {
      connection.upload.pause()
      connection.wire.pauseBodies()
      return .none
    }
    let count = connection.wire.refuseSlowBodies(now: now, pace: pace)
    if count > 0, !isDraining { counters.slowUploads.add(count, ordering: .relaxed) }
    // Where nobody is refused, the rest of an upload that has its answer may have been reset.
    let ended = count > 0 || connection.wire.outputCount > 0 ? Finding.ended([]) : .none
    switch connection.wire.phase {
    case .readingHead where isDraining, .readingBody where isDraining:
      return check(connection, now, pace) == .inTime ? ended : .stalled
    case .readingBody:
      // If nothing comes over HTTP/1, the deadline of the phase ends the connection.
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

  /// Checks how fast the peer of `connection` receives.
  func checkDownloads(of connection: Connection, now: Int) -> Finding {
    guard connection.output.count > 0 else {
      // The transport has taken all output that may be sent; the rest waits for an HTTP/2 peer to open its windows.
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
