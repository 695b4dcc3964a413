import ModelFormat
import TestSupport
import Testing

@testable import Inference
@testable import ModelImport

/// Graphs that a few bytes can say and no exporter writes: an error each, at once.
@Suite struct HostileGraphsTests {
  private static func ints(_ values: Int..., shape: [Int]? = nil) -> SourceTensor {
    SourceTensor(integers: values).reshaped(shape ?? [values.count])
  }
  private static func floats(_ values: Double..., shape: [Int]) -> SourceTensor {
    SourceTensor(shape: shape, elements: values)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let op: String
    var inputs = ["x"]
    var constants: [String: SourceTensor] = [:]
    var attributes: [String: SourceAttribute] = [:]
    let problem: String
    var testDescription: String { "\(op): \(problem)" }
  }

  static let cases = [
    Case(
      op: "ScatterElements", inputs: ["x", "i", "u"],
      constants: ["i": ints(0, shape: [1, 1, 1]), "u": floats(5, shape: [1, 1, 1])],
      attributes: ["axis": .integer(1)],
      problem:
        "found indices of [1, 1, 1] for [1, 8, 4]: what is written over must be all of an index"),
    Case(
      op: "Where", inputs: ["m", "x", "u"],
      constants: [
        "m": floats(1, 0, 1, 0, shape: [4]), "u": floats(1, 2, 3, shape: [3]),
      ],
      problem: "found [1, 8, 4] and [3]: these shapes don't fit each other"),
    Case(
      op: "Pad", inputs: ["x", "p"], constants: ["p": ints(0, -1, 0, 0, 2_147_483_647, 0)],
      problem: "found pads of (before: -1, after: 2147483647): there may be 4194304"),
    Case(
      op: "Pad", inputs: ["x", "p"], constants: ["p": ints(0, 0, -1, 0, 0, 2_147_483_647)],
      problem: "found pads of (before: -1, after: 2147483647): there may be 4194304"),
    Case(
      op: "Split", inputs: ["x", "s"],
      constants: [
        "s": SourceTensor(
          shape: [40000], kind: .integer, elements: Array(repeating: -0x1p48, count: 40000))
      ], attributes: ["axis": .integer(1)],
      problem:
        "found parts of \(Array(repeating: -(1 << 48), count: 40000)): the axis has 8 elements"),
    Case(
      op: "Add", inputs: ["one", "none"],
      constants: ["none": SourceTensor(shape: [0], elements: [])],
      problem: "found [1, 8, 0], with nothing in it: values have one element at least"),
    Case(
      op: "Einsum", inputs: ["x", "w"], constants: ["w": floats(1, shape: [1])],
      attributes: ["equation": .text(String(repeating: "a", count: 400_000) + ",b->b")],
      problem: "found the operator Einsum: no op of a model folder does that"),
  ]

  @Test(arguments: cases) func isRefused(test: Case) {
    var graph = SourceGraph(opset: 17)
    graph.inputs = [
      .init(name: "x", kind: .float, dimensions: [.fixed(1), .fixed(8), .fixed(4)])
    ]
    graph.constants = test.constants.mapValues(SourceConstant.init)
    graph.nodes = [
      SourceNode(
        name: "mean", op: "ReduceMean", inputs: ["x"], outputs: ["one"],
        attributes: ["axes": .integers([2]), "keepdims": .integer(1)]),
      SourceNode(
        name: "n", op: test.op, inputs: test.inputs, outputs: ["y"], attributes: test.attributes),
    ]
    graph.outputs = ["y"]
    let error = #expect(throws: ImportError.self) {
      try GraphTranslation(graph).folder(named: "m")
    }
    #expect(error?.problem == test.problem)
    #expect(error?.place == "node \"n\" (\(test.op))")
    #expect("\(error.map { "\($0)" } ?? "")".count < 3000)
  }

  @Test(arguments: [
    ("MatMul", 1, 2), ("Gemm", 1, 2), ("Where", 2, 3), ("Scan", 0, 1), ("LSTM", 2, 3),
  ])
  func inputsMissing(op: String, count: Int, fewest: Int) {
    let node = SourceNode(
      name: "n", op: op, inputs: Array(repeating: "x", count: count), outputs: ["y"])
    let error = #expect(throws: ImportError.self) { try ONNXInputCounts.check(node) }
    #expect(error?.problem == "found \(count) inputs: \(op) has \(fewest) at least")
  }

  /// An array of 2⁴⁰ equal numbers, where one of few was to be.
  @Test(arguments: ["Equal", "Concat", "Expand", "Slice", "RNN", "Scan"])
  func equalNumbersWithoutEnd(op: String) {
    var graph = SourceGraph(opset: 17)
    graph.inputs = [.init(name: "x", kind: .float, dimensions: [.fixed(1), .fixed(8), .fixed(4)])]
    if op == "Equal" {
      graph.inputs = [.init(name: "x", kind: .integer, dimensions: [.fixed(1), .fixed(8)])]
    }
    if op == "RNN" {
      graph.inputs = [
        .init(name: "x", kind: .float, dimensions: [.fixed(1), .fixed(1), .fixed(1)])
      ]
    }
    let sizes = op == "Concat" || op == "RNN" ? [1, 1, 1 << 40] : [1 << 40]
    graph.constants = [
      "sizes": SourceConstant(SourceTensor(integers: sizes)),
      "pair": SourceConstant(Self.floats(1, 2, shape: [2])),
      "table": SourceConstant(
        SourceTensor(shape: [9, 4], elements: (0..<36).map(Double.init))),
      "w": SourceConstant(Self.floats(1, 2, 3, 4, shape: [1, 1, 4])),
      "r": SourceConstant(Self.floats(1, shape: [1, 1, 1])),
      "three": SourceConstant(Self.ints(3)),
    ]
    let inputs: [String: [String]] = [
      "Equal": ["x", "many"], "Concat": ["x", "many"], "Expand": ["pair", "many"],
      "Slice": ["table", "many", "three"], "RNN": ["many", "w", "r", "", "", "x"],
      "Scan": ["state", "x"],
    ]
    var node = SourceNode(name: "n", op: op, inputs: inputs[op] ?? [], outputs: ["y"])
    node.attributes = ["axis": .integer(2), "hidden_size": .integer(1)]
    if op == "Scan" {
      // A cell whose next state is as large.
      var body = SourceGraph(opset: 17)
      body.inputs = [
        .init(name: "s", kind: .float, dimensions: [.fixed(1), .fixed(4)]),
        .init(name: "xi", kind: .float, dimensions: [.fixed(8), .fixed(4)]),
      ]
      body.constants = graph.constants
      body.nodes = [
        SourceNode(name: "many", op: "ConstantOfShape", inputs: ["sizes"], outputs: ["big"]),
        SourceNode(name: "next", op: "Mul", inputs: ["big", "s"], outputs: ["next"]),
      ]
      body.outputs = ["next"]
      graph.constants["state"] = SourceConstant(Self.floats(0, 0, 0, 0, shape: [1, 4]))
      node.attributes = ["body": .graph(body), "num_scan_inputs": .integer(1)]
    }
    graph.nodes = [
      SourceNode(name: "many", op: "ConstantOfShape", inputs: ["sizes"], outputs: ["many"]), node,
    ]
    graph.outputs = ["y"]
    let error = #expect(throws: ImportError.self) {
      try GraphTranslation(graph).folder(named: "m")
    }
    #expect(error?.place == "node \"n\" (\(op))")
  }

  private func chain(
    _ op: String, count: Int, beside constant: String? = nil, of kind: SourceTensor.Kind
  ) -> SourceGraph {
    var graph = SourceGraph(opset: 17)
    let dimensions: [SourceGraph.Dimension] = [.named("b"), .named("t"), .fixed(4)]
    graph.inputs = [
      .init(
        name: "x", kind: kind,
        dimensions: kind == .float ? dimensions : Array(dimensions.prefix(2)))
    ]
    for index in 0..<count {
      graph.nodes.append(
        SourceNode(
          name: "n\(index)", op: op,
          inputs: [index == 0 ? "x" : "v\(index)"] + [constant].compactMap { $0 },
          outputs: ["v\(index + 1)"]))
    }
    graph.outputs = ["v\(count)"]
    return graph
  }

  @Test func chainsOfNodes() {
    let graph = chain("Sigmoid", count: 30_000, of: .float)
    let error = #expect(throws: ImportError.self) {
      try GraphTranslation(graph).folder(named: "m")
    }
    #expect(error?.problem == "nodes: 8001, more than the limit of 1000")
  }

  @Test func idsBeyondAnyTable() {
    var graph = chain("Add", count: 40_000, beside: "k", of: .integer)
    graph.constants = [
      "k": SourceConstant(Self.ints(1 << 48, shape: [])),
      "table": SourceConstant(Self.floats(1, 2, 3, 4, shape: [4, 1])),
    ]
    graph.nodes.append(
      SourceNode(name: "rows", op: "Gather", inputs: ["table", "v40000"], outputs: ["y"]))
    graph.outputs = ["y"]
    let error = #expect(throws: ImportError.self) {
      try GraphTranslation(graph).folder(named: "m")
    }
    #expect(error?.place == "node \"rows\" (Gather)")
  }

  /// A Loop in a Loop in a Loop, of 4,000 rounds each.
  @Test func loopsWithinLoops() {
    func loop(_ depth: Int) -> SourceGraph {
      var body = SourceGraph(opset: 17)
      body.inputs = [
        .init(name: "i\(depth)", kind: .integer, dimensions: []),
        .init(name: "c\(depth)", kind: .boolean, dimensions: []),
        .init(name: "v\(depth)", kind: .float, dimensions: [.fixed(1)]),
      ]
      body.nodes = [
        depth == 0
          ? SourceNode(name: "w0", op: "Identity", inputs: ["v0"], outputs: ["w0"])
          : SourceNode(
            name: "w\(depth)", op: "Loop", inputs: ["rounds", "true", "v\(depth)"],
            outputs: ["w\(depth)"], attributes: ["body": .graph(loop(depth - 1))])
      ]
      body.outputs = ["c\(depth)", "w\(depth)"]
      return body
    }
    let error = #expect(throws: ImportError.self) {
      var interpreter = GraphInterpreter(
        opset: 17,
        inputs: [
          "rounds": Self.ints(4000, shape: []), "true": Self.ints(1, shape: []),
          "v3": Self.floats(0, shape: [1]),
        ])
      var graph = SourceGraph(opset: 17)
      graph.nodes = [
        SourceNode(
          name: "all", op: "Loop", inputs: ["rounds", "true", "v3"], outputs: ["y"],
          attributes: ["body": .graph(loop(2))])
      ]
      try interpreter.run(graph)
    }
    #expect(error?.problem.hasSuffix("the file's weights account for") == true, "\(error as Any)")
  }

  /// A constant that is wider than the mask and the value beside it: [batch, 1, 4] becomes [batch, 3, 4].
  @Test func constantsWidenAChoice() throws {
    var graph = SourceGraph(opset: 17)
    graph.inputs = [
      .init(name: "x", kind: .float, dimensions: [.named("b"), .named("t"), .fixed(2)])
    ]
    graph.constants = [
      "mask": SourceConstant(Self.floats(1, 0, shape: [2])),
      "rows": SourceConstant(Self.floats(10, 20, 30, shape: [3, 1])),
    ]
    graph.nodes = [
      SourceNode(
        name: "mean", op: "ReduceMean", inputs: ["x"], outputs: ["m"],
        attributes: ["axes": .integers([1]), "keepdims": .integer(1)]),
      SourceNode(name: "y", op: "Where", inputs: ["mask", "m", "rows"], outputs: ["y"]),
    ]
    graph.outputs = ["y"]
    let model = try ModelGraph(GraphTranslation(graph).folder(named: "m").model())
    let answer = SoleRider.answer(
      model, try InputSequence([.features([1, 5, 3, 7])], for: model.model))[0]
    #expect(answer == [2, 10, 2, 20, 2, 30])
  }

  /// A product of constants, to which what depends on the input is added.
  @Test func anAddendAlone() throws {
    var graph = SourceGraph(opset: 17)
    graph.inputs = [.init(name: "x", kind: .float, dimensions: [.named("b"), .fixed(2)])]
    graph.constants = [
      "a": SourceConstant(Self.floats(1, 2, shape: [1, 2])),
      "w": SourceConstant(Self.floats(1, 0, 3, 1, shape: [2, 2])),
    ]
    graph.nodes = [SourceNode(name: "y", op: "Gemm", inputs: ["a", "w", "x"], outputs: ["y"])]
    graph.outputs = ["y"]
    let model = try ModelGraph(GraphTranslation(graph).folder(named: "m").model())
    let answer = SoleRider.answer(
      model, try InputSequence([.features([10, 20])], for: model.model))[
        0]
    #expect(answer == [17, 22])
  }

  /// Rows of a table by ids, as PyTorch's newer exporter writes `torch.eye(3)[ids]`.
  @Test func rowsOfATableByPoints() throws {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(name: "ids", kind: .integer, dimensions: [.named("b"), .named("t")])
    ]
    graph.constants = [
      "eye": SourceConstant(Self.floats(1, 2, 3, 4, 5, 6, shape: [3, 2])),
      "last": SourceConstant(Self.ints(-1)),
    ]
    graph.nodes = [
      SourceNode(name: "u", op: "Unsqueeze", inputs: ["ids", "last"], outputs: ["u"]),
      SourceNode(name: "y", op: "GatherND", inputs: ["eye", "u"], outputs: ["rows"]),
      SourceNode(name: "y", op: "Neg", inputs: ["rows"], outputs: ["y"]),
    ]
    graph.outputs = ["y"]
    let model = try ModelGraph(GraphTranslation(graph).folder(named: "m").model())
    let answer = SoleRider.answer(
      model, try InputSequence([.tokens([2, 0])], for: model.model))[0]
    #expect(answer == [-5, -6, -1, -2])
  }
}
