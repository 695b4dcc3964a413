import HTTPCore
import Testing

@Suite struct TransferMeterTests {
  /// 10 s at 2 bytes a second.
  private let pace = TransferPace(window: 10_000_000_000, bytesPerSecond: 2)

  private func seconds(_ count: Int) -> Int { count * 1_000_000_000 }

  @Test(arguments: [
    (10_000_000_000, 240, 2400), (500_000_000, 3, 2), (1, 240, 1), (10_000_000_000, 0, 1),
    (Int.max, Int.max, Int.max),
  ])
  func aWindowAsksForSoManyBytes(window: Int, rate: Int, bytes: Int) {
    #expect(TransferPace(window: window, bytesPerSecond: rate).leastBytes == bytes)
  }

  @Test(arguments: [(1, 20), (3, 6), (20, 1), (100, 1), (0, 20)])
  func transfersShareTheRate(count: Int, bytes: Int) {
    #expect(pace.leastBytes(sharedBy: count) == bytes)
  }

  /// n − 1, n and n + 1 bytes in a window.
  @Test(arguments: [(19, TransferMeter.Verdict.slow), (20, .inTime), (21, .inTime)])
  func soManyBytesInAWindowWillDo(bytes: Int, verdict: TransferMeter.Verdict) {
    var meter = TransferMeter()
    meter.begin(count: 100, now: seconds(5))
    #expect(meter.check(count: 100 + bytes, now: seconds(14), pace: pace) == .inTime)
    #expect(meter.check(count: 100 + bytes, now: seconds(15), pace: pace) == verdict)
  }

  /// What came in one window is of no use in the next.
  @Test func eachWindowIsOnItsOwn() {
    var meter = TransferMeter()
    #expect(meter.check(count: 0, now: 0, pace: pace) == .inTime)
    #expect(meter.check(count: 1_000_000, now: seconds(10), pace: pace) == .inTime)
    #expect(meter.check(count: 1_000_019, now: seconds(19), pace: pace) == .inTime)
    #expect(meter.check(count: 1_000_019, now: seconds(20), pace: pace) == .slow)
  }

  @Test func silenceIsToldOnceItLastsAWindow() {
    var meter = TransferMeter()
    #expect(meter.check(count: 0, now: 0, pace: pace) == .inTime)
    #expect(meter.check(count: 1000, now: seconds(4), pace: pace) == .inTime)
    #expect(meter.check(count: 1000, now: seconds(13), pace: pace) == .inTime)
    #expect(meter.check(count: 1000, now: seconds(14), pace: pace) == .silent)
  }

  @Test func whatWaitsForThisSideIsNotMeasured() {
    var meter = TransferMeter()
    #expect(meter.check(count: 0, now: 0, pace: pace) == .inTime)
    meter.pause()
    #expect(meter.check(count: 0, now: seconds(1000), pace: pace) == .inTime)
    #expect(meter.check(count: 0, now: seconds(1009), pace: pace) == .inTime)
    #expect(meter.check(count: 0, now: seconds(1010), pace: pace) == .silent)
  }

  /// Without a rate, a byte in each window will do, as little as that is.
  @Test func withoutARateAByteWillDo() {
    let pace = TransferPace(window: seconds(30))
    var meter = TransferMeter()
    for count in 0..<100 {
      #expect(meter.check(count: count, now: seconds(29 * count), pace: pace) == .inTime)
    }
  }
}
