import ModelFormat
import TestSupport
import Testing

@testable import API

/// Outputs that reconstruct an input, and how far off they are.
@Suite struct ReconstructionTests {
  /// Two features, 1 and 10 off what the graph sees; its input is (x - 3) / 2.
  private func model(
    _ reconstruction: ModelDescription.Reconstruction, isNormalised: Bool = true
  ) throws -> Model {
    try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [
          .init(
            name: "x",
            kind: .features(
              size: 2, mean: isNormalised ? [3, 3] : nil, scale: isNormalised ? [2, 2] : nil))
        ],
        nodes: [
          .init(name: "y", op: .affine(scale: [1, 1], shift: [1, -10]), inputs: ["x"]),
          .init(name: "end", op: .last, inputs: ["y"]),
        ],
        outputs: [.init(name: "y", reconstructs: reconstruction), .init(name: "end")]),
      tensors: TensorFile(bytes: TensorFile.serialize([])))
  }

  /// What stands in `errors` of the one output that reconstructs, whatever other outputs there are.
  private func errors(
    _ reconstruction: ModelDescription.Reconstruction, isNormalised: Bool = true, inputs: String
  ) async throws -> String {
    let service = try Service.make(model(reconstruction, isNormalised: isNormalised))
    return await service.predict(#"{"inputs":\#(inputs),"answer":["errors"]}"#).body
  }

  @Test func squaresOrMagnitudes() async throws {
    let squared = try await errors(.init(input: "x"), inputs: "[[5,7],[1,3]]")
    #expect(
      squared == #"{"model":"m","errors":{"y":{"sequence":50.5,"steps":[50.5,50.5]}}}"# + "\n")
    let absolute = try await errors(.init(input: "x", error: .absolute), inputs: "[[5,7]]")
    #expect(absolute == #"{"model":"m","errors":{"y":{"sequence":5.5,"steps":[5.5]}}}"# + "\n")
  }

  /// The second step's first number is 3, which the graph sees as 0 and answers as 1: 2 below the input.
  @Test func unitsOfTheInput() async throws {
    let text = try await errors(
      .init(input: "x", error: .absolute, units: .input), inputs: "[[5,7],[3,3]]")
    // |2 - 5| + |-8 - 7|, |1 - 3| + |-10 - 3|.
    #expect(text == #"{"model":"m","errors":{"y":{"sequence":8.25,"steps":[9.0,7.5]}}}"# + "\n")
    let plain = try await errors(
      .init(input: "x", error: .absolute, units: .input), isNormalised: false, inputs: "[[5,7]]")
    #expect(plain == #"{"model":"m","errors":{"y":{"sequence":5.5,"steps":[5.5]}}}"# + "\n")
  }

  @Test func eachSequenceHasItsOwn() async throws {
    let text = try await errors(
      .init(input: "x", error: .absolute, units: .input), inputs: "[[[5,7]],[[3,3],[5,7]]]")
    #expect(
      text
        == #"{"model":"m","errors":{"y":[{"sequence":9.0,"steps":[9.0]},{"sequence":8.25,"steps":[7.5,9.0]}]}}"#
        + "\n")
  }

  @Test func standsBesideTheNumbers() async throws {
    let service = try Service.make(model(.init(input: "x")))
    let body = await service.predict(#"{"inputs":[[5,7]]}"#).body
    #expect(
      body
        == #"{"model":"m","outputs":{"y":[[2.0,-8.0]],"end":[2.0,-8.0]},"errors":{"y":{"sequence":50.5,"steps":[50.5]}}}"#
        + "\n")
    let refused = await service.predict(#"{"inputs":[[5,7]],"outputs":"last"}"#)
    #expect(refused.status == 400)
    #expect(refused.body.hasPrefix(#"{"error":"outputs: the errors of output \"y\" depend on all"#))
    let numbers = await service.predict(
      #"{"inputs":[[5,7]],"outputs":"last","answer":["outputs"]}"#)
    #expect(numbers.body == #"{"model":"m","outputs":{"y":[2.0,-8.0],"end":[2.0,-8.0]}}"# + "\n")
    let labels = await service.predict(#"{"inputs":[[5,7]],"answer":["labels"]}"#)
    #expect(labels.status == 400)
    let page = await service.answer("GET", "/models/m").body
    #expect(page.contains(#""every_step":true,"reconstructs":"x"}"#))
  }

  /// What goes on in a session has the errors of its own steps.
  @Test func sessionsHaveTheErrorsOfTheirSteps() async throws {
    let service = try Service.make(model(.init(input: "x", error: .absolute, units: .input)))
    _ = await service.predict(#"{"inputs":[[5,7]],"session":{"id":"s","begin":true}}"#)
    let next = await service.predict(#"{"inputs":[[3,3]],"session":"s","answer":["errors"]}"#)
    #expect(
      next.body
        == #"{"model":"m","errors":{"y":{"sequence":7.5,"steps":[7.5]}},"session":{"id":"s","steps":2}}"#
        + "\n")
  }

  @Test func errorsBeyondAFloatAreRefused() async throws {
    let service = try Service.make(model(.init(input: "x", units: .input)))
    #expect(await service.predict(#"{"inputs":[[3e38,7]]}"#).status == 422)
  }

  @Test func answersAreNoLongerThanReserved() async throws {
    let service = try Service.make(model(.init(input: "x")))
    let steps = (0..<40).map { "[\($0).123456789e-30,-1e-37]" }.joined(separator: ",")
    let body = #"{"inputs":[[\#(steps)],[\#(steps)]],"answer":["errors"]}"#
    let size = AnswerSize(try Predictions(service.parts).question(in: Array(body.utf8)))
    let answer = await service.predict(body)
    #expect(answer.status == 200 && answer.body.utf8.count <= size.textBytes)
  }
}
