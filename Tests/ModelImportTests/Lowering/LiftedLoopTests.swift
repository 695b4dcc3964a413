import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Networks that are written out in the body of a Scan.
@Suite struct LiftedLoopTests {
  /// A Scan over x, [steps, batch, 2], of a cell h' = tanh(x W + h R), and what the body does with it.
  ///
  /// - Parameters:
  ///   - next: the next value of the state; h' is "k".
  ///   - collected: the value that the Scan collects.
  private func graph(
    next: String = "k", collected: String = "k", body nodes: [SourceNode] = [],
    attributes: [String: SourceAttribute] = [:]
  ) -> SourceGraph {
    var noise = Noise(seed: 3)
    func constant(_ shape: Int...) -> SourceConstant {
      let elements = noise.floats(shape.reduce(1, *), scale: 1).map(Double.init)
      return SourceConstant(SourceTensor(shape: shape, elements: elements))
    }
    func node(_ op: String, _ inputs: [String], _ output: String) -> SourceNode {
      SourceNode(name: output, op: op, inputs: inputs, outputs: [output])
    }
    var body = SourceGraph(opset: 18)
    body.inputs = [
      .init(name: "h", kind: .float, dimensions: [.named("b"), .fixed(3)]),
      .init(name: "step", kind: .float, dimensions: [.named("b"), .fixed(2)]),
    ]
    body.nodes =
      [
        node("MatMul", ["step", "w"], "given"), node("MatMul", ["h", "r"], "own"),
        node("Add", ["given", "own"], "sum"), node("Tanh", ["sum"], "k"),
      ] + nodes
    body.outputs = [next, collected]
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(name: "x", kind: .float, dimensions: [.named("t"), .named("b"), .fixed(2)]),
      .init(name: "first", kind: .float, dimensions: [.named("b"), .fixed(3)]),
    ]
    graph.constants = ["w": constant(2, 3), "r": constant(3, 3), "m": constant(3, 3)]
    graph.nodes = [
      SourceNode(
        name: "loop", op: "Scan", inputs: ["first", "x"], outputs: ["last", "y"],
        attributes: [
          "body": .graph(body), "num_scan_inputs": .integer(1),
        ].merging(attributes) { $1 })
    ]
    graph.outputs = ["y", "last"]
    return graph
  }

  private func expectAnswers(_ graph: SourceGraph) throws {
    let (x, first): ([Float], [Float]) = ([0.5, -1, 2, 0.25, -0.75, 1, 1.5, -2], [0.3, -0.6, 0.9])
    for output in graph.outputs {
      var graph = graph
      graph.outputs = [output]
      var interpreter = GraphInterpreter(
        opset: 18,
        inputs: [
          "x": SourceTensor(shape: [4, 1, 2], elements: x.map(Double.init)),
          "first": SourceTensor(shape: [1, 3], elements: first.map(Double.init)),
        ])
      try interpreter.run(graph)
      let expected = try #require(interpreter.values[output]).dense
      let draft = try GraphTranslation(graph).folder(named: "m")
      let model = try ModelGraph(draft.model())
      let sequence = try InputSequence(
        draft.description.inputs.map { $0.name == "x" ? .features(x) : .vector(first) },
        for: model.model)
      let found = SoleRider.answer(model, sequence)[0]
      #expect(found.count == expected.count)
      for (found, expected) in zip(found, expected) {
        #expect(abs(Double(found) - expected) < 1e-5, "\(output)")
      }
    }
  }

  @Test(arguments: [0, 1], [0, 1])
  func goesEitherWay(inward: Int, outward: Int) throws {
    try expectAnswers(
      graph(attributes: [
        "scan_input_directions": .integers([inward]),
        "scan_output_directions": .integers([outward]),
      ]))
  }

  /// What is computed of each step beside the cell.
  @Test func stepsBesideTheCell() throws {
    try expectAnswers(
      graph(
        collected: "joined",
        body: [
          SourceNode(
            name: "gemm", op: "Gemm", inputs: ["k", "m", ""], outputs: ["gemm"],
            attributes: ["transB": .integer(1)]),
          SourceNode(name: "relu", op: "Relu", inputs: ["gemm"], outputs: ["relu"]),
          SourceNode(
            name: "joined", op: "Concat", inputs: ["relu", "step"], outputs: ["joined"],
            attributes: ["axis": .integer(1)]),
        ]))
  }

  /// A GRU that reads another cell's state as its h is none of its own.
  @Test func anothersStateIsRefused() throws {
    func node(_ op: String, _ inputs: [String], _ output: String) -> SourceNode {
      SourceNode(name: output, op: op, inputs: inputs, outputs: [output])
    }
    func gate(_ name: String, _ state: String, _ op: String) -> [SourceNode] {
      [
        node("MatMul", ["step", "w"], "\(name).given"),
        node("MatMul", [state, "m"], "\(name).own"),
        node("Add", ["\(name).given", "\(name).own"], "\(name).sum"),
        node(op, ["\(name).sum"], name),
      ]
    }
    let gru =
      gate("z", "h", "Sigmoid") + gate("q", "h", "Sigmoid") + [node("Mul", ["q", "h"], "reset")]
      + gate("n", "reset", "Tanh")
      + [
        node("Sub", ["h", "n"], "difference"), node("Mul", ["z", "difference"], "part"),
        node("Add", ["part", "n"], "g"),
      ]
    #expect(throws: ImportError.self) {
      try GraphTranslation(graph(collected: "g", body: gru)).folder(named: "m")
    }
    try expectAnswers(graph(next: "g", collected: "g", body: gru))
  }

  /// A state that is no cell's, a cell whose state is another value, and one that is read beside the cell.
  @Test(arguments: ["halved", "mixed"])
  func othersAreRefused(kind: String) throws {
    let nodes = [
      SourceNode(name: "halved", op: "Mul", inputs: ["k", "k"], outputs: ["halved"]),
      SourceNode(name: "mixed", op: "Add", inputs: ["k", "h"], outputs: ["mixed"]),
    ]
    for graph in [graph(next: kind, body: nodes), graph(collected: "mixed", body: nodes)] {
      let error = try #require(throws: ImportError.self) {
        try GraphTranslation(graph).folder(named: "m")
      }
      #expect(error.place?.contains("Scan") == true && error.remedy != nil, "\(error)")
    }
  }
}
