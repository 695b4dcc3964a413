import Testing

@testable import Scheduling

@Suite struct ThroughputTests {
  private let start = ContinuousClock.now

  private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

  /// 10 steps each 10 ms are 1000 a second, however long the turns themselves took.
  @Test func countsWhatGetsDone() throws {
    var throughput = Throughput()
    for turn in 0..<30 { throughput.record(steps: 10, isFull: true, now: at(0.01 * Double(turn))) }
    #expect(abs(try #require(throughput.stepsPerSecond) - 1000) < 1e-6)
  }

  @Test(arguments: [(0.199, false), (0.2, true), (0.201, true)])
  func saysNothingBeforeAWindow(seconds: Double, isKnown: Bool) {
    var throughput = Throughput()
    throughput.record(steps: 10, isFull: true, now: at(0))
    throughput.record(steps: 10, isFull: true, now: at(seconds))
    #expect((throughput.stepsPerSecond != nil) == isKnown)
  }

  /// Where there are seats for all, workers may have waited for riders.
  @Test func whatIsNotWantedDoesNotCount() throws {
    var throughput = Throughput()
    for turn in 0..<100 {
      throughput.record(steps: 1, isFull: turn % 10 != 9, now: at(0.01 * Double(turn)))
    }
    #expect(throughput.stepsPerSecond == nil)
    // Nor does the time without anybody.
    for turn in 0..<30 {
      throughput.record(steps: 10, isFull: true, now: at(100 + 0.01 * Double(turn)))
    }
    #expect(abs(try #require(throughput.stepsPerSecond) - 1000) < 1e-6)
  }

  /// Single turns may last longer than a window.
  @Test func longTurnsCountWhole() throws {
    var throughput = Throughput()
    for turn in 0..<9 { throughput.record(steps: 3000, isFull: true, now: at(3 * Double(turn))) }
    #expect(abs(try #require(throughput.stepsPerSecond) - 1000) < 1e-6)
  }

  @Test func followsWithinSeconds() throws {
    var throughput = Throughput()
    for turn in 0..<500 {
      let steps = turn < 100 ? 10 : 2
      throughput.record(steps: steps, isFull: true, now: at(0.01 * Double(turn)))
    }
    #expect(abs(try #require(throughput.stepsPerSecond) - 200) < 20)
  }
}
