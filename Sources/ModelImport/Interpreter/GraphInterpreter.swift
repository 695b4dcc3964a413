/// Computes a whole graph in double precision, node by node.
struct GraphInterpreter {
  private let interpreter: Interpreter
  private(set) var values: [String: SourceTensor]
  /// What stands for constants that are not read yet.
  private var sources: [String: SourceConstant] = [:]

  init(opset: Int, inputs: [String: SourceTensor]) {
    interpreter = Interpreter(opset: opset)
    values = inputs
  }

  mutating func run(_ graph: SourceGraph) throws(ImportError) {
    sources.merge(graph.constants) { first, _ in first }
    for node in graph.nodes {
      let results = try results(of: node)
      for (index, value) in results.enumerated() {
        if let name = node.output(index) { values[name] = value }
      }
    }
  }

  private mutating func results(of node: SourceNode) throws(ImportError) -> [SourceTensor] {
    var operands: [SourceTensor?] = []
    for name in node.inputs { operands.append(name.isEmpty ? nil : try value(name, of: node)) }
    if node.op == "If" {
      guard let condition = operands.first ?? nil,
        let branch = node.graph(condition[0] != 0 ? "then_branch" : "else_branch")
      else { throw node.refusal("no branch", because: "If has a condition and two branches") }
      try run(branch)
      var results: [SourceTensor] = []
      for name in branch.outputs { results.append(try value(name, of: node)) }
      return results
    }
    guard let results = try interpreter.evaluate(node, operands) else {
      throw node.refusal(
        "the operator \(node.op)", because: "it can't be computed here, so that nothing is checked")
    }
    return results
  }

  private mutating func value(
    _ name: String, of node: SourceNode
  ) throws(ImportError) -> SourceTensor {
    if let value = values[name] { return value }
    guard let source = sources[name] else {
      throw node.refusal("the input \"\(name)\"", because: "no node before this one computes it")
    }
    let value = try source.tensor()
    values[name] = value
    return value
  }
}
