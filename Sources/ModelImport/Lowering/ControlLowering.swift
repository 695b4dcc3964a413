/// If. Its condition has to be constant.
enum ControlLowering {
  static func branch(_ l: inout Lowering, _ node: SourceNode) throws(ImportError) -> [LoweredValue]
  {
    guard let condition = try l.constant(node, 0, "a condition") else {
      throw node.refusal("no condition", because: "If needs one")
    }
    guard let graph = node.graph(condition.first != 0 ? "then_branch" : "else_branch") else {
      throw node.refusal("no branch", because: "If has two")
    }
    try l.lower(graph)
    var results: [LoweredValue] = []
    for name in graph.outputs { results.append(try l.value(named: name, of: node)) }
    return results
  }
}
