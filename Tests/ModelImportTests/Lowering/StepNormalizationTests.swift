import ModelFormat
import Testing

@testable import ModelImport

/// Norms over the steps, ahead of the network that reads these.
@Suite struct StepNormalizationTests: StepGraphTests {
  static let steps = 6

  private let weights: [String: SourceTensor] = [
    "w": SourceTensor(
      shape: [1, 3, 4], elements: (0..<12).map { Double($0 * 7 % 5) / 5 - 0.4 }),
    "r": SourceTensor(shape: [1, 3, 3], elements: (0..<9).map { Double($0 * 4 % 7) / 7 - 0.5 }),
    "scale": SourceTensor(shape: [4], elements: [0.5, -1, 2, 1]),
    "bias": SourceTensor(shape: [4], elements: [0.1, 0, -0.3, 1]),
  ]

  /// A network of three units, which reads `input`, [batch, steps, 4].
  private func network(reading input: String, states: String = "") -> [SourceNode] {
    [
      node("Transpose", [input], "first", ["perm": .integers([1, 0, 2])]),
      node("RNN", ["first", "w", "r", "", "", states], "all", ["hidden_size": .integer(3)]),
      node("Squeeze", ["all", "one"], "rows"),
      node("Transpose", ["rows"], "y", ["perm": .integers([1, 0, 2])]),
    ]
  }

  private func graph(
    norm op: String, _ attributes: [String: SourceAttribute] = [:], isOpen: Bool
  ) -> SourceGraph {
    let nodes = [
      node("Transpose", ["x"], "channels", ["perm": .integers([0, 2, 1])]),
      node(op, ["channels", "scale", "bias"], "norm", attributes),
      node("Transpose", ["norm"], "steps", ["perm": .integers([0, 2, 1])]),
    ]
    return graph(
      nodes + network(reading: "steps"), weights.merging(["one": integers([1])]) { $1 },
      isOpen: isOpen)
  }

  @Test(arguments: [true, false])
  func eachElementOrGroupOverTheSteps(isOpen: Bool) throws {
    let lengths = isOpen ? [2, 6, 9] : [6]
    try expectAgreement(draft(graph(norm: "InstanceNormalization", isOpen: isOpen)), steps: lengths)
    for groups in [1, 2] {
      let graph = graph(
        norm: "GroupNormalization", ["num_groups": .integer(groups)], isOpen: isOpen)
      try expectAgreement(draft(graph), steps: lengths)
    }
  }

  /// The weights tell how many steps there are.
  @Test func weightsForEachStep() throws {
    var constants = weights
    constants["one"] = integers([1])
    constants["table"] = SourceTensor(shape: [5, 4], elements: (0..<20).map { Double($0) / 10 })
    let norm = node("LayerNormalization", ["x", "table"], "norm", ["axis": .integer(1)])
    let draft = try draft(graph([norm] + network(reading: "norm"), constants, isOpen: true))
    #expect(draft.description.inputs.map(\.steps) == [5])
    try expectAgreement(draft, steps: [5])
  }

  /// What no network reads step by step are elements.
  @Test func elementsOfAVector() throws {
    let nodes = [
      node("LayerNormalization", ["x"], "norm", ["axis": .integer(1)]),
      node("Flatten", ["norm"], "flat"),
      node("MatMul", ["flat", "matrix"], "y"),
    ]
    let matrix = SourceTensor(shape: [24, 2], elements: (0..<48).map { Double($0 % 7) - 3 })
    let draft = try draft(graph(nodes, ["matrix": matrix], isOpen: false))
    #expect(draft.description.inputs.map(\.kind) == [.features(size: 24, mean: nil, scale: nil)])
  }

  /// A file with an open batch, whose shapes are those of an example of one sequence: there this comes first, with all steps behind it.
  @Test func shapesOfOneSequence() throws {
    let nodes = [
      node("Reshape", ["x", "shape"], "flat"),
      node("Shape", ["x"], "batch", ["end": .integer(1)]),
      node("Concat", ["one", "batch", "units"], "sizes", ["axis": .integer(0)]),
      node("Expand", ["zero", "sizes"], "zeros"),
    ]
    var constants = weights
    constants["shape"] = integers([1, -1, 4])
    constants["one"] = integers([1])
    constants["units"] = integers([3])
    constants["zero"] = SourceTensor(shape: [1, 1, 1], elements: [0])
    let network = network(reading: "flat", states: "zeros")
    try expectAgreement(draft(graph(nodes + network, constants, isOpen: true)), steps: [2, 9])
  }
}
