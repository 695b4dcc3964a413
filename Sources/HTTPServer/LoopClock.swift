import Glibc
import HTTPCore

/// The time as a loop sees it, read once a round.
struct LoopClock {
  /// The time of the last `update()` by `monotonic`, in nanoseconds.
  private(set) var now = 0
  /// The Date field (by the wall clock, in seconds) and the Server field of all responses. Server has no version, as
  /// that would help attackers alone.
  let date = ResponseDate(server: "carousel")
  private var second = -1
  /// Reads a clock that never goes back, in nanoseconds.
  let monotonic: @Sendable () -> Int

  /// - Parameter monotonic: the clock to read instead of the kernel's.
  init(monotonic: (@Sendable () -> Int)? = nil) {
    // Not by `??`, which would wrap the kernel's clock in a function of its own.
    if let monotonic { self.monotonic = monotonic } else { self.monotonic = Self.monotonic }
  }

  /// Reads the kernel's monotonic clock, in nanoseconds.
  @Sendable static func monotonic() -> Int {
    var time = timespec()
    // SAFETY: the kernel writes one timespec into a local.
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  /// Reads both clocks; renews the Date field once a second.
  mutating func update() {
    now = monotonic()
    var time = timespec()
    // SAFETY: the kernel writes one timespec into a local.
    _ = unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
    guard time.tv_sec != second else { return }
    second = time.tv_sec
    date.update(to: HTTPDate.format(secondsSince1970: max(0, second)))
  }
}

extension Duration {
  /// The duration in whole nanoseconds, limited to what an Int holds (292 years).
  var nanoseconds: Int { Int(clamping: attoseconds / 1_000_000_000) }
}
