import Inference
import ModelFormat
import TestSupport
import Testing

/// Rows of a table chosen by the elements of a step or vector.
@Suite struct LookupTests {
  private func model(
    _ input: ModelDescription.Input.Kind, table: [Int] = [3, 2], weights: String = "e"
  ) throws -> Model {
    try Model(
      description: ModelDescription(
        name: "m", version: "1", inputs: [.init(name: "x", kind: input)],
        nodes: [.init(name: "y", op: .lookup, inputs: ["x"], weights: weights)],
        outputs: [.init(name: "y")]),
      tensors: TensorFile(
        bytes: TensorFile.serialize([
          (
            tensorName("weight", under: weights), table,
            Array([1, 2, 3, 4, 5, 6].prefix(table.reduce(1, *)))
          )
        ])))
  }

  /// As the state dict of an embedding alone has it.
  @Test func theTableMayHaveNoPrefix() throws {
    let model = try model(.features(size: 1, mean: nil, scale: nil), weights: "")
    let sequence = try InputSequence([.features([2])], for: model)
    #expect(try Runner.run(ModelGraph(model), [sequence], selections: [.all])[0][0] == [5, 6])
  }

  @Test func rowsStandSideBySide() throws {
    let model = try model(.features(size: 2, mean: nil, scale: nil))
    #expect(model.nodes[0].form == .sequence(size: 4))
    let sequence = try InputSequence([.features([0, 2, 1, 1])], for: model)
    #expect(
      try Runner.run(ModelGraph(model), [sequence], selections: [.all])[0][0] == [
        1, 2, 5, 6, 3, 4, 3, 4,
      ])
  }

  /// As PyTorch's `long()` and Keras's Embedding cut it.
  @Test func theFractionIsCutOff() throws {
    let model = try model(.features(size: 4, mean: nil, scale: nil))
    let sequence = try InputSequence([.features([-0.9, 0.9, 2.999, 1.5])], for: model)
    #expect(
      try Runner.run(ModelGraph(model), [sequence], selections: [.all])[0][0] == [
        1, 2, 1, 2, 5, 6, 3, 4,
      ])
  }

  @Test(arguments: [-1, 3, 1e30, -1e30] as [Float])
  func whereThereIsNoRowTheAnswerIsNoNumber(number: Float) throws {
    let model = try model(.features(size: 2, mean: nil, scale: nil))
    let sequence = try InputSequence([.features([number, 1])], for: model)
    let found = try Runner.run(ModelGraph(model), [sequence], selections: [.all])[0][0]
    #expect(found[0].isNaN && found[1].isNaN && found[2...] == [3, 4])
  }

  @Test(arguments: [[6], [0, 2], [3, 0]])
  func aTableHasRowsAndColumns(shape: [Int]) {
    let error = #expect(throws: ModelError.self) {
      try model(.features(size: 2, mean: nil, scale: nil), table: shape)
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("e.weight"))
  }
}
