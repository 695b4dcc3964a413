/// A token bucket, stored as the time when it will be full: the generic cell rate algorithm (ITU-T I.371, annex A). All
/// times are in nanoseconds.
struct RateMeter {
  /// When the bucket will be full again.
  private var full = Int.min

  /// The most nanoseconds between two requests, even of the lowest rate, and the most that a bucket takes to fill.
  private static let maxInterval = 1e15
  private static let maxFilling = 4_000_000_000_000_000_000

  /// Takes one token from a bucket of `burst` tokens, of which `rate` per second come back.
  ///
  /// - Returns: nil if there was a token; else the nanoseconds until there will be one.
  mutating func take(now: Int, rate: Double, burst: Int) -> Int? {
    let interval = Int(min(1e9 / rate, Self.maxInterval).rounded(.up))
    let start = max(full, now)
    // The bucket is empty if it needs longer than this to be full.
    let (room, overflow) = interval.multipliedReportingOverflow(by: burst - 1)
    let wait = start - now - (overflow ? Self.maxFilling : min(room, Self.maxFilling))
    guard wait <= 0 else { return wait }
    full = start + interval
    return nil
  }
}
