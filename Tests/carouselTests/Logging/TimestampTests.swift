import Testing

@testable import carousel

@Suite struct TimestampTests {
  @Test(arguments: [
    (0, 0, "1970-01-01T00:00:00.000Z"), (951_782_400, 999, "2000-02-29T00:00:00.999Z"),
    (1_767_225_599, 10, "2025-12-31T23:59:59.010Z"), (4_107_542_400, 0, "2100-03-01T00:00:00.000Z"),
    (-62_135_596_800, 0, "0001-01-01T00:00:00.000Z"),
  ])
  func rfc3339(seconds: Int, milliseconds: Int, text: String) {
    #expect("\(Timestamp(seconds: seconds, milliseconds: milliseconds))" == text)
  }
}
