/// Finds the inputs of a source graph that are states of recurrent networks, by their uses.
struct StateInputs {
  private var consumers: [String: [SourceNode]] = [:]

  /// Operators that select or move elements.
  private static let moving: Set<String> = [
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

  /// Whether an input leads only to initial states.
  func contains(_ input: String) -> Bool {
    var (pending, seen): ([String], Set<String>) = ([input], [input])
    var isState = false
    while let name = pending.popLast() {
      for node in consumers[name] ?? [] {
        if ["LSTM", "GRU", "RNN", "com.microsoft.DynamicQuantizeLSTM"].contains(node.op) {
          guard node.inputs.firstIndex(of: name).map({ $0 >= 5 }) ?? false else { return false }
          isState = true
        } else if Self.moving.contains(node.op), node.inputs.first == name {
          for output in node.outputs where seen.insert(output).inserted { pending.append(output) }
        } else if node.op != "Shape" {
          return false
        }
      }
    }
    return isState
  }
}
