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
}
