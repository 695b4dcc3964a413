import ModelFormat

/// A convolution over steps and elements. Steps that a mask excludes count as zeros, like those beyond the ends.
struct Conv2DForward: WindowForward {
  let window: KernelWindow
  private let convolution: FrameConvolution

  init(_ op: Conv2DOp, _ weights: NodeWeights) throws(ModelError) {
    window = KernelWindow(op.window, size: op.frame.channels * op.frame.length)
    convolution = try FrameConvolution(
      over: op.frame, by: op.frameWindow, groups: op.groups, weights)
  }

  var byteCount: Int { convolution.byteCount }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    var input = node.operand(0, workspace)
    StepMask(node, workspace)?.clear(&input)
    let (layout, kernel) = (node.layout, window.kernel)
    output.resize(rows: layout.rows, columns: node.node.size)
    var (rows, scratch) = (Matrix(), FrameConvolution.Scratch())
    for rider in layout.steps.indices {
      window.extend(rider, node, input, states: &states, range: node.node.state, into: &rows)
      let first = window.firstRow(rider, node)
      convolution.forward(
        layout.steps[rider], of: rows, taps: (kernel.kernel, kernel.dilation),
        first: { first + $0 * kernel.stride }, into: &output,
        row: { layout.row(rider: rider, step: $0) }, &scratch, kernels: node.graph.kernels)
    }
  }
}
