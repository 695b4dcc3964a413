import Inference
import ModelFormat
import TestSupport
import Testing

@Suite struct InputSequenceTests {
  @Test func goodOnes() throws {
    let model = try SmallModels.forecaster()
    #expect(try InputSequence([.features([1, 2, 3])], for: model).stepCount == 3)
  }

  static let bad: [([InputSequence.Values], InputError)] = [
    ([], .inputCount(found: 0, expected: 1)),
    ([.features([1]), .features([1])], .inputCount(found: 2, expected: 1)),
    ([.features([])], .noSteps(input: "x")),
    ([.features([0, .nan])], .notFinite(input: "x", index: 1)),
    ([.features([.infinity])], .notFinite(input: "x", index: 0)),
    ([.tokens([1])], .kind(input: "x", found: "tokens", expected: "features")),
    ([.vector([1])], .kind(input: "x", found: "a vector", expected: "features")),
  ]

  @Test(arguments: bad)
  func refused(values: [InputSequence.Values], error: InputError) throws {
    let model = try SmallModels.forecaster()
    #expect(throws: error) { try InputSequence(values, for: model) }
  }

  /// A sequence too short for the kernels of the model says so, with the least number.
  @Test func tooFewSteps() throws {
    let model = try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))],
        nodes: [
          .init(name: "p", op: .averagePool(kernel: 3), inputs: ["x"]),
          .init(name: "y", op: .sliceSteps(start: 1), inputs: ["p"]),
        ], outputs: [.init(name: "y")]),
      tensors: TensorFile(bytes: TensorFile.serialize([])))
    let error = InputError.tooFewSteps(input: "x", found: 5, least: 6, node: "y")
    #expect(throws: error) {
      try InputSequence([.features([1, 2, 3, 4, 5])], for: model)
    }
    #expect(
      error.description
        == "input \"x\" holds 5 steps, expected at least 6, which node \"y\" of the model needs")
    #expect(try InputSequence([.features([1, 2, 3, 4, 5, 6])], for: model).stepCount == 6)
  }

  /// A model that was made for one number of steps says so.
  @Test func otherSteps() throws {
    let model = try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil), steps: 3)],
        nodes: [.init(name: "y", op: .mean, inputs: ["x"])], outputs: [.init(name: "y")]),
      tensors: TensorFile(bytes: TensorFile.serialize([])))
    func sequence(_ count: Int) throws -> InputSequence {
      try InputSequence([.features(Array(repeating: 1, count: count))], for: model)
    }
    for count in [1, 2, 4, 100] {
      #expect(throws: InputError.otherSteps(input: "x", found: count, expected: 3)) {
        try sequence(count)
      }
    }
    let whole = try sequence(3)
    #expect(throws: InputError.otherSteps(input: "x", found: 4, expected: 3)) {
      try whole.checkLength(with: 1, for: model)
    }
    #expect(
      InputError.otherSteps(input: "x", found: 1, expected: 3).description
        == "input \"x\" holds 1 step, expected exactly 3, as many as the model was made for")
    #expect(
      InputError.otherSteps(input: "x", found: 4, expected: 1).description.hasSuffix(
        "; 4 sequences of as many are sent as 4 lists of 1"))
  }

  /// A sequence that attends to itself, with what is to follow it.
  @Test func longestOfAttention() throws {
    let model = try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))],
        nodes: [.init(name: "y", op: .attention(), inputs: ["x", "x"])],
        outputs: [.init(name: "y")]),
      tensors: TensorFile(bytes: TensorFile.serialize([])))
    #expect(model.inputAxes[0].most == 2048)
    func sequence(_ count: Int) throws -> InputSequence {
      try InputSequence([.features(Array(repeating: 1, count: count))], for: model)
    }
    let longest = try sequence(2048)
    try longest.checkLength(with: 0, for: model)
    #expect(throws: InputError.tooManySteps(found: 2049, limit: 2048, node: "y")) {
      try longest.checkLength(with: 1, for: model)
    }
    #expect(throws: InputError.tooManySteps(found: 2049, limit: 2048, node: "y")) {
      try sequence(2049)
    }
    #expect(try SmallModels.forecaster().inputAxes[0].most == .max)
  }
}
