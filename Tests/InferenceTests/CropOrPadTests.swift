import Inference
import ModelFormat
import TestSupport
import Testing

/// A sequence gets the steps of another: what is left out, and where zeros stand.
@Suite struct CropOrPadTests {
  @Test(arguments: [
    (CropOrPadOp.Alignment?.none, 5, [1, 2, 3, 4, 5]), (nil, 3, [1, 2, 3]),
    (.start, 8, [1, 2, 3, 4, 5, 0, 0, 0]), (.end, 8, [0, 0, 0, 1, 2, 3, 4, 5]), (.end, 1, [5]),
    (.centre, 8, [0, 1, 2, 3, 4, 5, 0, 0]), (.centre, 7, [0, 1, 2, 3, 4, 5, 0]),
    (.centre, 4, [1, 2, 3, 4]), (.centre, 2, [2, 3]), (.centre, 3, [2, 3, 4]), (.centre, 1, [3]),
  ])
  func steps(align: CropOrPadOp.Alignment?, count: Int, expected: [Float]) throws {
    let model = try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [
          .init(name: "x", kind: .features(size: 1, mean: nil, scale: nil)),
          .init(name: "like", kind: .tokens(size: 1, vocabulary: nil), axis: "other"),
        ],
        nodes: [.init(name: "y", op: .cropOrPad(align: align), inputs: ["x", "like"])],
        outputs: [.init(name: "y")]),
      tensors: TensorFile(bytes: TensorFile.serialize([])))
    let graph = try ModelGraph(model)
    let given = try InputSequence(
      [.features([1, 2, 3, 4, 5]), .tokens(Array(repeating: 0, count: count))], for: model)
    // Beside others, of other lengths.
    let other = try InputSequence([.features([7]), .tokens([0, 0])], for: model)
    let found = Runner.run(
      graph, [other, given, other], selections: Array(repeating: .all, count: 3))
    #expect(found[1][0] == expected)
    #expect(found[0][0].filter { $0 != 0 } == [7] && found[0] == found[2])
    #expect(try ModelDescription(json: Array(model.description.json.utf8)) == model.description)
  }
}
