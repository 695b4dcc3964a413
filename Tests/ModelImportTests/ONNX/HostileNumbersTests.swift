import Testing

@testable import ModelImport

/// Numbers that a few bytes can say, and that arithmetic or memory have no room for: an error each, at once.
@Suite struct HostileNumbersTests {
  private static func ints(_ values: Int...) -> SourceTensor { SourceTensor(integers: values) }
  private static func number(_ value: Double) -> SourceTensor {
    SourceTensor(shape: [], elements: [value])
  }
  private static let empty = SourceTensor(shape: [0], kind: .integer, elements: [])
  private static let pair = SourceTensor(shape: [2], elements: [1, 2])

  struct Case: Sendable, CustomTestStringConvertible {
    let op: String
    let inputs: [SourceTensor?]
    var attributes: [String: SourceAttribute] = [:]
    let problem: String
    var testDescription: String { "\(op): \(problem)" }
  }

  static let cases = [
    Case(
      op: "LayerNormalization",
      inputs: [SourceTensor(repeating: 1, shape: [1 << 31]), number(1)],
      problem:
        "found an array of [2147483648] as input 0: arrays that are computed may have 16777216 elements"
    ),
    Case(
      op: "Reshape", inputs: [pair, SourceTensor(repeating: 1, shape: [1 << 40])],
      problem:
        "found an array of [1099511627776] as input 1: arrays that are computed may have 16777216 elements"
    ),
    Case(
      op: "ConstantOfShape", inputs: [ints(1 << 31, 1 << 31)],
      problem: "found an array of [2147483648, 2147483648]: no array can be that large"),
    Case(
      op: "ConstantOfShape", inputs: [ints(0, .max, .max)],
      problem:
        "found an array of [0, 281474976710656, 281474976710656]: no array can be that large"),
    Case(
      op: "ConstantOfShape", inputs: [ints(-3)],
      problem: "found an array of [-3]: no array can be that large"),
    Case(
      op: "Expand", inputs: [number(1), ints(.max, .max)],
      problem:
        "found an array of [281474976710656, 281474976710656]: no array can be that large"),
    Case(
      op: "Expand", inputs: [pair, ints(1 << 40, 2)],
      problem:
        "found an array of [1099511627776, 2]: arrays that are computed may have 16777216 elements here"
    ),
    Case(
      op: "Tile", inputs: [pair, ints(1 << 30)],
      problem:
        "found an array of [2147483648]: arrays that are computed may have 16777216 elements here"),
    Case(
      op: "Range", inputs: [number(0), number(1e18), number(1)],
      problem: "found 1e+18 elements: arrays may have 16777216"),
    Case(
      op: "Range", inputs: [number(0), number(.nan), number(1)],
      problem: "found nan elements: arrays may have 16777216"),
    Case(
      op: "Range", inputs: [empty, number(1), number(1)],
      problem: "found no number as input 0: Range needs one"),
    Case(
      op: "Pad", inputs: [pair, ints(0, (1 << 31) - 1)],
      problem:
        "found an array of [2147483649]: arrays that are computed may have 16777216 elements here"),
    Case(
      op: "Pad", inputs: [pair, ints(0, .max)],
      problem: "found pads [0, 281474976710656]: the value has 1 axes, each with two"),
    Case(
      op: "Split", inputs: [pair], attributes: ["num_outputs": .integer(.max)],
      problem: "found 281474976710656 parts: it has 1 outputs"),
    Case(
      op: "Split", inputs: [pair, ints(2, .max)],
      problem: "found parts of [2, 281474976710656]: the axis has 2 elements"),
    Case(
      op: "OneHot", inputs: [ints(1), number(1e18), pair],
      problem:
        "found an array of [1, 281474976710656]: arrays that are computed may have 16777216 elements here"
    ),
    Case(
      op: "OneHot", inputs: [ints(1), empty, pair],
      problem: "found no number as input 1: OneHot needs one"),
    Case(
      op: "CumSum", inputs: [pair, empty],
      problem: "found no number as input 1: CumSum needs one"),
    Case(
      op: "GatherND", inputs: [number(1), ints(0)],
      problem: "found indices of [1]: only GatherND without batch_dims is known"),
    Case(
      op: "DequantizeLinear", inputs: [pair, number(1), ints(1, 2)],
      problem: "found zero points of [2]: the scale is of []"),
    Case(
      op: "MatMul",
      inputs: [
        SourceTensor(repeating: 1, shape: [2048, 2048]),
        SourceTensor(repeating: 1, shape: [2048, 2048]),
      ],
      problem:
        "found 1 · 2048 · 2048 · 2048 multiplications: that is more than the file's weights account for"
    ),
    Case(
      op: "Conv",
      inputs: [
        SourceTensor(repeating: 1, shape: [1, 2, 4]), SourceTensor(repeating: 1, shape: [4, 4, 2]),
      ], attributes: ["group": .integer(1 << 62)],
      problem: "found [1, 2, 4] and weights of [4, 4, 2]: these shapes don't fit each other"),
  ]

  @Test(arguments: cases) func isRefused(test: Case) {
    let node = SourceNode(
      name: "n", op: test.op, inputs: [], outputs: ["y"], attributes: test.attributes)
    let error = #expect(throws: ImportError.self) {
      try Interpreter(opset: 17).evaluate(node, test.inputs)
    }
    #expect(error?.problem == test.problem)
    #expect(error?.place == "node \"n\" (\(test.op))")
  }

  /// A step that is longer than any axis is one step.
  @Test func largestStep() throws {
    let node = SourceNode(name: "n", op: "Slice", inputs: [], outputs: ["y"])
    let results = try Interpreter(opset: 17).evaluate(
      node, [Self.pair, Self.ints(0), Self.ints(.max), Self.ints(0), Self.ints(.max)])
    #expect(results == [SourceTensor(shape: [1], elements: [1])])
  }

  /// Arrays one from the other, each allowed by itself.
  @Test func manyArraysAreCountedTogether() {
    var graph = SourceGraph(opset: 17)
    graph.constants = [
      "zero": SourceConstant(Self.number(0)), "end": SourceConstant(Self.number(0x1p10)),
      "one": SourceConstant(Self.number(1)),
    ]
    graph.nodes = [
      SourceNode(name: "v0", op: "Range", inputs: ["zero", "end", "one"], outputs: ["v0"])
    ]
    for index in 1...4 {
      graph.nodes.append(
        SourceNode(
          name: "v\(index)", op: "Neg", inputs: ["v\(index - 1)"], outputs: ["v\(index)"]))
    }
    let error = #expect(throws: ImportError.self) {
      var interpreter = GraphInterpreter(
        opset: 17, inputs: [:],
        budget: Interpreter.Budget(base: 4096 + 4 * Interpreter.Budget.perNode))
      try interpreter.run(graph)
    }
    #expect(error?.place == "node \"v4\" (Neg)")
    #expect(
      error?.problem
        == "found an array of [1024] behind many others: together they have more elements than the file's weights account for"
    )
  }

  @Test func rowMajorCounts() {
    #expect(RowMajor.count([]) == 1)
    #expect(RowMajor.count([2, 3]) == 6)
    #expect(RowMajor.count([2, 0, 3]) == 0)
    #expect(RowMajor.count([.max, 0]) == nil)
    #expect(RowMajor.count([1 << 24, 1 << 24]) == 1 << 48)
    #expect(RowMajor.count([1 << 24, 1 << 24, 2]) == nil)
    #expect(RowMajor.count([.max, .max]) == nil)
    #expect(RowMajor.count([2, -1]) == nil)
    #expect(RowMajor.count([7], limit: 7) == 7)
    #expect(RowMajor.count([8], limit: 7) == nil)
  }

  /// Of a matrix without columns nothing would be left.
  @Test func nothingIsNoValue() {
    var graph = SourceGraph(opset: 17)
    graph.inputs = [.init(name: "x", kind: .float, dimensions: [.named("t"), .fixed(2)])]
    graph.constants["w"] = SourceConstant(SourceTensor(shape: [2, 0], elements: []))
    graph.nodes = [SourceNode(name: "y", op: "MatMul", inputs: ["x", "w"], outputs: ["y"])]
    graph.outputs = ["y"]
    let error = #expect(throws: ImportError.self) {
      try GraphTranslation(graph).folder(named: "m")
    }
    #expect(error?.place == "node \"y\" (MatMul)")
    #expect(
      error?.problem.hasSuffix("with nothing in it: values have one element at least") == true)
  }

  /// The sizes that a file gives an input.
  @Test func inputsOfSizesThatNoStepHas() {
    var graph = SourceGraph(opset: 17)
    graph.inputs = [
      .init(name: "x", kind: .float, dimensions: [.named("t"), .fixed(1 << 31), .fixed(1 << 31)])
    ]
    graph.nodes = [SourceNode(name: "y", op: "Relu", inputs: ["x"], outputs: ["y"])]
    graph.outputs = ["y"]
    let error = #expect(throws: ImportError.self) {
      try GraphTranslation(graph).folder(named: "m")
    }
    #expect(error?.place == "input \"x\"")
    #expect(
      error?.problem
        == "found the sizes [2147483648, 2147483648], expected at most 4194304 elements")
  }
}
