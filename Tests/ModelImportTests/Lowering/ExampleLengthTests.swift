import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Graphs of one example's length, as exporters write them without dynamic axes: what they computed from the length.
@Suite struct ExampleLengthTests {
  private static let steps = 10

  /// A graph of x, [1, steps, 3], and these nodes; `y` is the output.
  private func graph(
    _ nodes: [SourceNode], _ constants: [String: SourceTensor], steps: Int = steps,
    isOpen: Bool = false
  ) -> SourceGraph {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(
        name: "x", kind: .float,
        dimensions: [.fixed(1), isOpen ? .named("t") : .fixed(steps), .fixed(3)])
    ]
    graph.nodes = nodes
    graph.constants = constants.mapValues { SourceConstant($0) }
    graph.outputs = ["y"]
    return graph
  }

  private func node(_ op: String, _ inputs: [String], _ output: String) -> SourceNode {
    SourceNode(
      name: output, op: op, inputs: inputs, outputs: [output], attributes: ["keepdims": .integer(1)]
    )
  }

  private func number(_ number: Double) -> SourceTensor {
    SourceTensor(shape: [], elements: [number])
  }

  private func draft(_ graph: SourceGraph) throws -> FolderDraft {
    try GraphTranslation(graph).folder(named: "m")
  }

  /// The folder's answer for a sequence of so many steps is the graph's.
  private func expectAgreement(_ draft: FolderDraft, steps: Int = steps) throws {
    let graph = try ModelGraph(draft.model())
    var noise = Noise(seed: 3)
    let numbers = noise.floats(steps * 3)
    let found = SoleRider.answer(graph, try InputSequence([.features(numbers)], for: graph.model))[
      0]
    let reference = try #require(draft.reference)
    let expected = try #require(
      reference.values(for: ["x": numbers], steps: steps).last { $0.name == "y" }
    ).numbers
    try #require(found.count >= expected.count)
    for (a, b) in zip(found.suffix(expected.count), expected) { #expect(abs(Double(a) - b) < 1e-5) }
  }

  /// In a file of one example's sizes a range or window of all its steps is that of any sequence, which is told.
  @Test(arguments: ["first", "last", "pool", "open end"]) func allStepsOfTheExample(kind: String)
    throws
  {
    let slice = [
      SourceNode(
        name: "s", op: "Slice", inputs: ["x"], outputs: ["s"],
        attributes: [
          "starts": .integers([kind == "last" ? -10 : 0]),
          "ends": .integers([kind == "first" ? 10 : .max]), "axes": .integers([1]),
        ]), node("Tanh", ["s"], "y"),
    ]
    let pool = [
      SourceNode(
        name: "t", op: "Transpose", inputs: ["x"], outputs: ["t"],
        attributes: ["perm": .integers([0, 2, 1])]),
      SourceNode(
        name: "y", op: "MaxPool", inputs: ["t"], outputs: ["y"],
        attributes: ["kernel_shape": .integers([10]), "strides": .integers([10])]),
    ]
    let draft = try draft(graph(kind == "pool" ? pool : slice, [:]))
    #expect(
      draft.notes.contains { $0.contains("all 10 steps that it has") } == (kind != "open end"),
      "\(draft.notes)")
    try expectAgreement(draft)
  }

  /// The first steps, as many as the example has: in a graph that computes lengths they are the model's own number, else all.
  @Test(arguments: [false, true]) func asManyAsTheExample(computesLengths: Bool) throws {
    var graph = graph(
      [
        SourceNode(
          name: "s", op: "Slice", inputs: ["x"], outputs: ["s"],
          attributes: [
            "starts": .integers([0]), "ends": .integers([10]), "axes": .integers([1]),
          ]),
        node("Tanh", ["s"], "y"),
      ], [:], isOpen: true)
    graph.inputs[0].example = [1, 10, 3]
    graph.computesLengths = computesLengths
    let ops = try draft(graph).description.nodes.map(\.op)
    #expect(ops == (computesLengths ? [.sliceSteps(start: 0, end: 10), .tanh] : [.tanh]))
  }

  @Test(arguments: [
    (10.0, "Div"), (0.1, "Mul"), (9, "Div"), (10.0 / 9, "Mul"), (10.0.squareRoot(), "Div"),
  ])
  func aMeanByADivisionHoldsForOneLength(divisor: Double, op: String) throws {
    let draft = try draft(
      graph(
        [node("ReduceSum", ["x", "axes"], "s"), node(op, ["s", "n"], "y")],
        ["axes": SourceTensor(integers: [1]), "n": number(divisor)]))
    #expect(draft.description.inputs.map(\.steps) == [10])
    #expect(draft.notes.contains { $0.contains("sequences of exactly 10 steps") }, "\(draft.notes)")
    try expectAgreement(draft)
  }

  /// The number itself, whatever is computed with it.
  @Test(arguments: ["Div", "Mul"])
  func aDivisionOfEveryStepHoldsForOneLength(op: String) throws {
    let draft = try draft(graph([node(op, ["x", "n"], "y")], ["n": number(10)]))
    #expect(draft.description.inputs.map(\.steps) == [10])
    try expectAgreement(draft)
  }

  /// Also when it is added, or one more than it or its logarithm is what is multiplied by.
  @Test(arguments: [
    (10.0, "Add"), (10.0, "Sub"), (11.0, "Div"), (1.0 / 11, "Mul"), (2.302585092994046, "Mul"),
  ])
  func otherArithmeticWithTheLengthHoldsForIt(number: Double, op: String) throws {
    let draft = try draft(graph([node(op, ["x", "n"], "y")], ["n": self.number(number)]))
    #expect(draft.description.inputs.map(\.steps) == [10])
    try expectAgreement(draft)
  }

  /// Constants that the graph multiplies with the length or divides by it, whatever it does with them.
  @Test(arguments: [(10.0, "Div", 10), (0.1, "Mul", 10), (10.0, "Mul", 10), (9, "Div", nil)])
  func aConstantByTheLengthHoldsForIt(number: Double, op: String, steps: Int?) throws {
    let weights = SourceTensor(shape: [3], elements: [1, 2, 3])
    for isOpen in [false, true] {
      var graph = graph(
        [node(op, ["w", "n"], "v"), node("Mul", ["x", "v"], "y")],
        ["w": weights, "n": self.number(number)], isOpen: isOpen)
      if isOpen { graph.inputs[0].example = [1, Self.steps, 3] }
      let draft = try draft(graph)
      #expect(draft.description.inputs.map(\.steps) == [steps])
      try expectAgreement(draft)
    }
  }

  /// Weights that differ with an open number of steps are none, also those of an output.
  @Test(arguments: [[1.0, 1, 1], [1, 2, 3]])
  func aConstantByAnOpenLengthIsRefused(weights: [Double]) throws {
    let nodes = [
      node("Shape", ["x"], "shape"), node("Gather", ["shape", "one"], "count"),
      SourceNode(
        name: "n", op: "Cast", inputs: ["count"], outputs: ["n"], attributes: ["to": .integer(1)]),
      node("Div", ["w", "n"], "v"), node("Mul", ["x", "v"], "y"),
    ]
    let constants = [
      "one": SourceTensor(shape: [], kind: .integer, elements: [1]),
      "w": SourceTensor(shape: [3], elements: weights),
    ]
    let error = #expect(throws: ImportError.self) {
      try self.draft(self.graph(nodes, constants, isOpen: true))
    }
    #expect(error?.remedy == Remedy.ofTheLength)
  }

  /// Numbers that are others', and what roots and corrections make of the length, of a value that is no sum over the steps.
  @Test func otherNumbersHoldForAll() throws {
    let sum = node("ReduceSum", ["x", "axes"], "s")
    let axes = SourceTensor(integers: [1])
    for nodes in [[sum, node("Div", ["s", "n"], "y")], [node("Div", ["x", "nine"], "y")]] {
      let draft = try draft(graph(nodes, ["axes": axes, "n": number(7), "nine": number(9)]))
      #expect(draft.description.inputs.map(\.steps) == [nil])
      #expect(draft.notes.contains { $0.contains("an example of 10 steps") })
    }
    let open = try draft(
      graph([sum, node("Div", ["s", "n"], "y")], ["axes": axes, "n": number(10)], isOpen: true))
    #expect(open.description.inputs.map(\.steps) == [nil] && open.notes.isEmpty)
  }

  /// A graph in which an open number of steps is a number to compute with: what it gives for any length.
  @Test(arguments: [[], ["Sub"], ["Sqrt"], ["Sub", "Sqrt"]], ["Div", "Mul"])
  func anOpenLengthIsAValue(made: [String], op: String) throws {
    var nodes = [
      node("ReduceSum", ["x", "axes"], "s"), node("Shape", ["x"], "shape"),
      node("Gather", ["shape", "one"], "count"),
      SourceNode(
        name: "n0", op: "Cast", inputs: ["count"], outputs: ["n0"], attributes: ["to": .integer(1)]),
    ]
    for (index, op) in made.enumerated() {
      let inputs = op == "Sub" ? ["n\(index)", "less"] : ["n\(index)"]
      nodes.append(node(op, inputs, "n\(index + 1)"))
    }
    nodes.append(node(op, ["s", "n\(made.count)"], "y"))
    let one = SourceTensor(shape: [], kind: .integer, elements: [1])
    let draft = try draft(
      graph(
        nodes, ["axes": SourceTensor(integers: [1]), "one": one, "less": number(1)], isOpen: true))
    #expect(draft.description.inputs.map(\.steps) == [nil])
    for steps in [2, 10, 33] { try expectAgreement(draft, steps: steps) }
  }

  /// Steps that are chosen by numbers of the example: the last is the last of any sequence, half holds for one length.
  @Test(arguments: [(9, false), (0, false), (2, false), (5, true), (7, true)])
  func chosenSteps(index: Int, isExact: Bool) throws {
    for isOpen in [false, true] {
      var graph = graph(
        [node("Gather", ["x", "i"], "y")],
        ["i": SourceTensor(shape: [], kind: .integer, elements: [Double(index)])], isOpen: isOpen)
      graph.nodes[0].attributes = ["axis": .integer(1)]
      if isOpen { graph.inputs[0].example = [1, Self.steps, 3] }
      let draft = try draft(graph)
      #expect(draft.description.inputs.map(\.steps) == [isExact ? 10 : nil])
      try expectAgreement(draft)
      #expect(draft.description.nodes.contains { $0.op.name == "last" } == (index == 9))
    }
  }

  /// Equal parts come from the length; the first and the last step do not.
  @Test(
    arguments: [([5, 5], true), ([4, 4, 2], true), ([9, 1], false), ([1, 9], false)]
      as [([Int], Bool)])
  func partsOfTheSteps(sizes: [Int], isExact: Bool) throws {
    for part in sizes.indices {
      let names = sizes.indices.map { $0 == part ? "p" : "other\($0)" }
      var graph = graph(
        [
          SourceNode(
            name: "split", op: "Split", inputs: ["x", "sizes"], outputs: names,
            attributes: ["axis": .integer(1)]), node("ReduceMean", ["p", "axes"], "y"),
        ], ["sizes": SourceTensor(integers: sizes), "axes": SourceTensor(integers: [1])])
      #expect(try draft(graph).description.inputs.map(\.steps) == [isExact ? 10 : nil])
      try expectAgreement(try draft(graph))
      // As PyTorch's splits are read.
      let start = sizes[..<part].reduce(0, +)
      graph.nodes[0] = SourceNode(
        name: "split", op: "Slice", inputs: ["x", "start", "end", "axes"], outputs: ["p"],
        attributes: ["parts": .integers(sizes)])
      graph.constants["start"] = SourceConstant(SourceTensor(integers: [start]))
      graph.constants["end"] = SourceConstant(SourceTensor(integers: [start + sizes[part]]))
      #expect(try draft(graph).description.inputs.map(\.steps) == [isExact ? 10 : nil])
    }
  }

  /// From a step to the end, in graphs whose axis of steps is open all the same: half of the steps come from the length.
  @Test(arguments: [(5, true), (3, false), (9, false)])
  func stepsToTheEnd(start: Int, isExact: Bool) throws {
    var graph = graph(
      [
        node("Slice", ["x", "start", "end", "axes"], "p"), node("ReduceMean", ["p", "axes"], "y"),
      ],
      [
        "start": SourceTensor(integers: [start]), "end": SourceTensor(integers: [Int(Int32.max)]),
        "axes": SourceTensor(integers: [1]),
      ], isOpen: true)
    graph.inputs[0].example = [1, Self.steps, 3]
    let draft = try draft(graph)
    #expect(draft.description.inputs.map(\.steps) == [isExact ? 10 : nil])
    try expectAgreement(draft)
    if start == 3 { try expectAgreement(draft, steps: 20) }
  }

  /// Bounds of a slice that count from the end do so in any sequence. Others in the second half of the example may have been made
  /// of its length, and what lies beyond the example is not in the file.
  @Test(
    arguments: [
      (-3, -1, false), (-8, nil, false), (1, -6, false), (0, -7, false), (2, nil, false),
      (0, 4, false), (-5, -4, false), (0, 8, true), (7, nil, true), (2, 9, true),
    ] as [(Int, Int?, Bool)])
  func boundsOfASlice(start: Int, end: Int?, isExact: Bool) throws {
    let nodes = [node("Slice", ["x", "start", "end", "axes"], "p"), node("Neg", ["p"], "y")]
    let constants = [
      "start": SourceTensor(integers: [start]),
      "end": SourceTensor(integers: [end ?? Int(Int32.max)]),
      "axes": SourceTensor(integers: [1]),
    ]
    for isOpen in [false, true] {
      var graph = graph(nodes, constants, isOpen: isOpen)
      if isOpen { graph.inputs[0].example = [1, Self.steps, 3] }
      let draft = try draft(graph)
      #expect(draft.description.inputs.map(\.steps) == [isExact ? 10 : nil])
      for steps in isExact ? [10] : [10, 11, 24] {
        let model = try ModelGraph(draft.model())
        let numbers = (0..<steps * 3).map(Float.init)
        let answer = SoleRider.answer(
          model, try InputSequence([.features(numbers)], for: model.model))[0]
        let first = start < 0 ? start + steps : start
        let last = end.map { $0 < 0 ? $0 + steps : $0 } ?? steps
        let expected: [Float] = numbers[first * 3..<last * 3].map { -$0 }
        #expect(answer == expected)
      }
      // Of a sequence of another length, the graph computes the literal bounds if the file computes with lengths.
      graph.computesLengths = true
      if isOpen { #expect(try self.draft(graph).description.inputs.map(\.steps) == [nil]) }
    }
  }

  @Test(arguments: [(0, 15), (-15, Int(Int32.max))])
  func aSliceBeyondTheExampleHoldsForItsLength(start: Int, end: Int) throws {
    let constants = [
      "start": SourceTensor(integers: [start]), "end": SourceTensor(integers: [end]),
      "axes": SourceTensor(integers: [1]),
    ]
    let nodes = [node("Slice", ["x", "start", "end", "axes"], "p"), node("Neg", ["p"], "y")]
    let draft = try draft(graph(nodes, constants))
    #expect(draft.description.inputs.map(\.steps) == [10])
    try expectAgreement(draft)
  }

  /// Bessel's correction of a mean over the steps and their elements, and a sum of both that is divided.
  @Test(arguments: [("ReduceMean", 29.0), ("ReduceMean", 30), ("ReduceSum", 30)])
  func poolsOfStepsAndElementsHoldForOneLength(op: String, divisor: Double) throws {
    let draft = try draft(
      graph(
        [node(op, ["x", "axes"], "s"), node("Div", ["s", "n"], "y")],
        ["axes": SourceTensor(integers: [1, 2]), "n": number(divisor)]))
    #expect(draft.description.inputs.map(\.steps) == [10])
    try expectAgreement(draft)
  }

  /// A vector that is expanded over the steps is the answer at each of them.
  @Test(arguments: [false, true]) func anExpandedVectorIsASequence(isOpen: Bool) throws {
    var graph = graph(
      [node("ReduceSum", ["x", "axes"], "s"), node("Expand", ["s", "shape"], "y")],
      ["axes": SourceTensor(integers: [1]), "shape": SourceTensor(integers: [1, 10, 3])],
      isOpen: isOpen)
    if isOpen { graph.inputs[0].example = [1, Self.steps, 3] }
    let draft = try draft(graph)
    #expect(draft.description.inputs.map(\.steps) == [nil])
    for steps in [10, 4] {
      let model = try ModelGraph(draft.model())
      let numbers = [Float](repeating: 0.5, count: steps * 3)
      let answer = SoleRider.answer(
        model, try InputSequence([.features(numbers)], for: model.model))[0]
      #expect(answer == [Float](repeating: 0.5 * Float(steps), count: steps * 3))
    }
  }

  /// Steps of one number before and behind a sequence, as differences of steps are padded.
  @Test(arguments: [0.0, 2.5]) func constantStepsAreAPadding(fill: Double) throws {
    let before = SourceTensor(shape: [1, 2, 3], elements: [Double](repeating: fill, count: 6))
    let behind = SourceTensor(repeating: fill, shape: [1, 1, 3])
    var concat = node("Concat", ["before", "x", "behind"], "p")
    concat.attributes = ["axis": .integer(1)]
    let draft = try draft(
      graph(
        [concat, node("Neg", ["p"], "y")], ["before": before, "behind": behind]))
    try expectAgreement(draft)
    var uneven = before
    uneven.elements[5] = 7
    try expectAgreement(
      try self.draft(
        graph([concat, node("Neg", ["p"], "y")], ["before": uneven, "behind": behind])))
  }

  /// A loop over every second step, of an open number: the file does not say how many its example had.
  @Test(arguments: [[0, 2, 4], [0, 2, 5], [0, 3]]) func stepsAsFarApartAreTold(places: [Int]) throws
  {
    var nodes = places.map { node("Gather", ["x", "i\($0)"], "s\($0)") }
    for index in nodes.indices { nodes[index].attributes = ["axis": .integer(1)] }
    nodes.append(
      SourceNode(
        name: "y", op: "Concat", inputs: places.map { "s\($0)" }, outputs: ["y"],
        attributes: ["axis": .integer(1)]))
    let constants = places.map {
      ("i\($0)", SourceTensor(shape: [], kind: .integer, elements: [Double($0)]))
    }
    let draft = try draft(
      graph(nodes, Dictionary(uniqueKeysWithValues: constants), isOpen: true))
    #expect(draft.description.inputs.map(\.steps) == [nil])
    #expect(draft.notes.contains { $0.contains("chosen one by one") } == (places == [0, 2, 4]))
    try expectAgreement(draft)
  }

  /// A loop that was unrolled takes every step by itself: of a longer sequence it would leave the rest out.
  @Test(arguments: [2, 3]) func everyStepByItselfHoldsForOneLength(chosen: Int) throws {
    var nodes = (0..<chosen).map { node("Gather", ["x", "i\($0)"], "s\($0)") }
    for index in nodes.indices { nodes[index].attributes = ["axis": .integer(1)] }
    nodes.append(node("Sum", nodes.flatMap(\.outputs), "y"))
    let places = (0..<chosen).map {
      ("i\($0)", SourceTensor(shape: [], kind: .integer, elements: [Double($0)]))
    }
    let draft = try draft(graph(nodes, Dictionary(uniqueKeysWithValues: places), steps: 3))
    #expect(draft.description.inputs.map(\.steps) == [chosen == 3 ? 3 : nil])
    try expectAgreement(draft, steps: 3)
  }

  /// A dense layer behind all steps has weights for as many as there were, also behind a pool that makes fewer of them.
  @Test(arguments: [false, true])
  func stepsSideBySideHoldForOneLength(isPooled: Bool) throws {
    let count = isPooled ? 15 : 30
    let weights = (0..<2 * count).map { 0.1 * Double($0 % 7) - 0.2 }
    var pool = [
      node("Transpose", ["x"], "t"), node("MaxPool", ["t"], "p"), node("Transpose", ["p"], "s"),
    ]
    for index in [0, 2] { pool[index].attributes = ["perm": .integers([0, 2, 1])] }
    pool[1].attributes = ["kernel_shape": .integers([2]), "strides": .integers([2])]
    let dense = [
      node("Reshape", [isPooled ? "s" : "x", "flat"], "f"), node("MatMul", ["f", "w"], "y"),
    ]
    let flat = SourceTensor(integers: [1, count])
    let matrix = SourceTensor(shape: [count, 2], elements: weights)
    let draft = try draft(
      graph(isPooled ? pool + dense : dense, ["flat": flat, "w": matrix]))
    #expect(draft.description.inputs.map(\.steps) == [10])
    #expect(draft.notes.contains { $0.contains("exactly 10 steps") }, "\(draft.notes)")
    try expectAgreement(draft)
  }

  @Test func positionsHoldForOneLength() throws {
    let positions = (0..<30).map { Double($0 % 7) - 0.3 * Double($0) }
    for (shape, elements) in [
      ([1, 10, 3], positions), ([10, 3], positions), ([1, 10, 1], Array(positions.prefix(10))),
    ] {
      for (op, inputs) in [("Add", ["x", "p"]), ("Sub", ["p", "x"]), ("Mul", ["x", "p"])] {
        let draft = try draft(
          graph([node(op, inputs, "y")], ["p": SourceTensor(shape: shape, elements: elements)]))
        #expect(draft.description.inputs.map(\.steps) == [10])
        #expect(draft.notes.contains { $0.contains("has numbers for each step") })
        try expectAgreement(draft)
      }
    }
  }
}
