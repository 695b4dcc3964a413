/// A day of the Gregorian calendar, which is taken to have held always (ISO 8601, RFC 3339 §1).
package struct CivilDate: Equatable, Sendable {
  package let year: Int
  package let month: Int
  package let day: Int

  /// The days before a month of a year that starts in March, its month 0. March to July have 31, 30, 31, 30 and 31
  /// days, 153 in all; August to December have the same again, and January and February begin as they do.
  private static func daysBefore(month: Int) -> Int { (153 * month + 2) / 5 }
  /// The days of 400 years, after which the calendar repeats.
  private static let cycle = 146_097

  /// Nil where the calendar has no such day.
  package init?(year: Int, month: Int, day: Int) {
    guard (1...12).contains(month), day >= 1, day <= Self.dayCount(year: year, month: month) else {
      return nil
    }
    (self.year, self.month, self.day) = (year, month, day)
  }

  /// The day that is `dayNumber` days after 1 March of the year -400, itself 0; not before it.
  package init(dayNumber: Int) {
    let (cycles, dayOfCycle) = dayNumber.quotientAndRemainder(dividingBy: Self.cycle)
    // Leap days taken away, every year of the cycle has 365 days: one ends each 4 years but for each 100, and
    // the last day of the cycle is one.
    let yearOfCycle =
      (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / (Self.cycle - 1)) / 365
    let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    day = dayOfYear - Self.daysBefore(month: monthFromMarch) + 1
    year = 400 * (cycles - 1) + yearOfCycle + (month <= 2 ? 1 : 0)
  }

  /// The days since 1 March of the year -400, so that a leap day ends its year and no number is negative from there.
  package var dayNumber: Int {
    let yearFromMarch = year + 400 - (month <= 2 ? 1 : 0)
    let monthFromMarch = (month + 9) % 12
    return 365 * yearFromMarch + yearFromMarch / 4 - yearFromMarch / 100 + yearFromMarch / 400
      + Self.daysBefore(month: monthFromMarch) + day - 1
  }

  /// The same day of the month `months` later, or that month's last day where it has no such day.
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
  /// From Sunday, which is 0.
  package let dayOfWeek: Int

  package static let secondsPerDay = 86_400
  /// The number of 1 January 1970, a Thursday.
  private static let epoch = CivilDate(year: 1970, month: 1, day: 1)?.dayNumber ?? 0

  /// The moment `secondsSince1970` seconds after, or where it is negative before, the beginning of 1970; not before
  /// March of the year -400.
  package init(secondsSince1970: Int) {
    var (day, time) = secondsSince1970.quotientAndRemainder(dividingBy: Self.secondsPerDay)
    if time < 0 { (day, time) = (day - 1, time + Self.secondsPerDay) }
    date = CivilDate(dayNumber: Self.epoch + day)
    (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60)
    dayOfWeek = ((day + 4) % 7 + 7) % 7
  }
}

extension Int {
  /// The number, 0 or more, with zeros in front of it up to `width` digits, as dates have it.
  package func padded(_ width: Int = 2) -> String {
    let digits = String(self)
    return String(repeating: "0", count: Swift.max(0, width - digits.utf8.count)) + digits
  }
}
