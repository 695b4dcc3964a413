import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Operators over the steps, in graphs with an open number of steps and with one, against what the graph computes by itself.
@Suite struct StepOperatorTests: StepGraphTests {
  static let steps = 12

  /// Strides up to a bound: which step is the last depends on the length.
  @Test(arguments: [(0, -1, 2), (1, -2, 3), (-9, -1, 4)], [false, true])
  func strides(slice: (start: Int, end: Int, stride: Int), isOpen: Bool) throws {
    let constants = [
      "start": integers([slice.start]), "end": integers([slice.end]), "axes": integers([1]),
      "stride": integers([slice.stride]),
    ]
    let graph = graph(
      [node("Slice", ["x", "start", "end", "axes", "stride"], "s"), node("Neg", ["s"], "y")],
      constants, isOpen: isOpen)
    let draft = try draft(graph)
    let model = try ModelGraph(draft.model())
    for steps in [12, 13, 14, 15] {
      let numbers = (0..<steps * 4).map(Float.init)
      let answer = SoleRider.answer(
        model, try InputSequence([.features(numbers)], for: model.model))[0]
      let start = slice.start < 0 ? slice.start + steps : slice.start
      let chosen = stride(from: start, to: slice.end + steps, by: slice.stride)
      let expected: [Float] = chosen.flatMap { step in (0..<4).map { -Float(step * 4 + $0) } }
      #expect(answer == expected)
    }
  }

  /// An output that is the same whatever the inputs are is left out, which is told also before other outputs.
  @Test func constantOutputsAreTold() throws {
    var graph = graph([node("Neg", ["x"], "y")], ["w": integers([3])], isOpen: true)
    graph.outputs = ["w", "y"]
    let draft = try draft(graph)
    #expect(draft.description.outputs.map(\.name) == ["y"])
    #expect(draft.notes.contains { $0.contains("\"w\" is left out") }, "\(draft.notes)")
  }

  /// Raw samples in windows: the check computes as many as a window needs.
  @Test func aCheckHasAsManyStepsAsAWindow() throws {
    let weights = SourceTensor(shape: [2, 4, 100], elements: (0..<800).map { Double($0 % 7) })
    let draft = try draft(
      graph(
        [
          node("Transpose", ["x"], "t", ["perm": .integers([0, 2, 1])]),
          node("Conv", ["t", "w"], "y", ["strides": .integers([50])]),
        ], ["w": weights], isOpen: true))
    #expect(draft.comparedSteps == nil)
    #expect(draft.reference?.computedSteps() == 240)
    try expectAgreement(draft, steps: [100, 240, 333])
  }

  /// A shape of the exporter's example: the steps stand in it as a number, and the batch is open.
  @Test func aShapeWithTheExamplesSteps() throws {
    let draft = try draft(
      graph(
        [
          node("Transpose", ["x"], "t", ["perm": .integers([1, 0, 2])]),
          node("Reshape", ["t", "shape"], "y"),
        ], ["shape": integers([12, -1, 2, 2])], isOpen: true))
    #expect(draft.comparedSteps == 12)
    try expectAgreement(draft, steps: [12])
  }

  /// The signs of steps and of elements, 0 among them.
  @Test(arguments: [false, true])
  func signs(isOpen: Bool) throws {
    let model = try ModelGraph(
      try draft(graph([node("Sign", ["x"], "y")], isOpen: isOpen)).model())
    let numbers = (0..<48).map { Float($0 % 3 - 1) * Float($0) }
    let answer = SoleRider.answer(
      model, try InputSequence([.features(numbers)], for: model.model))[0]
    #expect(answer == numbers.map { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 })
  }

  /// A vector or a matrix before the elements of steps that lie last, one for each sequence of the batch or one for all.
  @Test(arguments: [[4], [4, 4], [2, 4], [1, 3, 4]], [false, true])
  func weightsBeforeTheSteps(shape: [Int], isOpen: Bool) throws {
    let count = shape.reduce(1, *)
    let weights = SourceTensor(shape: shape, elements: (0..<count).map { Double($0) / 7 - 1 })
    let draft = try draft(
      graph(
        [
          node("Transpose", ["x"], "t", ["perm": .integers([0, 2, 1])]),
          node("MatMul", ["w", "t"], "y"),
        ], ["w": weights], isOpen: isOpen))
    try expectAgreement(draft, steps: isOpen ? [3, 12, 20] : [12])
  }

  /// Weights that are repeated for each sequence of the batch, as `w.expand(x.size(0), -1, -1)` repeats them.
  @Test func weightsOfEachSequence() throws {
    let draft = try draft(
      graph(
        [
          node("Shape", ["x"], "sizes", ["end": .integer(1)]),
          node("Concat", ["sizes", "rest"], "shape", ["axis": .integer(0)]),
          node("Expand", ["w", "shape"], "all"),
          node("MatMul", ["x", "all"], "h"),
          node("Transpose", ["h"], "t", ["perm": .integers([0, 2, 1])]),
          node("MatMul", ["all", "t"], "y"),
        ],
        [
          "w": SourceTensor(shape: [1, 4, 4], elements: (0..<16).map { Double($0) / 7 - 1 }),
          "rest": integers([4, 4]),
        ], isOpen: true))
    try expectAgreement(draft, steps: [3, 12, 20])
  }

  /// Weights that are repeated for each step are too many: the refusal says that arithmetic repeats them.
  @Test func weightsOfEachStep() {
    let error = #expect(throws: ImportError.self) {
      try draft(
        graph(
          [
            node("Shape", ["x"], "sizes"), node("Expand", ["w", "sizes"], "all"),
            node("Add", ["x", "all"], "y"),
          ], ["w": SourceTensor(shape: [4], elements: [1, 2, 3, 4])], isOpen: true))
    }
    #expect(error?.remedy?.contains("leave the expand out") == true)
  }

  /// Steps that a padding takes away are the first or the last, however many they are.
  @Test(arguments: [(-8, 0), (0, -8), (-7, -2)])
  func negativePads(before: Int, after: Int) throws {
    for isOpen in [false, true] {
      let graph = graph(
        [node("Pad", ["x", "pads"], "p"), node("Neg", ["p"], "y")],
        ["pads": integers([0, before, 0, 0, after, 0])], isOpen: isOpen)
      let model = try ModelGraph(try draft(graph).model())
      for steps in [12, 20] {
        let numbers = (0..<steps * 4).map(Float.init)
        let answer = SoleRider.answer(
          model, try InputSequence([.features(numbers)], for: model.model))[0]
        let expected: [Float] = numbers[(-before * 4)..<((steps + after) * 4)].map { -$0 }
        #expect(answer == expected)
      }
    }
  }

  /// One end padded and the other cut off, as of a shift.
  @Test(arguments: [(2, -2), (-2, 2), (1, -3)], [false, true])
  func padsOfBothSigns(pads: (before: Int, after: Int), isOpen: Bool) throws {
    for axis in [1, 2] where axis == 1 || pads.before + pads.after == 0 {
      var given = [0, 0, 0, 0, 0, 0]
      (given[axis], given[axis + 3]) = (pads.before, pads.after)
      let graph = graph(
        [node("Pad", ["x", "pads"], "p"), node("Neg", ["p"], "y")], ["pads": integers(given)],
        isOpen: isOpen)
      try expectAgreement(try draft(graph), steps: isOpen ? [4, 12, 20] : [12])
    }
  }

  /// `padding_mode="circular"`, over elements and over steps.
  @Test(arguments: [(1, 1), (2, 0), (0, 3)], [false, true])
  func circularPads(pads: (before: Int, after: Int), isOpen: Bool) throws {
    for axis in [1, 2] {
      var given = [0, 0, 0, 0, 0, 0]
      (given[axis], given[axis + 3]) = (pads.before, pads.after)
      let graph = graph(
        [
          node("Pad", ["x", "pads"], "p", ["mode": .text("wrap")]), node("Neg", ["p"], "y"),
        ], ["pads": integers(given)], isOpen: isOpen)
      try expectAgreement(try draft(graph), steps: isOpen ? [4, 12, 20] : [12])
    }
  }

  /// Pools over elements whose last window is mostly beyond the end.
  @Test(arguments: ["MaxPool", "AveragePool"])
  func poolsBeyondTheEnd(op: String) throws {
    let attributes: [String: SourceAttribute] = [
      "kernel_shape": .integers([1, 3]), "strides": .integers([1, 3]), "ceil_mode": .integer(1),
    ]
    let graph = graph(
      [
        node("Unsqueeze", ["x", "one"], "image"), node(op, ["image"], "p", attributes),
        node("Squeeze", ["p", "one"], "y"),
      ], ["one": integers([1])], isOpen: true)
    try expectAgreement(try draft(graph), steps: [1, 5, 12])
  }

  /// A step whose number is computed, one for all elements: how many steps have a positive last element, less one, so that -1 is
  /// the last step where there is none.
  @Test(arguments: [true, false]) func aStepByItsComputedNumber(isOpen: Bool) throws {
    let nodes = [
      node("Gather", ["x", "three"], "last", ["axis": .integer(2)]),
      node("Greater", ["last", "threshold"], "counts"),
      node("Cast", ["counts"], "ones", ["to": .integer(7)]),
      node("ReduceSum", ["ones", "one"], "count"), node("Sub", ["count", "one"], "number"),
      node("Unsqueeze", ["number", "two"], "wide"), node("Expand", ["wide", "sizes"], "indices"),
      node("GatherElements", ["x", "indices"], "step", ["axis": .integer(1)]),
      node("Neg", ["step"], "y"),
    ]
    for threshold in [0, 100.0] {
      let graph = graph(
        nodes,
        [
          "one": integers([1]), "two": integers([2]), "three": integers([3], shape: []),
          "sizes": integers([1, 1, 4]),
          "threshold": SourceTensor(shape: [], elements: [threshold]),
        ], isOpen: isOpen)
      try expectAgreement(try draft(graph), steps: isOpen ? [1, 2, 7, 30] : [12])
    }
  }

  /// What lies beyond the padding, under a last window of ceil_mode, counts for no average.
  @Test func averagesThatCountPadding() throws {
    let attributes: [String: SourceAttribute] = [
      "kernel_shape": .integers([3]), "strides": .integers([2]), "pads": .integers([1, 1]),
      "ceil_mode": .integer(1), "count_include_pad": .integer(1),
    ]
    // (0 + 1 + 2) / 3, (2 + 3 + 4) / 3 and, without what lies beyond the padding, (4 + 0) / 2.
    let pool = node("AveragePool", ["x"], "y", attributes)
    let x = SourceTensor(shape: [1, 1, 4], elements: [1, 2, 3, 4])
    let found = try Interpreter(opset: 18).evaluate(pool, [x])?.first
    #expect(found?.dense == [1, 3, 2])
  }

  /// ONNX's division of whole numbers rounds, which no op of a folder does; one by 1 and one of floats are carried.
  @Test(arguments: [(3, false, true), (1, false, false), (3, true, false)])
  func divisionsOfWholeNumbers(divisor: Int, isCast: Bool, isRefused: Bool) throws {
    var nodes = [
      node("Sub", ["x", "five"], "less"), node("Mul", ["less", "less"], "square"),
      node("Div", [isCast ? "float" : "square", isCast ? "divisorAsFloat" : "divisor"], "d"),
      node("Cast", ["d"], "y", ["to": .integer(1)]),
    ]
    if isCast { nodes.insert(node("Cast", ["square"], "float", ["to": .integer(1)]), at: 2) }
    var graph = graph(
      nodes,
      [
        "five": integers([5]), "divisor": integers([divisor]),
        "divisorAsFloat": SourceTensor(shape: [1], elements: [Double(divisor)]),
      ], isOpen: true)
    graph.inputs[0].kind = .integer
    guard isRefused else {
      _ = try draft(graph)
      return
    }
    let error = #expect(throws: ImportError.self) { try self.draft(graph) }
    #expect("\(error as Any)".contains("a division of whole numbers"))
  }

  /// Each element with each over the steps: `xᵀ x`, a matrix for the sequence.
  @Test(arguments: [false, true]) func aProductOverTheSteps(isOpen: Bool) throws {
    let graph = graph(
      [
        node("Transpose", ["x"], "t", ["perm": .integers([0, 2, 1])]),
        node("MatMul", ["t", "x"], "p"), node("MatMul", ["x", "p"], "y"),
      ], isOpen: isOpen)
    try expectAgreement(try draft(graph), steps: isOpen ? [1, 12, 20] : [12])
  }

  // MARK: Steps by their indices

  @Test(arguments: [[0, -1], [-1, 0], [-2, -1], [1, -3, 2], [-2]], [false, true])
  func chosenSteps(indices: [Int], isOpen: Bool) throws {
    let graph = graph(
      [node("Gather", ["x", "i"], "y", ["axis": .integer(1)])], ["i": integers(indices)],
      isOpen: isOpen)
    let draft = try draft(graph)
    #expect(draft.description.inputs.map(\.steps) == [nil])
    try expectAgreement(draft, steps: isOpen ? [4, 7, 20] : [12])
    // For other lengths, too: the steps are those from the end.
    guard !isOpen else { return }
    let model = try ModelGraph(draft.model())
    let numbers = (0..<20).flatMap { step in (0..<4).map { Float(step * 4 + $0) } }
    let answer = SoleRider.answer(model, try InputSequence([.features(numbers)], for: model.model))
    let rows = indices.flatMap { index in
      (0..<4).map { Float((index < 0 ? index + 20 : index) * 4 + $0) }
    }
    #expect(answer[0] == rows)
  }

  /// A step in the middle of the example's is one of its length.
  @Test func aChosenStepInTheMiddleHoldsForOneLength() throws {
    let draft = try draft(
      graph(
        [node("Gather", ["x", "i"], "y", ["axis": .integer(1)])], ["i": integers([0, 5, -1])],
        isOpen: false))
    #expect(draft.description.inputs.map(\.steps) == [12])
    try expectAgreement(draft, steps: [12])
  }

  @Test(arguments: [false, true]) func pointsOfOneAxis(isOpen: Bool) throws {
    let turned = node("Transpose", ["x"], "t", ["perm": .integers([2, 1, 0])])
    let elements = node("GatherND", ["t", "i"], "y")
    let draft = try draft(
      graph([turned, elements], ["i": integers([3, 0], shape: [2, 1])], isOpen: isOpen))
    #expect(draft.description.nodes.contains { $0.op.name == "gather" })
    #expect(throws: ImportError.self) {
      try self.draft(
        graph([node("GatherND", ["t", "i"], "y")], ["i": integers([1, 2])], isOpen: isOpen))
    }
  }

  // MARK: Windows that come from the example

  @Test(arguments: ["AveragePool", "MaxPool"]) func adaptivePoolsHoldForOneLength(op: String) throws
  {
    let turned = node("Transpose", ["x"], "t", ["perm": .integers([0, 2, 1])])
    let window: [String: SourceAttribute] = [
      "kernel_shape": .integers([3]), "strides": .integers([3]),
    ]
    // As PyTorch's exporter writes pools by themselves, and adaptive ones.
    let plain = window.merging(
      ["pads": .integers([0, 0]), "ceil_mode": .integer(0), "dilations": .integers([1])]
    ) { first, _ in first }
    for (attributes, isFromPyTorch, exact) in [
      (window, true, 12), (window, false, nil), (plain, true, nil),
    ] as [([String: SourceAttribute], Bool, Int?)] {
      var graph = graph([turned, node(op, ["t"], "y", attributes)], isOpen: false)
      graph.isFromPyTorch = isFromPyTorch
      let draft = try draft(graph)
      #expect(draft.description.inputs.map(\.steps) == [exact])
      try expectAgreement(draft, steps: [12])
    }
  }

  // MARK: Numbers of each step

  private func table(_ rows: Int) -> SourceTensor {
    SourceTensor(
      shape: [rows, 4], elements: (0..<rows * 4).map { Double($0 * $0 % 23) / 7 - 1 })
  }

  private var length: [SourceNode] {
    [
      node("Shape", ["x"], "shape"), node("Gather", ["shape", "one"], "n"),
      node("Unsqueeze", ["n", "zeros"], "ends"),
    ]
  }

  private var lengthConstants: [String: SourceTensor] {
    ["one": integers([1], shape: []), "zeros": integers([0]), "zero": integers([0], shape: [])]
  }

  /// `x + table[:x.size(1)]`: as many rows as there are steps, and no answer behind the last row.
  @Test(arguments: [false, true]) func rowsOfPositions(isEmbedding: Bool) throws {
    let cut =
      isEmbedding
      ? [
        node("Range", ["zero", "n", "one"], "places"), node("Gather", ["table", "places"], "p"),
      ] : [node("Slice", ["table", "zeros", "ends", "zeros"], "p")]
    let draft = try draft(
      graph(
        length + cut + [node("Add", ["x", "p"], "y")],
        lengthConstants.merging(["table": table(16)]) { first, _ in first }, isOpen: true))
    #expect(draft.description.inputs.map(\.steps) == [nil])
    #expect(draft.notes.contains { $0.contains("the first 16 steps") }, "\(draft.notes)")
    try expectAgreement(draft, steps: [2, 7, 16])
    let model = try ModelGraph(draft.model())
    let longer = try InputSequence([.features([Float](repeating: 0, count: 68))], for: model.model)
    let answer = SoleRider.answer(model, longer)[0]
    #expect(answer.suffix(4).allSatisfy(\.isNaN) && answer.prefix(64).allSatisfy(\.isFinite))
  }

  /// `x * (0.5 * arange(x.size(1)) + 1)`
  @Test func numbersThatGrowWithTheSteps() throws {
    let nodes =
      length + [
        node("Range", ["zero", "n", "one"], "places"),
        node("Cast", ["places"], "floats", ["to": .integer(1)]),
        node("Mul", ["floats", "half"], "halves"), node("Unsqueeze", ["halves", "last"], "wide"),
        node("Add", ["x", "wide"], "y"),
      ]
    let half = SourceTensor(shape: [], elements: [0.5])
    let constants = ["half": half, "last": integers([1])]
    let draft = try draft(
      graph(nodes, lengthConstants.merging(constants) { first, _ in first }, isOpen: true))
    try expectAgreement(draft, steps: [1, 5, 40])
  }

  @Test(arguments: [1, 2], [false, true])
  func cumulativeSums(axis: Int, isOpen: Bool) throws {
    let draft = try draft(
      graph(
        [node("CumSum", ["x", "axis"], "y")], ["axis": integers([axis], shape: [])],
        isOpen: isOpen))
    try expectAgreement(draft, steps: isOpen ? [1, 9, 50] : [12])
  }

  // MARK: Repetitions

  @Test func resizedSteps() throws {
    let turned = node("Transpose", ["x"], "t", ["perm": .integers([0, 2, 1])])
    let attributes: [String: SourceAttribute] = ["mode": .text("nearest")]
    let byScale = try draft(
      graph(
        [turned, node("Resize", ["t", "", "scales"], "y", attributes)],
        ["scales": SourceTensor(shape: [3], elements: [1, 2, 3])], isOpen: true))
    try expectAgreement(byScale, steps: [1, 5, 20])
    // A size is one of the example's length.
    let bySize = try draft(
      graph(
        [turned, node("Resize", ["t", "", "", "sizes"], "y", attributes)],
        ["sizes": integers([1, 4, 24])], isOpen: false))
    #expect(bySize.description.inputs.map(\.steps) == [12])
    try expectAgreement(bySize, steps: [12])
    #expect(throws: ImportError.self) {
      try self.draft(
        graph(
          [turned, node("Resize", ["t", "", "scales"], "y", ["mode": .text("linear")])],
          ["scales": SourceTensor(shape: [3], elements: [1, 1, 2])], isOpen: true))
    }
  }

  @Test func repeatedElements() throws {
    let draft = try draft(
      graph([node("Tile", ["x", "by"], "y")], ["by": integers([1, 1, 3])], isOpen: true))
    try expectAgreement(draft, steps: [3])
    // Steps behind others, and more elements than there may be.
    for repeats in [[1, 2, 1], [1, 1, 1 << 21], [1, 1, 1 << 50]] {
      #expect(throws: ImportError.self) {
        try self.draft(
          graph([node("Tile", ["x", "by"], "y")], ["by": integers(repeats)], isOpen: true))
      }
    }
  }

  /// A constant that is chosen where a condition does not hold is a number, as an output too.
  @Test func aConstantOfAChoiceIsANumber() throws {
    let nodes = [
      node("Greater", ["x", "zero"], "c"), node("Not", ["c"], "n"),
      node("Where", ["n", "five", "x"], "y"),
    ]
    let constants = [0, -5.5].map { SourceTensor(shape: [], elements: [$0]) }
    let draft = try draft(
      graph(nodes, ["zero": constants[0], "five": constants[1]], isOpen: true))
    try expectAgreement(draft, steps: [6])
  }

  /// An input of what is true or false is one number a step.
  @Test func aMaskOfBooleans() throws {
    var graph = graph(
      [
        node("Unsqueeze", ["m", "last"], "wide"), node("Not", ["wide"], "n"),
        node("Where", ["n", "low", "x"], "masked"), node("ReduceMax", ["masked", "one"], "y"),
      ],
      [
        "last": integers([2]), "low": SourceTensor(shape: [], elements: [-9]),
        "one": integers([1]),
      ], isOpen: true)
    graph.inputs.append(
      .init(name: "m", kind: .boolean, dimensions: [.named("b"), .named("t")]))
    let model = try ModelGraph(try draft(graph).model())
    #expect(
      model.model.description.inputs.map(\.kind)
        == [4, 1].map {
          .features(size: $0, mean: nil, scale: nil)
        })
    let sequence = try InputSequence(
      [.features([1, 2, 3, 4, 5, 6, 7, 8]), .features([1, 0])], for: model.model)
    #expect(SoleRider.answer(model, sequence)[0] == [1, 2, 3, 4])
  }

  @Test(arguments: [0, 2, 3]) func anElementIsWrittenOver(index: Int) throws {
    let shape = [1, Self.steps, 1]
    let draft = try draft(
      graph(
        [node("ScatterElements", ["x", "i", "new"], "y", ["axis": .integer(2)])],
        [
          "i": integers(Array(repeating: index, count: Self.steps), shape: shape),
          "new": SourceTensor(repeating: 0.25, shape: shape),
        ], isOpen: false))
    try expectAgreement(draft, steps: [12])
  }

  // MARK: Powers

  @Test(arguments: [5, 0.5, 1.5, -0.5, -1, -3, 1.0 / 3, 7])
  func powers(exponent: Double) throws {
    let nodes = [
      node("Mul", ["x", "x"], "square"), node("Add", ["square", "one"], "above"),
      node("Pow", ["above", "exponent"], "y"),
    ]
    let constants = [1, exponent].map { SourceTensor(shape: [], elements: [$0]) }
    let draft = try draft(
      graph(nodes, ["one": constants[0], "exponent": constants[1]], isOpen: true))
    try expectAgreement(draft, steps: [6])
  }

  @Test func aConstantBase() throws {
    let draft = try draft(
      graph(
        [node("Pow", ["base", "x"], "y")], ["base": SourceTensor(shape: [], elements: [2.5])],
        isOpen: true))
    try expectAgreement(draft, steps: [6])
  }

  // MARK: Dropout

  /// Dropout at work is told: the framework's answers are drawn at random.
  @Test(arguments: [(0.5, 1.0, true), (0.5, 0, false), (0, 1, false)])
  func dropoutAtWorkIsTold(ratio: Double, training: Double, isTold: Bool) throws {
    let draft = try draft(
      graph(
        [node("Dropout", ["x", "ratio", "training"], "d"), node("Tanh", ["d"], "y")],
        [
          "ratio": SourceTensor(shape: [], elements: [ratio]),
          "training": SourceTensor(shape: [], kind: .boolean, elements: [training]),
        ], isOpen: true))
    #expect(draft.notes.contains { $0.contains("dropout at work") } == isTold)
  }

  /// What masks the scores of attention is told apart from other arithmetic with them.
  @Test func aMaskOnAttentionIsTold() throws {
    let graph = graph(
      [
        node("Transpose", ["x"], "k", ["perm": .integers([0, 2, 1])]),
        node("MatMul", ["x", "k"], "scores"),
        node("Gather", ["k", "first"], "mask", ["axis": .integer(1)]),
        node("Add", ["scores", "mask"], "masked"),
        node("Softmax", ["masked"], "weights", ["axis": .integer(-1)]),
        node("MatMul", ["weights", "x"], "y"),
      ], ["first": integers([0])], isOpen: true)
    let error = try #require(throws: ImportError.self) { try draft(graph) }
    #expect(
      error.problem.contains(
        "a mask, or other numbers, of [batch, 1, steps] on the scores of attention"), "\(error)")
    #expect(error.remedy?.contains("key_padding_mask") ?? false, "\(error)")
  }

  /// Numbers, and the place of the largest of them, are one output, whichever comes first.
  @Test(arguments: [["place", "y"], ["y", "place"]]) func theLargestIsNoOutputOfItsOwn(
    outputs: [String]
  ) throws {
    var graph = graph(
      [
        node("Tanh", ["x"], "y"),
        node("ArgMax", ["y"], "place", ["axis": .integer(-1), "keepdims": .integer(0)]),
      ],
      isOpen: true)
    graph.outputs = outputs
    let draft = try draft(graph)
    #expect(draft.description.outputs.map(\.name) == ["y"])
    #expect(draft.description.outputs.map(\.decode) == [.argmax])
    try expectAgreement(draft, steps: [3])
  }
}
