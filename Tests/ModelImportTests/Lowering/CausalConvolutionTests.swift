import ModelFormat
import Testing

@testable import ModelImport

/// Convolutions that pad both ends, of which a slice then cuts steps from the end.
@Suite struct CausalConvolutionTests: StepGraphTests {
  static let steps = 9

  private func draft(
    dilation: Int, padding: Int, cut: Int, stride: Int = 1, isOpen: Bool
  ) throws -> FolderDraft {
    let weight = SourceTensor(
      shape: [2, 4, 3], elements: (0..<24).map { Double($0 % 7) / 7 - 0.4 })
    return try draft(
      graph(
        [
          node("Transpose", ["x"], "t", ["perm": .integers([0, 2, 1])]),
          node(
            "Conv", ["t", "w"], "c",
            [
              "dilations": .integers([dilation]), "pads": .integers([padding, padding]),
              "strides": .integers([stride]),
            ]),
          node("Slice", ["c", "start", "end", "axis"], "z"),
          node("Relu", ["z"], "r"),
          node("Transpose", ["r"], "y", ["perm": .integers([0, 2, 1])]),
        ],
        ["w": weight, "start": integers([0]), "end": integers([-cut]), "axis": integers([2])],
        isOpen: isOpen))
  }

  @Test(arguments: [1, 2, 3], [false, true])
  func cutPaddingMakesThemCausal(dilation: Int, isOpen: Bool) throws {
    let draft = try draft(
      dilation: dilation, padding: 2 * dilation, cut: 2 * dilation, isOpen: isOpen)
    let ops = draft.description.nodes.map(\.op)
    #expect(ops.map(\.name) == ["conv", "relu"])
    #expect((ops[0].definition as? ConvOp)?.padding == .causal)
    try expectAgreement(draft, steps: isOpen ? [2, 9, 20] : [9])
  }

  /// What pads more than a kernel reaches, cuts less than was padded, or has a stride.
  @Test(arguments: [
    (3, 3, 1, ["conv", "relu"]), (2, 1, 1, ["conv", "slice_steps", "relu"]),
    (2, 2, 2, ["conv", "slice_steps", "relu"]),
  ])
  func othersAreNoCausalOnes(padding: Int, cut: Int, stride: Int, ops: [String]) throws {
    let draft = try draft(dilation: 1, padding: padding, cut: cut, stride: stride, isOpen: true)
    #expect(draft.description.nodes.map(\.op.name) == ops)
    #expect((draft.description.nodes[0].op.definition as? ConvOp)?.padding != .causal)
    try expectAgreement(draft, steps: [5, 9, 20])
  }
}
