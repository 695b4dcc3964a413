/// The layout of a turn's steps as rows: time-major, without padding, as in PyTorch's `PackedSequence`.
///
/// Riders are ordered by their steps, longest first, so that the riders active at a step are a prefix: step t of the rider at
/// place j is row `starts[t] + j`.
final class PackedLayout: Sendable {
  /// The number of steps of each rider.
  let steps: [Int]
  /// The number of riders active at each step.
  let active: [Int]
  /// The first row of each step.
  let starts: [Int]
  let rows: Int
  /// For each rider, its place; nil if the riders are given longest first.
  private let places: [Int]?

  /// - Parameter steps: the number of steps of each rider, at least 0.
  init(steps: [Int]) {
    self.steps = steps
    var sorted = steps
    if zip(steps, steps.dropFirst()).allSatisfy({ $0 >= $1 }) {
      places = nil
    } else {
      // Equal lengths keep their order.
      let order = steps.indices.sorted {
        steps[$0] == steps[$1] ? $0 < $1 : steps[$0] > steps[$1]
      }
      sorted = order.map { steps[$0] }
      var found = Array(repeating: 0, count: steps.count)
      for (place, rider) in order.enumerated() { found[rider] = place }
      places = found
    }
    precondition(sorted.last.map { $0 >= 0 } ?? true)
    let longest = sorted.first ?? 0
    var (active, starts): ([Int], [Int]) = ([], [])
    active.reserveCapacity(longest)
    starts.reserveCapacity(longest)
    var (riding, rows) = (sorted.count, 0)
    for t in 0..<longest {
      while sorted[riding - 1] <= t { riding -= 1 }
      active.append(riding)
      starts.append(rows)
      rows += riding
    }
    self.active = active
    self.starts = starts
    self.rows = rows
  }

  /// A rider's place: the row of its first step, and of its state.
  func place(of rider: Int) -> Int { places?[rider] ?? rider }

  /// The row of `rider` at step `t`.
  func row(rider: Int, step t: Int) -> Int { starts[t] + place(of: rider) }

  /// The row of a rider's final step.
  func lastRow(rider: Int) -> Int { row(rider: rider, step: steps[rider] - 1) }
}
