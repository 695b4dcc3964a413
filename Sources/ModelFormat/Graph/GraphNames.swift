/// What the names of a description stand for.
struct GraphNames {
  private var declarations: [String: Declaration] = [:]
  /// In the order of the description; those of single layers are left out.
  private var names: [String] = []

  private struct Declaration {
    let target: Target
    let path: String
  }

  /// What a name stands for; node indices are the description's. Of a final state, nil is the last layer's.
  enum Target {
    case input(Int)
    case node(Int)
    case hidden(Int, layer: Int?)
    case cell(Int, layer: Int?)

    /// The index of the node whose value, hidden or cell state this is.
    var node: Int? {
      switch self {
      case .input: nil
      case .node(let index), .hidden(let index, _), .cell(let index, _): index
      }
    }
  }

  init(_ description: ModelDescription) throws(ModelError) {
    for (index, input) in description.inputs.enumerated() {
      try declare(input.name, .input(index), path: "inputs[\(index)].name")
    }
    for (index, node) in description.nodes.enumerated() {
      let path = "nodes[\(index)].name"
      try declare(node.name, .node(index), path: path)
      guard let network = node.op.recurrent else { continue }
      try declare("\(node.name).hidden", .hidden(index, layer: nil), path: path)
      if network.hasCell {
        try declare("\(node.name).cell", .cell(index, layer: nil), path: path)
      }
    }
    for (name, declaration) in declarations.sorted(by: { $0.key < $1.key }) {
      guard let state = layerState(name) else { continue }
      throw .duplicateName(name, path: declaration.path, first: state.path)
    }
  }

  /// What `name`, which stands at `path`, stands for.
  func target(of name: String, path: String) throws(ModelError) -> Target {
    guard let declaration = declarations[name] ?? layerState(name) else {
      throw .unknownName(name, path: path, known: names)
    }
    return declaration.target
  }

  private mutating func declare(
    _ name: String, _ target: Target, path: String
  ) throws(ModelError) {
    if let first = declarations[name] {
      throw .duplicateName(name, path: path, first: first.path)
    }
    declarations[name] = Declaration(target: target, path: path)
    names.append(name)
  }

  /// What `h.hidden.0` stands for: the final state of one layer.
  private func layerState(_ name: String) -> Declaration? {
    guard let dot = name.lastIndex(of: "."), let layer = Int(name[name.index(after: dot)...]),
      // As Int reads more: "+1", "01".
      name[name.index(after: dot)...] == "\(layer)", layer >= 0,
      let whole = declarations[String(name[..<dot])]
    else { return nil }
    switch whole.target {
    case .hidden(let index, nil):
      return Declaration(target: .hidden(index, layer: layer), path: whole.path)
    case .cell(let index, nil):
      return Declaration(target: .cell(index, layer: layer), path: whole.path)
    case .input, .node, .hidden, .cell: return nil
    }
  }
}
