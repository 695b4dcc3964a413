import Inference
import ModelFormat
import TestSupport
import Testing

@testable import Serving

@Suite struct InputBatchTests {
  private static func column(
    _ steps: Int..., isArray: Bool = true, isFlat: Bool = true, value: Float = 0
  ) -> InputColumn {
    InputColumn(
      values: steps.map { .features(Array(repeating: value, count: $0)) }, isArray: isArray,
      isFlat: isFlat)
  }

  private static let model = Result {
    try Model(
      description: ModelDescription(
        name: "sums", version: "1",
        inputs: ["a", "b"].map { .init(name: $0, kind: .features(size: 1, mean: nil, scale: nil)) },
        nodes: [.init(name: "y", op: .add, inputs: ["a", "b"], weights: nil)],
        outputs: [.init(name: "y")]),
      tensors: try TensorFile(bytes: try TensorFile.serialize([])))
  }

  @Test func sequencesOfAllInputs() throws {
    let model = try Self.model.get()
    let batch = try InputBatch(
      [Self.column(2, 3), Self.column(2, 3, isFlat: false, value: 1)], for: model)
    #expect(batch.isArray && !batch.isFlat)
    #expect(batch.sequences.map(\.stepCount) == [2, 3])
    #expect(batch.sequences[1].values == [.features([0, 0, 0]), .features([1, 1, 1])])
  }

  @Test func flaws() throws {
    let model = try Self.model.get()
    for (second, found) in [(Self.column(2), 1), (Self.column(2, isArray: false), nil)]
      as [(InputColumn, Int?)]
    {
      #expect(throws: InputBatch.Flaw.sequenceCounts(input: "b", found: found, expected: 2)) {
        try InputBatch([Self.column(2, 2), second], for: model)
      }
    }
    let steps = InputError.stepCounts(input: "b", found: 2, other: "a", expected: 3)
    #expect(throws: InputBatch.Flaw.sequence(1, steps)) {
      try InputBatch([Self.column(2, 3), Self.column(2, 2)], for: model)
    }
    #expect(throws: InputBatch.Flaw.sequence(nil, steps)) {
      try InputBatch([Self.column(3, isArray: false), Self.column(2, isArray: false)], for: model)
    }
  }
}
