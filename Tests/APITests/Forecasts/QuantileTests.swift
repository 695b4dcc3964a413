import ModelFormat
import Scheduling
import TestSupport
import Testing

@testable import API

/// Quantiles beside a forecast.
@Suite struct QuantileTests {
  private typealias Node = ModelDescription.Node
  private typealias Output = ModelDescription.Output

  /// Two steps at once, each with three quantiles side by side: the last step plus 0.5, 1 and 1.5, then plus 1.5, 2 and 2.5.
  private func sideBySide(levels: [Float] = [0.1, 0.5, 0.9]) throws -> Model {
    try model(
      size: 1,
      [
        Node(name: "last", op: .last, inputs: ["x"]),
        Node(name: "six", op: .gather([0, 0, 0, 0, 0, 0]), inputs: ["last"]),
        Node(
          name: "y", op: .affine(scale: [1], shift: [0.5, 1, 1.5, 1.5, 2, 2.5]), inputs: ["six"]),
      ], [Output(name: "y", forecasts: "x", quantiles: levels)])
  }

  /// One step of two features, an output a forecast: the mean 1 and 10 above the last step, the median 2 and 20, the 0.9th
  /// quantile 3 and 30.
  private func apart(feedback: ModelDescription.Feedback? = nil) throws -> Model {
    try model(
      size: 2,
      [
        Node(name: "last", op: .last, inputs: ["x"]),
        Node(name: "high", op: .affine(scale: [1, 1], shift: [3, 30]), inputs: ["last"]),
        Node(name: "m", op: .affine(scale: [1, 1], shift: [1, 10]), inputs: ["last"]),
        Node(name: "median", op: .affine(scale: [1, 1], shift: [2, 20]), inputs: ["last"]),
      ],
      [
        Output(name: "high", forecasts: "x", quantiles: [0.9], feedback: feedback),
        Output(name: "m", forecasts: "x"),
        Output(name: "median", forecasts: "x", quantiles: [0.5]),
      ])
  }

  private func model(size: Int, _ nodes: [Node], _ outputs: [Output]) throws -> Model {
    try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [.init(name: "x", kind: .features(size: size, mean: nil, scale: nil))],
        nodes: nodes, outputs: outputs),
      tensors: TensorFile(bytes: TensorFile.serialize([])))
  }

  /// The median goes in again: three steps are two answers, of which the second is cut.
  @Test func aHorizonHasQuantiles() async throws {
    let service = try Service.make(sideBySide())
    #expect(
      await service.predict(#"{"inputs":[7,10],"horizon":3}"#).body
        == #"{"model":"m","outputs":[11.0,12.0,13.0],"#
        + #""quantiles":{"0.1":[10.5,11.5,12.5],"0.5":[11.0,12.0,13.0],"0.9":[11.5,12.5,13.5]}}"#
        + "\n")
    #expect(
      await service.predict(#"{"inputs":[[[1]],[[2]]],"horizon":1,"answer":["quantiles"]}"#).body
        == #"{"model":"m","quantiles":{"0.1":[[1.5],[2.5]],"0.5":[[2.0],[3.0]],"0.9":[[2.5],[3.5]]}}"#
        + "\n")
    #expect(
      await service.predict(#"{"inputs":[1],"horizon":1,"answer":["outputs"]}"#).body
        == #"{"model":"m","outputs":[2.0]}"# + "\n")
    // Without a horizon the numbers are as they come.
    #expect(
      await service.predict(#"{"inputs":[1]}"#).body
        == #"{"model":"m","outputs":[1.5,2.0,2.5,2.5,3.0,3.5]}"# + "\n")
    let refused = await service.predict(#"{"inputs":[1],"answer":["quantiles"]}"#)
    #expect(refused.status == 400 && refused.body.contains("answer[0]: found"))
  }

  /// In which order they stand in an output makes no difference.
  @Test func quantilesAreInOrder() async throws {
    let service = try Service.make(sideBySide(levels: [0.75, 0.5, 0.25]))
    #expect(
      await service.predict(#"{"inputs":[1],"horizon":1}"#).body
        == #"{"model":"m","outputs":[2.0],"quantiles":{"0.25":[2.5],"0.5":[2.0],"0.75":[1.5]}}"#
        + "\n")
  }

  @Test(arguments: [
    (ModelDescription.Feedback?.none, "[[1.0,10.0],[2.0,20.0]]", "[[2.0,20.0],[3.0,30.0]]"),
    (.mean, "[[1.0,10.0],[2.0,20.0]]", "[[2.0,20.0],[3.0,30.0]]"),
    (.median, "[[1.0,10.0],[3.0,30.0]]", "[[2.0,20.0],[4.0,40.0]]"),
  ])
  func theMeanOrTheMedianGoesInAgain(
    feedback: ModelDescription.Feedback?, mean: String, median: String
  ) async throws {
    let service = try Service.make(apart(feedback: feedback))
    let body = await service.predict(#"{"inputs":[[0,0]],"horizon":2}"#).body
    #expect(
      body.hasPrefix(
        #"{"model":"m","outputs":{"m":\#(mean)},"quantiles":{"0.5":\#(median),"0.9":"#),
      "\(body)")
  }

  private func forecast(_ options: String) async throws -> (status: Int, body: String) {
    let service = try Service.make(sideBySide())
    var body = ForecastBody(model: #""m""#)
    body.options = options
    return await service.forecast(body.json)
  }

  @Test(arguments: [
    (#"{"horizon":2}"#, #"{"0.1":[10.5,11.5],"0.5":[11.0,12.0],"0.9":[11.5,12.5]}"#),
    (
      #"{"horizon":2,"quantiles":null}"#,
      #"{"0.1":[10.5,11.5],"0.5":[11.0,12.0],"0.9":[11.5,12.5]}"#
    ),
    (#"{"horizon":2,"quantiles":[]}"#, "null"),
    (#"{"horizon":1,"quantiles":[0.9,0.1]}"#, #"{"0.9":[11.5],"0.1":[10.5]}"#),
    (#"{"horizon":1,"quantiles":[0.9,0.9]}"#, #"{"0.9":[11.5]}"#),
  ])
  func kserveHasThem(options: String, expected: String) async throws {
    let answer = try await forecast(options)
    #expect(answer.status == 200)
    #expect(answer.body.contains(#""quantiles":\#(expected)}],"error":null}"#), "\(answer.body)")
    #expect(answer.body.contains(#""mean_forecast":[11.0"#))
  }

  @Test(arguments: [
    (
      #"{"horizon":1,"quantiles":[0.1,0.2]}"#,
      #"options.quantiles[1]: found 0.2, expected a quantile that model \"m\" forecasts, 0.1, 0.5 or 0.9"#
    ),
    (
      #"{"horizon":1,"quantiles":0.1}"#,
      "options.quantiles: found the number 0.1, expected an array of numbers or null"
    ),
    (
      #"{"horizon":1,"quantiles":["0.1"]}"#,
      "options.quantiles: found an array, expected an array of numbers or null"
    ),
  ])
  func refusesOthers(options: String, error: String) async throws {
    let answer = try await forecast(options)
    #expect(answer.status == 400)
    #expect(answer.body.contains(error), "\(answer.body)")
  }

  @Test func answersAreNoLongerThanReserved() async throws {
    let service = try Service.make(sideBySide())
    let body = #"{"inputs":[[-1.2345678e-20],[-1e9],[3]],"horizon":99}"#
    let size = AnswerSize(try Predictions(service.parts).question(in: Array(body.utf8)))
    let answer = await service.predict(body)
    #expect(answer.status == 200 && answer.body.utf8.count <= size.textBytes)
    var one = ForecastBody(model: #""m""#)
    one.options = #"{"horizon":99}"#
    let decoded = try ForecastDecoder(
      document: service.parts.readers.read(Array(one.json.utf8)),
      models: service.parts.models.snapshot, limits: service.parts.settings.questions
    ).decode()
    #expect(await service.forecast(one.json).body.utf8.count <= AnswerSize(decoded).textBytes)
  }

  @Test func pagesTellOfQuantiles() async throws {
    let service = try Service.make(sideBySide())
    #expect(
      await service.answer("GET", "/models/m").body
        .contains(#""forecasts":"x","quantiles":[0.1,0.5,0.9]}"#))
  }
}
