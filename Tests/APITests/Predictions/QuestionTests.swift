import Testing

@testable import API

@Suite struct QuestionTests {
  let service: Service

  init() throws {
    var settings = ServiceSettings()
    settings.questions.maxHorizon = 5
    service = try Service.make(
      TestModels.echo(), TestModels.counter(), TestModels.mean(), settings: settings)
  }

  @Test func isReadWithoutAnswering() throws {
    let question = try service.question(in: Array(#"{"inputs":[[1,2],[3,4]]}"#.utf8))
    #expect(question.sequences.map(\.stepCount) == [2])
    #expect(question.selection == .all && question.horizon == nil)
    #expect { try service.question(in: Array("{}".utf8)) } throws: {
      "\($0)" == #"inputs is missing, expected {"inputs": …}"#
    }
  }

  @Test(arguments: [
    #"{"inputs":[[1,2]],"model":"echo"}"#, #"{"model":"echo","inputs":[[1,2]]}"#,
    #"{"outputs":"all","inputs":[[1,2]]}"#,
  ])
  func membersComeInAnyOrder(body: String) async {
    let answer = await service.predict(body)
    #expect(answer.body == #"{"model":"echo","outputs":[[1.0,2.0]]}"# + "\n")
  }

  @Test(arguments: [
    (#"{"inputs":[[1,2],[3,4]],"outputs":"last"}"#, "[3.0,4.0]"),
    (#"{"inputs":[[1,2],[3,4]],"outputs":"all"}"#, "[[1.0,2.0],[3.0,4.0]]"),
    (#"{"inputs":[[[1,2],[3,4]]],"outputs":"last"}"#, "[[3.0,4.0]]"),
    (#"{"inputs":[[1,2],[3,4]]}"#, "[[1.0,2.0],[3.0,4.0]]"),
  ])
  func selects(body: String, outputs: String) async {
    #expect(
      await service.predict(body).body == #"{"model":"echo","outputs":\#(outputs)}"# + "\n")
  }

  @Test func fewerStepsThanOneForecast() async {
    let answer = await service.predict(#"{"inputs":[10],"horizon":1}"#, model: "counter")
    #expect(answer.body == #"{"model":"counter","outputs":[11.0]}"# + "\n")
  }

  @Test(arguments: [(4, "[11.0,12.0,13.0,14.0]"), (5, "[11.0,12.0,13.0,14.0,15.0]")])
  func forecastsAsFarAsAsked(horizon: Int, outputs: String) async {
    let body = #"{"inputs":[[10],[10]],"horizon":\#(horizon),"model":"counter","outputs":"last"}"#
    let answer = await service.predict(body)
    #expect(answer.body == #"{"model":"counter","outputs":[\#(outputs),\#(outputs)]}"# + "\n")
  }

  @Test(arguments: [
    ("{}", 400, #"inputs is missing, expected {\"inputs\": …}"#),
    (
      #"{"":3}"#, 400,
      #"\"\" is not known, expected inputs, model, outputs, horizon, timeout_ms, state, return_state, session, answer, max_steps, beam, length_penalty, alternatives, temperature, top_k, top_p or seed"#
    ),
    (
      #"{"input":[1]}"#, 400,
      #"\"input\" is not known, expected inputs, model, outputs, horizon, timeout_ms, state, return_state, session, answer, max_steps, beam, length_penalty, alternatives, temperature, top_k, top_p or seed"#
    ),
    (#"{"inputs":[[1,2]],"inputs":[[1,2]]}"#, 400, "inputs is given twice"),
    (#"{"inputs":[[1,2]],"horizon":1,"horizon":1}"#, 400, "horizon is given twice"),
    (#"{"inputs":[[1,2]],"state":null,"state":null}"#, 400, "state is given twice"),
    (
      #"{"inputs":[[1,2]],"return_state":false,"return_state":true}"#, 400,
      "return_state is given twice"
    ),
    (#"{"inputs":[[1,2]],"session":"a","session":"a"}"#, 400, "session is given twice"),
    (
      #"{"inputs":[[1,2]],"timeout_ms":0}"#, 400,
      "timeout_ms: found the number 0, expected a whole number from 1 to 86400000"
    ),
    (
      #"{"inputs":[[1,2]],"timeout_ms":86400001}"#, 400,
      "timeout_ms: found the number 86400001, expected a whole number from 1 to 86400000"
    ),
    (
      #"{"inputs":[[1,2]],"timeout_ms":"5"}"#, 400,
      #"timeout_ms: found the string \"5\", expected a whole number from 1 to 86400000"#
    ),
    (#"{"inputs":[[1,2]],"timeout_ms":1,"timeout_ms":1}"#, 400, "timeout_ms is given twice"),
    (#"{"inputs":[[1,2]],"model":7}"#, 400, "model: found the number 7, expected a string"),
    (
      #"{"inputs":[[1,2]],"model":"nope"}"#, 404,
      #"there is no model \"nope\", expected echo, counter or mean"#
    ),
    (
      #"{"inputs":[[1,2]],"outputs":"none"}"#, 400,
      #"outputs: found the string \"none\", expected \"last\", \"all\" or an object with one of these by the output's name (y)"#
    ),
    (
      #"{"inputs":[[1,2]],"outputs":{"y":1}}"#, 400,
      #"outputs.y: found the number 1, expected \"last\" or \"all\""#
    ),
    (
      #"{"inputs":[[1,2]],"outputs":{"z":"all"}}"#, 400,
      #"outputs: \"z\" is not known, expected y"#
    ),
    (
      #"{"inputs":[[1,2]],"outputs":{"y":"all","y":"all"}}"#, 400, "outputs.y is given twice"
    ),
    (
      #"{"inputs":[1],"outputs":{"y":"all"},"model":"mean"}"#, 400,
      #"outputs.y: model \"mean\" answers this output once a sequence, expected \"last\""#
    ),
    (
      #"{"inputs":[1],"outputs":{"y":"all"},"horizon":2,"model":"counter"}"#, 400,
      #"outputs.y: found \"all\" beside horizon, expected \"last\" or nothing"#
    ),
    (
      #"{"inputs":[1],"outputs":"all","model":"mean"}"#, 400,
      #"outputs: model \"mean\" answers once a sequence, expected \"last\""#
    ),
    (
      #"{"inputs":[1],"outputs":"all","horizon":2,"model":"counter"}"#, 400,
      #"outputs: found \"all\" beside horizon, expected \"last\" or nothing"#
    ),
    (
      #"{"inputs":[[1,2]],"horizon":2}"#, 400,
      #"horizon: model \"echo\" does not forecast its own input, so it has no horizon: no output in its model.json has \"forecasts\"; if \"y\" is what follows \"x\", in its units, say {\"name\": \"y\", \"forecasts\": \"x\"}"#
    ),
    (
      #"{"inputs":[1],"horizon":0,"model":"counter"}"#, 400,
      "horizon: found the number 0, expected a whole number from 1 to 5"
    ),
    (
      #"{"inputs":[1],"horizon":1.5,"model":"counter"}"#, 400,
      "horizon: found the number 1.5, expected a whole number from 1 to 5"
    ),
    (
      #"{"inputs":[1],"horizon":1e300,"model":"counter"}"#, 400,
      "horizon: found the number 1e+300, expected a whole number from 1 to 5"
    ),
    (
      #"{"inputs":[1],"horizon":1e400,"model":"counter"}"#, 400,
      "horizon: found 1e400, expected a whole number of steps"
    ),
    (
      #"{"inputs":[1],"horizon":[2],"model":"counter"}"#, 400,
      "horizon: found an array of 1 number, expected a whole number from 1 to 5"
    ),
    (
      #"{"inputs":[1],"horizon":"2","model":"counter"}"#, 400,
      #"horizon: found the string \"2\", expected a whole number from 1 to 5"#
    ),
    (
      #"{"inputs":[1],"horizon":6,"model":"counter"}"#, 400,
      "horizon has 6 steps, at most 5 are allowed (max_horizon)"
    ),
  ])
  func refuses(body: String, status: Int, error: String) async {
    let answer = await service.predict(body)
    #expect(answer.status == status)
    #expect(answer.body == #"{"error":"\#(error)"}"# + "\n")
  }

  @Test func pathAndBodyMustAgreeOnTheModel() async {
    let body = #"{"inputs":[[1,2]],"model":"echo"}"#
    #expect(await service.predict(body, model: "echo").status == 200)
    let other = await service.predict(body, model: "counter")
    #expect(other.status == 400)
    #expect(
      other.body
        == #"{"error":"the body asks for model \"echo\", the path for \"counter\""}"# + "\n")
    #expect(await service.predict(#"{"inputs":[[1,2]]}"#, model: "nope").status == 404)
  }
}
