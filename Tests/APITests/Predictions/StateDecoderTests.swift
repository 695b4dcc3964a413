import Inference
import ModelFormat
import Scheduling
import TestSupport
import Testing

@testable import API
@testable import Serving

/// States to take along, through the service.
@Suite struct StateDecoderTests {
  private static let key = Array("sixteen bytes or".utf8)

  private func service(
    _ models: Model..., key: [UInt8]? = key, precision: Precision? = nil
  ) throws -> Service {
    var settings = ServiceSettings()
    settings.stateKey = key
    let service = Service(
      engines: try models.map {
        ($0.description.name, Engine(graph: try ModelGraph($0, precision: precision)))
      }, settings: settings)
    service.setReadiness(.ready)
    return service
  }

  /// The answer without its state, and the states.
  private func ask(
    _ service: Service, _ inputs: String, state: String? = nil, returnState: String? = "true",
    model: String? = nil
  ) async throws -> (body: String, states: [String]) {
    var members = ["\"inputs\":\(inputs)"]
    if let state { members.append("\"state\":\(state)") }
    if let returnState { members.append("\"return_state\":\(returnState)") }
    let answer = await service.predict("{\(members.joined(separator: ","))}", model: model)
    try #require(answer.status == 200, "\(answer.body)")
    guard let cut = answer.body.firstRange(of: #","state":"#) else { return (answer.body, []) }
    let document = try BodyReader().read(Array(answer.body.utf8))
    let states = (0..<document.nodeCount).filter { document.kind($0) == .string }
      .map { document.string($0) }.filter { $0.utf8.count > 40 }
    return (String(answer.body[..<cut.lowerBound]) + "}\n", states)
  }

  private func refusal(_ service: Service, _ body: String) async -> String {
    let answer = await service.predict(body)
    #expect(answer.status == 400)
    return answer.body
  }

  private func quoted(_ texts: [String?]) -> String {
    "[" + texts.map { $0.map { "\"\($0)\"" } ?? "null" }.joined(separator: ",") + "]"
  }

  @Test(arguments: [SmallModels.Shape.streamable, .pooled], SmallModels.Cell.allCases)
  func oneSequence(shape: SmallModels.Shape, cell: SmallModels.Cell) async throws {
    let service = try service(SmallModels.forecaster(shape, cell: cell))
    let whole = try await ask(service, "[1,2,3,-4,5]", returnState: nil)
    #expect(whole.states.isEmpty)
    let first = try await ask(service, "[1,2]")
    let second = try await ask(service, "[3]", state: "\"\(first.states[0])\"")
    let third = try await ask(
      service, "[-4,5]", state: "\"\(second.states[0])\"", returnState: "false")
    #expect(third.body == whole.body)
    #expect(third.states.isEmpty)
    // The same state may be gone on from twice.
    let again = try await ask(service, "[3,-4,5]", state: "\"\(first.states[0])\"")
    #expect(again.body == whole.body)
    #expect(try await ask(service, "[1,2,3,-4,5]").states == again.states)
  }

  @Test func anotherProcessWithTheSameKey() async throws {
    let first = try await ask(service(SmallModels.forecaster()), "[1,2]")
    let other = try service(SmallModels.forecaster(name: "copy"))
    let found = try await ask(other, "[3]", state: "\"\(first.states[0])\"", returnState: nil)
    #expect(found.body == (try await ask(other, "[1,2,3]", returnState: nil).body))
  }

  @Test func manySequences() async throws {
    let service = try service(SmallModels.forecaster())
    let first = try await ask(service, "[[1,2],[3],[4,5,6]]")
    #expect(first.states.count == 3)
    let second = try await ask(
      service, "[[7],[8],[9,10]]", state: quoted([first.states[2], nil, first.states[0]]))
    let whole = try await ask(service, "[[4,5,6,7],[8],[1,2,9,10]]")
    #expect(second.body == whole.body && second.states == whole.states)
    // Where all begin, nothing need be said.
    for state in ["null", "[null,null,null]"] {
      #expect(try await ask(service, "[[1,2],[3],[4,5,6]]", state: state).states == first.states)
    }
    let single = try await ask(service, "[[7]]", state: quoted([first.states[2]]))
    #expect(single.states == [second.states[0]])
  }

  @Test func everyStep() async throws {
    let service = try service(TestModels.echo())
    let first = try await ask(service, "[[1,2],[3,4]]")
    let second = try await ask(service, "[[5,6]]", state: "\"\(first.states[0])\"")
    #expect(second.body == #"{"model":"echo","outputs":[[5.0,6.0]]}"# + "\n")
  }

  @Test func halves() async throws {
    let model = try SmallModels.forecaster()
    let service = try service(model)
    let floats = try ModelGraph(model).stateFloatCount
    for (name, element) in [("\"f32\"", StateElement.f32), ("\"f16\"", .f16)] {
      let first = try await ask(service, "[1,2]", returnState: name)
      #expect(
        first.states.map(\.utf8.count)
          == [StateSealer.characterCount(floatCount: floats, element)])
      _ = try await ask(service, "[3]", state: "\"\(first.states[0])\"")
    }
    #expect(
      try await ask(service, "[1,2]", returnState: "\"f32\"").states
        == (try await ask(service, "[1,2]").states))
  }

  @Test func aHorizonFromAState() async throws {
    let service = try service(SmallModels.forecaster())
    let first = try await ask(service, "[1,2]")
    let found = await service.predict(
      #"{"inputs":[3],"horizon":5,"state":"\#(first.states[0])"}"#)
    #expect(found.status == 200)
    #expect(found.body == (await service.predict(#"{"inputs":[1,2,3],"horizon":5}"#).body))
  }

  @Test func whatIsNoState() async throws {
    let service = try service(SmallModels.forecaster())
    let good = try await ask(service, "[1,2]").states[0]
    let count = good.utf8.count
    for (inputs, state, error) in [
      ("[1]", "7", "state: found the number 7, expected a state (a string) or null"),
      (
        "[1]", "[null]",
        "state: found an array, expected a state (a string) or null"
      ),
      (
        "[[1]]", "\"\(good)\"",
        #"state: found the string \"\#(good.prefix(60))…\", expected an array of 1 state (each a string or null), one a sequence"#
      ),
      (
        "[[1],[2]]", quoted([good]),
        "state: found an array, expected an array of 2 states (each a string or null), one a sequence"
      ),
      (
        "[[1],[2]]", "[1,2]",
        "state: found an array of 2 numbers, expected an array of 2 states (each a string or null), one a sequence"
      ),
      ("[[1],[2]]", "[null,{}]", "state[1]: found an object, expected a state (a string) or null"),
      (
        "[1]", "\"\(good)A\"",
        #"state: found \#(count + 1) characters, expected at most \#(count), as a state of model \"small\" has"#
      ),
      (
        "[1]", "\"\(good.dropLast())=\"",
        "state: found no base64url at character \(count - 1), expected a state as an answer gave it"
      ),
      (
        "[[1],[2]]", quoted([nil, "AAAA"]),
        #"state[1]: found 4 characters that are not signed with this server's state_key, expected a state of model \"small\" as an answer gave it, unchanged (\#(count) or 206 characters)"#
      ),
    ] {
      let body = await refusal(service, #"{"inputs":\#(inputs),"state":\#(state)}"#)
      #expect(body == #"{"error":"\#(error)"}"# + "\n")
    }
  }

  @Test(arguments: ["1", "\"f64\"", "\"true\"", "[true]", "{}"])
  func whatReturnStateIsNot(value: String) async throws {
    let body = await refusal(
      try service(SmallModels.forecaster()), #"{"inputs":[1],"return_state":\#(value)}"#)
    #expect(body.hasPrefix(#"{"error":"return_state: found "#))
    #expect(body.hasSuffix(#", expected true, false, \"f32\" or \"f16\""}"# + "\n"))
  }

  @Test func anotherModelOrPrecision() async throws {
    let small = try SmallModels.forecaster()
    let token = try await ask(service(small), "[1,2]").states[0]
    let own = ModelFingerprint(try ModelGraph(small))
    for (other, precision) in [
      (try SmallModels.forecaster(seed: 2), Precision.f32), (small, .int8), (small, .f16),
    ] {
      let expected = ModelFingerprint(try ModelGraph(other, precision: precision))
      let body = await refusal(
        try service(other, precision: precision), #"{"inputs":[1],"state":"\#(token)"}"#)
      #expect(
        body
          == #"{"error":"state: found the state of another model (\#(own)), expected one of \"small\" with its present weights, graph, precision and layout of states (\#(expected))"}"#
          + "\n")
    }
  }

  @Test func anotherKey() async throws {
    let model = try SmallModels.forecaster()
    let token = try await ask(service(model), "[1,2]").states[0]
    for key in [nil, Array("sixteen bytes oR".utf8)] {
      let body = await refusal(
        try service(model, key: key), #"{"inputs":[1],"state":"\#(token)"}"#)
      #expect(body.contains("not signed with this server's state_key"))
    }
    // Without a key of its own, a process still knows its own tokens.
    let lonely = try service(model, key: nil)
    let own = try await ask(lonely, "[1,2]").states[0]
    _ = try await ask(lonely, "[3]", state: "\"\(own)\"")
  }

  @Test func modelsThatNeedTheWhole() async throws {
    let service = try service(SmallModels.forecaster(.bidirectional))
    for option in [#""return_state":true"#, #""state":"x""#] {
      let body = await refusal(service, "{\"inputs\":[1],\(option)}")
      let name = option.split(separator: "\"")[0]
      #expect(
        body
          == #"{"error":"\#(name): model \"small\" needs the whole of a sequence at once, so it has no state to go on from"}"#
          + "\n")
    }
    // Nothing is asked for by these.
    for option in [#""return_state":false"#, #""state":null"#] {
      #expect(await service.predict("{\"inputs\":[1],\(option)}").status == 200)
    }
  }

  /// What a forecast feeds back is no part of the sequence: the state is the one behind the steps given.
  @Test(arguments: [SmallModels.Shape.streamable, .pooled], [1, 2, 3, 7])
  func theStateBesideAForecast(shape: SmallModels.Shape, horizon: Int) async throws {
    let service = try service(SmallModels.forecaster(shape))
    let plain = try await ask(service, "[[1,2],[3]]")
    let body = #"{"inputs":[[1,2],[3]],"horizon":\#(horizon)"#
    let forecast = await service.predict(body + "}").body
    let answer = await service.predict(body + #","return_state":true}"#)
    #expect(answer.status == 200)
    #expect(
      answer.body
        == forecast.dropLast(2) + #","state":\#(quoted(plain.states))}"# + "\n")
  }

  /// The sum is in the state before it is in the answer.
  @Test func statesBeyondAFloat() async throws {
    let service = try service(TestModels.mean())
    _ = try await ask(service, "[3e38]")
    let answer = await service.predict(#"{"inputs":[65520,0],"return_state":"f16"}"#)
    #expect(answer.status == 422)
    #expect(
      answer.body
        == #"{"error":"return_state: found \"f16\", expected \"f32\": a number in the state of model \"mean\" is beyond the range of a 16-bit float"}"#
        + "\n")
    _ = try await ask(service, "[65519,0]", returnState: "\"f16\"")
  }

  /// Around `max_inline_bytes`, states are the same on either side of the hop.
  @Test func largeStates() async throws {
    let service = try service(SmallModels.forecaster(hiddenSize: 512))
    let inputs = "[" + Array(repeating: "[1,2]", count: 20).joined(separator: ",") + "]"
    let first = try await ask(service, inputs)
    #expect(first.states.count == 20 && Set(first.states).count == 1)
    let second = try await ask(service, inputs, state: quoted(first.states))
    #expect(Set(second.states).count == 1 && second.states[0] != first.states[0])
  }
}
