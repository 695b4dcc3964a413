import ModelFormat

/// A node's part of a turn: gives access to its inputs, the plan and the cores.
struct NodeTurn {
  let graph: ModelGraph
  let plan: TurnPlan
  /// Cores that divide the work; nil for the caller's only.
  let crew: Crew?
  /// The node's place in the graph.
  var index = 0

  var node: GraphNode { graph.nodes[index] }

  /// The layout of the node's value or, for a vector, of its inputs.
  var layout: PackedLayout { plan.layouts[graph.nodes[index].axis] }

  /// The layout of an input.
  func layout(ofInput position: Int) -> PackedLayout {
    plan.layouts[graph.axis(of: graph.nodes[index].inputs[position])]
  }

  /// An input, arranged in the rows of the node's value.
  func operand(_ position: Int, _ workspace: Workspace) -> Matrix {
    let node = node
    let reference = node.inputs[position]
    switch (node.domain, graph.domain(of: reference)) {
    case (.reported, .riders), (.ends, .riders), (.ends, .reported), (.steps, .riders),
      (.steps, .reported), (.steps, .ends):
      // The input has other rows than the value: copy them to the value's domain.
      var gathered = Matrix()
      gather(reference, as: node.domain, workspace, into: &gathered)
      return gathered
    case (.steps, .steps), (.riders, _), (.reported, _), (.ends, .ends), (.ends, .steps):
      return workspace[reference]
    }
  }

  /// All inputs, arranged in the rows of the node's value.
  func operands(_ workspace: Workspace) -> [Matrix] {
    graph.nodes[index].inputs.indices.map { operand($0, workspace) }
  }

  /// Copies a value's rows to another domain.
  func gather(
    _ reference: Model.ValueReference, as target: RowDomain, _ workspace: Workspace,
    into output: inout Matrix
  ) {
    let domain = graph.domain(of: reference)
    let axis = domain == .steps ? graph.axis(of: reference) : graph.nodes[index].axis
    output.gather(
      plan.rows(of: domain, in: target, axis: axis), of: workspace[reference])
  }
}
