import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Numbers that come from the example's length, behind ops that changed the number of steps or where the steps are open.
@Suite struct ExampleStepsTests: StepGraphTests {
  static let steps = 7

  /// A graph of x, [1, open, 3], and these nodes; `y` is the output.
  private func graph(
    _ nodes: [SourceNode], _ constants: [String: SourceTensor], example: Int?
  ) -> SourceGraph {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(name: "x", kind: .float, dimensions: [.fixed(1), .named("t"), .fixed(3)])
    ]
    if let example { graph.inputs[0].example = [1, example, 3] }
    graph.nodes = nodes
    graph.constants = constants.mapValues { SourceConstant($0) }
    graph.outputs = ["y"]
    return graph
  }

  /// x with `before` and `behind` steps of zeros, of which steps `start` to `end` - 1 are taken.
  private func padded(before: Int, behind: Int, start: Int, end: Int) throws -> FolderDraft {
    var graph = graph(
      [
        node("Pad", ["x", "pads"], "p"),
        node("Slice", ["p", "start", "end", "axes"], "y"),
      ],
      [
        "pads": SourceTensor(integers: [0, before, 0, 0, behind, 0]),
        "start": SourceTensor(integers: [start]), "end": SourceTensor(integers: [end]),
        "axes": SourceTensor(integers: [1]),
      ], example: Self.steps)
    graph.examples = ["p": [1, Self.steps + before + behind, 3]]
    return try GraphTranslation(graph).folder(named: "m")
  }

  /// What is padded and cut to as many steps as the input has is so at any length, wherever it is cut.
  @Test(arguments: [(0, 2, 0), (2, 0, 0), (1, 1, 0), (1, 1, 1), (14, 0, 0), (7, 7, 6)])
  func asManyStepsAsTheInput(before: Int, behind: Int, start: Int) throws {
    let draft = try padded(
      before: before, behind: behind, start: start, end: start + Self.steps)
    #expect(draft.description.inputs.map(\.steps) == [nil])
    let model = try draft.model()
    for steps in [3, 7, 12, 33] {
      var noise = Noise(seed: UInt64(steps))
      let numbers = noise.floats(steps * 3)
      let zeros = { [Float](repeating: 0, count: $0 * 3) }
      let all = zeros(before) + numbers + zeros(behind)
      #expect(
        try answer(model, numbers) == Array(all[(start * 3)..<((start + steps) * 3)]))
    }
  }

  /// Where the last step of the example is written over, nothing lies behind it, though the file takes any number of steps.
  @Test func nothingLiesBehindTheLastStep() throws {
    let write = ["isOfWrite": SourceAttribute.integer(1)]
    let nodes = [
      node("Slice", ["x", "start", "last", "axes"], "head", write),
      node("Slice", ["x", "end", "all", "axes"], "rest", write),
      node(
        "Concat", ["head", "zeros", "rest"], "y", ["axis": .integer(1), "isOfWrite": .integer(1)]),
    ]
    let constants = [
      "start": integers([0]), "last": integers([Self.steps - 1]), "end": integers([Self.steps]),
      "all": integers([Int(Int32.max)]), "axes": integers([1]),
      "zeros": SourceTensor(repeating: 0, shape: [1, 1, 3]),
    ]
    let draft = try GraphTranslation(graph(nodes, constants, example: Self.steps))
      .folder(named: "m")
    #expect(draft.description.inputs.map(\.steps) == [Self.steps])
    var noise = Noise(seed: 5)
    let numbers = noise.floats(Self.steps * 3)
    #expect(try answer(draft.model(), numbers) == numbers.dropLast(3) + [0, 0, 0])
  }

  /// Where the example has one step, what is written over it leaves nothing: sequences have one.
  @Test func theOnlyStepIsWrittenOver() throws {
    let write = ["isOfWrite": SourceAttribute.integer(1)]
    let nodes = [
      node("Slice", ["x", "one", "all", "axes"], "rest", write),
      node("Slice", ["x", "start", "one", "axes"], "first"),
      node("Neg", ["first"], "negative"),
      node("Concat", ["negative", "rest"], "y", ["axis": .integer(1), "isOfWrite": .integer(1)]),
    ]
    let constants = [
      "start": integers([0]), "one": integers([1]), "all": integers([Int(Int32.max)]),
      "axes": integers([1]),
    ]
    let draft = try GraphTranslation(graph(nodes, constants, example: 1)).folder(named: "m")
    #expect(draft.description.inputs.map(\.steps) == [1])
    #expect(try answer(draft.model(), [1, -2, 3]) == [-1, 2, -3])
  }

  /// An example of one step does not tell what the model does with several, which a note says.
  @Test(arguments: [1, 8]) func oneStep(example: Int) throws {
    let draft = try GraphTranslation(graph([node("Neg", ["x"], "y")], [:], example: example))
      .folder(named: "m")
    #expect(draft.description.inputs.map(\.steps) == [nil])
    #expect(draft.notes.contains { $0.contains("has one step") } == (example == 1))
  }

  /// Other steps of the second half are those of the example alone.
  @Test func aCutThatIsNotTheInputsLength() throws {
    let draft = try padded(before: 0, behind: 4, start: 0, end: Self.steps + 1)
    #expect(draft.description.inputs.map(\.steps) == [Self.steps])
  }

  /// The first steps of an open number, one by one, are those of an unrolled loop; some others are not.
  @Test(arguments: [
    ([0, 1, 2, 3], 4), ([0, 1, 2], 3), ([0, 1], nil), ([0, 2, 3], nil), ([1], nil),
  ])
  func stepsOneByOne(chosen: [Int], exact: Int?) throws {
    var nodes: [SourceNode] = []
    var constants: [String: SourceTensor] = [:]
    for step in chosen {
      constants["i\(step)"] = SourceTensor(shape: [], kind: .integer, elements: [Double(step)])
      nodes.append(node("Gather", ["x", "i\(step)"], "s\(step)", ["axis": .integer(1)]))
    }
    nodes.append(node("Sum", chosen.map { "s\($0)" }, "y"))
    let draft = try GraphTranslation(graph(nodes, constants, example: nil)).folder(named: "m")
    #expect(draft.description.inputs.map(\.steps) == [exact])
    #expect(draft.notes.contains { $0.contains("unrolled") } == (exact != nil))
    #expect(draft.notes.contains { $0.contains("dynamo=False") } == (exact != nil))
  }

  /// A graph that reads the first step alone was traced with one; the same beside a pool over all of them was not.
  @Test(arguments: ["first", "more", "turned", "turned behind a convolution"])
  func theFirstStepAlone(kind: String) throws {
    let readsMore = kind == "more"
    let weight = SourceTensor(shape: [3, 2], elements: [1, 2, 3, 4, 5, 6])
    var nodes = [
      node("MatMul", ["x", "weight"], "z"),
      node("Gather", ["z", "zero"], "f", ["axis": .integer(1)]),
    ]
    if readsMore {
      nodes.append(node("ReduceMean", ["z", "axes"], "m", ["keepdims": .integer(0)]))
      nodes.append(node("Add", ["f", "m"], "y"))
    } else if kind == "first" {
      nodes.append(node("Relu", ["f"], "y"))
    } else {
      if kind != "turned" {
        nodes.insert(node("Transpose", ["x"], "across", ["perm": .integers([0, 2, 1])]), at: 0)
        nodes.insert(
          node("Conv", ["across", "kernel"], "conv", ["pads": .integers([1, 1])]), at: 1)
        nodes.insert(node("Transpose", ["conv"], "along", ["perm": .integers([0, 2, 1])]), at: 2)
        nodes[3].inputs[0] = "along"
      }
      nodes.append(
        node("Slice", [kind == "turned" ? "x" : "along", "end", "start", "axes", "end"], "turned"))
      nodes.append(node("MatMul", ["turned", "weight"], "w"))
      nodes.append(node("Gather", ["w", "zero"], "l", ["axis": .integer(1)]))
      nodes.append(node("Add", ["f", "l"], "y"))
    }
    let constants = [
      "kernel": SourceTensor(repeating: 0.5, shape: [3, 3, 3]),
      "end": SourceTensor(integers: [-1]), "start": SourceTensor(integers: [-(1 << 40)]),
      "weight": weight, "zero": SourceTensor(shape: [], kind: .integer, elements: [0]),
      "axes": SourceTensor(integers: [1]),
    ]
    let draft = try GraphTranslation(graph(nodes, constants, example: nil)).folder(named: "m")
    #expect(draft.description.inputs.map(\.steps) == [readsMore ? nil : 1])
  }

  /// The middle of steps that a pool left is that of the example alone, also where the file has any number of them.
  @Test(arguments: [6, 7, 8], [false, true]) func theMiddleBehindAPool(example: Int, isHint: Bool)
    throws
  {
    var graph = graph(
      [
        node("Transpose", ["x"], "turned", ["perm": .integers([0, 2, 1])]),
        node(
          "MaxPool", ["turned"], "pooled",
          ["kernel_shape": .integers([2]), "strides": .integers([2])]),
        node("Gather", ["pooled", "half"], "y", ["axis": .integer(2)]),
      ],
      [
        "half": SourceTensor(
          shape: [], kind: .integer, elements: [Double(example / 2 / 2)])
      ], example: isHint ? nil : example)
    if isHint { graph.inputs[0].hints = [nil, example, nil] }
    graph.examples = ["pooled": [1, 3, example / 2]]
    let draft = try GraphTranslation(graph).folder(named: "m")
    #expect(draft.description.inputs.map(\.steps) == [example])
  }

  /// The last of two steps is the last of any sequence, and a note tells that a step of so few may come from their number.
  @Test(arguments: [(2, 1, true), (3, 1, false), (5, 1, false)])
  func fewSteps(example: Int, step: Int, isLast: Bool) throws {
    let draft = try GraphTranslation(
      graph(
        [node("Gather", ["x", "i"], "y", ["axis": .integer(1)])],
        ["i": SourceTensor(shape: [], kind: .integer, elements: [Double(step)])],
        example: example)
    ).folder(named: "m")
    #expect(draft.description.inputs.map(\.steps) == [nil])
    #expect(draft.description.nodes.contains { $0.op.name == "last" } == isLast)
    #expect(draft.notes.contains { $0.contains("too short to tell") } == !isLast)
  }

  /// What is half of the steps of a sequence of an even number is no fixed step less than all.
  @Test func numbersThatHoldForOddLengthsAlone() throws {
    let error = try #require(throws: ImportError.self) {
      try GraphTranslation(
        graph(
          [
            node("Transpose", ["x"], "turned", ["perm": .integers([0, 2, 1])]),
            node(
              "Conv", ["turned", "kernel"], "z",
              ["strides": .integers([2]), "pads": .integers([1, 1])]),
            node("Shape", ["x"], "shape"),
            node("Gather", ["shape", "one"], "steps"),
            node("Div", ["steps", "two"], "half"),
            node("Slice", ["z", "zero", "half", "axis"], "y"),
          ],
          [
            "kernel": SourceTensor(shape: [1, 3, 3], elements: (1...9).map(Double.init)),
            "one": SourceTensor(integers: [1]), "two": SourceTensor(integers: [2]),
            "zero": SourceTensor(integers: [0]), "axis": SourceTensor(integers: [2]),
          ], example: nil)
      ).folder(named: "m")
    }
    #expect(error.remedy?.contains("one length") ?? false, "\(error)")
  }

  /// Rows of weights for each step tell the number of open steps, where the file tells no other.
  @Test(arguments: [[12, 3], [1, 12, 1]]) func rowsForOpenSteps(shape: [Int]) throws {
    var noise = Noise(seed: 5)
    let rows = SourceTensor(
      shape: shape, elements: noise.floats(shape.reduce(1, *)).map(Double.init))
    let draft = try GraphTranslation(
      graph([node("Mul", ["x", "rows"], "y")], ["rows": rows], example: nil)
    ).folder(named: "m")
    #expect(draft.description.inputs.map(\.steps) == [12])
    let numbers = noise.floats(36)
    let expected = numbers.indices.map {
      numbers[$0] * Float(rows[shape == [12, 3] ? $0 : $0 / 3])
    }
    for (a, b) in zip(try answer(try draft.model(), numbers), expected) {
      #expect(abs(a - b) < 1e-6)
    }
  }

  /// A state of zeros has the shape that the weights give it: PyTorch's exporter writes another for an LSTM with a projection.
  @Test(arguments: ["LSTM", "GRU", "RNN"], [[1, 1, 2], [1, 1, 5], [2, 1, 2], [1, 2]])
  func statesOfZeros(op: String, shape: [Int]) throws {
    let gates = ["LSTM": 4, "GRU": 3, "RNN": 1][op] ?? 0
    var noise = Noise(seed: 7)
    func weights(_ size: Int) -> SourceTensor {
      let elements = noise.floats(gates * 2 * size).map(Double.init)
      return SourceTensor(shape: [1, gates * 2, size], elements: elements)
    }
    let constants = [
      "w": weights(3), "r": weights(2), "h": SourceTensor(repeating: 0, shape: shape),
      "order": SourceTensor(integers: [1, 0, 2]), "axes": SourceTensor(integers: [1]),
    ]
    let nodes = [
      node("Transpose", ["x"], "turned", ["perm": .integers([1, 0, 2])]),
      node(op, ["turned", "w", "r", "", "", "h"], "all"),
      node("Squeeze", ["all", "axes"], "y"),
    ]
    let translation = GraphTranslation(graph(nodes, constants, example: nil))
    if shape == [1, 1, 2] {
      #expect(try translation.folder(named: "m").description.nodes.count == 1)
    } else {
      let error = try #require(throws: ImportError.self) { try translation.folder(named: "m") }
      #expect(error.problem.contains("an initial state of \(shape): it is [1, batch, 2] here"))
      #expect(error.remedy?.contains("proj_size") ?? false == (op == "LSTM" && shape == [1, 1, 5]))
    }
  }

  private func answer(_ model: Model, _ numbers: [Float]) throws -> [Float] {
    SoleRider.answer(
      try ModelGraph(model), try InputSequence([.features(numbers)], for: model))[0]
  }
}
