/// Looks up the names of a description.
struct GraphNames {
  private var declarations: [String: Declaration] = [:]
  /// All names in the order of the description, for errors; names of single layers' states (`h.hidden.0`) are not among
  /// them.
  private var names: [String] = []

  private struct Declaration {
    let target: Target
    let path: String
  }

  /// The target of a name; node indices are the description's. For a final state, a layer of nil is the last layer.
  enum Target {
    case input(Int)
    case node(Int)
    case hidden(Int, layer: Int?)
    case cell(Int, layer: Int?)

    /// The index of the node with this value, hidden or cell state; nil for an input.
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

  /// The target of `name`; `path` is the place of the name, for an error.
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

  /// The target of a name such as `h.hidden.0`: the final state of one layer.
  private func layerState(_ name: String) -> Declaration? {
    guard let dot = name.lastIndex(of: "."), let layer = Int(name[name.index(after: dot)...]),
      // Int also accepts "+1" and "01".
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
