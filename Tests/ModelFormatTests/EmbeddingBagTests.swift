import Testing

@testable import ModelFormat

@Suite struct EmbeddingBagTests {
  private func model(
    _ op: ModelDescription.Op, inputs: [String] = ["t"], table: [Int] = [4, 3]
  ) throws -> Model {
    try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [
          .init(name: "t", kind: .tokens(size: 4, vocabulary: nil)),
          .init(name: "w", kind: .features(size: 1, mean: nil, scale: nil)),
          .init(name: "x", kind: .features(size: 2, mean: nil, scale: nil)),
        ], nodes: [.init(name: "y", op: op, inputs: inputs)],
        outputs: ["y", "w", "x"].map { .init(name: $0) }),
      tensors: zeros(["y.weight": table]))
  }

  @Test func makesAVector() throws {
    #expect(try model(.embeddingBag(padding: 3)).nodes[0].form == .vector(size: 3))
    #expect(
      try model(.embeddingBag(mode: .sum), inputs: ["t", "w"]).nodes[0].form == .vector(size: 3))
  }

  @Test func refuses() {
    expectError(mentioning: ["nodes[0].padding: expected an id from 0 to 3, found 4"]) {
      _ = try model(.embeddingBag(padding: 4))
    }
    expectError(mentioning: [#"nodes[0].mode: expected "sum", as there are weights, found "mean""#])
    {
      _ = try model(.embeddingBag(), inputs: ["t", "w"])
    }
    expectError(mentioning: ["takes a sequence of size 1", "a sequence of size 2"]) {
      _ = try model(.embeddingBag(mode: .sum), inputs: ["t", "x"])
    }
    expectError(mentioning: ["takes tokens"]) { _ = try model(.embeddingBag(), inputs: ["x"]) }
    expectError(mentioning: ["[4, size]"]) { _ = try model(.embeddingBag(), table: [5, 3]) }
  }
}
