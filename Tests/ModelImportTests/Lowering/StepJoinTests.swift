import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Steps behind others, choices by step, and what goes along the batch.
@Suite struct StepJoinTests: StepGraphTests {
  static let steps = 12

  private func slice(_ start: Int, _ end: Int, _ output: String) -> [SourceNode] {
    [
      SourceNode(
        name: output, op: "Slice", inputs: ["x"], outputs: [output],
        attributes: [
          "starts": .integers([start]), "ends": .integers([end]), "axes": .integers([1]),
        ])
    ]
  }

  private func concat(_ parts: [String]) -> [SourceNode] {
    [node("Concat", parts, "p", ["axis": .integer(1)]), node("Neg", ["p"], "y")]
  }

  /// One part has any number of steps: a first or last step that is written over, a step that is repeated, rows of weights.
  @Test(arguments: [
    ("first", false), ("first", true), ("last", false), ("last", true), ("repeated", false),
    ("repeated", true), ("weights", false),
  ])
  func stepsBehindOthers(kind: String, isOpen: Bool) throws {
    let weights = SourceTensor(shape: [1, 2, 4], elements: (0..<8).map { Double($0) - 3 })
    let nodes =
      switch kind {
      case "first":
        slice(1, .max, "rest") + [node("Abs", ["x"], "a")] + first("a")
          + concat(["start", "rest"])
      case "last":
        slice(0, -1, "rest") + [node("Abs", ["x"], "a")] + first("a")
          + concat(["rest", "start"])
      case "repeated": first("x") + concat(["start", "x", "start"])
      default: concat(["w", "x"])
      }
    let draft = try draft(graph(nodes, ["w": weights], isOpen: isOpen))
    #expect(draft.description.inputs.map(\.steps) == [isOpen ? nil : 12])
    try expectAgreement(draft, steps: isOpen ? [3, 7, 12, 20, 33] : [12])
  }

  /// The first step, three times before the others: as steps that are made of a vector.
  @Test(arguments: [false, true]) func stepsThatAreRepeated(isOpen: Bool) throws {
    let nodes = first("x") + [node("Tile", ["start", "counts"], "tiled")]
    let draft = try draft(
      graph(nodes + concat(["tiled", "x"]), ["counts": integers([1, 3, 1])], isOpen: isOpen))
    try expectAgreement(draft, steps: isOpen ? [3, 7, 12, 20] : [12])
  }

  /// A step of zeros at one end, and a step less at the other, are a shift: of a single step too, and in pieces.
  @Test(arguments: [("later", 1), ("padded", 1), ("earlier", -1)])
  func aStepLess(kind: String, shift: Int) throws {
    let zeros = SourceTensor(shape: [1, 1, 4], elements: [0])
    let pads = integers([0, 1, 0, 0, -1, 0])
    let nodes =
      switch kind {
      case "later": slice(0, -1, "rest") + concat(["w", "rest"])
      case "padded": [node("Pad", ["x", "w"], "p"), node("Neg", ["p"], "y")]
      default: slice(1, .max, "rest") + concat(["rest", "w"])
      }
    let draft = try draft(graph(nodes, ["w": kind == "padded" ? pads : zeros], isOpen: true))
    #expect(draft.description.nodes.first?.op == .shift(steps: shift))
    #expect(draft.description.nodes.count == 2)
    #expect(try ModelGraph(draft.model()).isStreamable == (shift > 0))
    try expectAgreement(draft, steps: [2, 7, 12, 20])
  }

  /// The first step of a value, as `start`.
  private func first(_ source: String) -> [SourceNode] {
    [
      SourceNode(
        name: "start", op: "Slice", inputs: [source], outputs: ["start"],
        attributes: ["starts": .integers([0]), "ends": .integers([1]), "axes": .integers([1])])
    ]
  }

  /// A sequence behind another has twice as many steps: the folder is for one number of them.
  @Test func sequencesBehindOthersHoldForOneLength() throws {
    let nodes = [node("Abs", ["x"], "a")] + concat(["x", "a"])
    let closed = try draft(graph(nodes, isOpen: false))
    #expect(closed.description.inputs.map(\.steps) == [12])
    try expectAgreement(closed, steps: [12])
    let error = #expect(throws: ImportError.self) { try self.draft(graph(nodes, isOpen: true)) }
    #expect(error?.remedy == Remedy.oneLength)
  }

  /// Every second step, and those between, as two sequences of a batch: the refusal has a form that is carried.
  @Test func groupsOfStepsAsABatch() {
    func every(_ start: Int, _ output: String) -> SourceNode {
      node(
        "Slice", ["x"], output,
        [
          "starts": .integers([start]), "ends": .integers([.max]), "axes": .integers([1]),
          "steps": .integers([2]),
        ])
    }
    let nodes = [
      every(0, "even"), every(1, "odd"),
      node("Concat", ["even", "odd"], "p", ["axis": .integer(0)]), node("Neg", ["p"], "y"),
    ]
    let error = #expect(throws: ImportError.self) { try self.draft(graph(nodes, isOpen: false)) }
    #expect(error?.remedy == Remedy.dilated)
  }

  /// A loop that fills zeros step by step, or writes over one step of a sequence.
  @Test(arguments: [0, 5, 11]) func aStepThatIsWrittenOver(step: Int) throws {
    let indices = SourceTensor(repeating: Double(step), shape: [1, 1, 4], kind: .integer)
    let nodes =
      first("x") + [
        node("ScatterElements", ["data", "at", "start"], "z", ["axis": .integer(1)]),
        node("Abs", ["x"], "a"),
        node("ScatterElements", ["a", "at", "start"], "w", ["axis": .integer(1)]),
      ]
    let constants = ["at": indices, "data": SourceTensor(repeating: 2, shape: [1, 12, 4])]
    for output in ["z", "w"] {
      let draft = try draft(
        graph(nodes + [node("Neg", [output], "y")], constants, isOpen: false))
      try expectAgreement(draft, steps: [12])
    }
  }

  /// A step of any number of them, counted from the first, may be the last one; a number that may come from the length is told.
  @Test(arguments: [0, 1, 5]) func aStepOfAnyNumberThatIsWrittenOver(step: Int) throws {
    let indices = SourceTensor(repeating: Double(step), shape: [1, 1, 4], kind: .integer)
    let nodes =
      first("x") + [
        node("Abs", ["x"], "a"),
        node("ScatterElements", ["a", "at", "start"], "w", ["axis": .integer(1)]),
        node("Neg", ["w"], "y"),
      ]
    let draft = try draft(graph(nodes, ["at": indices], isOpen: true))
    #expect(draft.description.inputs.map(\.steps) == [nil])
    #expect(draft.notes.contains { $0.contains("step \(step) of any") } == (step == 5))
    let least = max(step + 1, 2)
    try expectAgreement(draft, steps: [least, least + 1, 12, 20])
    #expect(throws: (any Error).self) { try self.expectAgreement(draft, steps: [least - 1]) }
  }

  /// Parts of a number of steps in a file that takes any: they are those of the example, also behind a padding.
  @Test(arguments: [[4, 3], [6, 1], [3, 3, 1]], [0, 2]) func partsOfOpenSteps(
    parts: [Int], padding: Int
  ) throws {
    let nodes = [
      node("Pad", ["x", "pads"], "padded"),
      SourceNode(
        name: "s", op: "Split", inputs: ["padded", "parts"],
        outputs: parts.indices.map { "p\($0)" }, attributes: ["axis": .integer(1)]),
      node("ReduceMean", ["p0", "1"], "first"), node("ReduceMax", ["p1", "1"], "second"),
      node("Sub", ["first", "second"], "y"),
    ]
    let constants = [
      "pads": integers([0, padding, 0, 0, 0, 0]), "parts": integers(parts), "1": integers([1]),
    ]
    let draft = try draft(graph(nodes, constants, isOpen: true))
    #expect(draft.description.inputs.map(\.steps) == [7 - padding])
    try expectAgreement(draft, steps: [7 - padding])
  }

  /// A mask with a number of its own for each step chooses between values, and between a value and numbers.
  @Test(arguments: ["a", "low"]) func aChoiceByStep(other: String) throws {
    let mask = SourceTensor(
      shape: [1, 12, 1], kind: .boolean, elements: (0..<12).map { $0 % 5 == 3 ? 1 : 0 })
    let nodes = [node("Abs", ["x"], "a"), node("Where", ["m", other, "x"], "y")]
    let constants = ["m": mask, "low": SourceTensor(shape: [], elements: [-7])]
    let closed = try draft(graph(nodes, constants, isOpen: false))
    #expect(closed.description.inputs.map(\.steps) == [12])
    try expectAgreement(closed, steps: [12])
  }

  /// What mixes the sequences of a batch is named, where the batch is open, and answered for a batch of one.
  @Test func whatMixesABatchIsNamed() throws {
    let products = [
      node("ReduceSum", ["x", "one"], "s", ["keepdims": .integer(0)]),
      node("Transpose", ["s"], "t"), node("MatMul", ["s", "t"], "y"),
    ]
    let constants = ["one": integers([1]), "zero": integers([0])]
    for isOpen in [false, true] {
      let graph = graph(products, constants, isOpen: isOpen)
      guard isOpen else {
        try expectAgreement(try draft(graph), steps: [12])
        continue
      }
      let error = #expect(throws: ImportError.self) { try self.draft(graph) }
      #expect(error?.remedy == Remedy.batchFirst)
    }
    for (op, attributes) in [
      ("Softmax", ["axis": SourceAttribute.integer(0)]), ("CumSum", [:]), ("ReduceMean", [:]),
    ] {
      // The steps are the second axis for sure: a cell reads them.
      let nodes = [
        SourceNode(
          name: "m", op: op, inputs: op == "Softmax" ? ["x"] : ["x", "zero"], outputs: ["m"],
          attributes: attributes),
        node("Add", ["x", "m"], "a"),
        node("Transpose", ["a"], "t", ["perm": .integers([1, 0, 2])]),
        node("RNN", ["t", "w", "r"], "y", ["hidden_size": .integer(1)]),
      ]
      var constants = constants
      constants["w"] = SourceTensor(shape: [1, 1, 4], elements: [0.1, -0.2, 0.3, 0.4])
      constants["r"] = SourceTensor(shape: [1, 1, 1], elements: [0.5])
      let closed = try draft(graph(nodes, constants, isOpen: false))
      try expectAgreement(closed, steps: [12])
      let error = #expect(throws: ImportError.self) {
        try self.draft(graph(nodes, constants, isOpen: true))
      }
      #expect(error?.remedy == Remedy.batchOfOne)
      #expect(error?.place?.contains(op) == true)
    }
  }
}
