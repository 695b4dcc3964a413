import Testing

@testable import API

@Suite struct FrequencyTests {
  /// The names and their meanings as KServe has them.
  @Test(
    arguments: [
      ("second", .seconds(1)), ("S", .seconds(1)), ("minute", .seconds(60)), ("T", .seconds(60)),
      ("hour", .seconds(3600)), ("H", .seconds(3600)), ("day", .days(1)), ("D", .days(1)),
      ("week", .days(7)), ("W", .days(7)), ("month", .months(1)), ("M", .months(1)),
      ("quarter", .months(3)), ("Q", .months(3)), ("year", .months(12)), ("Y", .months(12)),
    ] as [(String, Frequency.Step)])
  func knows(name: String, step: Frequency.Step) {
    #expect(Frequency(name)?.step == step)
    #expect(Frequency(name)?.name == name)
    #expect(Frequency.names.contains(name))
  }

  @Test(arguments: ["", "s", "d", "Day", "DAY", "days", "min", "15T", "D "])
  func knowsNoOther(name: String) {
    #expect(Frequency(name) == nil)
    #expect(Frequency.names.count == 16)
  }
}
