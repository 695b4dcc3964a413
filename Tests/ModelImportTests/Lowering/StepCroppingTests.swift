import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Steps that were resized beside others, attention on other steps, and activations that several ops make.
@Suite struct StepCroppingTests: StepGraphTests {
  static let steps = 12

  private func draft(_ nodes: [SourceNode], isOpen: Bool) throws -> FolderDraft {
    let scales = SourceTensor(shape: [3], elements: [1, 1, 2])
    return try draft(graph(nodes, ["scales": scales], isOpen: isOpen))
  }

  /// x with its steps last, and every two steps' mean as `pooled`, [batch, 4, steps / 2].
  private var pool: [SourceNode] {
    [
      node("Transpose", ["x"], "channels", ["perm": .integers([0, 2, 1])]),
      node(
        "AveragePool", ["channels"], "pooled",
        ["kernel_shape": .integers([2]), "strides": .integers([2])]),
    ]
  }

  private var up: [SourceNode] {
    [
      node(
        "Resize", ["pooled", "", "scales"], "up",
        [
          "mode": .text("nearest"), "coordinate_transformation_mode": .text("asymmetric"),
          "nearest_mode": .text("floor"),
        ])
    ]
  }

  /// The skip of a U-Net: behind a pool and a repetition there are as many steps as before where their number is even.
  @Test(arguments: ["Concat", "Add"]) func resizedStepsBesideOthers(op: String) throws {
    let join = node(op, ["up", "channels"], "both", op == "Concat" ? ["axis": .integer(1)] : [:])
    let nodes = pool + up + [join, node("Relu", ["both"], "y")]
    let closed = try draft(nodes, isOpen: false)
    #expect(closed.description.inputs.map(\.steps) == [Self.steps])
    #expect(closed.description.nodes.contains { $0.op.name == CropOrPadOp.name })
    try expectAgreement(closed, steps: [Self.steps])
    let error = #expect(throws: ImportError.self) { try self.draft(nodes, isOpen: true) }
    #expect(error?.remedy == Remedy.oneLength)
  }

  /// Steps that were resized in the same way are as many at any length.
  @Test func stepsThatWereResizedAlikeHoldForAnyLength() throws {
    let nodes = pool + [node("Tanh", ["pooled"], "a"), node("Add", ["a", "pooled"], "y")]
    let draft = try draft(nodes, isOpen: false)
    #expect(draft.description.inputs.map(\.steps) == [nil])
    #expect(!draft.description.nodes.contains { $0.op.name == CropOrPadOp.name })
  }

  /// Queries may have other steps than the keys, as a decoder's have.
  @Test func attentionOnOtherSteps() throws {
    let nodes =
      pool + [
        node("Transpose", ["pooled"], "queries", ["perm": .integers([0, 2, 1])]),
        node("MatMul", ["queries", "channels"], "scores"),
        node("Softmax", ["scores"], "weights", ["axis": .integer(-1)]),
        node("MatMul", ["weights", "x"], "y"),
      ]
    let draft = try draft(nodes, isOpen: true)
    #expect(draft.description.inputs.map(\.steps) == [nil])
    #expect(draft.description.nodes.contains { $0.op.name == AttentionOp.name })
    try expectAgreement(draft, steps: [2, 7, 12, 33])
  }

  @Test(
    arguments: [
      ("Celu", ["alpha": 2]), ("Celu", ["alpha": 0.5]), ("Shrink", ["lambd": 0.3, "bias": 0.3]),
      ("Shrink", ["lambd": 0.3, "bias": 0]),
    ] as [(String, [String: Double])])
  func activations(op: String, attributes: [String: Double]) throws {
    let draft = try draft(
      [node(op, ["x"], "y", attributes.mapValues { .float($0) })], isOpen: true)
    try expectAgreement(draft, steps: [9])
  }

  @Test func anUnevenShrinkIsRefused() throws {
    let shrink = node("Shrink", ["x"], "y", ["lambd": .float(0.3), "bias": .float(0.1)])
    #expect(throws: ImportError.self) { try self.draft([shrink], isOpen: true) }
  }

  /// A mask of whole numbers that is compared with 0 is no input of ids.
  @Test func aMaskOfWholeNumbers() throws {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(name: "x", kind: .float, dimensions: [.named("b"), .named("t"), .fixed(4)]),
      .init(name: "m", kind: .integer, dimensions: [.named("b"), .named("t")]),
    ]
    graph.constants = [
      "zero": SourceConstant(SourceTensor(shape: [], kind: .integer, elements: [0])),
      "last": SourceConstant(SourceTensor(integers: [2])),
      "low": SourceConstant(SourceTensor(shape: [], elements: [-9])),
    ]
    graph.nodes = [
      node("Equal", ["m", "zero"], "hidden"),
      node("Unsqueeze", ["hidden", "last"], "each"), node("Where", ["each", "low", "x"], "y"),
    ]
    graph.outputs = ["y"]
    let model = try ModelGraph(GraphTranslation(graph).folder(named: "m").model())
    let sequence = try InputSequence(
      [.features([1, 2, 3, 4, 5, 6, 7, 8]), .features([1, 0])], for: model.model)
    let answer = SoleRider.answer(model, sequence)[0]
    #expect(answer.suffix(4) == [-9, -9, -9, -9])
  }

  /// Elements of several axes are answered side by side, which a note says.
  @Test(arguments: [[0, 0, 2, 2], [0, 0, 4]]) func anAnswerOfSeveralAxes(shape: [Int]) throws {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(name: "x", kind: .float, dimensions: [.named("b"), .named("t"), .fixed(4)])
    ]
    graph.constants = ["shape": SourceConstant(SourceTensor(integers: shape))]
    graph.nodes = [node("Tanh", ["x"], "a"), node("Reshape", ["a", "shape"], "y")]
    graph.outputs = ["y"]
    let notes = try GraphTranslation(graph).folder(named: "m").notes
    #expect(notes.contains { $0.contains("side by side") } == (shape.count > 3))
  }

  /// A loop over the steps that an exporter unrolled may have more nodes than a folder.
  @Test func tooManyNodesHaveARemedy() throws {
    let error = ImportError(file: "m.onnx", .tooMany("nodes", found: 1136, limit: 1000))
    #expect(error.remedy == Remedy.tooManyNodes)
    #expect(ImportError(file: "m.onnx", .tooMany("inputs", found: 2, limit: 1)).remedy == nil)
  }
}
