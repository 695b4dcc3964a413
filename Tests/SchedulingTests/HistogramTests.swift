import Scheduling
import Testing

@Suite struct HistogramTests {
  @Test func boundsAreInclusive() {
    let histogram = Histogram(upperBounds: [1, 2, 4])
    for value in [0, 1, 1.5, 2, 2.5, 4, 4.5, 100] { histogram.record(value) }
    let snapshot = histogram.snapshot()
    #expect(snapshot.counts == [2, 2, 2, 2])
    #expect(snapshot.count == 8)
    #expect(snapshot.sum == 115.5)
  }

  @Test func threadsLoseNothing() async {
    let histogram = Histogram(upperBounds: [10])
    await withTaskGroup { group in
      for _ in 0..<8 {
        group.addTask { for _ in 0..<10_000 { histogram.record(1) } }
      }
    }
    #expect(histogram.snapshot().counts == [80_000, 0])
    #expect(histogram.snapshot().sum == 80_000)
  }
}
