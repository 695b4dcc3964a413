import ModelFormat

/// A convolution over the steps: a GEMM with a row for each position of the kernel, for the positions of all riders
/// together. Steps that a mask excludes count as zeros, like those beyond the ends.
struct ConvForward: WindowForward {
  let window: KernelWindow
  /// The number of floats under the kernel at a position.
  private let patchSize: Int
  /// A map for each group, over the kernel's steps one after another.
  private let maps: [Linear]

  init(_ op: ConvOp, _ weights: NodeWeights) throws(ModelError) {
    let kernel = op.window.kernel
    let weight = try weights.required("weight")
    let outputs = weights.node.size
    let channels = weight.count / outputs / kernel
    window = KernelWindow(op.window, size: channels * op.groups)
    patchSize = kernel * channels * op.groups
    // [output][channel][tap] becomes [output][tap][channel].
    var matrix: [Float] = []
    for output in 0..<outputs {
      for tap in 0..<kernel {
        for channel in 0..<channels {
          matrix.append(weight[(output * channels + channel) * kernel + tap])
        }
      }
    }
    maps = Linear.groups(
      op.groups, outputSize: outputs, weight: matrix, bias: try weights.optional("bias"),
      kernels: weights.kernels)
  }

  var byteCount: Int { maps.reduce(0) { $0 + $1.byteCount } }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    var input = node.operand(0, workspace)
    StepMask(node, workspace)?.clear(&input)
    let layout = node.layout
    output.resize(rows: layout.rows, columns: node.node.size)
    let fitting = Swift.max(1, (1 << 16) / patchSize)
    var batch = Batch(maps, capacity: Swift.min(layout.rows, fitting))
    var rows = Matrix()
    for rider in layout.steps.indices {
      window.extend(
        rider, node, input, states: &states, range: node.node.state, into: &rows)
      let first = window.firstRow(rider, node)
      for t in 0..<layout.steps[rider] {
        batch.append(
          stepsFrom: first + t * window.kernel.stride, by: window.kernel.dilation, of: rows,
          for: layout.row(rider: rider, step: t),
          into: &output, kernels: node.graph.kernels)
      }
    }
    batch.finish(into: &output, kernels: node.graph.kernels)
  }

  /// The floats under the kernel at some positions, which are computed together.
  private struct Batch {
    let maps: [Linear]
    /// The most positions at a time: they stay in a core's cache.
    let capacity: Int
    /// The row of `output` for each position in the batch.
    private var targets: [Int] = []
    /// A matrix for each group.
    private var patches: [Matrix]
    private var results = Matrix()

    init(_ maps: [Linear], capacity: Int) {
      self.maps = maps
      self.capacity = capacity
      patches = maps.map { Matrix(rows: capacity, columns: $0.inputSize) }
    }

    mutating func append(
      stepsFrom first: Int, by dilation: Int, of rows: Matrix, for target: Int,
      into output: inout Matrix, kernels: Kernels
    ) {
      let channels = rows.columns / maps.count
      for group in maps.indices {
        for tap in 0..<maps[group].inputSize / channels {
          patches[group].set(
            row: targets.count, column: tap * channels, from: rows.values,
            at: (first + tap * dilation) * rows.columns + group * channels, count: channels)
        }
      }
      targets.append(target)
      if targets.count == capacity { finish(into: &output, kernels: kernels) }
    }

    mutating func finish(into output: inout Matrix, kernels: Kernels) {
      guard !targets.isEmpty else { return }
      for (group, map) in maps.enumerated() {
        patches[group].resize(rows: targets.count, columns: map.inputSize)
        map.forward(patches[group], into: &results, kernels: kernels)
        for (row, target) in targets.enumerated() {
          output.set(
            row: target, column: group * map.outputSize, from: results.values,
            at: row * map.outputSize, count: map.outputSize)
        }
        patches[group].resize(rows: capacity, columns: map.inputSize)
      }
      targets.removeAll(keepingCapacity: true)
    }
  }
}
