/// A day of the Gregorian calendar, also before that calendar was introduced (ISO 8601, RFC 3339 §1).
package struct CivilDate: Equatable, Sendable {
  package let year: Int
  package let month: Int
  package let day: Int

  /// The days that precede `month` in a year that starts in March, which is month 0. March to July have 31, 30, 31, 30
  /// and 31 days, 153 in all; August to December have the same lengths again, and January begins a third such run with
  /// 31.
  private static func daysBefore(month: Int) -> Int { (153 * month + 2) / 5 }
  /// The number of days in 400 years, after which the calendar repeats.
  private static let cycle = 146_097

  /// The day with these numbers, month and day counted from 1; nil where the calendar has no such day.
  package init?(year: Int, month: Int, day: Int) {
    guard (1...12).contains(month), day >= 1, day <= Self.dayCount(year: year, month: month) else {
      return nil
    }
    (self.year, self.month, self.day) = (year, month, day)
  }

  /// The day `dayNumber` days after 1 March of the year -400, which is day 0. `dayNumber` must not be negative.
  package init(dayNumber: Int) {
    let (cycles, dayOfCycle) = dayNumber.quotientAndRemainder(dividingBy: Self.cycle)
    // Without its leap days every year of the cycle has 365 days. A leap day ends every 4 years except every 100, and
    // the last day of the cycle is one.
    let yearOfCycle =
      (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / (Self.cycle - 1)) / 365
    let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    day = dayOfYear - Self.daysBefore(month: monthFromMarch) + 1
    year = 400 * (cycles - 1) + yearOfCycle + (month <= 2 ? 1 : 0)
  }

  /// The days since 1 March of the year -400. In years from March to February a leap day is the last day, and no day
  /// from that date on has a negative number.
  package var dayNumber: Int {
    let yearFromMarch = year + 400 - (month <= 2 ? 1 : 0)
    let monthFromMarch = (month + 9) % 12
    return 365 * yearFromMarch + yearFromMarch / 4 - yearFromMarch / 100 + yearFromMarch / 400
      + Self.daysBefore(month: monthFromMarch) + day - 1
  }

  /// The same day of the month `months` later, or the last day of that month where it is shorter.
  package func adding(months: Int) -> CivilDate {
    let (year, month) = (12 * self.year + self.month - 1 + months)
      .quotientAndRemainder(dividingBy: 12)
    return CivilDate(
      valid: year, month + 1, min(day, Self.dayCount(year: year, month: month + 1)))
  }

  private init(valid year: Int, _ month: Int, _ day: Int) {
    (self.year, self.month, self.day) = (year, month, day)
  }

  private static func dayCount(year: Int, month: Int) -> Int {
    switch month {
    case 2:
      year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

/// A second of a day in UTC.
package struct CivilTime: Equatable, Sendable {
  package let date: CivilDate
  package let hour: Int
  package let minute: Int
  package let second: Int
  /// 0 for Sunday to 6 for Saturday.
  package let dayOfWeek: Int

  package static let secondsPerDay = 86_400
  /// The day number of 1 January 1970, a Thursday.
  private static let epoch = CivilDate(year: 1970, month: 1, day: 1)?.dayNumber ?? 0

  /// The moment `secondsSince1970` seconds after the beginning of 1970, or before it where that is negative; no earlier
  /// than March of the year -400.
  package init(secondsSince1970: Int) {
    var (day, time) = secondsSince1970.quotientAndRemainder(dividingBy: Self.secondsPerDay)
    if time < 0 { (day, time) = (day - 1, time + Self.secondsPerDay) }
    date = CivilDate(dayNumber: Self.epoch + day)
    (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60)
    dayOfWeek = ((day + 4) % 7 + 7) % 7
  }
}

extension Int {
  /// This number, which is not negative, padded with zeros to `width` digits, as in dates.
  package func padded(_ width: Int = 2) -> String {
    let digits = String(self)
    return String(repeating: "0", count: Swift.max(0, width - digits.utf8.count)) + digits
  }
}
