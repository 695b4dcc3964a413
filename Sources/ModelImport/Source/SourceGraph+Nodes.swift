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

  /// Puts a number in the place of an input, of the sizes that its open axes share with other inputs by their names.
  ///
  /// - Returns: whether other inputs have all of them.
  mutating func fill(_ name: String, with number: Double) -> Bool {
    guard let index = inputs.firstIndex(where: { $0.name == name }) else { return false }
    let input = inputs[index]
    let others = inputs.filter { $0.name != name }
    var filling: [SourceNode] = []
    func add(_ op: String, _ operands: [String], _ output: String) {
      filling.append(
        SourceNode(
          name: name, op: op, inputs: operands, outputs: [output],
          attributes: op == "Concat" ? ["axis": .integer(0)] : [:]))
    }
    var sizes: [String] = []
    for (axis, dimension) in input.dimensions.enumerated() {
      let size = "\(name)/size.\(axis)"
      sizes.append(size)
      switch dimension {
      case .fixed(let count): constants[size] = SourceConstant(SourceTensor(integers: [count]))
      case .named:
        guard let other = others.first(where: { $0.dimensions.contains(dimension) }),
          let place = other.dimensions.firstIndex(of: dimension)
        else { return false }
        constants["\(size)/place"] = SourceConstant(SourceTensor(integers: [place]))
        add("Shape", [other.name], "\(size)/sizes")
        add("Gather", ["\(size)/sizes", "\(size)/place"], size)
      }
    }
    constants["\(name)/number"] = SourceConstant(
      SourceTensor(shape: [], kind: input.kind, elements: [number]))
    add("Concat", sizes, "\(name)/shape")
    add("Expand", ["\(name)/number", "\(name)/shape"], name)
    inputs.remove(at: index)
    nodes.insert(contentsOf: filling, at: 0)
    return true
  }
}
