import ModelFormat
import Testing

@testable import ModelImport

/// Steps that are open in the file, of which values behind a network, or padding, tell how many the exporter's example had.
@Suite struct OpenExampleTests: StepGraphTests {
  static let steps = 10

  private static let cell: [String: SourceTensor] = [
    "w": SourceTensor(shape: [1, 2, 4], elements: (0..<8).map { 0.3 - 0.1 * Double($0) }),
    "r": SourceTensor(shape: [1, 2, 2], elements: [0.5, -0.2, 0.1, 0.4]),
    "kernel": SourceTensor(
      shape: [4, 4, 3], elements: (0..<48).map { 0.1 * Double($0 % 5) - 0.2 }),
    "axes": SourceTensor(integers: [1]),
    "ten": SourceTensor(shape: [], elements: [10]), "eight": SourceTensor(shape: [], elements: [8]),
  ]

  /// A network over the steps of `value`, answered as `h`, [batch, steps, 2].
  private func network(_ value: String) -> [SourceNode] {
    [
      node("Transpose", [value], "\(value).t", ["perm": .integers([1, 0, 2])]),
      node("RNN", ["\(value).t", "w", "r"], "rnn", ["hidden_size": .integer(2)]),
      node("Squeeze", ["rnn", "axes"], "squeezed"),
      node("Transpose", ["squeezed"], "h", ["perm": .integers([1, 0, 2])]),
    ]
  }

  /// A kernel of three over the steps of `value`, answered as `read`.
  private func convolution(_ value: String) -> [SourceNode] {
    [
      node("Transpose", [value], "turned", ["perm": .integers([0, 2, 1])]),
      node("Conv", ["turned", "kernel"], "c"),
      node("Transpose", ["c"], "read", ["perm": .integers([0, 2, 1])]),
    ]
  }

  /// The sum over all steps, divided by a number.
  private func mean(_ number: String) -> [SourceNode] {
    [node("ReduceSum", ["h", "axes"], "s"), node("Div", ["s", number], "y")]
  }

  @Test(arguments: [true, false]) func aNumberOfStepsBehindANetwork(isTold: Bool) throws {
    var graph = graph(network("x") + mean("ten"), Self.cell, isOpen: true)
    graph.isFromPyTorch = true
    if isTold { graph.examples["h"] = [nil, 10, 2] }
    let draft = try draft(graph)
    #expect(draft.description.inputs.map(\.steps) == [isTold ? 10 : nil])
    #expect(draft.notes.contains { $0.contains("dynamo=False") } == isTold, "\(draft.notes)")
    #expect(draft.reference?.exampleSteps == (isTold ? 10 : nil))
    try expectAgreement(draft, steps: [10])
  }

  /// Of 10 steps a kernel of 3 leaves 8.
  @Test func aNumberOfStepsBehindAKernel() throws {
    let nodes = convolution("x") + network("read")
    var graph = graph(nodes + mean("eight"), Self.cell, isOpen: true)
    graph.isFromPyTorch = true
    graph.examples["h"] = [nil, 8, 2]
    let draft = try draft(graph)
    #expect(draft.description.inputs.map(\.steps) == [10])
    try expectAgreement(draft, steps: [10])
  }

  /// Zeros that a network reads bring the example to a number of steps; those that a kernel reads, or a few before the first, do not.
  @Test(arguments: [
    ([0, 0, 0, 0, 6, 0], false, true), ([0, 3, 0, 0, 0, 0], false, true),
    ([0, 2, 0, 0, 0, 0], false, false), ([0, 1, 0, 0, 1, 0], true, false),
  ])
  func stepsOfZeros(pads: [Int], isConvolved: Bool, isExact: Bool) throws {
    var constants = Self.cell
    constants["pads"] = SourceTensor(integers: pads)
    let read = isConvolved ? convolution("padded") : [node("Tanh", ["padded"], "read")]
    let nodes =
      [node("Pad", ["x", "pads"], "padded")] + read + network("read") + [node("Neg", ["h"], "y")]
    let exact = try draft(graph(nodes, constants, isOpen: false))
    #expect(exact.description.inputs.map(\.steps) == [isExact ? 10 : nil])
    try expectAgreement(exact, steps: [10])
    // With any number of steps in the file, the padding is the model's own.
    #expect(
      try draft(graph(nodes, constants, isOpen: true)).description.inputs.map(\.steps) == [nil])
  }

  /// As many steps of a vector as the example has may be meant to be as many as the question's, which a note says.
  @Test(arguments: [true, false]) func stepsOfAVectorAsManyAsTheExample(isAsMany: Bool) throws {
    let parts = Array(repeating: "one", count: isAsMany ? 10 : 5)
    var constants = Self.cell
    constants["w"] = SourceTensor(shape: [1, 2, 2], elements: [0.3, -0.1, 0.2, 0.4])
    constants["first"] = Self.cell["w"]
    var encoder = Array(network("x").prefix(2))
    encoder[1].inputs[1] = "first"
    encoder[1].outputs = ["", "last"]
    let repeated = [
      node("Transpose", ["last"], "one", ["perm": .integers([1, 0, 2])]),
      node("Concat", parts, "steps", ["axis": .integer(1)]),
    ]
    let nodes = encoder + repeated + network("steps") + [node("Neg", ["h"], "y")]
    let draft = try draft(graph(nodes, constants, isOpen: false))
    #expect(draft.notes.contains { $0.contains("made of a vector") } == isAsMany, "\(draft.notes)")
    try expectAgreement(draft, steps: [10])
  }
}
