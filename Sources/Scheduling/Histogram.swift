import Synchronization

/// Counts of observations by size, recorded from any thread without a lock.
package final class Histogram: Sendable {
  private let upperBounds: [Double]
  private let counts: [Counter]
  /// The bits of the sum of all observations: floating-point numbers have no atomic addition.
  private let sum = Atomic<UInt64>(Double.zero.bitPattern)

  /// - Parameter upperBounds: the buckets' inclusive upper bounds, ascending; one more bucket takes larger values.
  package init(upperBounds: [Double]) {
    precondition(zip(upperBounds, upperBounds.dropFirst()).allSatisfy { $0 < $1 })
    self.upperBounds = upperBounds
    counts = (0...upperBounds.count).map { _ in Counter() }
  }

  /// Counts one observation.
  package func record(_ value: Double) {
    let bucket = upperBounds.firstIndex { value <= $0 } ?? upperBounds.count
    counts[bucket].add()
    var old = sum.load(ordering: .relaxed)
    while true {
      let new = (Double(bitPattern: old) + value).bitPattern
      let (exchanged, current) = sum.weakCompareExchange(
        expected: old, desired: new, ordering: .relaxed)
      if exchanged { return }
      old = current
    }
  }

  /// The observations recorded until now.
  package func snapshot() -> HistogramSnapshot {
    HistogramSnapshot(
      upperBounds: upperBounds, counts: counts.map(\.value),
      sum: Double(bitPattern: sum.load(ordering: .relaxed)))
  }
}

/// A histogram at one moment.
package struct HistogramSnapshot: Sendable, Equatable {
  package let upperBounds: [Double]
  /// The number of observations in each bucket, not cumulative; the last one is for those above every bound.
  package let counts: [UInt64]
  /// The sum of all observations.
  package let sum: Double

  /// The number of all observations.
  package var count: UInt64 { counts.reduce(0, +) }

  package init(upperBounds: [Double], counts: [UInt64], sum: Double) {
    self.upperBounds = upperBounds
    self.counts = counts
    self.sum = sum
  }
}
