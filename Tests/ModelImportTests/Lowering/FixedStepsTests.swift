import ModelFormat
import Testing

@testable import ModelImport

/// A known number of steps whose matrix has weights for each, or that are put together in groups.
@Suite struct FixedStepsTests: StepGraphTests {
  static let steps = 12

  private let constants: [String: SourceTensor] = [
    "w": SourceTensor(shape: [1, 2, 4], elements: (0..<8).map { 0.3 - 0.1 * Double($0) }),
    "r": SourceTensor(shape: [1, 2, 2], elements: [0.5, -0.2, 0.1, 0.4]),
    "m": SourceTensor(shape: [6, 1], elements: (0..<6).map { 0.7 - 0.3 * Double($0) }),
    "all": SourceTensor(shape: [24, 1], elements: (0..<24).map { 0.05 * Double($0) - 0.4 }),
    "groups": SourceTensor(integers: [0, 3, 2, 4]), "rows": SourceTensor(integers: [3, -1, 4]),
    "flat": SourceTensor(integers: [-1, 24]), "start": SourceTensor(integers: [-6]),
    "end": SourceTensor(integers: [.max >> 1]), "one": SourceTensor(integers: [1]),
  ]

  /// A network reads x; `last` are its last six steps.
  private var read: [SourceNode] {
    [
      node("Transpose", ["x"], "t", ["perm": .integers([1, 0, 2])]),
      node("RNN", ["t", "w", "r"], "h", ["hidden_size": .integer(2)]),
      node("Slice", ["x", "start", "end", "one"], "last"),
    ]
  }

  /// Both what a network reads of x and what is made of its last steps is answered.
  private func expectCarried(_ nodes: [SourceNode], isOpen: Bool) throws {
    let draft = try draft(graph(nodes, constants, isOpen: isOpen))
    #expect(draft.description.inputs.map(\.steps) == [isOpen ? nil : 12])
    try expectAgreement(draft, steps: isOpen ? [6, 7, 12, 20] : [12])
  }

  /// A matrix over the steps of each element, as of an autoregressive model, and one over all.
  @Test(arguments: [false, true]) func matrices(isOpen: Bool) throws {
    try expectCarried(
      read + [
        node("Transpose", ["last"], "u", ["perm": .integers([0, 2, 1])]),
        node("MatMul", ["u", "m"], "a"), node("Neg", ["a"], "y"),
      ], isOpen: isOpen)
    try expectCarried(
      read + [node("Reshape", ["last", "flat"], "u"), node("MatMul", ["u", "all"], "y")],
      isOpen: isOpen)
  }

  /// A network that reads every second step of two groups.
  @Test(arguments: [false, true]) func groups(isOpen: Bool) throws {
    for isLast in [false, true] {
      try expectCarried(
        read.suffix(1) + [
          node("Reshape", ["last", "groups"], "g"),
          node("Transpose", ["g"], "u", ["perm": .integers([1, 0, 2, 3])]),
          node("Reshape", ["u", "rows"], "v"),
          SourceNode(
            name: "g", op: "RNN", inputs: ["v", "w", "r"], outputs: ["steps", "final"],
            attributes: ["hidden_size": .integer(2)]),
          node("Neg", [isLast ? "final" : "steps"], "y"),
        ], isOpen: isOpen)
    }
  }

  /// A matrix over all steps that a network reads holds for so many; where there are any, what to do is said.
  @Test func allSteps() throws {
    let nodes =
      read.prefix(2) + [
        node("Transpose", ["x"], "u", ["perm": .integers([0, 2, 1])]),
        node("MatMul", ["u", "every"], "y"),
      ]
    var constants = constants
    constants["every"] = SourceTensor(
      shape: [12, 1], elements: (0..<12).map { 0.1 * Double($0) - 0.4 })
    let draft = try draft(graph(Array(nodes), constants, isOpen: false))
    #expect(draft.description.inputs.map(\.steps) == [12])
    try expectAgreement(draft, steps: [12])
    let error = try #require(throws: ImportError.self) {
      try self.draft(graph(Array(nodes), constants, isOpen: true))
    }
    #expect(error.remedy?.contains("without a dynamic axis for the steps") ?? false, "\(error)")
  }

  /// Numbers that stand in for steps that a pool left are not shown.
  @Test func stepsOfAPoolAreNamed() throws {
    let nodes = [
      node("Transpose", ["x"], "u", ["perm": .integers([0, 2, 1])]),
      node(
        "MaxPool", ["u"], "p",
        ["kernel_shape": .integers([9]), "strides": .integers([9]), "pads": .integers([0, 0])]),
      node("MatMul", ["p", "m"], "y"),
    ]
    let error = try #require(throws: ImportError.self) {
      try draft(graph(nodes, constants, isOpen: true))
    }
    #expect(error.problem.contains("[batch, 4, steps/9]"), "\(error)")
    #expect(error.remedy?.contains("y.max(1)[0]") ?? false, "\(error)")
  }
}
