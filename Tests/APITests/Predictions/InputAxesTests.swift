import Inference
import ModelFormat
import TestSupport
import Testing

@testable import API
@testable import Serving

/// Inputs that have steps of their own, over HTTP.
@Suite struct InputAxesTests {
  /// A target attends to a source; a third input has the target's steps.
  private func service() throws -> Service {
    try Service.make(
      Model(
        description: ModelDescription(
          name: "m", version: "1",
          inputs: [
            .init(
              name: "source", kind: .features(size: 1, mean: nil, scale: nil), axis: "source"),
            .init(name: "target", kind: .features(size: 1, mean: nil, scale: nil), axis: "t"),
            .init(name: "ids", kind: .tokens(size: 3, vocabulary: nil), axis: "t"),
          ],
          nodes: [
            .init(name: "sum", op: .sum, inputs: ["source"]),
            .init(name: "e", op: .embedding, inputs: ["ids"]),
            .init(name: "total", op: .repeat(), inputs: ["sum", "target"]),
            .init(name: "y", op: .concat, inputs: ["target", "e", "total"]),
            .init(name: "p", op: .maxPool(), inputs: ["source"]),
          ], outputs: [.init(name: "y"), .init(name: "p")]),
        tensors: TensorFile(
          bytes: TensorFile.serialize([("e.weight", [3, 1], [10, 20, 30])]))))
  }

  @Test func eachHasItsOwnLength() async throws {
    let service = try service()
    let answer = await service.predict(
      #"{"inputs":{"source":[1,2,3,5],"target":[7,8,9],"ids":[0,2,1]}}"#)
    #expect(answer.status == 200)
    #expect(
      answer.body.hasPrefix(
        #"{"model":"m","outputs":{"y":[[7.0,10.0,11.0],[8.0,30.0,11.0],[9.0,20.0,11.0]],"p":[2.0,5.0]}"#
      ), "\(answer.body)")
    let batch = await service.predict(
      #"{"inputs":{"source":[[1,2],[3,4,5]],"target":[[7],[8,9]],"ids":[[0],[2,1]]}}"#)
    #expect(batch.status == 200)
    #expect(
      batch.body.hasPrefix(
        #"{"model":"m","outputs":{"y":[[[7.0,10.0,3.0]],[[8.0,30.0,12.0],[9.0,20.0,12.0]]],"p":[[2.0],[4.0]]}"#
      ), "\(batch.body)")
  }

  /// Inputs that share steps have as many as each other, and a kernel needs what it covers.
  @Test(arguments: [
    (
      #"{"inputs":{"source":[[1,2],[3,4]],"target":[[7],[8,9]],"ids":[[0],[2]]}}"#,
      ["inputs.ids[1]", "1", "2", "inputs.target[1]"]
    ),
    (
      #"{"inputs":{"source":[[1,2],[3]],"target":[[7],[8]],"ids":[[0],[2]]}}"#,
      ["inputs[1]", "\\\"source\\\" holds 1 step, expected at least 2", "\\\"p\\\""]
    ),
    (#"{"inputs":{"source":[1,2],"target":[],"ids":[]}}"#, ["inputs.target", "empty array"]),
  ])
  func refused(body: String, parts: [String]) async throws {
    let answer = try await service().predict(body)
    #expect(answer.status == 400)
    for part in parts { #expect(answer.body.contains(part), "\(answer.body)") }
  }
}
