/// The nodes of a source graph by the values that they read.
struct NodeConsumers {
  private var consumers: [String: [SourceNode]] = [:]

  /// Operators that select or move elements.
  static let moving: Set<String> = [
    "Slice", "Gather", "Squeeze", "Unsqueeze", "Transpose", "Reshape", "Split", "Identity", "Cast",
    "Flatten", "Expand",
  ]

  init(_ graph: SourceGraph) { collect(graph) }

  private mutating func collect(_ graph: SourceGraph) {
    for node in graph.nodes {
      for name in Set(node.inputs) where !name.isEmpty { consumers[name, default: []].append(node) }
      for key in ["then_branch", "else_branch"] {
        guard let branch = node.graph(key) else { continue }
        collect(branch)
        // A branch's outputs are the If's.
        for (inner, outer) in zip(branch.outputs, node.outputs) {
          consumers[inner, default: []].append(
            SourceNode(name: node.name, op: "Identity", inputs: [inner], outputs: [outer]))
        }
      }
    }
  }

  subscript(value: String) -> [SourceNode] { consumers[value] ?? [] }
}

/// The nodes of a source graph by the values that they make.
struct NodeProducers {
  private var producers: [String: SourceNode] = [:]

  init(_ graph: SourceGraph) {
    for node in graph.nodes {
      for output in node.outputs { producers[output] = node }
    }
  }

  subscript(value: String) -> SourceNode? { producers[value] }

  /// A constant of `graph`, also one that is a node; nil if the value is none.
  func constant(_ name: String, of graph: SourceGraph) -> SourceTensor? {
    if let known = graph.constants[name] { return try? known.tensor() }
    guard let node = producers[name], node.op == "Constant" else { return nil }
    return (try? Interpreter(opset: graph.opset).evaluate(node, []))?.first
  }

  /// A constant of `graph` that is one number.
  func number(_ name: String?, of graph: SourceGraph) -> Double? {
    guard let name, graph.constants[name]?.shape.allSatisfy({ $0 == 1 }) ?? true,
      let found = constant(name, of: graph), found.count == 1
    else { return nil }
    return found[0]
  }

  /// A value's first name, before nodes that change nothing.
  func origin(_ name: String) -> String {
    var name = name
    for _ in 0..<64 {
      guard let node = producers[name], node.op == "Identity", let source = node.input(0) else {
        break
      }
      name = source
    }
    return name
  }

  /// The value that another comes of, by selecting or moving its elements alone.
  func source(of name: String) -> String {
    var name = origin(name)
    for _ in 0..<64 {
      guard let node = producers[name], NodeConsumers.moving.contains(node.op),
        let source = node.input(0)
      else { break }
      name = origin(source)
    }
    return name
  }
}
