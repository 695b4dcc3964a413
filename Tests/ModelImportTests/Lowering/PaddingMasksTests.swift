import Testing

@testable import ModelImport

/// Inputs that mark padding, by what attention does with them.
@Suite struct PaddingMasksTests {
  private static let ids = SourceGraph.Input(
    name: "ids", kind: .integer, dimensions: [.named("b"), .named("t")])

  /// A graph with the scores of steps [b, t] and a mask, and these nodes.
  private func graph(
    _ nodes: [(op: String, inputs: [String])], numbers: [String: Double] = [:],
    dimensions: [SourceGraph.Dimension] = [.named("b"), .named("t")]
  ) -> SourceGraph {
    var graph = SourceGraph(opset: 17)
    graph.inputs = [
      Self.ids, .init(name: "scores", kind: .float, dimensions: [.named("b"), .named("t")]),
      .init(name: "mask", kind: .boolean, dimensions: dimensions),
    ]
    for (name, number) in numbers {
      graph.constants[name] = SourceConstant(SourceTensor(shape: [], elements: [number]))
    }
    graph.nodes = nodes.enumerated().map { index, node in
      SourceNode(name: "\(index)", op: node.op, inputs: node.inputs, outputs: ["v\(index)"])
    }
    return graph
  }

  @Test(
    arguments: [
      // scores.masked_fill(mask, -1e9)
      ([("Where", ["mask", "low", "scores"])], 0),
      // scores.masked_fill(mask == 0, -inf), also of other numbers
      ([("Equal", ["mask", "zero"]), ("Where", ["v0", "low", "scores"])], 1),
      ([("Equal", ["two", "mask"]), ("Where", ["v0", "low", "scores"])], 0),
      ([("Equal", ["mask", "two"]), ("Not", ["v0"]), ("Where", ["v1", "low", "scores"])], 2),
      // torch.where(mask, scores, -1e9), with an axis for the heads
      ([("Unsqueeze", ["mask", "zero"]), ("Where", ["v0", "scores", "low"])], 1),
      // scores + (1 - mask.float()) * -1e9, and scores + mask.float() * -1e9
      ([("Cast", ["mask"]), ("Sub", ["one", "v0"]), ("Mul", ["v1", "low"])], 1),
      ([("Sub", ["mask", "one"]), ("Mul", ["low", "v0"])], 1),
      ([("Mul", ["mask", "low"])], 0),
    ] as [([(String, [String])], Double)])
  func aMaskMasksNothingWith(nodes: [(String, [String])], value: Double) {
    let graph = graph(nodes, numbers: ["low": -1e9, "zero": 0, "one": 1, "two": 2])
    #expect(PaddingMasks(graph).openValues == ["mask": value])
  }

  @Test(
    arguments: [
      // Another number than one that leaves nothing of a score.
      ([("Where", ["mask", "half", "scores"])], nil),
      // One that is to mask some steps in one place and the others in another.
      ([("Where", ["mask", "low", "scores"]), ("Where", ["mask", "scores", "low"])], nil),
      // Of other values too.
      ([("Sub", ["mask", "scores"]), ("Where", ["v0", "low", "scores"])], nil),
      // Nodes without what they need.
      ([("Not", []), ("Where", ["v0", "low", "scores"])], nil),
      ([("Sub", ["half"]), ("Equal", ["v0"]), ("Where", ["v1", "low", "scores"])], nil),
      // The same tokens in every request.
      ([("Where", ["mask", "low", "scores"])], [.named("b"), .fixed(9)]),
    ] as [([(String, [String])], [SourceGraph.Dimension]?)])
  func othersAreNone(nodes: [(String, [String])], dimensions: [SourceGraph.Dimension]?) {
    let graph = graph(
      nodes, numbers: ["low": -1e9, "half": 0.5],
      dimensions: dimensions ?? [.named("b"), .named("t")])
    #expect(PaddingMasks(graph).openValues.isEmpty)
  }

  /// A number in an input's place has the sizes of the other inputs.
  @Test func aNumberIsOfTheSizesOfOtherInputs() throws {
    var filled = graph([("Cast", ["mask"])], dimensions: [.named("t"), .fixed(2), .named("b")])
    let isFilled = filled.fill("mask", with: 3)
    #expect(isFilled)
    #expect(filled.inputs.map(\.name) == ["ids", "scores"])
    let ids = SourceTensor(repeating: 0, shape: [4, 5], kind: .integer)
    var interpreter = GraphInterpreter(opset: 17, inputs: ["ids": ids, "scores": ids])
    try interpreter.run(filled)
    let mask = try #require(interpreter.values["mask"])
    #expect(mask.shape == [5, 2, 4] && mask.elements.allSatisfy { $0 == 3 })

    var alone = graph([("Cast", ["mask"])], dimensions: [.named("b"), .named("other")])
    let isAloneFilled = alone.fill("mask", with: 3)
    #expect(!isAloneFilled && alone.inputs.count == 3 && alone.nodes.count == 1)
  }

  @Test func aMaskOfAttentionIsFixedOrRefusedWithTheLineThatDoes() throws {
    var graph = graph(
      [
        ("Transpose", ["steps"]), ("MatMul", ["query", "v0"]), ("Unsqueeze", ["mask", "axis"]),
        ("Where", ["v2", "low", "v1"]), ("Softmax", ["v3"]), ("MatMul", ["v4", "steps"]),
      ], numbers: ["low": -1e9])
    graph.constants["axis"] = SourceConstant(SourceTensor(integers: [1]))
    graph.nodes[0].attributes = ["perm": .integers([0, 2, 1])]
    graph.nodes[4].attributes = ["axis": .integer(-1)]
    graph.inputs = [
      .init(name: "query", kind: .float, dimensions: [.named("b"), .fixed(1), .fixed(3)]),
      .init(name: "steps", kind: .float, dimensions: [.named("b"), .named("t"), .fixed(3)]),
      graph.inputs[2],
    ]
    graph.outputs = ["v5"]
    let error = #expect(throws: ImportError.self) {
      try GraphTranslation(graph).folder(named: "m")
    }
    #expect(error?.remedy?.contains("--set mask=0") == true, "\(String(describing: error))")
    var options = GraphTranslation.Options()
    options.fixed = ["mask": SourceTensor(shape: [], elements: [0])]
    let draft = try GraphTranslation(graph, options: options).folder(named: "m")
    #expect(draft.description.inputs.map(\.name) == ["query", "steps"])
  }
}
