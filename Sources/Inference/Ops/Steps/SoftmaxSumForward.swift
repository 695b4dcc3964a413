import CKernels
import ModelFormat

/// The sum over time of each rider's values, weighted by the softmax of its scores. Summed step by step in double precision.
struct SoftmaxSumForward: OpForward {
  init(_ op: SoftmaxSumOp, _ weights: NodeWeights) {}

  var needsWholeSequence: Bool { true }

  func domain(of inputs: [RowDomain]) -> RowDomain { .ends }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let (plan, layout) = (node.plan, node.layout)
    let scores = workspace[node.node.inputs[0]]
    let values = workspace[node.node.inputs[1]]
    output.resize(rows: plan.ends.count, columns: values.columns)
    let mask = StepMask(node, workspace)
    var totals = [Double](repeating: 0, count: values.columns)
    for (row, j) in plan.ends.enumerated() {
      let steps = mask?.steps(of: j, in: layout) ?? Array(0..<layout.steps[j])
      guard !steps.isEmpty else {
        for at in output.row(row) { output.values[at] = 0 }
        continue
      }
      var weights = steps.map { scores.values[layout.row(rider: j, step: $0)] }
      // SAFETY: one row of as many floats as steps, in place.
      unsafe weights.withUnsafeMutableBufferPointer {
        unsafe node.graph.kernels.routines.softmax_f32(
          $0.baseAddress!, 1, steps.count, steps.count)
      }
      for k in totals.indices { totals[k] = 0 }
      for (t, step) in steps.enumerated() {
        let source = values.row(layout.row(rider: j, step: step)).lowerBound
        let weight = Double(weights[t])
        for k in totals.indices { totals[k] += weight * Double(values.values[source + k]) }
      }
      for (k, at) in output.row(row).enumerated() { output.values[at] = Float(totals[k]) }
    }
  }
}
