import Testing

@testable import HTTPCore

@Suite struct CivilDateTests {
  /// Every day from 0000 to 9999, told one after the other by the rule of leap years alone.
  @Test func daysFollowOneAnother() throws {
    var number = try #require(CivilDate(year: 0, month: 1, day: 1)).dayNumber
    var wrong = 0
    for year in 0...9999 {
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
      for (month, length) in lengths.enumerated() {
        for day in 1...length {
          let date = CivilDate(year: year, month: month + 1, day: day)
          if date?.dayNumber != number || CivilDate(dayNumber: number) != date { wrong += 1 }
          number += 1
        }
      }
    }
    #expect(wrong == 0)
  }

  @Test(arguments: [
    (2024, 0, 1), (2024, 13, 1), (2024, 1, 0), (2024, 1, 32), (2024, 2, 30), (2023, 2, 29),
    (1900, 2, 29), (2024, 4, 31), (2024, 6, 31), (2024, 9, 31), (2024, 11, 31), (2024, 12, 32),
  ])
  func otherDaysAreNone(year: Int, month: Int, day: Int) {
    #expect(CivilDate(year: year, month: month, day: day) == nil)
  }

  @Test(arguments: [
    ((2025, 1, 31), 1, (2025, 2, 28)), ((2024, 1, 31), 1, (2024, 2, 29)),
    ((2025, 1, 31), 2, (2025, 3, 31)), ((2025, 1, 31), 3, (2025, 4, 30)),
    ((2025, 12, 15), 1, (2026, 1, 15)), ((2025, 11, 30), 3, (2026, 2, 28)),
    ((2024, 2, 29), 12, (2025, 2, 28)), ((2024, 2, 29), 48, (2028, 2, 29)),
    ((2025, 6, 5), 0, (2025, 6, 5)), ((0, 1, 31), 1, (0, 2, 29)),
    ((9999, 12, 1), 1, (10_000, 1, 1)),
  ])
  func monthsEndWhereTheyEnd(
    from: (Int, Int, Int), months: Int, to: (Int, Int, Int)
  ) throws {
    let date = try #require(CivilDate(year: from.0, month: from.1, day: from.2))
    let later = date.adding(months: months)
    #expect((later.year, later.month, later.day) == to)
  }

  /// Told by the dates before and after the days' ends, before 1970 too.
  @Test(arguments: [
    (0, (1970, 1, 1), 0, 4), (-1, (1969, 12, 31), 86_399, 3), (86_399, (1970, 1, 1), 86_399, 4),
    (86_400, (1970, 1, 2), 0, 5), (-86_400, (1969, 12, 31), 0, 3),
    (-86_401, (1969, 12, 30), 86_399, 2), (951_782_400, (2000, 2, 29), 0, 2),
    (-62_135_596_800, (1, 1, 1), 0, 1), (784_111_777, (1994, 11, 6), 31_777, 0),
  ])
  func secondsOfDays(
    seconds: Int, date: (Int, Int, Int), secondOfDay: Int, dayOfWeek: Int
  ) {
    let time = CivilTime(secondsSince1970: seconds)
    #expect((time.date.year, time.date.month, time.date.day) == date)
    #expect(3600 * time.hour + 60 * time.minute + time.second == secondOfDay)
    #expect((0..<24).contains(time.hour) && (0..<60).contains(time.minute))
    #expect(time.dayOfWeek == dayOfWeek)
  }

  @Test func zerosInFront() {
    #expect([0, 9, 10, 123].map { $0.padded() } == ["00", "09", "10", "123"])
    #expect(7.padded(4) == "0007")
  }
}
