import ModelFormat

/// A convolution within each step.
struct Conv1DForward: OpForward {
  private let convolution: FrameConvolution

  init(_ op: Conv1DOp, _ weights: NodeWeights) throws(ModelError) {
    convolution = try FrameConvolution(over: op.frame, by: op.window, groups: op.groups, weights)
  }

  var byteCount: Int { convolution.byteCount }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let input = node.operand(0, workspace)
    output.resize(rows: input.rows, columns: node.node.size)
    var scratch = FrameConvolution.Scratch()
    convolution.forward(
      input.rows, of: input, taps: (1, 1), first: { $0 }, into: &output, row: { $0 }, &scratch,
      kernels: node.graph.kernels)
  }
}
