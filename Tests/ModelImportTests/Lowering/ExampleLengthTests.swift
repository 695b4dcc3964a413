import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Graphs of one example's length, as exporters write them without dynamic axes: what they computed from the length.
@Suite struct ExampleLengthTests {
  private static let steps = 10

  /// A graph of x, [1, 10, 3], and these nodes; `y` is the output.
  private func graph(
    _ nodes: [SourceNode], _ constants: [String: SourceTensor], isOpen: Bool = false
  ) -> SourceGraph {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(
        name: "x", kind: .float,
        dimensions: [.fixed(1), isOpen ? .named("t") : .fixed(Self.steps), .fixed(3)])
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

  /// The folder's answer for a sequence of 10 steps is the graph's.
  private func expectAgreement(_ draft: FolderDraft) throws {
    let graph = try ModelGraph(draft.model())
    var noise = Noise(seed: 3)
    let numbers = noise.floats(Self.steps * 3)
    let found = SoleRider.answer(graph, try InputSequence([.features(numbers)], for: graph.model))[
      0]
    let reference = try #require(draft.reference)
    let expected = try #require(
      reference.values(for: ["x": numbers], steps: Self.steps).last { $0.name == "y" }
    ).numbers
    try #require(found.count >= expected.count)
    for (a, b) in zip(found.suffix(expected.count), expected) { #expect(abs(Double(a) - b) < 1e-5) }
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

  /// Numbers that are others', and those of a value that is no sum over the steps.
  @Test func otherNumbersHoldForAll() throws {
    let sum = node("ReduceSum", ["x", "axes"], "s")
    let axes = SourceTensor(integers: [1])
    for nodes in [[sum, node("Div", ["s", "n"], "y")], [node("Div", ["x", "ten"], "y")]] {
      let draft = try draft(graph(nodes, ["axes": axes, "n": number(7), "ten": number(10)]))
      #expect(draft.description.inputs.map(\.steps) == [nil])
      #expect(draft.notes.contains { $0.contains("exported for sequences of 10 steps") })
    }
    let open = try draft(
      graph([sum, node("Div", ["s", "n"], "y")], ["axes": axes, "n": number(10)], isOpen: true))
    #expect(open.description.inputs.map(\.steps) == [nil] && open.notes.isEmpty)
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
