/// A token bucket, by when it will be full: the generic cell rate algorithm (ITU-T I.371, annex A). Nanoseconds come in.
struct RateMeter {
  /// When all that was taken will have been given back.
  private var full = Int.min

  /// No rate is so low that its requests are further apart, and no bucket takes longer to fill.
  private static let maxInterval = 1e15
  private static let maxFilling = 4_000_000_000_000_000_000

  /// Takes one of `burst`, of which `rate` come back a second.
  ///
  /// - Returns: nil where there was one; else in how many nanoseconds there will be.
  mutating func take(now: Int, rate: Double, burst: Int) -> Int? {
    let interval = Int(min(1e9 / rate, Self.maxInterval).rounded(.up))
    let start = max(full, now)
    // Where so much is missing, the bucket is empty.
    let (room, overflow) = interval.multipliedReportingOverflow(by: burst - 1)
    let wait = start - now - (overflow ? Self.maxFilling : min(room, Self.maxFilling))
    guard wait <= 0 else { return wait }
    full = start + interval
    return nil
  }
}
