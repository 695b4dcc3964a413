/// Finds the inputs of a source graph that are states of recurrent networks, by their uses.
struct StateInputs {
  private let consumers: NodeConsumers
  private let producers: NodeProducers
  private let graph: SourceGraph

  private static let recurrent: Set<String> = [
    "LSTM", "GRU", "RNN", "com.microsoft.DynamicQuantizeLSTM",
  ]

  private static let elementwise: Set<String> = [
    "Mul", "Add", "Sub", "Div", "Tanh", "Sigmoid", "Relu", "Clip", "Neg", "Max", "Min", "Where",
  ]

  init(_ graph: SourceGraph) {
    consumers = NodeConsumers(graph)
    producers = NodeProducers(graph)
    self.graph = graph
  }

  /// Whether an input leads only to initial states.
  func contains(_ input: String) -> Bool {
    var (pending, seen): ([String], Set<String>) = ([input], [input])
    var isState = false
    while let name = pending.popLast() {
      for node in consumers[name] {
        if Self.recurrent.contains(node.op) {
          guard node.inputs.firstIndex(of: name).map({ $0 >= 5 }) ?? false else { return false }
          isState = true
        } else if NodeConsumers.moving.contains(node.op), node.inputs.first == name {
          for output in node.outputs where seen.insert(output).inserted { pending.append(output) }
        } else if node.op != "Shape" {
          return false
        }
      }
    }
    return isState
  }

  /// The axis of an input with states that holds the sequences: the last but one, or the first, where the rows of layers are
  /// turned before it or all chosen behind it.
  func batchAxis(_ input: SourceGraph.Input) -> Int {
    let rank = input.dimensions.count
    let isTurned = consumers[input.name].contains { node in
      node.op == "Transpose"
        && (node.integers("perm").map { $0.count == rank && $0[rank - 2] == 0 } ?? false)
    }
    return isTurned || rank == 3 && choosesAllRows(input) ? 0 : rank - 2
  }

  /// The axis of an input with three that holds a state's row for each layer and direction.
  func rowAxis(_ input: SourceGraph.Input) -> Int { batchAxis(input) == 0 ? 1 : 0 }

  /// Whether the rows 0, 1, … along axis 1 are each chosen, and no others: of a sequence, a step would be.
  private func choosesAllRows(_ input: SourceGraph.Input) -> Bool {
    var chosen: Set<Int> = []
    for node in consumers[input.name] where node.op != "Shape" {
      guard node.op == "Gather", node.integer("axis", default: 0) == 1,
        let row = node.input(1).flatMap({ producers.constant($0, of: graph) })?.integers,
        row.count == 1
      else { return false }
      chosen.insert(row[0])
    }
    let count = input.size(1) ?? (chosen.count > 1 ? chosen.count : 0)
    return count > 0 && chosen == Set(0..<count)
  }

  /// The rows, for layers and directions, of the initial states that an input holds, whatever else reads it; nil if it holds none.
  func rows(_ input: String) -> Int? {
    var (pending, seen): ([(name: String, isWhole: Bool)], Set<String>) = ([(input, true)], [input])
    var (all, parts): (Int?, Int) = (nil, 0)
    while let (name, isWhole) = pending.popLast() {
      for node in consumers[name] {
        if Self.recurrent.contains(node.op) {
          guard node.inputs.firstIndex(of: name).map({ $0 >= 5 }) ?? false else { return nil }
          let directions = node.text("direction", default: "forward") == "bidirectional" ? 2 : 1
          if isWhole { all = directions } else { parts += directions }
        } else if NodeConsumers.moving.contains(node.op), node.inputs.first == name {
          let isPart = ["Slice", "Gather", "Split"].contains(node.op)
          for output in node.outputs where seen.insert(output).inserted {
            pending.append((output, isWhole && !isPart))
          }
        } else if Self.elementwise.contains(node.op) {
          for output in node.outputs where seen.insert(output).inserted {
            pending.append((output, isWhole))
          }
        }
      }
    }
    return all ?? (parts > 0 ? parts : nil)
  }
}
