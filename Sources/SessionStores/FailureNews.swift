/// Which failures of a store the log tells: a store that fails and works by turns, as on a full disk, is told of once in ten
/// seconds, so that the log does not fill what is left.
struct FailureNews {
  static let pause = Duration.seconds(10)

  private var isTold = false
  private var lastTold: ContinuousClock.Instant?

  /// Whether to tell that it fails.
  mutating func fails(at now: ContinuousClock.Instant) -> Bool {
    guard !isTold, lastTold.map({ $0.duration(to: now) >= Self.pause }) ?? true else {
      return false
    }
    isTold = true
    lastTold = now
    return true
  }

  /// Whether to tell that it works again: where it was told that it fails.
  mutating func works() -> Bool {
    defer { isTold = false }
    return isTold
  }
}
