import Testing

@testable import ModelFormat

/// What `quantiles` and `feedback` of an output may say.
@Suite struct QuantileTests {
  /// Outputs a, b and c of six elements each, of an input x of two.
  private func model(_ a: String, _ b: String = "", _ c: String = "", size: Int = 6) throws -> Model
  {
    try Model(
      description: ModelDescription(
        json: Array(
          """
          { "format": "carousel/1", "name": "m", "version": "1",
            "inputs": [{ "name": "x", "kind": "features", "size": 2 }],
            "nodes": [{ "name": "a", "op": "linear", "inputs": ["x"] },
                      { "name": "b", "op": "linear", "inputs": ["x"] },
                      { "name": "c", "op": "linear", "inputs": ["x"] }],
            "outputs": [{ "name": "a"\(a) }, { "name": "b"\(b) }, { "name": "c"\(c) }] }
          """.utf8)),
      tensors: zeros(["a.weight": [size, 2], "b.weight": [6, 2], "c.weight": [6, 2]]))
  }

  private typealias Part = Model.Forecast.Part

  @Test func oneOutputHoldsThemSideBySide() throws {
    let model = try model(#", "forecasts": "x", "quantiles": [0.9, 0.5, 0.1]"#)
    let forecast = try #require(model.forecast)
    #expect(forecast.size == 2 && forecast.stepCount == 1)
    #expect(forecast.quantiles.map(\.level) == [0.1, 0.5, 0.9])
    #expect(forecast.quantiles.map(\.part.first) == [2, 1, 0])
    #expect(forecast.point == Part(output: 0, first: 1, stride: 3))
    #expect(forecast.feedback == forecast.point)
    #expect(forecast.point.elements(of: [1, 2, 3, 4, 5, 6]) == [2, 5])
    #expect(try ModelDescription(json: Array(model.description.json.utf8)) == model.description)
  }

  @Test func orEachHasAnOutput() throws {
    let forecast = try #require(
      try model(
        #", "forecasts": "x", "quantiles": 0.9, "feedback": "median""#, #", "forecasts": "x""#,
        #", "forecasts": "x", "quantiles": [0.5]"#
      ).forecast)
    #expect(forecast.stepCount == 3)
    #expect(forecast.point == Part(output: 1, first: 0, stride: 1))
    #expect(forecast.feedback == Part(output: 2, first: 0, stride: 1))
    #expect(forecast.quantiles.map(\.text) == ["0.5", "0.9"])
    #expect(forecast.parts.map(\.output) == [1, 2, 0])
  }

  @Test func withoutQuantilesTheFirstIsTheForecast() throws {
    let forecast = try #require(
      try model("", #", "forecasts": "x""#, #", "forecasts": "x", "feedback": "mean""#).forecast)
    #expect(forecast.parts == [Part(output: 1, first: 0, stride: 1)])
    #expect(forecast.feedback == forecast.point)
    #expect(try model("").forecast == nil)
  }

  @Test(arguments: [
    (
      #", "quantiles": [0.5]"#, "", "outputs[0].quantiles: expected nothing, as the output does not"
    ),
    (#", "feedback": "mean""#, "", "outputs[0].feedback: expected nothing, as the output does not"),
    (
      #", "forecasts": "x", "feedback": "most""#, "",
      #"outputs[0].feedback: expected "mean" or "median""#
    ),
    (
      #", "forecasts": "x", "quantiles": []"#, "", "outputs[0].quantiles: expected 1 to 100 numbers"
    ),
    (
      #", "forecasts": "x", "quantiles": [0.5, 1]"#, "",
      "outputs[0].quantiles[1]: expected a number between 0 and 1, found 1"
    ),
    (#", "forecasts": "x", "quantiles": 0"#, "", "expected a number between 0 and 1, found 0"),
    (
      #", "forecasts": "x", "quantiles": [0.5, 0.9]"#, "",
      "outputs[0].quantiles: expected so many that the output's 6 elements"
    ),
    (
      #", "forecasts": "x", "quantiles": [0.5, 0.1, 0.5]"#, "",
      "outputs[0].quantiles[2]: expected a quantile that no other forecast is, found 0.5"
    ),
    (
      #", "forecasts": "x", "quantiles": 0.5"#, #", "forecasts": "x", "quantiles": 0.5"#,
      "outputs[1].quantiles[0]: expected a quantile that no other forecast is"
    ),
    (
      #", "forecasts": "x", "quantiles": [0.1, 0.2, 0.3]"#, "",
      "outputs[0].quantiles: expected 0.5 among the quantiles, or an output that forecasts"
    ),
    (
      #", "forecasts": "x", "quantiles": 0.5"#,
      #", "forecasts": "x", "quantiles": [0.1, 0.2, 0.3]"#,
      #"outputs[1].quantiles: expected 3 steps, as "a" has, found 1 steps"#
    ),
    (
      #", "forecasts": "x", "quantiles": 0.5, "feedback": "mean""#, "",
      #"outputs[0].feedback: expected "median", as no output forecasts without quantiles"#
    ),
    (
      #", "forecasts": "x", "feedback": "median""#, "",
      #"outputs[0].feedback: expected "mean", as no quantile is 0.5"#
    ),
    (
      #", "forecasts": "x", "feedback": "mean""#,
      #", "forecasts": "x", "quantiles": 0.5, "feedback": "median""#,
      #"outputs[1].feedback: expected what outputs[0].feedback says, found "median""#
    ),
  ])
  func refuses(a: String, b: String, error: String) {
    expectError(mentioning: [error]) { _ = try model(a, b) }
  }
}
