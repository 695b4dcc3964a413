import API
import HTTPCore

/// A moment in UTC, to the millisecond.
struct Timestamp {
  /// Seconds since 1970-01-01T00:00:00Z.
  let seconds: Int
  /// 0 to 999.
  let milliseconds: Int

  /// The present by the system's clock.
  static var now: Timestamp {
    let milliseconds = Int(ProcessStatistics.now * 1000)
    return Timestamp(seconds: milliseconds / 1000, milliseconds: milliseconds % 1000)
  }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339: `2026-01-31T23:59:59.999Z`.
  var description: String {
    let time = CivilTime(secondsSince1970: seconds)
    let date = time.date
    return "\(date.year.padded(4))-\(date.month.padded())-\(date.day.padded())"
      + "T\(time.hour.padded()):\(time.minute.padded()):\(time.second.padded())"
      + ".\(milliseconds.padded(3))Z"
  }
}
