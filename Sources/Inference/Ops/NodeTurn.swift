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
    output.gather(
      plan.rows(of: graph.domain(of: reference), in: target), of: workspace[reference])
  }
}
