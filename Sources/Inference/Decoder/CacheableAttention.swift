import ModelFormat

/// The attention nodes of a decoder whose keys and values are the same at each of its steps.
struct CacheableAttention: Sendable {
  /// The nodes whose keys, values and mask no step changes.
  let nodes: Set<Int>
  /// Whether only these nodes, by their keys and values, read values that have the encoder's steps: once the keys and
  /// values are packed, a decoder step needs none of the encoder's steps.
  let readsAllSteps: Bool

  /// - Parameter changing: the values of the decoder's graph that change from step to step.
  init(in graph: ModelGraph, changing: Set<Model.ValueReference>) {
    func changes(_ reference: Model.ValueReference) -> Bool {
      switch reference {
      case .input, .node: changing.contains(reference)
      case .hidden(let network, _), .cell(let network, _): changing.contains(.node(network))
      }
    }
    func hasOtherSteps(_ reference: Model.ValueReference) -> Bool {
      graph.domain(of: reference) == .steps && graph.axis(of: reference) != 0
    }
    var nodes: Set<Int> = []
    var readsAllSteps = true
    for (index, node) in graph.nodes.enumerated() {
      let mask = [node.mask].compactMap(\.self)
      if graph.model.nodes[index].op.name == AttentionOp.name,
        !(node.inputs.dropFirst() + mask).contains(where: changes)
      {
        nodes.insert(index)
        if hasOtherSteps(node.inputs[0]) { readsAllSteps = false }
      } else if (node.inputs + mask).contains(where: hasOtherSteps) {
        readsAllSteps = false
      }
    }
    self.nodes = nodes
    self.readsAllSteps = readsAllSteps && !nodes.isEmpty
  }

  /// The number of floats of the keys and values that are packed for a sequence.
  ///
  /// - Parameter stepCounts: the number of steps for each of the `inputAxes` of the decoder's graph.
  func floatCount(in graph: ModelGraph, stepCounts: [Int]) -> Int {
    nodes.reduce(0) { sum, index in
      let node = graph.nodes[index]
      guard let op = graph.model.nodes[index].op.definition as? AttentionOp,
        let keySize = op.keySize
      else { return sum }
      let steps = graph.model.axes[graph.axis(of: node.inputs[1])].count(stepCounts)
      return sum
        + AttentionSource.floatCount(
          steps: steps, keySize: keySize, valueSize: node.size, heads: op.heads)
    }
  }
}
