/// Finds values that choose rows of tables and do nothing else, as those of `embedding(x[..., 0].long())`.
struct TableIndices {
  private let consumers: NodeConsumers
  private let tables: Set<String>

  init(_ graph: SourceGraph) {
    consumers = NodeConsumers(graph)
    tables = Set(graph.constants.keys)
  }

  func contains(_ value: String) -> Bool {
    var (pending, seen): ([String], Set<String>) = ([value], [value])
    var isIndex = false
    while let name = pending.popLast() {
      for node in consumers[name] {
        if node.op == "Gather", node.input(1) == name {
          guard tables.contains(node.inputs[0]) else { return false }
          isIndex = true
        } else if NodeConsumers.moving.contains(node.op), node.inputs.first == name,
          node.op != "Cast" || node.integer("to", default: 1) == 7
        {
          for output in node.outputs where seen.insert(output).inserted { pending.append(output) }
        } else {
          return false
        }
      }
    }
    return isIndex
  }
}
