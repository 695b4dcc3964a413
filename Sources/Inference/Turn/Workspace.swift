import ModelFormat

/// The buffers of a turn, reused from turn to turn, and the reported rows of the last one.
package struct Workspace {
  /// The token ids of each input, in packed order.
  var tokens: [[Int32]]
  /// The values of inputs, of nodes, and of recurrent networks' final states by layer.
  var inputs: [Matrix]
  var nodes: [Matrix]
  var hidden: [[Matrix]]
  var cell: [[Matrix]]
  /// The rows that the turn reports of each value in `ModelGraph.answers`.
  var outputs: [Matrix]
  /// For each of these values, the range of each rider's rows, in the order in which the riders were given.
  package internal(set) var reported: [[Range<Int>]]
  let recurrent = RecurrentScratch()
  var state = RecurrentState()
  /// The outputs of the current and of the previous layer.
  var layers = (current: Matrix(), other: Matrix())

  package init(graph: ModelGraph) {
    let description = graph.model.description
    tokens = Array(repeating: [], count: description.inputs.count)
    inputs = Array(repeating: Matrix(), count: description.inputs.count)
    nodes = Array(repeating: Matrix(), count: graph.nodes.count)
    hidden = graph.model.nodes.map { node in
      Array(repeating: Matrix(), count: node.recurrent?.layers ?? 0)
    }
    cell = hidden
    let count = graph.answerCount
    reported = Array(repeating: [], count: count)
    outputs = Array(repeating: Matrix(), count: count)
  }

  /// The most floats that a matrix keeps when memory is released.
  static let keptFloats = 1 << 20

  /// Frees matrices that only a large turn needed.
  package mutating func trim() {
    func trim(_ matrix: inout Matrix) {
      if matrix.values.count > Self.keptFloats { matrix = Matrix() }
    }
    for index in inputs.indices { trim(&inputs[index]) }
    for index in nodes.indices {
      trim(&nodes[index])
      for layer in hidden[index].indices {
        trim(&hidden[index][layer])
        trim(&cell[index][layer])
      }
    }
    for index in outputs.indices { trim(&outputs[index]) }
    trim(&layers.current)
    trim(&layers.other)
    recurrent.trim(to: Self.keptFloats)
  }

  /// Whether the turn reports rows of an output for a rider.
  package func hasValues(ofOutput output: Int, rider: Int) -> Bool {
    !reported[output][rider].isEmpty
  }

  /// The reported values of an output for a rider: its reported rows × the output's size.
  package func values(ofOutput output: Int, rider: Int) -> ArraySlice<Float> {
    let (rows, columns) = (reported[output][rider], outputs[output].columns)
    return outputs[output].values[rows.lowerBound * columns..<rows.upperBound * columns]
  }
}

extension Workspace {
  /// The value of a reference; an input of tokens has none.
  subscript(reference: Model.ValueReference) -> Matrix {
    switch reference {
    case .input(let index): inputs[index]
    case .node(let index): nodes[index]
    case .hidden(let index, let layer): hidden[index][layer]
    case .cell(let index, let layer): cell[index][layer]
    }
  }
}
