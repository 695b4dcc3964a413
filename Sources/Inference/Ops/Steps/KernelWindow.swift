import ModelFormat

/// An op that moves a kernel over the steps.
protocol WindowForward: OpForward {
  var window: KernelWindow { get }
}

extension WindowForward {
  var needsWholeSequence: Bool { window.needsWholeSequence }

  func domain(of inputs: [RowDomain]) -> RowDomain { .steps }

  func initialState(size: Int) -> [Float] { window.initialState }
}

/// The steps under a kernel at each of its positions.
struct KernelWindow {
  let kernel: StepKernel
  /// The floats of a step.
  private let size: Int
  /// For a kernel that runs step by step: the steps before each are in the state.
  private let past: StepWindow?

  init(_ kernel: StepKernel, size: Int) {
    self.kernel = kernel
    self.size = size
    past =
      kernel.streams ? StepWindow(size: size, before: kernel.span - 1, after: 0) : nil
  }

  var needsWholeSequence: Bool { past == nil }
  var initialState: [Float] { past?.initialState ?? [] }

  /// The rows that `extend` puts before a rider's first step of this turn.
  func rowsBefore(stepCount: Int) -> Int {
    past?.before ?? kernel.before(stepCount: stepCount)
  }

  /// The row of `extend` at which the kernel's first position in this turn begins; each further one begins `stride` rows later.
  func firstRow(_ rider: Int, _ node: NodeTurn) -> Int {
    guard let past else { return 0 }
    let axis = node.graph.axis(of: node.node.inputs[0])
    let stepsBefore = node.plan.stepsBefore(rider: rider, axis: axis)
    let padding = kernel.before(stepCount: 0)
    // The steps, with the padding, from the end of the first position on.
    let completing = stepsBefore + Int128(padding - past.before)
    guard completing > 0 else { return past.before - padding - Int(stepsBefore) }
    return kernel.stride - 1 - Int((completing - 1) % Int128(kernel.stride))
  }

  /// Lays out a rider's steps of this turn, as rows, after the earlier steps that the kernel covers, with zeros beyond
  /// the ends. A kernel that streams keeps the steps that a later turn needs in `range` of the rider's state.
  func extend(
    _ rider: Int, _ node: NodeTurn, _ input: Matrix, states: inout SeatStates, range: Range<Int>,
    into rows: inout Matrix
  ) {
    if let past {
      return past.extend(rider, node, input, states: &states, range: range, into: &rows)
    }
    let source = node.layout(ofInput: 0)
    let count = source.steps[rider]
    let before = rowsBefore(stepCount: count)
    let covered = (node.layout.steps[rider] - 1) * kernel.stride + kernel.span
    rows.resize(rows: Swift.max(before + count, covered), columns: size)
    for at in 0..<before * size { rows.values[at] = 0 }
    for t in 0..<count {
      rows.set(
        row: before + t, from: input.values, at: source.row(rider: rider, step: t) * size,
        count: size)
    }
    for at in Swift.min((before + count) * size, rows.rows * size)..<rows.rows * size {
      rows.values[at] = 0
    }
  }
}
