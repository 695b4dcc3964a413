/// How slow a transfer may be: how long its peer may move no byte of it, and how many bytes the peer has to move in each
/// such time.
package struct TransferPace: Equatable, Sendable {
  /// The time in nanoseconds.
  package let window: Int
  /// The rate that was asked for; 0 asks for a byte in each window.
  package let bytesPerSecond: Int
  /// The bytes that have to be moved in each window, at least 1.
  package let leastBytes: Int

  /// - Parameters:
  ///   - window: nanoseconds, more than none.
  ///   - bytesPerSecond: the least rate on average of a window.
  package init(window: Int, bytesPerSecond: Int = 0) {
    self.window = window
    self.bytesPerSecond = bytesPerSecond
    // Halves of a window's bytes are rounded up; a product that has no place in an Int asks for more than anyone sends.
    let product = Double(bytesPerSecond) * (Double(window) / 1e9)
    leastBytes = max(1, Int(exactly: product.rounded(.up)) ?? .max)
  }

  /// What each of `count` transfers between the same two peers has to move, which share the rate between them.
  package func leastBytes(sharedBy count: Int) -> Int { max(1, leastBytes / max(1, count)) }
}

/// Measures one transfer, in one direction, for as long as it waits for its peer.
///
/// The time in which it waits for this side does not count: `pause()` ends the window, and the next check begins another.
package struct TransferMeter: Equatable, Sendable {
  /// The result of a check.
  package enum Verdict: Equatable, Sendable {
    case inTime
    /// For a whole window the peer moved nothing.
    case silent
    /// In a whole window the peer moved too little.
    case slow
  }

  private struct Window: Equatable {
    let start: Int
    let count: Int
  }

  private var window: Window?
  private var lastProgress = 0
  private var lastCount = 0

  /// A meter of a transfer that does not wait yet.
  package init() {}

  /// Begins to measure, unless that has begun: at `now` the peer has moved `count` bytes in all.
  package mutating func begin(count: Int, now: Int) {
    guard window == nil else { return }
    window = Window(start: now, count: count)
    lastProgress = now
    lastCount = count
  }

  /// Measures no longer, until it begins anew.
  package mutating func pause() { window = nil }

  /// Judges the transfer, which has to be looked at several times a window; begins to measure where that has not begun.
  ///
  /// - Parameters:
  ///   - count: what the peer has moved in all.
  ///   - sharers: how many transfers share the rate.
  package mutating func check(
    count: Int, now: Int, pace: TransferPace, sharers: Int = 1
  ) -> Verdict {
    guard let window else {
      begin(count: count, now: now)
      return .inTime
    }
    if count > lastCount {
      lastCount = count
      lastProgress = now
    }
    if now - lastProgress >= pace.window { return .silent }
    guard now - window.start >= pace.window else { return .inTime }
    if count - window.count < pace.leastBytes(sharedBy: sharers) { return .slow }
    self.window = Window(start: now, count: count)
    return .inTime
  }
}
