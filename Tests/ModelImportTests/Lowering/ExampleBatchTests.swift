import ModelFormat
import Testing

@testable import ModelImport

/// Graphs whose axes are told by their sizes alone.
@Suite struct ExampleBatchTests {
  private func graph(
    _ dimensions: [SourceGraph.Dimension], _ nodes: [SourceNode],
    kind: SourceTensor.Kind = .float, constants: [String: SourceTensor] = [:]
  ) -> SourceGraph {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [.init(name: "x", kind: kind, dimensions: dimensions)]
    graph.nodes = nodes
    graph.constants = constants.mapValues { SourceConstant($0) }
    graph.outputs = ["y"]
    return graph
  }

  /// Of as many sequences as steps, a number of the graph may be that of either.
  @Test(arguments: [(8, 8, 8), (4, 8, nil), (1, 8, nil), (2, 2, nil)] as [(Int, Int, Int?)])
  func asManySequencesAsSteps(batch: Int, steps: Int, expected: Int?) throws {
    let tanh = SourceNode(name: "y", op: "Tanh", inputs: ["x"], outputs: ["y"])
    let draft = try GraphTranslation(
      graph([.fixed(batch), .fixed(steps), .fixed(4)], [tanh])
    ).folder(named: "m")
    #expect(draft.description.inputs[0].steps == expected)
    #expect(draft.notes.contains { $0.contains("as many sequences as steps") } == (expected != nil))
  }

  /// A table's rows with steps along two axes: a network that reads the first of them would mix the sequences of a batch.
  @Test func idsHaveStepsAlongOneAxis() throws {
    let (w, r) = (
      SourceTensor(repeating: 0.1, shape: [1, 2, 3]),
      SourceTensor(repeating: 0.1, shape: [1, 2, 2])
    )
    let nodes = [
      SourceNode(name: "rows", op: "Gather", inputs: ["table", "x"], outputs: ["rows"]),
      SourceNode(
        name: "means", op: "ReduceMean", inputs: ["rows", "one"], outputs: ["means"],
        attributes: ["keepdims": .integer(0)]),
      SourceNode(name: "lone", op: "Unsqueeze", inputs: ["means", "one"], outputs: ["lone"]),
      SourceNode(
        name: "rnn", op: "RNN", inputs: ["lone", "w", "r"], outputs: ["y"],
        attributes: ["hidden_size": .integer(2)]),
    ]
    let error = #expect(throws: ImportError.self) {
      try GraphTranslation(
        graph(
          [.named("b"), .named("t")], nodes, kind: .integer,
          constants: [
            "table": SourceTensor(repeating: 1, shape: [5, 3]), "w": w, "r": r,
            "one": SourceTensor(integers: [1]),
          ])
      ).folder(named: "m")
    }
    #expect(error?.problem.contains("steps along two axes") == true, "\(String(describing: error))")
  }
}
