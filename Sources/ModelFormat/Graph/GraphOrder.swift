/// A topological order of a description's nodes, which stays as near to the description's own order as it can.
struct GraphOrder {
  /// The indices of the description's nodes, in this order.
  let indices: [Int]

  init(_ description: ModelDescription, names: GraphNames) throws(ModelError) {
    var needs: [[Int]] = []
    for (index, node) in description.nodes.enumerated() {
      needs.append(try Self.needs(of: node, path: "nodes[\(index)]", names: names))
    }
    var order: [Int] = []
    var done = Set<Int>()
    while done.count < needs.count {
      let countBefore = done.count
      for index in needs.indices where !done.contains(index) && done.isSuperset(of: needs[index]) {
        order.append(index)
        done.insert(index)
      }
      guard done.count > countBefore else {
        throw .cycle(Self.cycle(needs, done: done).map { description.nodes[$0].name })
      }
    }
    indices = order
  }

  private static func needs(
    of node: ModelDescription.Node, path: String, names: GraphNames
  ) throws(ModelError) -> [Int] {
    var needed: [Int] = []
    for (position, name) in node.inputs.enumerated() {
      guard let name else { continue }
      let target = try names.target(of: name, path: "\(path).inputs[\(position)]")
      if let node = target.node { needed.append(node) }
    }
    if let mask = node.mask,
      let node = try names.target(of: mask, path: "\(path).mask").node
    {
      needed.append(node)
    }
    return needed
  }

  /// Finds a cycle: follows the inputs of nodes that depend on each other until a node comes up again.
  private static func cycle(_ needs: [[Int]], done: Set<Int>) -> [Int] {
    var trail: [Int] = []
    var next = needs.indices.first { !done.contains($0) }
    while let node = next, !trail.contains(node) {
      trail.append(node)
      next = needs[node].first { !done.contains($0) }
    }
    let start = trail.firstIndex { $0 == next } ?? 0
    return Array(trail[start...] + trail[start...].prefix(1))
  }
}
