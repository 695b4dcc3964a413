import Inference
import ModelFormat
import TestSupport
import Testing

@testable import API
@testable import Serving

/// Inputs that have steps of their own, over HTTP.
@Suite struct InputAxesTests {
  private func service() throws -> Service { try Service.make(SmallModels.twoAxes()) }

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

  /// KServe's schema has one series: of a model that takes others beside it, these are named.
  @Test func noTimeSeries() async throws {
    var body = ForecastBody()
    body.model = #""m""#
    let answer = try await service().forecast(body.json)
    #expect(answer.status == 400)
    #expect(answer.body.contains("it has 3 inputs, source, target and ids"), "\(answer.body)")
  }

  /// Series of different lengths, of a model that looks at every other step.
  @Test func seriesOfDifferentLengths() async throws {
    let model = try Model(
      description: ModelDescription(
        name: "halved", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))],
        nodes: [
          .init(name: "pool", op: .maxPool(padding: .causal), inputs: ["x"]),
          .init(name: "end", op: .last, inputs: ["pool"]),
          .init(name: "y", op: .affine(scale: [1], shift: [1]), inputs: ["end"]),
        ], outputs: [.init(name: "y", forecasts: "x")]),
      tensors: TensorFile(bytes: TensorFile.serialize([])))
    let service = try Service.make(model)
    let series: [[Int]] = [[1], [1, 2], [5, 3, 1], [1, 4, 2, 3]]
    var body = ForecastBody()
    body.model = #""halved""#
    body.options = #"{"horizon":3}"#
    body.inputs = series.map { series in
      var input = ForecastBody.Input()
      input.series = "\(series)"
      return input
    }
    let together = await service.forecast(body.json)
    try #require(together.status == 200, "\(together.body)")
    // A step later, the pool's last one is the same or sees the last two.
    let expected = [[2, 2, 3], [2, 3, 3], [4, 4, 5], [5, 6, 6]]
    for (series, forecast) in zip(series, expected) {
      let text = "[\(forecast.map { "\($0).0" }.joined(separator: ","))]"
      #expect(together.body.contains(text), "\(text): \(together.body)")
      let alone = await service.predict(#"{"inputs":\#(series),"horizon":3}"#)
      #expect(alone.body.contains(text), "\(text): \(alone.body)")
    }
  }
}
