import FoundationEssentials
import Inference
import Scheduling
import TestSupport
import Testing

@testable import API

@Suite struct ForecastEncoderTests {
  /// An answer without what is new in each: its ids and its time, which are checked.
  ///
  /// - Parameter times: seconds since 1970, before it was asked for and now.
  private func settled(_ body: String, times: ClosedRange<Int>) throws -> String {
    let id = /"id":"([^"]*)"/
    for match in body.matches(of: id) {
      let text = String(match.1)
      #expect(UUID(uuidString: text) != nil && text == text.lowercased())
    }
    #expect(Set(body.matches(of: id).map(\.1)).count == body.matches(of: id).count)
    let created = try #require(body.firstMatch(of: /"created_at":([0-9]+),/)).1
    #expect(times.contains(try #require(Int(created))))
    return body.replacing(id, with: #""id":"…""#)
      .replacing(/"created_at":[0-9]+/, with: #""created_at":0"#)
  }

  @Test func answersInKServesSchema() async throws {
    let service = try Service.make(TestModels.counter())
    let body = ForecastBody(
      inputs: [
        .init(
          name: #""a \"b\"""#, series: "[9,10]", frequency: #""month""#, start: #""2025-01-31""#),
        .init(series: "[20]"),
      ], options: #"{"horizon":3}"#)
    let asked = Int(ProcessStatistics.now)
    let answer = await service.forecast(body.json)
    let answered = Int(ProcessStatistics.now)
    #expect(answer.status == 200)
    #expect(
      try settled(answer.body, times: asked...answered)
        == #"{"id":"…","created_at":0,"status":"completed","error":null,"model":"counter","outputs":["#
        + #"{"type":"time_series_forecast","id":"…","status":"completed","content":[{"type":"univariate_time_series","name":"a \"b\"","mean_forecast":[11.0,12.0,13.0],"frequency":"month","start_timestamp":"2025-03-31","quantiles":null}],"error":null},"#
        + #"{"type":"time_series_forecast","id":"…","status":"completed","content":[{"type":"univariate_time_series","name":"a","mean_forecast":[21.0,22.0,23.0],"frequency":"D","start_timestamp":"","quantiles":null}],"error":null}"#
        + #"],"usage":{"prompt_tokens":3,"completion_tokens":6,"total_tokens":9}}"# + "\n")
  }

  /// A series has a name or, by null or by nothing, none.
  @Test(arguments: [#""name":null,"#, "", #""name":"","#])
  func seriesWithoutAName(name: String) async throws {
    let service = try Service.make(TestModels.counter())
    let answer = await service.forecast(
      #"{"model":"counter","inputs":[{"type":"univariate_time_series",\#(name)"series":[1],"frequency":"D"}],"options":{"horizon":1}}"#
    )
    #expect(answer.status == 200)
    #expect(answer.body.contains(#""name":"","mean_forecast":[2.0]"#))
  }

  @Test func vectorsStayVectors() async throws {
    let service = try Service.make(TestModels.twoCounters())
    let input = ForecastBody.Input(
      type: #""multivariate_time_series""#, series: "[[5,6],[1,2]]", frequency: #""H""#,
      start: #""2025-12-31T22:30:00+01:00""#)
    let answer = await service.forecast(ForecastBody(model: #""two""#, inputs: [input]).json)
    #expect(
      answer.body.contains(
        #""type":"multivariate_time_series","name":"a","mean_forecast":[[2.0,12.0],[3.0,22.0]],"frequency":"H","start_timestamp":"2026-01-01T00:30:00+01:00""#
      ))
    #expect(
      answer.body.contains(#"{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}"#))
  }

  /// The numbers of `/predict` with the same horizon, whatever rides beside a series.
  @Test(arguments: SmallModels.Shape.allCases, [1, 2, 3, 9])
  func foretellsWhatPredictDoes(shape: SmallModels.Shape, horizon: Int) async throws {
    let service = try Service.make(SmallModels.forecaster(shape))
    let series = ["[0.5,1,-2]", "[3]", "[0.25,0.5,0.75,1,1.25,1.5,1.75,2]"]
    let body = ForecastBody(
      model: #""small""#, inputs: series.map { .init(series: $0) },
      options: #"{"horizon":\#(horizon)}"#)
    let answer = await service.forecast(body.json)
    #expect(answer.status == 200)
    let means = answer.body.matches(of: /"mean_forecast":(\[[^\]]*\])/).map { String($0.1) }
    #expect(means.count == series.count)
    for (series, mean) in zip(series, means) {
      #expect(
        await service.predict(#"{"inputs":\#(series),"horizon":\#(horizon)}"#).body
          == #"{"model":"small","outputs":\#(mean)}"# + "\n")
    }
  }

  @Test func overflowIsTheInputs() async throws {
    let service = try Service.make(TestModels.runaway())
    let body = ForecastBody(model: #""runaway""#, inputs: [.init(series: "[2]")])
    let answer = await service.forecast(body.json)
    #expect(answer.status == 422)
    #expect(
      answer.body
        == #"{"error":{"code":"422","message":"model \"runaway\" has no finite answer to these inputs: a number in its output \"y\" is NaN or beyond the range of a 32-bit float","param":null,"type":"UnprocessableContentError"}}"#
        + "\n")
    #expect(service.requests(of: "/v1/timeseries/forecast").map(\.status) == ["422"])
  }

  /// All series of a request ride, or none does.
  @Test func theQueueHoldsThemTogether() async throws {
    let service = try Service.make(
      TestModels.counter(), limits: EngineLimits(maxSeats: 1, maxQueuedSequences: 2))
    let answer = await service.forecast(
      ForecastBody(inputs: Array(repeating: .init(), count: 4)).json)
    #expect(answer.status == 413)
    #expect(answer.body.contains("max_queued_sequences"))
  }

  /// Around `max_inline_bytes`, answers are the same on either side of the hop.
  @Test(arguments: [-1, 0, 1])
  func largeBodiesAnswerAlike(excess: Int) async throws {
    let body = ForecastBody().json
    var settings = ServiceSettings()
    settings.maxInlineBytes = body.utf8.count + excess
    let service = try Service.make(TestModels.counter(), settings: settings)
    #expect(await service.forecast(body).body.contains(#""mean_forecast":[11.0,12.0]"#))
  }

  /// Mutated bodies are answered, with 200 or a 4xx in JSON.
  @Test func survivesMutations() async throws {
    let service = try Service.make(TestModels.counter(), TestModels.twoCounters())
    let bodies = [
      ForecastBody(inputs: [
        .init(series: "[1,2.5]", start: #""2024-02-29T23:59:59.5+01:00""#), .init(),
      ]),
      ForecastBody(
        model: #""two""#,
        inputs: [
          .init(
            type: #""multivariate_time_series""#, series: "[[1,2],[3,4]]", frequency: #""year""#,
            start: #""9990-12-31""#)
        ], options: #"{"horizon":3,"quantiles":[]}"#),
    ].map { Array($0.json.utf8) }
    let fragments = ["[", "]", ",", "{}", "\"", "null", "1e999", "[]", "-", "9", "\\u0000"]
    var noise = SeededNumbers(state: 7)
    for _ in 0..<3000 {
      var body = bodies[Int(noise.next() % 2)]
      let place = Int(noise.next()) % body.count
      switch noise.next() % 3 {
      case 0: body[place] = UInt8(truncatingIfNeeded: noise.next() % 128)
      case 1: body.removeSubrange(place..<min(place + 3, body.count))
      default:
        body.insert(contentsOf: fragments[Int(noise.next()) % fragments.count].utf8, at: place)
      }
      let answer = await service.forecast(String(decoding: body, as: UTF8.self))
      #expect(answer.status == 200 || (400..<500).contains(answer.status))
      #expect(throws: Never.self) {
        try BodyReader().read(Array(answer.body.utf8))
      }
    }
  }
}
