import Glibc
import HTTPCore

/// The time as a loop sees it, read once a round.
struct LoopClock {
  /// Monotonic nanoseconds.
  private(set) var now = 0
  /// Dates responses with the wall clock's second; and names the server, without the version, which helps attackers alone.
  let date = ResponseDate(server: "carousel")
  private var second = -1
  /// Nanoseconds of a clock that never goes back.
  let monotonic: @Sendable () -> Int

  init(monotonic: @escaping @Sendable () -> Int) { self.monotonic = monotonic }

  /// The kernel's monotonic nanoseconds.
  @Sendable static func monotonic() -> Int {
    var time = timespec()
    // SAFETY: the kernel writes one timespec into a local.
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  /// Reads the clocks; makes a new date once a second.
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
  /// The whole nanoseconds, at most those of 292 years.
  var nanoseconds: Int { Int(clamping: attoseconds / 1_000_000_000) }
}
