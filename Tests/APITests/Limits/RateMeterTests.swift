import Testing

@testable import API

@Suite struct RateMeterTests {
  private static let second = 1_000_000_000

  /// A meter that expectations may ask.
  private final class Bucket {
    private var meter = RateMeter()

    func take(now: Int, rate: Double, burst: Int) -> Int? {
      meter.take(now: now, rate: rate, burst: burst)
    }
  }

  /// A burst at once, then one each time that another is due; what is refused costs nothing, and the time told is exact.
  @Test(arguments: [(1.0, 1), (2.0, 1), (0.5, 3), (10.0, 10), (3.0, 2), (1000.0, 7), (0.001, 2)])
  func theTimeToldIsTheFirstAtWhichOneIsTaken(rate: Double, burst: Int) throws {
    let meter = Bucket()
    var now = 5 * Self.second
    for _ in 0..<burst { #expect(meter.take(now: now, rate: rate, burst: burst) == nil) }
    for _ in 0..<20 {
      let wait = try #require(meter.take(now: now, rate: rate, burst: burst))
      #expect(meter.take(now: now, rate: rate, burst: burst) == wait)
      #expect(Double(wait) <= 1e9 / rate + 1 && wait > 0)
      #expect(meter.take(now: now + wait - 1, rate: rate, burst: burst) == 1)
      now += wait
      #expect(meter.take(now: now, rate: rate, burst: burst) == nil)
    }
  }

  @Test func aPauseGivesTheBurstBackAndNoMore() {
    let meter = Bucket()
    var now = 0
    for _ in 0..<3 {
      let taken = (0..<9).filter { _ in meter.take(now: now, rate: 2, burst: 5) == nil }
      #expect(taken.count == 5)
      now += 100 * Self.second
    }
    // Half of it comes back in half of the time.
    now -= 100 * Self.second - Self.second
    let taken = (0..<9).filter { _ in meter.take(now: now, rate: 2, burst: 5) == nil }
    #expect(taken.count == 2)
  }

  /// Over a long time no more than the rate, whenever they come.
  @Test func theRateHolds() {
    let meter = Bucket()
    var count = 0
    for now in stride(from: 0, to: 100 * Self.second, by: 7_919_000) {
      if meter.take(now: now, rate: 4, burst: 8) == nil { count += 1 }
    }
    #expect((400...408).contains(count))
  }

  @Test func numbersAtTheirBounds() {
    let meter = Bucket()
    #expect(meter.take(now: .max / 2, rate: 1e-9, burst: 1_000_000) == nil)
    let other = Bucket()
    for _ in 0..<1000 { #expect(other.take(now: 0, rate: 1e6, burst: 1_000_000) == nil) }
  }
}
