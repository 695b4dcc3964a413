import HTTPCore

/// Dates as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
enum HTTPDate {
  private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Formats `seconds` since 1970 in UTC, which must not be negative.
  static func format(secondsSince1970 seconds: Int) -> String {
    let time = CivilTime(secondsSince1970: seconds)
    let date = time.date
    return """
      \(days[time.dayOfWeek]), \(date.day.padded()) \(months[date.month - 1]) \(date.year) \
      \(time.hour.padded()):\(time.minute.padded()):\(time.second.padded()) GMT
      """
  }
}
