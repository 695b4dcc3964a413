/// How slow a transfer may be: how long its peer may move no byte, and how many bytes it has to move in each such
/// window.
package struct TransferPace: Equatable, Sendable {
  /// The length of a window in nanoseconds.
  package let window: Int
  /// The required rate; 0 requires one byte in each window.
  package let bytesPerSecond: Int
  /// The bytes that the peer has to move in each window; at least 1.
  package let leastBytes: Int

  /// - Parameters:
  ///   - window: nanoseconds, more than 0.
  ///   - bytesPerSecond: the least average rate over a window.
  package init(window: Int, bytesPerSecond: Int = 0) {
    self.window = window
    self.bytesPerSecond = bytesPerSecond
    // A fraction of a byte is rounded up. A product that does not fit an Int becomes `Int.max`, more than anyone sends.
    let product = Double(bytesPerSecond) * (Double(window) / 1e9)
    leastBytes = max(1, Int(exactly: product.rounded(.up)) ?? .max)
  }

  /// The bytes that each of `count` transfers with the same peer has to move in a window: they share the rate.
  package func leastBytes(sharedBy count: Int) -> Int { max(1, leastBytes / max(1, count)) }
}

/// Measures one transfer, in one direction, while it waits for its peer.
///
/// Time in which the transfer waits for this side does not count: `pause()` ends the window, and the next check begins
/// another.
package struct TransferMeter: Equatable, Sendable {
  /// The result of a check.
  package enum Verdict: Equatable, Sendable {
    case inTime
    /// The peer moved nothing for a whole window.
    case silent
    /// The peer moved too little in a whole window.
    case slow
  }

  private struct Window: Equatable {
    let start: Int
    let count: Int
  }

  private var window: Window?
  private var lastProgress = 0
  private var lastCount = 0

  /// A meter that does not measure yet.
  package init() {}

  /// Begins to measure, unless measuring already. `count` is the number of bytes that the peer has moved in all by
  /// `now`.
  package mutating func begin(count: Int, now: Int) {
    guard window == nil else { return }
    window = Window(start: now, count: count)
    lastProgress = now
    lastCount = count
  }

  /// Stops measuring until `begin` or the next check.
  package mutating func pause() { window = nil }

  /// Checks the transfer's rate; begins to measure if not measuring yet. Has to be called several times per window.
  ///
  /// - Parameters:
  ///   - count: the bytes that the peer has moved in all.
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
