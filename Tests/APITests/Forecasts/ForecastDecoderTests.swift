import Testing

@testable import API

@Suite struct ForecastDecoderTests {
  let service: Service

  init() throws {
    var settings = ServiceSettings()
    settings.questions.maxHorizon = 5
    settings.questions.maxSequencesPerRequest = 3
    settings.questions.maxSequenceSteps = 4
    service = try Service.make(
      TestModels.echo(), TestModels.counter(), TestModels.twoCounters(), settings: settings)
  }

  private func expectRefusal(
    _ body: String, _ error: String, status: Int = 400, of service: Service? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async {
    let answer = await (service ?? self.service).forecast(body)
    #expect(answer.status == status, sourceLocation: sourceLocation)
    #expect(
      answer.body.replacing(#"\""#, with: "'").hasPrefix(
        #"{"error":{"code":"\#(status)","message":"\#(error)","param":"#),
      sourceLocation: sourceLocation)
  }

  // MARK: - What is allowed

  /// The request of KServe's documentation (kserve/website, docs/reference/time_series/api.md), for a model of ours
  /// and without its quantiles. Members that the schema does not name are allowed.
  @Test func takesTheExampleOfTheDocumentation() async throws {
    let service = try Service.make(TestModels.counter())
    let answer = await service.forecast(
      #"""
      {
        "model": "counter",
        "inputs": [
          {
            "type": "univariate_time_series",
            "name": "stock_price",
            "series": [120, 122, 125, 127, 130, 133, 135],
            "frequency": "D",
            "start_timestamp": "2025-06-05T13:10:00Z"
          },
          {
            "type": "univariate_time_series",
            "name": "humidity",
            "series": [33, 34, 35, 36, 37],
            "frequency": "H",
            "start_timestamp": "2025-06-05T13:10:00Z"
          }
        ],
        "options": { "horizon": 4, "other_options": "value" },
        "metadata": { "request_id": "user_defined_request_id", "other_data": "value" },
        "other_properties": "value"
      }
      """#)
    #expect(answer.status == 200)
    #expect(answer.body.contains(#""mean_forecast":[136.0,137.0,138.0,139.0]"#))
    #expect(answer.body.contains(#""start_timestamp":"2025-06-12T13:10:00Z""#))
    #expect(answer.body.contains(#""mean_forecast":[38.0,39.0,40.0,41.0]"#))
    #expect(answer.body.contains(#""start_timestamp":"2025-06-05T18:10:00Z""#))
  }

  @Test(arguments: [
    #"{"horizon":1,"quantiles":null}"#, #"{"horizon":1,"quantiles":[]}"#, #"{"horizon":1.0}"#,
    #"{"quantiles":[],"horizon":1,"a":[{"horizon":"x"}]}"#,
  ])
  func noQuantilesIsWhatThereIs(options: String) async {
    #expect(await service.forecast(ForecastBody(options: options).json).status == 200)
  }

  @Test func aTimeMayBeNull() async {
    let body = ForecastBody(inputs: [.init(start: "null")])
    #expect(await service.forecast(body.json).status == 200)
  }

  /// Members of other names may hold any JSON.
  @Test(arguments: [
    #"{"a":[1,"b"]}"#, "[1.5,null]", "[1e300]", "1e999", "[[[[[[[[[[[[1]]]]]]]]]]]]", "null",
    "[12345678901234567890123456789012345678901]",
  ])
  func otherMembersMayBeAnything(json: String) async {
    for body in [
      ForecastBody().json.dropLast() + #","metadata":\#(json)}"#,
      ForecastBody(options: #"{"series":\#(json),"horizon":1}"#).json[...],
    ] {
      #expect(await service.forecast(String(body)).status == 200)
    }
  }

  @Test(arguments: ["[1,tru]", "[1}", "nul", "[NaN]", #"{"a" 1}"#, #"["\x"]"#, "01", "[1,]"])
  func otherMembersAreJSON(json: String) async {
    let body = ForecastBody().json.dropLast() + #","metadata":\#(json)}"#
    #expect(await service.forecast(String(body)).status == 400)
  }

  @Test func otherMembersNestALimitedDepth() async {
    for (depth, status) in [(126, 200), (127, 200), (128, 400), (10_000, 400)] {
      let json = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      let body = ForecastBody().json.dropLast() + #","metadata":\#(json)}"#
      let answer = await service.forecast(String(body))
      #expect(answer.status == status, "depth \(depth)")
      if status == 400 { #expect(answer.body.contains("128 levels")) }
    }
  }

  /// A slip in the name of a member that may be left out is told, with the place that a client can look up.
  @Test func slipsAreTold() async {
    let body = ForecastBody().json.replacing(
      #""frequency""#, with: #""startTimestamp":"2025-01-01","frequency""#
    )
    .replacing(#""start_timestamp""#, with: #""_""#)
    let answer = await service.forecast(body)
    #expect(answer.status == 400)
    #expect(
      answer.body.contains(
        #"inputs[0]: \"startTimestamp\" is not known, expected type, name, series, frequency or start_timestamp"#
      ))
    #expect(answer.body.contains(#""param":"inputs[0].startTimestamp""#))
  }

  @Test func errorsAreKServes() async {
    let answer = await service.forecast(ForecastBody(model: "7").json)
    #expect(
      answer.body
        == #"{"error":{"code":"400","message":"model: found the number 7, expected a string","param":"model","type":"BadRequestError"}}"#
        + "\n")
  }

  // MARK: - What is not

  @Test(arguments: [
    ("{}", "model is missing"),
    (#"{"model":"counter"}"#, "options is missing"),
    (#"{"model":"counter","options":{"horizon":1}}"#, "inputs is missing, expected {'inputs': …}"),
    (
      #"{"model":"counter","instances":[1],"parameters":{}}"#,
      "options is missing; found 'instances' and 'parameters', which nothing reads"
    ),
    (
      #"{"model":"counter","option":{"horizon":1}}"#,
      "'option' is not known, expected model, inputs or options"
    ),
    (#"{"model":"counter","model":"counter"}"#, "model is given twice"),
    (#"{"model":"counter","options":{"horizon":1,"horizon":1}}"#, "options.horizon is given twice"),
    (
      #"{"model":"counter","options":{"horizon":1},"inputs":{}}"#,
      "inputs: found an object, expected an array of objects with the members type, series and frequency"
    ),
    (
      #"{"model":"counter","options":{"horizon":1},"inputs":[1,2]}"#,
      "inputs: found an array of 2 numbers, expected an array of objects with the members type, series and frequency"
    ),
    (
      #"{"model":"counter","options":{"horizon":1},"inputs":[[1,2]]}"#,
      "inputs[0]: found an array of 2 numbers, expected an object with the members type, series and frequency"
    ),
    (
      #"{"model":"counter","options":{"horizon":1},"inputs":[]}"#,
      "inputs: found an empty array, expected at least one element"
    ),
    (
      #"{"model":"counter","options":{"horizon":1},"inputs":[{}]}"#, "inputs[0].type is missing"
    ),
    (
      #"{"model":"counter","options":{"horizon":1},"inputs":[{"type":"univariate_time_series","name":"a","frequency":"D"}]}"#,
      "inputs[0].series is missing"
    ),
    (
      #"{"model":"counter","options":{"horizon":1},"inputs":[{"name":"a","name":"a"}]}"#,
      "inputs[0].name is given twice"
    ),
    (
      #"{"model":"counter","options":3,"inputs":[]}"#,
      "options: found the number 3, expected an object with the members horizon"
    ),
  ])
  func membersAreRequired(body: String, error: String) async {
    await expectRefusal(body, error)
  }

  @Test(arguments: [
    ("7", 400, "model: found the number 7, expected a string"),
    ("null", 400, "model: found null, expected a string"),
    (#""nope""#, 404, "there is no model 'nope', expected echo, counter or two"),
    (
      #""echo""#, 400,
      "model: 'echo' does not forecast its own input, expected counter or two: no output in its model.json has 'forecasts'; if 'y' is what follows 'x', in its units, say {'name': 'y', 'forecasts': 'x'}"
    ),
  ])
  func modelsForecast(model: String, status: Int, error: String) async {
    await expectRefusal(ForecastBody(model: model).json, error, status: status)
  }

  @Test func aServiceMayHaveNoForecaster() async throws {
    await expectRefusal(
      ForecastBody(model: #""echo""#).json,
      "model: 'echo' does not forecast its own input, and no model here does: no output in its model.json has 'forecasts'; if 'y' is what follows 'x', in its units, say {'name': 'y', 'forecasts': 'x'}",
      of: try Service.make(TestModels.echo()))
  }

  @Test(arguments: [
    ("{}", "options.horizon is missing"),
    (#"{"steps":3}"#, "options.horizon is missing; found 'steps', which nothing reads"),
    (#"{"horizn":3}"#, "options: 'horizn' is not known, expected horizon or quantiles"),
    (
      #"{"horizon":1,"quantile":[0.1]}"#,
      "options: 'quantile' is not known, expected horizon or quantiles"
    ),
    (
      #"{"horizon":0}"#,
      "options.horizon: found the number 0, expected a whole number from 1 to 5"
    ),
    (
      #"{"horizon":1.5}"#,
      "options.horizon: found the number 1.5, expected a whole number from 1 to 5"
    ),
    (#"{"horizon":1e400}"#, "options.horizon: found 1e400, expected a whole number of steps"),
    (
      #"{"horizon":"2"}"#,
      "options.horizon: found the string '2', expected a whole number from 1 to 5"
    ),
    (#"{"horizon":null}"#, "options.horizon: found null, expected a whole number from 1 to 5"),
    (
      #"{"horizon":6}"#, "options.horizon has 6 steps, at most 5 are allowed (max_horizon)"
    ),
    (
      #"{"horizon":1,"quantiles":[0.1,0.5,0.9]}"#,
      "options.quantiles: found an array of 3 numbers, expected none, as model 'counter' forecasts one value a step and no quantiles"
    ),
    (
      #"{"horizon":1,"quantiles":["0.1"]}"#,
      "options.quantiles: found an array, expected an empty array or null"
    ),
    (
      #"{"horizon":1,"quantiles":0.5}"#,
      "options.quantiles: found the number 0.5, expected an empty array or null"
    ),
  ])
  func optionsAreChecked(options: String, error: String) async {
    await expectRefusal(ForecastBody(options: options).json, error)
  }

  @Test(
    arguments: [
      (
        .init(type: #""time_series""#),
        "inputs[1].type: found the string 'time_series', expected 'univariate_time_series' or 'multivariate_time_series'"
      ),
      (.init(type: "1"), "inputs[1].type: found the number 1, expected a string"),
      (
        .init(type: #""multivariate_time_series""#),
        "inputs[1].type: found the string 'multivariate_time_series', expected 'univariate_time_series', as a step of the model is one number"
      ),
      (.init(name: "7"), "inputs[1].name: found the number 7, expected a string"),
      (
        .init(frequency: #""days""#),
        "inputs[1].frequency: found the string 'days', expected 'second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year', 'S', 'T', 'H', 'D', 'W', 'M', 'Q' or 'Y'"
      ),
      (.init(frequency: "12"), "inputs[1].frequency: found the number 12, expected a string"),
      (
        .init(start: #""2025-02-29""#),
        "inputs[1].start_timestamp: found the string '2025-02-29', expected a date and time of ISO 8601 such as '2025-06-05T13:10:00Z', '2025-06-05T13:10:00' or '2025-06-05'"
      ),
      (
        .init(start: "1749129000"),
        "inputs[1].start_timestamp: found the number 1749129000, expected a string"
      ),
      (
        .init(series: "[1,2]", start: #""9999-12-30""#),
        "inputs[1].start_timestamp: the forecast would start after the year 9999, expected an earlier time"
      ),
      (
        .init(series: "[]"), "inputs[1].series: found an empty array, expected at least one element"
      ),
      (
        .init(series: "3"),
        "inputs[1].series: found the number 3, expected an array of numbers, one a step"
      ),
      (
        .init(series: "null"),
        "inputs[1].series: found null, expected an array of numbers, one a step"
      ),
      (.init(series: "[null,1]"), "inputs[1].series[0]: found null, expected a number"),
      (
        .init(series: "[1,2,3,null]"),
        "inputs[1].series[3]: found null, expected a number like the elements before it"
      ),
      (
        .init(series: #"[1,"2"]"#),
        "inputs[1].series[1]: found the string '2', expected a number like the elements before it"
      ),
      (
        .init(series: "[1,NaN]"),
        "inputs[1].series[1]: found NaN, expected a finite number, JSON has no NaN"
      ),
      (
        .init(series: "[1,4e38]"),
        "inputs[1].series[1]: found 4e38, expected a number within the range of a 32-bit float"
      ),
      (
        .init(series: "[[1],[2]]"),
        "inputs[1].series[0]: found an array of 1 number, expected a number"
      ),
      (
        .init(series: "[1,2,3,4,5]"),
        "inputs[1].series has 5 steps, at most 4 are allowed (max_sequence_steps)"
      ),
    ] as [(ForecastBody.Input, String)])
  func inputsAreChecked(input: ForecastBody.Input, error: String) async {
    await expectRefusal(ForecastBody(inputs: [.init(), input]).json, error)
  }

  @Test(
    arguments: [
      (
        .init(type: #""univariate_time_series""#, series: "[1]"),
        "inputs[0].type: found the string 'univariate_time_series', expected 'multivariate_time_series', as a step of the model is 2 numbers"
      ),
      (
        .init(series: "[1,2]"),
        "inputs[0].series[0]: found the number 1, expected an array of 2 numbers"
      ),
      (
        .init(series: "[[1,2],[3]]"),
        "inputs[0].series[1]: found an array of 1 number, expected an array of 2 numbers"
      ),
      (
        .init(series: "[[1,2],[3,4,5]]"),
        "inputs[0].series[1]: found an array of 3 numbers, expected an array of 2 numbers"
      ),
      (
        .init(series: "[[1,2],null]"),
        "inputs[0].series[1]: found null, expected an array of 2 numbers"
      ),
      (.init(series: "[[1,2],[null,4]]"), "inputs[0].series[1][0]: found null, expected a number"),
      (
        .init(series: "[[1,2],[3,null]]"),
        "inputs[0].series[1][1]: found null, expected a number like the elements before it"
      ),
      (
        .init(series: "[]"), "inputs[0].series: found an empty array, expected at least one element"
      ),
      (
        .init(series: "[[1,2],[1,2],[1,2],[1,2],[1,2]]"),
        "inputs[0].series has 5 steps, at most 4 are allowed (max_sequence_steps)"
      ),
    ] as [(ForecastBody.Input, String)])
  func vectorsAreChecked(input: ForecastBody.Input, error: String) async {
    var input = input
    if input.series != "[1]" { input.type = #""multivariate_time_series""# }
    await expectRefusal(ForecastBody(model: #""two""#, inputs: [input]).json, error)
  }

  // MARK: - Limits

  @Test(arguments: [(2, 200), (3, 200), (4, 400)])
  func asManySeriesAsAllowed(count: Int, status: Int) async {
    let body = ForecastBody(inputs: Array(repeating: .init(), count: count)).json
    let answer = await service.forecast(body)
    #expect(answer.status == status)
    if status == 400 {
      await expectRefusal(
        body, "inputs has 4 sequences, at most 3 are allowed (max_sequences_per_request)")
    }
  }

  @Test(arguments: [("[1,2,3]", 200), ("[1,2,3,4]", 200), ("[1,2,3,4,5]", 400)])
  func asManyStepsAsAllowed(series: String, status: Int) async {
    #expect(
      await service.forecast(ForecastBody(inputs: [.init(series: series)]).json).status == status)
  }

  @Test(arguments: [(4, 200), (5, 200), (6, 400)])
  func asFarAsAllowed(horizon: Int, status: Int) async {
    let body = ForecastBody(options: #"{"horizon":\#(horizon)}"#)
    #expect(await service.forecast(body.json).status == status)
  }
}
