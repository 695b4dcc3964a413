/// Replaces each node that calls a function by the function's nodes.
struct FunctionInlining {
  let functions: [String: ONNXFunction]
  private var calls = 0
  private var nodes = 0

  init(functions: [String: ONNXFunction]) { self.functions = functions }

  mutating func inline(_ graph: SourceGraph, depth: Int = 0) throws(ImportError) -> SourceGraph {
    if functions.isEmpty { return graph }
    var result = graph
    result.nodes = try inline(graph.nodes, depth: depth)
    return result
  }

  private mutating func inline(_ nodes: [SourceNode], depth: Int) throws(ImportError)
    -> [SourceNode]
  {
    var result: [SourceNode] = []
    for var node in nodes {
      self.nodes += 1
      guard depth <= ONNXModel.Limit.depth, self.nodes <= ONNXModel.Limit.nodes else {
        throw node.refusal(
          "functions that call each other without end",
          because: "at most \(ONNXModel.Limit.nodes) nodes are read")
      }
      guard let function = functions[node.op] else {
        for (key, value) in node.attributes {
          if case .graph(let graph) = value {
            node.attributes[key] = .graph(try inline(graph, depth: depth + 1))
          }
        }
        result.append(node)
        continue
      }
      calls += 1
      result += try inline(expanded(function, node), depth: depth + 1)
    }
    return result
  }

  /// The function's nodes with the call's inputs, outputs and attributes, and unique names for values in between.
  private func expanded(_ function: ONNXFunction, _ call: SourceNode) -> [SourceNode] {
    var names: [String: String] = ["": ""]
    for (index, name) in function.inputs.enumerated() { names[name] = call.input(index) ?? "" }
    for (index, name) in function.outputs.enumerated() {
      names[name] = call.output(index) ?? "\(call.name)/\(calls)/\(name)"
    }
    let attributes = function.defaults.merging(call.attributes) { _, given in given }
    return function.nodes.map { renamed($0, names, attributes, prefix: "\(call.name)/\(calls)/") }
  }

  private func renamed(
    _ node: SourceNode, _ names: [String: String], _ attributes: [String: SourceAttribute],
    prefix: String
  ) -> SourceNode {
    var node = node
    node.name = prefix + node.name
    node.inputs = node.inputs.map { names[$0] ?? prefix + $0 }
    node.outputs = node.outputs.map { names[$0] ?? prefix + $0 }
    for (key, value) in node.attributes {
      if case .text(let text) = value, text.hasPrefix(ONNXGraphParser.referenceMark) {
        node.attributes[key] =
          attributes[String(text.dropFirst(ONNXGraphParser.referenceMark.count))]
      }
      if case .graph(var graph) = value {
        graph.nodes = graph.nodes.map { renamed($0, names, attributes, prefix: prefix) }
        graph.outputs = graph.outputs.map { names[$0] ?? prefix + $0 }
        for index in graph.inputs.indices {
          graph.inputs[index].name = prefix + graph.inputs[index].name
        }
        graph.constants = Dictionary(
          graph.constants.map { (names[$0.key] ?? prefix + $0.key, $0.value) },
          uniquingKeysWith: { first, _ in first })
        node.attributes[key] = .graph(graph)
      }
    }
    return node
  }
}
