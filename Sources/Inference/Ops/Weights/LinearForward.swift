import ModelFormat

struct LinearForward: OpForward {
  private let linear: Linear

  init(_ op: LinearOp, _ weights: NodeWeights) throws(ModelError) {
    let size = weights.node.size
    let weight = try weights.required("weight")
    linear = Linear(
      inputSize: weight.count / size, outputSize: size, weight: weight,
      bias: try weights.optional("bias"),
      kernels: weights.kernels)
  }

  var byteCount: Int { linear.byteCount }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    linear.forward(node.operand(0, workspace), into: &output, kernels: node.graph.kernels)
  }
}
