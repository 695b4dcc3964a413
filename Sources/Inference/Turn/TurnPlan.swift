/// The order of a turn: where each rider's steps lie, and which rows are reported.
struct TurnPlan {
  /// The riders, longest first.
  let riders: [TurnRider]
  /// The place of each of them among those given.
  let order: [Int]
  let layout: PackedLayout
  /// The reported rows of each rider.
  private(set) var reported: [Range<Int>] = []
  /// The packed row of each reported row, and its rider.
  private var reportedSteps: [Int] = []
  private var reportedRiders: [Int] = []
  /// The riders that finish; and for each that does, its place among them.
  private(set) var ends: [Int] = []
  private var endPlaces: [Int] = []

  /// - Parameter reportsEveryStep: whether a rider with that selection needs reported rows of all its steps.
  init(_ given: [TurnRider], reportsEveryStep: (Selection) -> Bool) {
    // Riders are read by index: a copy of each would count references.
    let lengths = given.indices.map { given[$0].steps.count }
    // Equal lengths keep their order, so a batch of equal lengths is not shuffled.
    if zip(lengths, lengths.dropFirst()).allSatisfy({ $0 >= $1 }) {
      order = Array(given.indices)
      riders = given
      layout = PackedLayout(steps: lengths)
    } else {
      order = given.indices.sorted {
        lengths[$0] == lengths[$1] ? $0 < $1 : lengths[$0] > lengths[$1]
      }
      riders = order.map { given[$0] }
      layout = PackedLayout(steps: order.map { lengths[$0] })
    }
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
  }

  /// The row that a value in `domain` has for the end of a rider that finishes.
  func endRow(of rider: Int, in domain: RowDomain) -> Int {
    switch domain {
    case .steps: layout.lastRow(rider: rider)
    case .riders: rider
    case .reported: reported[rider].upperBound - 1
    case .ends: endPlaces[rider]
    }
  }

  /// For each row of `target`, the row that a value in `source` has for it.
  func rows(of source: RowDomain, in target: RowDomain) -> [Int] {
    switch (target, source) {
    case (.reported, .steps): return reportedSteps
    case (.reported, .riders): return reportedRiders
    case (.reported, .reported): return Array(reportedSteps.indices)
    case (.ends, .ends): return Array(ends.indices)
    case (.ends, .steps), (.ends, .riders), (.ends, .reported):
      return ends.map { endRow(of: $0, in: source) }
    case (.steps, .riders), (.steps, .reported), (.steps, .ends):
      let rows = riders.indices.map { endRow(of: $0, in: source) }
      return layout.active.flatMap { rows.prefix($0) }
    case (.reported, .ends), (.steps, .steps), (.riders, _):
      preconditionFailure("no value in \(target) is made of one in \(source)")
    }
  }
}
