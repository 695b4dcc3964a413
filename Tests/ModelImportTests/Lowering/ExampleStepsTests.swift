import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Numbers that come from the example's length, behind ops that changed the number of steps or where the steps are open.
@Suite struct ExampleStepsTests {
  private static let steps = 7

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

  private func node(
    _ op: String, _ inputs: [String], _ output: String,
    _ attributes: [String: SourceAttribute] = [:]
  ) -> SourceNode {
    SourceNode(name: output, op: op, inputs: inputs, outputs: [output], attributes: attributes)
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
  }

  /// A graph that reads the first step alone was traced with one; the same beside a pool over all of them was not.
  @Test(arguments: [false, true]) func theFirstStepAlone(readsMore: Bool) throws {
    let weight = SourceTensor(shape: [3, 2], elements: [1, 2, 3, 4, 5, 6])
    var nodes = [
      node("MatMul", ["x", "weight"], "z"),
      node("Gather", ["z", "zero"], "f", ["axis": .integer(1)]),
    ]
    if readsMore {
      nodes.append(node("ReduceMean", ["z", "axes"], "m", ["keepdims": .integer(0)]))
      nodes.append(node("Add", ["f", "m"], "y"))
    } else {
      nodes.append(node("Relu", ["f"], "y"))
    }
    let constants = [
      "weight": weight, "zero": SourceTensor(shape: [], kind: .integer, elements: [0]),
      "axes": SourceTensor(integers: [1]),
    ]
    let draft = try GraphTranslation(graph(nodes, constants, example: nil)).folder(named: "m")
    #expect(draft.description.inputs.map(\.steps) == [readsMore ? nil : 1])
  }

  private func answer(_ model: Model, _ numbers: [Float]) throws -> [Float] {
    SoleRider.answer(
      try ModelGraph(model), try InputSequence([.features(numbers)], for: model))[0]
  }
}
