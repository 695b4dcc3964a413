import ModelFormat

/// The order of a turn: where each rider's steps lie, and which rows are reported.
final class TurnPlan: Sendable {
  /// The riders, longest first.
  let riders: [TurnRider]
  /// The place of each of them among those given.
  let order: [Int]
  /// Where the steps of each of the model's axes lie.
  let layouts: [PackedLayout]
  /// The reported rows of each rider.
  let reported: [Range<Int>]
  /// The packed row of each reported row, and its rider.
  private let reportedSteps: [Int]
  private let reportedRiders: [Int]
  /// The riders that finish; and for each that does, its place among them.
  let ends: [Int]
  private let endPlaces: [Int]

  /// - Parameters:
  ///   - axes: those of the model, the first of which orders the riders.
  ///   - reportsEveryStep: whether a rider with that selection needs reported rows of all its steps.
  init(_ given: [TurnRider], axes: [StepAxis], reportsEveryStep: (Selection) -> Bool) {
    // Riders are read by index: a copy of each would count references.
    let isAlone = axes.count == 1
    let lengths = given.indices.map {
      isAlone ? given[$0].steps.count : given[$0].input.stepCounts[0]
    }
    // Equal lengths keep their order, so a batch of equal lengths is not shuffled.
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
    // Where there are several axes, a rider's steps are the whole of its sequence.
    var layouts = [layout]
    for axis in axes.dropFirst() {
      var steps: [Int] = []
      for rider in riders.indices {
        steps.append(riders[rider].hasSources ? 0 : axis.count(riders[rider].input.stepCounts))
      }
      layouts.append(PackedLayout(steps: steps))
    }
    self.layouts = layouts
    var (reported, reportedSteps): ([Range<Int>], [Int]) = ([], [])
    var (reportedRiders, ends, endPlaces): ([Int], [Int], [Int]) = ([], [], [])
    reported.reserveCapacity(riders.count)
    endPlaces.reserveCapacity(riders.count)
    for j in riders.indices {
      let (steps, finishes) = (lengths[order[j]], riders[j].finishes)
      let count = reportsEveryStep(riders[j].selection) ? steps : finishes ? 1 : 0
      reported.append(reportedSteps.count..<reportedSteps.count + count)
      for t in steps - count..<steps {
        reportedSteps.append(layout.row(rider: j, step: t))
        reportedRiders.append(j)
      }
      endPlaces.append(ends.count)
      if finishes { ends.append(j) }
    }
    self.reported = reported
    self.reportedSteps = reportedSteps
    self.reportedRiders = reportedRiders
    self.ends = ends
    self.endPlaces = endPlaces
  }

  /// The row that a value in `domain` has for the end of a rider that finishes; of steps, those of `axis`.
  func endRow(of rider: Int, in domain: RowDomain, axis: Int) -> Int {
    switch domain {
    case .steps: layouts[axis].lastRow(rider: rider)
    case .riders: rider
    case .reported: reported[rider].upperBound - 1
    case .ends: endPlaces[rider]
    }
  }

  /// The rows of a rider's vector in `domain`, one or several of those that are reported.
  func rows(of rider: Int, in domain: RowDomain) -> Range<Int> {
    switch domain {
    case .reported: return reported[rider]
    case .ends:
      let place = endPlaces[rider]
      return place..<(riders[rider].finishes ? place + 1 : place)
    case .steps, .riders: preconditionFailure("no vector of a sequence has rows in \(domain)")
    }
  }

  func rowCount(of domain: RowDomain) -> Int {
    domain == .reported ? reportedSteps.count : ends.count
  }

  /// For each row of `target`, the row that a value in `source` has for it; where one of them has steps, those of `axis`.
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
