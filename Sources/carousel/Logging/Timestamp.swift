import API
import Glibc

/// A moment in UTC, to the millisecond.
struct Timestamp {
  /// Seconds since 1970-01-01T00:00:00Z.
  let seconds: Int
  /// 0 to 999.
  let milliseconds: Int

  /// The present, by the system's clock.
  static var now: Timestamp {
    let milliseconds = Int(ProcessStatistics.now * 1000)
    return Timestamp(seconds: milliseconds / 1000, milliseconds: milliseconds % 1000)
  }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339: `2026-01-31T23:59:59.999Z`.
  var description: String {
    var seconds = seconds
    // SAFETY: `tm` is unsafe for the zone's name that it points to, which is not read here; both
    // arguments outlive the call, which reads one and writes the other.
    var date = unsafe tm()
    unsafe gmtime_r(&seconds, &date)
    let day = unsafe [date.tm_mon + 1, date.tm_mday].map { "-" + digits($0, 2) }.joined()
    let time = unsafe [date.tm_hour, date.tm_min, date.tm_sec].map { digits($0, 2) }
    let year = unsafe digits(date.tm_year + 1900, 4)
    return "\(year)\(day)T\(time.joined(separator: ":")).\(digits(Int32(milliseconds), 3))Z"
  }
}

/// `number` with zeros in front up to `width` digits.
private func digits(_ number: Int32, _ width: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
}
