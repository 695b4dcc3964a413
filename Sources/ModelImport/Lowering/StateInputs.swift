/// Finds the inputs of a source graph that are states of recurrent networks, by their uses.
struct StateInputs {
  private var consumers: [String: [SourceNode]] = [:]

  /// Operators that select or move elements.
  private static let moving: Set<String> = [
    "Slice", "Gather", "Squeeze", "Unsqueeze", "Transpose", "Reshape", "Split", "Identity", "Cast",
    "Flatten", "Expand",
  ]

  private static let recurrent: Set<String> = [
    "LSTM", "GRU", "RNN", "com.microsoft.DynamicQuantizeLSTM",
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
        if Self.recurrent.contains(node.op) {
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

  /// The rows, for layers and directions, of the initial states that an input holds, whatever else reads it; nil if it holds none.
  func rows(_ input: String) -> Int? {
    var (pending, seen): ([(name: String, isWhole: Bool)], Set<String>) = ([(input, true)], [input])
    var (all, parts): (Int?, Int) = (nil, 0)
    while let (name, isWhole) = pending.popLast() {
      for node in consumers[name] ?? [] {
        if Self.recurrent.contains(node.op) {
          guard node.inputs.firstIndex(of: name).map({ $0 >= 5 }) ?? false else { return nil }
          let directions = node.text("direction", default: "forward") == "bidirectional" ? 2 : 1
          if isWhole { all = directions } else { parts += directions }
        } else if Self.moving.contains(node.op), node.inputs.first == name {
          let isPart = ["Slice", "Gather", "Split"].contains(node.op)
          for output in node.outputs where seen.insert(output).inserted {
            pending.append((output, isWhole && !isPart))
          }
        }
      }
    }
    return all ?? (parts > 0 ? parts : nil)
  }
}
