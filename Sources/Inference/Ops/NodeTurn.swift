import ModelFormat

/// A node under way in a turn: where its inputs are, and with what it computes.
struct NodeTurn {
  let graph: ModelGraph
  let plan: TurnPlan
  /// Cores that divide the work; nil for the caller's alone.
  let crew: Crew?
  /// The node's place in the graph.
  var index = 0

  var node: GraphNode { graph.nodes[index] }

  /// Where the steps of the node's value lie or, of a vector, those of its inputs.
  var layout: PackedLayout { plan.layouts[graph.nodes[index].axis] }

  /// Where those of an input lie.
  func layout(ofInput position: Int) -> PackedLayout {
    plan.layouts[graph.axis(of: graph.nodes[index].inputs[position])]
  }

  /// An input in the domain of the node's value.
  func operand(_ position: Int, _ workspace: Workspace) -> Matrix {
    let node = node
    let reference = node.inputs[position]
    switch (node.domain, graph.domain(of: reference)) {
    case (.reported, .riders), (.ends, .riders), (.ends, .reported), (.steps, .riders),
      (.steps, .reported), (.steps, .ends):
      // An op some of whose inputs are vectors with other rows than its value.
      var gathered = Matrix()
      gather(reference, as: node.domain, workspace, into: &gathered)
      return gathered
    case (.steps, .steps), (.riders, _), (.reported, _), (.ends, .ends), (.ends, .steps):
      return workspace[reference]
    }
  }

  /// All inputs, likewise.
  func operands(_ workspace: Workspace) -> [Matrix] {
    graph.nodes[index].inputs.indices.map { operand($0, workspace) }
  }

  /// Copies a value's rows for another domain.
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
