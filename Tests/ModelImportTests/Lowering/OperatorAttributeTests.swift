import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Operators of ONNX with other attributes than exporters mostly write.
@Suite struct OperatorAttributeTests {
  /// The folder of a graph of one node, whose input is x, [b, t, 2].
  private func draft(
    _ op: String, _ attributes: [String: SourceAttribute], constants: [String: SourceTensor] = [:],
    inputs: [String] = ["x"], isChannelsFirst: Bool = false
  ) throws -> FolderDraft {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(
        name: "x", kind: .float,
        dimensions: isChannelsFirst
          ? [.named("b"), .fixed(2), .named("t")] : [.named("b"), .named("t"), .fixed(2)])
    ]
    graph.nodes = [
      SourceNode(name: "y", op: op, inputs: inputs, outputs: ["y"], attributes: attributes)
    ]
    graph.constants = constants.mapValues { SourceConstant($0) }
    graph.outputs = ["y"]
    return try GraphTranslation(graph).folder(named: "m")
  }

  private func answer(_ draft: FolderDraft, _ numbers: [Float]) throws -> [Float] {
    let model = try ModelGraph(draft.model())
    return SoleRider.answer(model, try InputSequence([.features(numbers)], for: model.model))[0]
  }

  /// ONNX's Selu has numbers of its own where the file names them.
  @Test(arguments: [(nil, nil), (1.1, 0.7), (nil, 0.7)] as [(Double?, Double?)])
  func seluHasItsNumbers(alpha: Double?, gamma: Double?) throws {
    var attributes: [String: SourceAttribute] = [:]
    attributes["alpha"] = alpha.map { .float($0) }
    attributes["gamma"] = gamma.map { .float($0) }
    let found = try answer(draft("Selu", attributes), [-0.5, 2])
    let (a, g) = (alpha ?? 1.6732632, gamma ?? 1.050701)
    for (found, expected) in zip(found, [Float(-0.39346933 * a * g), Float(2 * g)]) {
      #expect(abs(found - expected) < 1e-5)
    }
  }

  /// Without axes, a reduction that may have none is of each number alone.
  @Test(
    arguments: [
      ("ReduceL1", [1, 2]), ("ReduceL2", [1, 2]), ("ReduceSumSquare", [1, 4]),
      ("ReduceSum", [-1, 2]), ("ReduceLogSumExp", [-1, 2]),
    ] as [(String, [Float])])
  func reductionsOverNoAxes(op: String, expected: [Float]) throws {
    let found = try answer(draft(op, ["noop_with_empty_axes": .integer(1)]), [-1, 2])
    #expect(found == expected)
  }

  @Test(
    arguments: [
      ("asymmetric", "floor", true), ("asymmetric", "ceil", false),
      ("asymmetric", "round_prefer_floor", false), ("half_pixel", "round_prefer_ceil", true),
      ("half_pixel", "floor", false), ("pytorch_half_pixel", "round_prefer_floor", true),
      ("align_corners", "round_prefer_floor", false), (nil, nil, true),
    ] as [(String?, String?, Bool)])
  func nearestIsARepetition(coordinates: String?, rounding: String?, isCarried: Bool) throws {
    var attributes: [String: SourceAttribute] = [:]
    attributes["coordinate_transformation_mode"] = coordinates.map { .text($0) }
    attributes["nearest_mode"] = rounding.map { .text($0) }
    let scales = ["scales": SourceTensor(shape: [3], elements: [1, 3, 1])]
    func draft() throws -> FolderDraft {
      try self.draft("Resize", attributes, constants: scales, inputs: ["x", "", "scales"])
    }
    guard isCarried else {
      let error = #expect(throws: ImportError.self) { try draft() }
      #expect(error?.problem.contains("\(coordinates ?? ""), \(rounding ?? "")") == true)
      return
    }
    #expect(try answer(draft(), [1, 2, 3, 4]) == [1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4])
  }

  /// What SAME pads for a stride depends on the number of steps, also where two of them have the same rest.
  @Test(arguments: [("SAME_LOWER", 3, 4), ("SAME_UPPER", 2, 3), ("SAME_UPPER", 1, 3)])
  func paddingOfAStride(padding: String, stride: Int, kernel: Int) throws {
    func draft() throws -> FolderDraft {
      try self.draft(
        "MaxPool",
        [
          "kernel_shape": .integers([kernel]), "strides": .integers([stride]),
          "auto_pad": .text(padding),
        ], isChannelsFirst: true)
    }
    guard stride > 1 else {
      _ = try draft()
      return
    }
    let error = #expect(throws: ImportError.self) { try draft() }
    #expect(error?.problem.contains("pads for its stride") == true)
  }
}
