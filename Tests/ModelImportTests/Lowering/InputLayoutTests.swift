import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Inputs whose arrays are arranged otherwise in the source than in a question.
@Suite struct InputLayoutTests {
  private func draft(_ dimensions: [SourceGraph.Dimension]) throws -> FolderDraft {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [.init(name: "x", kind: .float, dimensions: dimensions)]
    graph.nodes = [
      SourceNode(name: "y", op: "Tanh", inputs: ["x"], outputs: ["y"], attributes: [:])
    ]
    graph.outputs = ["y"]
    return try GraphTranslation(graph).folder(named: "m")
  }

  @Test func stepsInTheLastAxisAreTold() throws {
    let turned = try draft([.fixed(1), .fixed(3), .named("t")])
    #expect(turned.description.inputs[0].kind == .features(size: 3, mean: nil, scale: nil))
    #expect(turned.reference?.exampleInputs(steps: 1)[0].stepAxis == 2)
    #expect(turned.notes.contains { $0.contains("steps in the last axis") }, "\(turned.notes)")
    let usual = try draft([.fixed(1), .named("t"), .fixed(3)])
    #expect(usual.reference != nil && usual.reference?.exampleInputs(steps: 1)[0].stepAxis == nil)
    #expect(usual.notes.isEmpty)
    let image = try draft([.fixed(1), .fixed(3), .named("t"), .fixed(5)])
    #expect(image.reference?.exampleInputs(steps: 1)[0].stepAxis == 2)
    #expect(image.notes.contains { $0.contains("axis 2") && $0.contains("[3, 5]") })
  }

  /// An export of an example of two sequences, without dynamic axes: the convolution's first axis is the batch, also where the others
  /// are known to be channels, bands and steps.
  @Test func anImageOfTwoSequences() throws {
    func node(
      _ op: String, _ inputs: [String], _ output: String,
      _ attributes: [String: SourceAttribute] = [:]
    ) -> SourceNode {
      SourceNode(name: output, op: op, inputs: inputs, outputs: [output], attributes: attributes)
    }
    func numbers(_ shape: [Int]) -> SourceConstant {
      let count = shape.reduce(1, *)
      return SourceConstant(
        SourceTensor(shape: shape, elements: (0..<count).map { Double($0 * 7 % 5) / 5 - 0.4 }))
    }
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(name: "x", kind: .float, dimensions: [.fixed(2), .fixed(1), .fixed(4), .fixed(12)])
    ]
    graph.constants = [
      "kernel": numbers([2, 1, 3, 3]), "matrix": numbers([8, 4]), "w": numbers([1, 3, 4]),
      "r": numbers([1, 3, 3]), "sizes": SourceConstant(SourceTensor(integers: [2, 8, 12])),
    ]
    graph.nodes = [
      node("Conv", ["x", "kernel"], "conv", ["pads": .integers([1, 1, 1, 1])]),
      node("Reshape", ["conv", "sizes"], "flat"),
      node("Transpose", ["flat"], "steps", ["perm": .integers([2, 0, 1])]),
      node("MatMul", ["steps", "matrix"], "dense"),
      node("RNN", ["dense", "w", "r"], "all", ["hidden_size": .integer(3)]),
      node("Squeeze", ["all"], "rows"),
      node("Transpose", ["rows"], "y", ["perm": .integers([1, 0, 2])]),
    ]
    graph.outputs = ["y"]
    let draft = try GraphTranslation(graph).folder(named: "m")
    #expect(draft.description.inputs[0].kind == .features(size: 4, mean: nil, scale: nil))
    #expect(draft.reference?.exampleInputs(steps: 12)[0].stepAxis == 3)
  }

  /// A network that reads the steps from the first axis: of a second input, of numbers or ids, they are there too, whether the
  /// file names the axes or has those of an example.
  @Test(arguments: [false, true], [SourceTensor.Kind.float, .integer])
  func severalInputsWithTheStepsFirst(isOpen: Bool, kind: SourceTensor.Kind) throws {
    let axes: [SourceGraph.Dimension] =
      isOpen ? [.named("t"), .named("b")] : [.fixed(9), .fixed(1)]
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(name: "x", kind: .float, dimensions: axes + [.fixed(2)]),
      .init(name: "r", kind: kind, dimensions: axes),
    ]
    func numbers(_ shape: [Int]) -> SourceConstant {
      let count = shape.reduce(1, *)
      return SourceConstant(
        SourceTensor(shape: shape, elements: (0..<count).map { Double($0 * 7 % 5) / 5 - 0.4 }))
    }
    graph.constants = [
      "w": numbers([1, 3, 3]), "r.w": numbers([1, 3, 3]), "table": numbers([5, 1]),
      "axis": SourceConstant(SourceTensor(integers: [2])),
    ]
    let wide =
      kind == .float
      ? SourceNode(name: "wide", op: "Unsqueeze", inputs: ["r", "axis"], outputs: ["wide"])
      : SourceNode(name: "wide", op: "Gather", inputs: ["table", "r"], outputs: ["wide"])
    graph.nodes = [
      wide,
      SourceNode(
        name: "both", op: "Concat", inputs: ["x", "wide"], outputs: ["both"],
        attributes: ["axis": .integer(2)]),
      SourceNode(
        name: "y", op: "RNN", inputs: ["both", "w", "r.w"], outputs: ["y"],
        attributes: ["hidden_size": .integer(3)]),
    ]
    graph.outputs = ["y"]
    let draft = try GraphTranslation(graph).folder(named: "m")
    #expect(draft.description.inputs[0].kind == .features(size: 2, mean: nil, scale: nil))
    #expect(
      draft.description.inputs[1].kind
        == (kind == .float
          ? .features(size: 1, mean: nil, scale: nil) : .tokens(size: 5, vocabulary: nil)))
    #expect(draft.description.inputs.allSatisfy { $0.steps == nil && $0.axis == nil })
    let given: [String: [Float]] = [
      "x": (0..<18).map { Float($0) / 20 }, "r": (0..<9).map { Float($0 % 5) },
    ]
    let folder = try ModelGraph(draft.model())
    let second: InputSequence.Values =
      kind == .float ? .features(given["r"]!) : .tokens(given["r"]!.map { Int32($0) })
    let found = SoleRider.answer(
      folder, try InputSequence([.features(given["x"]!), second], for: folder.model))[0]
    let expected = try #require(
      draft.reference?.values(for: given, steps: 9).last { $0.name == "y" }
    ).numbers
    #expect(found.count == 27 && expected.count == 27)
    #expect(zip(found, expected).allSatisfy { abs(Double($0) - $1) <= 1e-6 })
  }

  /// An input of ids has one a step; several are numbers that a table's rows are chosen by.
  @Test func aStepMayHaveSeveralIDs() throws {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(name: "ids", kind: .integer, dimensions: [.fixed(1), .named("t"), .fixed(4)])
    ]
    graph.constants = [
      "table": SourceConstant(SourceTensor(shape: [3, 2], elements: [1, 2, 3, 4, 5, 6]))
    ]
    graph.nodes = [SourceNode(name: "y", op: "Gather", inputs: ["table", "ids"], outputs: ["y"])]
    graph.outputs = ["y"]
    let draft = try GraphTranslation(graph).folder(named: "m")
    #expect(draft.description.inputs[0].kind == .features(size: 4, mean: nil, scale: nil))
    #expect(draft.description.nodes.map(\.op) == [.lookup])
    #expect(draft.tableRows(of: "ids") == 3)
  }

  /// A vector ahead of steps that come first, whose name of the batch tells which of their axes that is.
  @Test func aVectorBesideStepsThatComeFirst() throws {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(name: "v", kind: .float, dimensions: [.named("b"), .fixed(3)]),
      .init(name: "x", kind: .float, dimensions: [.named("t"), .named("b"), .fixed(2)]),
    ]
    graph.constants = [
      "w": SourceTensor(shape: [1, 3, 2], elements: [0.3, -0.1, 0.5, 0.2, -0.4, 0.1]),
      "r": SourceTensor(shape: [1, 3, 3], elements: (0..<9).map { 0.4 - 0.1 * Double($0) }),
      "axis": SourceTensor(integers: [0]),
    ].mapValues { SourceConstant($0) }
    graph.nodes = [
      SourceNode(name: "h", op: "Unsqueeze", inputs: ["v", "axis"], outputs: ["h"]),
      SourceNode(
        name: "y", op: "RNN", inputs: ["x", "w", "r", "", "", "h"], outputs: ["y"],
        attributes: ["hidden_size": .integer(3)]),
    ]
    graph.outputs = ["y"]
    let draft = try GraphTranslation(graph).folder(named: "m")
    #expect(
      draft.description.inputs.map(\.kind)
        == [.vector(size: 3), .features(size: 2, mean: nil, scale: nil)])
    let given: [String: [Float]] = ["v": [0.3, -0.8, 0.5], "x": [0.1, 0.2, -0.7, 0.4]]
    let folder = try ModelGraph(draft.model())
    let found = SoleRider.answer(
      folder,
      try InputSequence([.vector(given["v"]!), .features(given["x"]!)], for: folder.model))[0]
    let expected = try #require(
      draft.reference?.values(for: given, steps: 2).last { $0.name == "y" }
    ).numbers
    #expect(found.count == 6 && zip(found, expected).allSatisfy { abs(Double($0) - $1) <= 1e-6 })
  }

  /// One sequence of a batch, chosen before a network reads it along axis 1.
  @Test func oneSequenceOfABatch() {
    var graph = SourceGraph(opset: 17)
    graph.inputs = [.init(name: "x", kind: .float, dimensions: [.fixed(2), .fixed(6), .fixed(4)])]
    graph.constants = [
      "start": SourceConstant(SourceTensor(integers: [0])),
      "end": SourceConstant(SourceTensor(integers: [1])),
      "w": SourceConstant(SourceTensor(repeating: 0.5, shape: [1, 2, 4])),
      "r": SourceConstant(SourceTensor(repeating: 0.5, shape: [1, 2, 2])),
    ]
    graph.nodes = [
      SourceNode(name: "first", op: "Slice", inputs: ["x", "start", "end"], outputs: ["first"]),
      SourceNode(
        name: "turned", op: "Transpose", inputs: ["first"], outputs: ["turned"],
        attributes: ["perm": .integers([1, 0, 2])]),
      SourceNode(
        name: "rnn", op: "RNN", inputs: ["turned", "w", "r"], outputs: ["y"],
        attributes: ["hidden_size": .integer(2)]),
    ]
    graph.outputs = ["y"]
    let error = #expect(throws: ImportError.self) {
      try GraphTranslation(graph).folder(named: "m")
    }
    #expect(error?.place == "input \"x\"")
    #expect(error?.remedy == Remedy.ownInputs)
  }
}
