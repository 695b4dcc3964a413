/// Dates as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
enum HTTPDate {
  private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Formats a time since 1970 in UTC, not negative.
  static func format(secondsSince1970 seconds: Int) -> String {
    let dayNumber = seconds / 86_400
    let (day, month, year) = civil(dayNumber)
    let time = seconds % 86_400
    return """
      \(days[dayNumber % 7]), \(padded(day)) \(months[month - 1]) \(year) \
      \(padded(time / 3600)):\(padded(time / 60 % 60)):\(padded(time % 60)) GMT
      """
  }

  /// The Gregorian date of a day counted from 1970-01-01.
  ///
  /// Counts in years that begin with March, so that the leap day comes last, and in eras of 400
  /// years, which all have 146,097 days.
  private static func civil(_ dayNumber: Int) -> (day: Int, month: Int, year: Int) {
    let sinceMarch0 = dayNumber + 719_468
    let era = sinceMarch0 / 146_097
    let dayOfEra = sinceMarch0 % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    // Five months from March on have 153 days, and again from August on.
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (day, month, yearOfEra + era * 400 + (month <= 2 ? 1 : 0))
  }

  private static func padded(_ number: Int) -> String {
    number < 10 ? "0\(number)" : String(number)
  }
}
