import ModelFormat

/// The plan of a turn: the rows of each rider's steps, and the rows to report.
final class TurnPlan: Sendable {
  /// The riders, longest first.
  let riders: [TurnRider]
  /// For each of `riders`, its index among the riders as given.
  let order: [Int]
  /// The layout of each of the model's axes.
  let layouts: [PackedLayout]
  private let axes: [StepAxis]
  /// Whether the model has one input axis. The steps of other axes in a turn then follow from the turn's steps on the
  /// first; with several input axes, a rider's steps in a turn are its whole sequence.
  private let hasOneAxis: Bool
  /// For each rider, the range of its reported rows.
  let reported: [Range<Int>]
  /// For each reported row, the packed row and the rider.
  private let reportedSteps: [Int]
  private let reportedRiders: [Int]
  /// The riders that finish. `finishingIndices` has for each rider the number of riders before it that finish: its index in
  /// `ends` if it finishes too.
  let ends: [Int]
  private let finishingIndices: [Int]

  /// - Parameters:
  ///   - model: its axes are those of the layouts; riders are ordered by their steps on the first.
  ///   - reportsEveryStep: whether a rider with this selection needs a reported row for each step.
  init(_ given: [TurnRider], of model: Model, reportsEveryStep: (Selection) -> Bool) {
    axes = model.axes
    let hasOneAxis = model.inputAxes.count == 1
    self.hasOneAxis = hasOneAxis
    // By index, as copying riders would change reference counts.
    let lengths = given.indices.map {
      hasOneAxis ? given[$0].steps.count : given[$0].input.stepCounts[0]
    }
    // The common case: riders of equal lengths need no sorting.
    if zip(lengths, lengths.dropFirst()).allSatisfy({ $0 >= $1 }) {
      order = Array(given.indices)
      riders = given
    } else {
      order = given.indices.sorted {
        lengths[$0] == lengths[$1] ? $0 < $1 : lengths[$0] > lengths[$1]
      }
      riders = order.map { given[$0] }
    }
    let layout = PackedLayout(steps: order.map { lengths[$0] })
    var layouts = [layout]
    for axis in axes.dropFirst() {
      var steps: [Int] = []
      for (rider, length) in zip(riders.indices, order.lazy.map { lengths[$0] }) {
        if riders[rider].hasSources {
          steps.append(0)
        } else if hasOneAxis, axis.origin != nil {
          steps.append(axis.added(by: length, after: riders[rider].position))
        } else {
          steps.append(axis.count(riders[rider].input.stepCounts))
        }
      }
      layouts.append(PackedLayout(steps: steps))
    }
    self.layouts = layouts
    var (reported, reportedSteps): ([Range<Int>], [Int]) = ([], [])
    var (reportedRiders, ends, finishingIndices): ([Int], [Int], [Int]) = ([], [], [])
    reported.reserveCapacity(riders.count)
    reportedSteps.reserveCapacity(riders.count)
    reportedRiders.reserveCapacity(riders.count)
    ends.reserveCapacity(riders.count)
    finishingIndices.reserveCapacity(riders.count)
    for j in riders.indices {
      let (steps, finishes) = (lengths[order[j]], riders[j].finishes)
      let count = reportsEveryStep(riders[j].selection) ? steps : finishes ? 1 : 0
      reported.append(reportedSteps.count..<reportedSteps.count + count)
      for t in steps - count..<steps {
        reportedSteps.append(layout.row(rider: j, step: t))
        reportedRiders.append(j)
      }
      finishingIndices.append(ends.count)
      if finishes { ends.append(j) }
    }
    self.reported = reported
    self.reportedSteps = reportedSteps
    self.reportedRiders = reportedRiders
    self.ends = ends
    self.finishingIndices = finishingIndices
  }

  /// The number of steps that a rider's values on an axis had before this turn.
  func stepsBefore(rider: Int, axis: Int) -> Int128 {
    let position = riders[rider].position
    guard axis > 0 else { return Int128(position) }
    return position > 0 && hasOneAxis && axes[axis].origin != nil
      ? axes[axis].exactCount(position) : 0
  }

  /// The row that stands for the end of a rider's sequence in a value of `domain`; for a value with steps, `axis` is
  /// its axis.
  func endRow(of rider: Int, in domain: RowDomain, axis: Int) -> Int {
    switch domain {
    case .steps: layouts[axis].lastRow(rider: rider)
    case .riders: rider
    case .reported: reported[rider].upperBound - 1
    case .ends: finishingIndices[rider]
    }
  }

  /// The rows in `domain` of a rider's vector: one, or all its reported rows.
  func rows(of rider: Int, in domain: RowDomain) -> Range<Int> {
    switch domain {
    case .reported: return reported[rider]
    case .ends:
      let place = finishingIndices[rider]
      return place..<(riders[rider].finishes ? place + 1 : place)
    case .steps, .riders: preconditionFailure("no vector of a sequence has rows in \(domain)")
    }
  }

  func rowCount(of domain: RowDomain) -> Int {
    domain == .reported ? reportedSteps.count : ends.count
  }

  /// For each row of the domain `target`, the corresponding row of the domain `source`; steps are those of `axis`.
  func rows(of source: RowDomain, in target: RowDomain, axis: Int) -> [Int] {
    switch (target, source) {
    case (.reported, .steps): return reportedSteps
    case (.reported, .riders): return reportedRiders
    case (.reported, .reported): return Array(reportedSteps.indices)
    case (.ends, .ends): return Array(ends.indices)
    case (.ends, .steps), (.ends, .riders), (.ends, .reported):
      return ends.map { endRow(of: $0, in: source, axis: axis) }
    case (.steps, .riders), (.steps, .reported), (.steps, .ends):
      let layout = layouts[axis]
      var rows = Array(repeating: 0, count: riders.count)
      for rider in riders.indices {
        rows[layout.place(of: rider)] = endRow(of: rider, in: source, axis: axis)
      }
      return layout.active.flatMap { rows.prefix($0) }
    case (.reported, .ends), (.steps, .steps), (.riders, _):
      preconditionFailure("no value in \(target) is made of one in \(source)")
    }
  }
}
