extension SourceGraph {
  /// Puts every node behind those whose values it needs, where a converter left one before them. Nodes that need each other in a
  /// cycle stay as they are.
  mutating func order() {
    var producers: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { producers[output] = index }
    }
    let needs = nodes.map { node in node.needed.compactMap { producers[$0] } }
    guard needs.enumerated().contains(where: { index, needed in needed.contains { $0 > index } })
    else { return }
    enum State { case unseen, begun, done }
    var states = Array(repeating: State.unseen, count: nodes.count)
    var order: [Int] = []
    for start in nodes.indices {
      var path = [start]
      while let index = path.last {
        switch states[index] {
        case .unseen:
          states[index] = .begun
          if needs[index].contains(where: { states[$0] == .begun }) { return }
          path += needs[index].filter { states[$0] == .unseen }.reversed()
        case .begun:
          states[index] = .done
          order.append(index)
          path.removeLast()
        case .done: path.removeLast()
        }
      }
    }
    nodes = order.map { nodes[$0] }
  }

  /// Removes the nodes that no output needs. Nodes are in order.
  mutating func dropUnneeded() {
    var needed = Set(outputs)
    var kept: [SourceNode] = []
    for node in nodes.reversed() where node.outputs.contains(where: { needed.contains($0) }) {
      needed.formUnion(node.needed.filter { !$0.isEmpty })
      kept.append(node)
    }
    nodes = kept.reversed()
  }
}
