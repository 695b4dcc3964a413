/// Where the steps of a turn lie: time-major, without padding.
///
/// Riders are sorted by their steps, longest first, so the active ones are a shrinking prefix: step t of
/// rider j is row `starts[t] + j`. The layout is that of PyTorch's `PackedSequence`.
struct PackedLayout {
  /// Steps of each rider, descending, none zero.
  let steps: [Int]
  /// Riders active at each step.
  private(set) var active: [Int] = []
  /// The first row of each step.
  private(set) var starts: [Int] = []
  private(set) var rows = 0

  init(steps: [Int]) {
    precondition(
      steps.allSatisfy { $0 > 0 } && zip(steps, steps.dropFirst()).allSatisfy { $0 >= $1 })
    self.steps = steps
    var riding = steps.count
    for t in 0..<(steps.first ?? 0) {
      while steps[riding - 1] <= t { riding -= 1 }
      active.append(riding)
      starts.append(rows)
      rows += riding
    }
  }

  /// The row of `rider` at step `t`.
  func row(rider: Int, step t: Int) -> Int { starts[t] + rider }

  /// The row of a rider's final step.
  func lastRow(rider: Int) -> Int { row(rider: rider, step: steps[rider] - 1) }
}
