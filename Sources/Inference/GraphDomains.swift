import ModelFormat

/// The domains of a graph's values, and whether the graph can run step by step.
struct GraphDomains {
  let model: Model
  /// The domains of the nodes added so far, in the model's order.
  private(set) var nodes: [RowDomain] = []

  init(_ model: Model) { self.model = model }

  /// Adds the next node.
  mutating func append(_ node: Model.ResolvedNode, _ op: any OpForward) {
    let domain = op.domain(of: node.inputs.map { self[$0] })
    // Only `last` over the first axis can be reported at each step; over other axes its value exists only at the end.
    nodes.append(domain == .reported && node.op == .last && node.axis != 0 ? .ends : domain)
  }

  subscript(reference: Model.ValueReference) -> RowDomain {
    switch reference {
    case .input(let index):
      if case .vector = model.description.inputs[index].kind { .riders } else { .steps }
    case .node(let index): nodes[index]
    case .hidden, .cell: .ends
    }
  }

  /// Whether the graph can run step by step: no step needs later steps or a value that is known only at the end of the
  /// sequence, and every number of steps follows from that of the one input axis.
  func areStreamable(_ ops: [any OpForward]) -> Bool {
    model.inputAxes.count == 1 && model.axes.allSatisfy { $0.origin != nil }
      && !ops.contains(where: \.needsWholeSequence) && !restarts && !looksAhead
  }

  /// The nodes whose last step is kept in a rider's state. It is read at the end of the sequence, but the turn that
  /// ends the sequence may give such a node no step, since the node's axis is not the input's.
  var keptNodes: Set<Int> {
    let read =
      model.answers.map(\.value)
      + model.nodes.lazy.filter { $0.op == .last && $0.mask == nil }.map { $0.inputs[0] }
    return Set(
      read.compactMap { reference in
        guard case .node(let index) = reference, nodes[index] == .steps,
          model.axis(of: reference) ?? 0 > 0
        else { return nil }
        return index
      })
  }

  /// Whether a value with steps depends on one that is known only at the end of the sequence.
  private var looksAhead: Bool {
    zip(model.nodes, nodes).contains { node, domain in
      domain == .steps && node.inputs.contains { self[$0] == .reported || self[$0] == .ends }
    }
  }

  /// Whether a recurrent network's initial state depends on a value that is known only at the end of the sequence.
  private var restarts: Bool {
    model.nodes.contains { node in
      [node.initialHidden, node.initialCell].contains { reference in
        switch reference {
        case .hidden, .cell: true
        case .node(let index): nodes[index] != .riders
        case .input, nil: false
        }
      }
    }
  }
}
