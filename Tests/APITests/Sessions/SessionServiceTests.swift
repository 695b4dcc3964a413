import Dispatch
import HTTPCore
import Inference
import ModelFormat
import Scheduling
import Synchronization
import TestSupport
import Testing

@testable import API

/// Sessions, through the service.
@Suite struct SessionServiceTests {
  private static let key = "sixteen bytes or"

  private func settings(
    maxBytes: Int = 1 << 20, idle: Duration = .seconds(3600), maxWaiters: Int = 64,
    operatorKey: String? = key
  ) -> ServiceSettings {
    var settings = ServiceSettings()
    settings.sessions = SessionLimits(
      maxBytes: maxBytes, idleTimeout: idle, maxWaiters: maxWaiters)
    settings.operatorKey = operatorKey.map { Array($0.utf8) }
    return settings
  }

  /// The answer, which must be one, without what it says of sessions and states; and that.
  private func ask(
    _ service: Service, _ inputs: String, _ session: String? = nil, more: String = "",
    model: String? = nil
  ) async throws -> (outputs: String, session: String) {
    let member = session.map { #","session":\#($0)"# } ?? ""
    let answer = await service.predict(#"{"inputs":\#(inputs)\#(member)\#(more)}"#, model: model)
    try #require(answer.status == 200, "\(answer.body)")
    guard let cut = answer.body.firstRange(of: #","session":"#) else { return (answer.body, "") }
    return (
      String(answer.body[..<cut.lowerBound]) + "}\n",
      String(answer.body[cut.upperBound...].dropLast(2))
    )
  }

  private func refusal(_ body: (status: Int, body: String), _ status: Int) -> String {
    #expect(body.status == status)
    return String(body.body.dropFirst(#"{"error":""#.count).dropLast(3))
  }

  /// The state that an answer carries.
  private func token(in answer: String) throws -> String {
    let start = try #require(answer.firstRange(of: #""state":""#)).upperBound
    return String(answer[start...].prefix { $0 != "\"" })
  }

  /// A page without its ages, which depend on how fast the machine is.
  private func ageless(_ page: String) -> String {
    page.replacing(/,"age_seconds":\d+,"idle_seconds":\d+/, with: "")
  }

  // MARK: - A session's life

  @Test(arguments: [SmallModels.Shape.streamable, .pooled], SmallModels.Cell.allCases)
  func piecesMakeTheWhole(shape: SmallModels.Shape, cell: SmallModels.Cell) async throws {
    let service = try Service.make(SmallModels.forecaster(shape, cell: cell))
    let whole = try await ask(service, "[1,2,3,-4,5]").outputs
    let first = try await ask(service, "[1,2]", #"{"id":"s","begin":true}"#)
    #expect(first.session == #"{"id":"s","steps":2}"#)
    #expect(first.outputs == (try await ask(service, "[1,2]").outputs))
    #expect(try await ask(service, "[3]", #""s""#).session == #"{"id":"s","steps":3}"#)
    let last = try await ask(service, "[-4,5]", #"{"id":"s","end":true}"#)
    #expect(last.outputs == whole)
    #expect(last.session == #"{"id":"s","steps":5,"ended":true}"#)
    let gone = await service.predict(#"{"inputs":[1],"session":"s"}"#)
    #expect(refusal(gone, 410) == #"session \"s\" is gone: a request ended it"#)
  }

  /// Random graphs of random ops, cut at random places: the last step's outputs, as written.
  @Test(arguments: 1...12)
  func randomModelsInPieces(seed: UInt64) async throws {
    let changing =
      seed.isMultiple(of: 2) ? try RandomModel(seed: seed, focus: .streamed) : nil
    let streamable = (0..<UInt64(1000)).lazy.compactMap { attempt -> RandomModel? in
      guard let random = try? RandomModel(seed: seed &* 1000 &+ attempt),
        let graph = try? ModelGraph(random.model), graph.isStreamable, graph.stateFloatCount > 0
      else { return nil }
      return random
    }
    var random = try #require(changing ?? streamable.first)
    var noise = TestSupport.Noise(seed: seed)
    let service = try Service.make(random.model)
    for journey in 1...4 {
      let sequence = try random.sequence(steps: .random(in: 1...40, using: &noise))
      var found = (outputs: "", session: "")
      for (index, piece) in try sequence.pieces(for: random.model, using: &noise).enumerated() {
        found = try await ask(
          service, inputs(of: piece, random.model),
          index == 0 ? #"{"id":"\#(journey)","begin":true}"# : #""\#(journey)""#,
          more: #","outputs":"last""#)
      }
      let whole = try await ask(
        service, inputs(of: sequence, random.model), more: #","outputs":"last""#)
      #expect(found.outputs == whole.outputs)
      #expect(found.session == #"{"id":"\#(journey)","steps":\#(sequence.stepCount)}"#)
    }
  }

  /// A step at a time: of every other one nothing comes, and the last so far stays the last.
  @Test func fewerStepsThanThereWere() async throws {
    let model = try Model(
      description: ModelDescription(
        name: "halved", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))],
        nodes: [
          .init(name: "y", op: .maxPool(padding: .causal), inputs: ["x"]),
          .init(name: "end", op: .last, inputs: ["y"]),
          .init(name: "mean", op: .mean, inputs: ["y"]),
        ],
        outputs: [.init(name: "y", decode: .argmax), .init(name: "end"), .init(name: "mean")]),
      tensors: TensorFile(bytes: TensorFile.serialize([])))
    let service = try Service.make(model)
    let head = #"{"model":"halved","outputs":"#
    let whole = try await ask(service, "[1,2,3,4,5]").outputs
    #expect(
      whole == head
        + #"{"y":[1.0,3.0,5.0],"end":[5.0],"mean":[3.0]},"labels":{"y":[0,0,0]},"scores":{"y":[1.0,3.0,5.0]}}"#
        + "\n")
    let expected: [(y: String, labels: String, last: String, mean: String)] = [
      ("[1.0]", "[0]", "1.0", "1.0"), ("[]", "[]", "1.0", "1.0"), ("[3.0]", "[0]", "3.0", "2.0"),
      ("[]", "[]", "3.0", "2.0"), ("[5.0]", "[0]", "5.0", "3.0"),
    ]
    for (index, step) in expected.enumerated() {
      let begin = index == 0 ? #","begin":true"# : ""
      let all = try await ask(service, "[\(index + 1)]", #"{"id":"all"\#(begin)}"#)
      #expect(
        all.outputs == head
          + #"{"y":\#(step.y),"end":[\#(step.last)],"mean":[\#(step.mean)]},"labels":{"y":\#(step.labels)},"scores":{"y":\#(step.y)}}"#
          + "\n")
      #expect(all.session == #"{"id":"all","steps":\#(index + 1)}"#)
      let last = try await ask(
        service, "[\(index + 1)]", #"{"id":"last"\#(begin)}"#,
        more: #","outputs":"last","answer":["outputs"]"#)
      #expect(
        last.outputs == head
          + #"{"y":[\#(step.last)],"end":[\#(step.last)],"mean":[\#(step.mean)]}}"# + "\n")
    }
    // Sequences of one request that stand at different steps.
    let together = try await ask(
      service, "[[6],[7]]", #"["all",{"id":"new","begin":true}]"#, more: #","answer":["outputs"]"#)
    #expect(
      together.outputs == head
        + #"{"y":[[],[7.0]],"end":[[5.0],[7.0]],"mean":[[3.0],[7.0]]}}"# + "\n")
  }

  /// A convolution with a stride and an LSTM behind it, a step at a time, by a token and by a session. The first piece has as many
  /// steps as give one to each node.
  @Test(arguments: [
    (StepKernel.Padding.causal, StepKernel.Padding.causal, 1), (.valid, .causal, 4),
    (.explicit(before: 1, after: 0), .valid, 3), (.valid, .explicit(before: 1, after: 0), 4),
  ])
  func aStridedConvolutionAStepAtATime(
    convolution: StepKernel.Padding, pool: StepKernel.Padding, least: Int
  ) async throws {
    let model = try SmallModels.changingSteps(convolution: convolution, pool: pool)
    let service = try Service.make(model)
    var noise = TestSupport.Noise(seed: 5)
    let whole = try noise.sequence(for: model, steps: 23)
    let expected = try await ask(service, inputs(of: whole, model), more: #","outputs":"last""#)
    for session in ["", #","session":{"id":"s","begin":true}"#] where least > 1 {
      let short = try inputs(of: whole.piece(0..<least - 1, for: model), model)
      let answer = await service.predict(#"{"inputs":\#(short)\#(session)}"#)
      #expect(answer.status == 400 && answer.body.contains("at least \(least)"), "\(answer.body)")
    }
    var token: String?
    for end in least...whole.stepCount {
      let step = end == least ? 0 : end - 1
      let piece = try inputs(of: whole.piece(step..<end, for: model), model)
      let state = token.map { #","state":"\#($0)""# } ?? ""
      let answer = await service.predict(
        #"{"inputs":\#(piece),"outputs":"last","return_state":true\#(state)}"#)
      try #require(answer.status == 200, "\(answer.body)")
      token = try self.token(in: answer.body)
      let found = try await ask(
        service, piece, step == 0 ? #"{"id":"s","begin":true}"# : #""s""#,
        more: #","outputs":"last""#)
      #expect(answer.body.hasPrefix(found.outputs.dropLast(2)))
      if end == whole.stepCount { #expect(found.outputs == expected.outputs) }
    }
  }

  /// A sequence as a body has it.
  private func inputs(of sequence: InputSequence, _ model: Model) -> String {
    let inputs = zip(model.description.inputs, sequence.values).map { input, values in
      let text: String
      switch (values, input.kind) {
      case (.tokens(let ids), _): text = "\(ids)"
      // Numbers in brackets of their own would be sequences of one step.
      case (.features(let floats), .features(1, _, _)): text = "\(floats)"
      case (.features(let floats), .features(let size, _, _)):
        let rows = stride(from: 0, to: floats.count, by: size).map {
          "\(Array(floats[$0..<$0 + size]))"
        }
        text = "[\(rows.joined(separator: ","))]"
      case (.features(let floats), _), (.vector(let floats), _): text = "\(floats)"
      }
      return "\"\(input.name)\":\(text)"
    }
    return "{\(inputs.joined(separator: ","))}"
  }

  /// Many sequences at once: with a session, without, forked, and begun anew.
  @Test func manySequences() async throws {
    let service = try Service.make(SmallModels.forecaster())
    let first = try await ask(
      service, "[[1,2],[3],[4,5,6]]",
      #"[{"id":"a","begin":true},null,{"id":"b","begin":true,"wait":true}]"#)
    #expect(first.session == #"[{"id":"a","steps":2},null,{"id":"b","steps":3}]"#)
    #expect(first.outputs == (try await ask(service, "[[1,2],[3],[4,5,6]]").outputs))
    let second = try await ask(
      service, "[[7],[8],[9,9],[10],[-1]]",
      #"["b",{"id":"c","fork":"b"},null,{"id":"d","fork":"a"},{"id":"a","begin":true,"replace":true,"end":true}]"#
    )
    #expect(
      second.session
        == #"[{"id":"b","steps":4},{"id":"c","steps":4},null,{"id":"d","steps":3},{"id":"a","steps":1,"ended":true}]"#
    )
    #expect(
      second.outputs
        == (try await ask(service, "[[4,5,6,7],[4,5,6,8],[9,9],[1,2,10],[-1]]").outputs))
    // Forks go on independently.
    let third = try await ask(service, "[[20],[30],[40]]", #"["c","b","d"]"#)
    #expect(
      third.outputs
        == (try await ask(service, "[[4,5,6,8,20],[4,5,6,7,30],[1,2,10,40]]").outputs))
    // One of an array, and alone.
    let alone = try await ask(service, "[50]", #""b""#).outputs
    #expect(alone == (try await ask(service, "[4,5,6,7,30,50]").outputs))
  }

  @Test func aHorizon() async throws {
    let service = try Service.make(SmallModels.forecaster())
    let first = try await ask(
      service, "[1,2]", #"{"id":"s","begin":true}"#, more: #","horizon":7"#)
    #expect(first.session == #"{"id":"s","steps":2}"#)
    #expect(first.outputs == (try await ask(service, "[1,2]", more: #","horizon":7"#).outputs))
    let second = try await ask(service, "[3]", #""s""#, more: #","horizon":1"#)
    #expect(second.outputs == (try await ask(service, "[1,2,3]", more: #","horizon":1"#).outputs))
    #expect(second.session == #"{"id":"s","steps":3}"#)
    #expect(
      try await ask(service, "[4]", #""s""#).outputs
        == (try await ask(service, "[1,2,3,4]").outputs))
  }

  @Test func aBeginWithAState() async throws {
    let service = try Service.make(SmallModels.forecaster())
    let taken = await service.predict(#"{"inputs":[1,2],"return_state":true}"#).body
    let token = try self.token(in: taken)
    let first = try await ask(
      service, "[3]", #"{"id":"s","begin":true}"#, more: #","state":"\#(token)""#)
    #expect(first.outputs == (try await ask(service, "[1,2,3]").outputs))
    #expect(first.session == #"{"id":"s","steps":3}"#)
    // Beside sessions that have states, of those that bring none.
    let second = try await ask(
      service, "[[4],[5],[6]]", #"["s",{"id":"t","begin":true},null]"#,
      more: #","state":[null,"\#(token)","\#(token)"]"#)
    #expect(
      second.outputs == (try await ask(service, "[[1,2,3,4],[1,2,5],[1,2,6]]").outputs))
    // And a session's state can be taken along.
    let along = await service.predict(#"{"inputs":[7],"session":"s","return_state":true}"#).body
    let other = try self.token(in: along)
    #expect(
      try await ask(service, "[8]", more: #","state":"\#(other)""#).outputs
        == (try await ask(service, "[8]", #""s""#).outputs))
  }

  @Test func modelsDoNotMeet() async throws {
    let service = try Service.make(
      SmallModels.forecaster(name: "a"), SmallModels.forecaster(name: "b", seed: 2))
    _ = try await ask(service, "[1,2]", #"{"id":"s","begin":true}"#, model: "a")
    let unknown = await service.predict(#"{"inputs":[3],"session":"s"}"#, model: "b")
    #expect(
      refusal(unknown, 404)
        == #"there is no session \"s\" of model \"b\"; {\"id\": \"s\", \"begin\": true} begins one"#
    )
    _ = try await ask(service, "[9]", #"{"id":"s","begin":true}"#, model: "b")
    for (model, whole) in [("a", "[1,2,3]"), ("b", "[9,3]")] {
      let found = try await ask(service, "[3]", #""s""#, model: model).outputs
      #expect(found == (try await ask(service, whole, model: model).outputs))
    }
    #expect(await service.answer("DELETE", "/models/a/sessions/s").status == 200)
    #expect(await service.answer("GET", "/models/b/sessions/s").status == 200)
  }

  @Test func aModelThatNeedsTheWhole() async throws {
    let service = try Service.make(SmallModels.forecaster(.bidirectional))
    for session in [#""s""#, "7", #"{"id":"s","begin":true}"#] {
      let answer = await service.predict(#"{"inputs":[1],"session":\#(session)}"#)
      #expect(
        refusal(answer, 400)
          == #"session: model \"small\" needs the whole of a sequence at once, so it has no state to go on from"#
      )
    }
    #expect(await service.predict(#"{"inputs":[1],"session":null}"#).status == 200)
  }

  // MARK: - What fails leaves a session as it was

  /// An answer that can't be written is none: the session does not move, and none is begun.
  @Test func anAnswerThatCannotBeWritten() async throws {
    let service = try Service.make(TestModels.overflow(), TestModels.mean())
    _ = try await ask(service, "[0.5]", #"{"id":"s","begin":true}"#)
    let answer = await service.predict(#"{"inputs":[2],"session":{"id":"s","end":true}}"#)
    #expect(answer.status == 422)
    #expect(try await ask(service, "[0.5]", #""s""#).session == #"{"id":"s","steps":2}"#)
    #expect(
      await service.predict(#"{"inputs":[2],"session":{"id":"t","begin":true}}"#).status == 422)
    #expect(await service.predict(#"{"inputs":[0.5],"session":"t"}"#).status == 404)

    // Halves are asked for, which hold less than a session does.
    let mean = #""model":"mean","#
    _ = try await ask(service, "[65519]", #"{"id":"s","begin":true}"#, model: "mean")
    let half = await service.predict(
      #"{\#(mean)"inputs":[65520],"session":"s","return_state":"f16"}"#)
    #expect(half.status == 422)
    #expect(
      try await ask(service, "[65521]", #""s""#, model: "mean").outputs.contains("[65520.0]"))
  }

  /// The sum that a mean keeps may be beyond a float: a session, and a state taken along, go on from it as the whole does.
  @Test func aSumBeyondAFloat() async throws {
    let service = try Service.make(TestModels.mean())
    let steps = ["3e38", "3e38", "2e38", "-3e38", "-3e38", "-3e38", "5"]
    var state = ""
    for (index, step) in steps.enumerated() {
      let whole = "[\(steps[...index].joined(separator: ","))]"
      let expected = try await ask(service, whole).outputs
      let session = index == 0 ? #"{"id":"s","begin":true}"# : #""s""#
      #expect(try await ask(service, "[\(step)]", session).outputs == expected)
      let along = await service.predict(#"{"inputs":[\#(step)],"return_state":true\#(state)}"#)
      #expect(along.status == 200 && along.body.hasPrefix(expected.dropLast(2)))
      state = #","state":"\#(try token(in: along.body))""#
    }
  }

  @Test func anEngineThatRefuses() async throws {
    let engine = Engine(graph: try ModelGraph(TestModels.echo(size: 1)))
    let service = Service(engines: [("echo", engine)], settings: settings())
    _ = try await ask(service, "[1]", #"{"id":"s","begin":true}"#)
    engine.shutDown()
    for session in [
      #""s""#, #"{"id":"s","begin":true,"replace":true}"#, #"{"id":"s","end":true}"#,
    ] {
      #expect(await service.predict(#"{"inputs":[1],"session":\#(session)}"#).status == 503)
    }
    #expect(
      await service.predict(#"{"inputs":[1],"session":{"id":"t","begin":true}}"#).status == 503)
    #expect(
      ageless(await service.answer("GET", "/models/echo/sessions/s").body)
        == #"{"id":"s","steps":1}"# + "\n")
    #expect(await service.answer("GET", "/models/echo/sessions/t").status == 404)
  }

  // MARK: - One request at a time

  /// An engine whose worker is busy, and a service with it.
  private func heldUp(
    _ settings: ServiceSettings = ServiceSettings()
  ) async throws -> (Service, Engine, DispatchSemaphore) {
    let engine = Engine(
      graph: try ModelGraph(TestModels.echo(size: 1)), limits: EngineLimits(maxSeats: 1))
    let service = Service(engines: [("echo", engine)], settings: settings)
    _ = try await ask(service, "[1]", #"{"id":"s","begin":true}"#)
    let release = DispatchSemaphore(value: 0)
    let one = try InputSequence([.features([1])], for: engine.graph.model)
    await withCheckedContinuation { continuation in
      engine.predict([one], selection: .last) { _ in
        continuation.resume()
        release.wait()
      }
    }
    return (service, engine, release)
  }

  /// A request whose answer comes later.
  private func post(
    _ service: Service, _ body: String
  ) -> (exchange: HTTPExchange, answer: @Sendable () -> Int?) {
    let answers = Answers()
    let exchange = HTTPExchange(
      request: HTTPRequest(method: "POST", path: "/predict", body: Array(body.utf8)),
      deliver: { response in answers.status.withLock { $0 = response.status.code } })
    service.handle(exchange)
    return (exchange, { answers.status.withLock { $0 } })
  }

  private final class Answers: Sendable {
    let status = Mutex<Int?>(nil)
  }

  @Test func busyAndWaiting() async throws {
    let (service, engine, release) = try await heldUp(settings(maxWaiters: 1))
    let rider = post(service, #"{"inputs":[2],"session":"s"}"#)
    let busy = await service.predict(#"{"inputs":[3],"session":"s"}"#)
    #expect(
      refusal(busy, 409)
        == #"session \"s\" is busy with another request; one for predictions may wait for it (\"wait\": true)"#
    )
    // It is free again soon.
    let path = "/models/echo/sessions/s"
    #expect(await service.answer("DELETE", path).fields["retry-after"] == "1")
    let waiting = post(service, #"{"inputs":[3],"session":{"id":"s","wait":true}}"#)
    let tooMany = await service.predict(#"{"inputs":[4],"session":{"id":"s","wait":true}}"#)
    #expect(
      refusal(tooMany, 409)
        == #"session \"s\" is busy, and 1 requests wait for it already (max_session_waiters)"#)
    for (method, status) in [("DELETE", 409), ("GET", 200)] {
      #expect(await service.answer(method, "/models/echo/sessions/s").status == status)
    }
    #expect(rider.answer() == nil && waiting.answer() == nil)
    // It holds no place of the engine.
    #expect(engine.snapshot().queuedSequences == 1)
    release.signal()
    try await eventually { waiting.answer() != nil }
    #expect(rider.answer() == 200 && waiting.answer() == 200)
    #expect(try await ask(service, "[5]", #""s""#).session == #"{"id":"s","steps":4}"#)
  }

  @Test func clientsThatLeave() async throws {
    let (service, engine, release) = try await heldUp()
    let rider = post(service, #"{"inputs":[2],"session":"s"}"#)
    let first = post(service, #"{"inputs":[3,3],"session":{"id":"s","wait":true}}"#)
    let second = post(service, #"{"inputs":[4,4,4],"session":{"id":"s","wait":true,"end":true}}"#)
    let third = post(service, #"{"inputs":[5,5,5,5],"session":{"id":"s","wait":true}}"#)
    // One that waits, one that rides, and one that came to ride by that.
    first.exchange.abandon()
    #expect(engine.snapshot().queuedSequences == 1)
    rider.exchange.abandon()
    #expect(engine.snapshot().queuedSequences == 1)
    second.exchange.abandon()
    #expect(service.requests(of: "/predict").last?.status == "499")
    release.signal()
    try await eventually { third.answer() != nil }
    #expect(third.answer() == 200)
    #expect(rider.answer() == nil && first.answer() == nil && second.answer() == nil)
    #expect(try await ask(service, "[6]", #""s""#).session == #"{"id":"s","steps":6}"#)
  }

  /// Who leaves when the prediction is there and its answer is not: the session is as it was.
  @Test func whoLeavesBeforeTheAnswerMovesNothing() async throws {
    let engine = Engine(
      graph: try ModelGraph(TestModels.echo(size: 1)),
      limits: EngineLimits(workers: 1, maxSeats: 2))
    let service = Service(engines: [("echo", engine)])
    _ = try await ask(service, "[1]", #"{"id":"s","begin":true}"#)
    let one = try InputSequence([.features([1])], for: engine.graph.model)
    let (release, told, second) = (
      DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)
    )
    await withCheckedContinuation { continuation in
      engine.predict([one], selection: .last) { _ in
        continuation.resume()
        release.wait()
      }
    }
    // Both ride in one turn, and the one that is told first holds up the other.
    engine.predict([one], selection: .last) { _ in
      told.signal()
      second.wait()
    }
    let rider = post(service, #"{"inputs":[2],"session":"s"}"#)
    release.signal()
    try await eventually { told.wait(timeout: .now()) == .success }
    rider.exchange.abandon()
    second.signal()
    try await eventually { service.requests(of: "/predict").last?.status == "499" }
    #expect(try await ask(service, "[5]", #""s""#).session == #"{"id":"s","steps":2}"#)
  }

  /// Whether its client is there is asked when the answer is: what is told decides, however long that takes. Who waits
  /// for the session has it from then on.
  @Test(arguments: [true, false])
  func aSessionMovesForAClientThatIsThere(isPresent: Bool) async throws {
    let service = try Service.make(SmallModels.forecaster())
    _ = try await ask(service, "[1,2]", #"{"id":"s","begin":true}"#)
    let asked = Mutex<(@Sendable (Bool) -> Void)?>(nil)
    let status = Mutex<Int?>(nil)
    let exchange = HTTPExchange(
      request: HTTPRequest(
        method: "POST", path: "/predict", body: Array(#"{"inputs":[3],"session":"s"}"#.utf8)),
      connection: .init(
        .init(
          number: 1, hasLeft: { false },
          askPresence: { _, action in asked.withLock { $0 = action } }), isNew: true)
    ) { part in
      if case .whole(let response) = part { status.withLock { $0 = response.status.code } }
    }
    service.handle(exchange)
    try await eventually { asked.withLock { $0 != nil } }
    #expect(status.withLock { $0 } == nil)
    let waiting = post(service, #"{"inputs":[3],"session":{"id":"s","wait":true}}"#)
    #expect(waiting.answer() == nil)
    asked.withLock { $0 }?(isPresent)
    #expect(status.withLock { $0 } == (isPresent ? 200 : nil))
    try await eventually { waiting.answer() == 200 }
    #expect(
      try await ask(service, "[4]", #""s""#).session
        == #"{"id":"s","steps":\#(isPresent ? 5 : 4)}"#)
    #expect(
      service.requests(of: "/predict").contains { $0.status == "499" } == !isPresent)
  }

  /// A client whose answer was lost says where it was, and counts nothing twice.
  @Test func aRetryAfterALostAnswer() async throws {
    let service = try Service.make(SmallModels.forecaster())
    _ = try await ask(service, "[1,2]", #"{"id":"s","begin":true}"#)
    let session = #"{"id":"s","at":2}"#
    let first = try await ask(service, "[3]", session)
    #expect(first.session == #"{"id":"s","steps":3}"#)
    let again = await service.predict(#"{"inputs":[3],"session":\#(session)}"#)
    #expect(again.status == 409)
    #expect(
      again.body
        == #"{"error":"session \"s\" has 3 steps, the request goes on from 2 (\"at\")","id":"s","steps":3}"#
        + "\n")
    let many = await service.predict(
      #"{"inputs":[[3],[4]],"session":[{"id":"t","begin":true},{"id":"s","at":4}]}"#)
    #expect(many.status == 409 && many.body.hasSuffix(#","id":"s","steps":3}"# + "\n"))
    #expect(await service.answer("GET", "/models/small/sessions/t").status == 404)
    let fork = await service.predict(
      #"{"inputs":[3],"session":{"id":"t","fork":"s","at":2}}"#)
    #expect(fork.status == 409 && fork.body.hasSuffix(#","id":"s","steps":3}"# + "\n"))
    #expect(
      try await ask(service, "[4]", #"{"id":"s","at":3}"#).session == #"{"id":"s","steps":4}"#)
    #expect(
      try await ask(service, "[5]", #""s""#).outputs
        == (try await ask(service, "[1,2,3,4,5]").outputs))
  }

  /// What is there is not begun again in silence.
  @Test(arguments: [#""begin":true"#, #""fork":"s""#, #""fork":"t""#])
  func whatIsThere(way: String) async throws {
    let service = try Service.make(SmallModels.forecaster())
    for id in ["s", "t"] { _ = try await ask(service, "[1]", #"{"id":"\#(id)","begin":true}"#) }
    let body = await service.predict(#"{"inputs":[2],"session":{"id":"s",\#(way)}}"#)
    #expect(body.status == 409)
    #expect(
      body.body
        == #"{"error":"session \"s\" exists, with 1 step; \"replace\": true starts it over","id":"s","steps":1}"#
        + "\n")
    let replaced = try await ask(service, "[2]", #"{"id":"s",\#(way),"replace":true}"#)
    let steps = way.hasPrefix(#""begin"#) ? 1 : 2
    #expect(replaced.session == #"{"id":"s","steps":\#(steps)}"#)
    #expect(replaced.outputs == (try await ask(service, steps == 1 ? "[2]" : "[1,2]").outputs))
  }

  @Test func aTimeOutWhileWaiting() async throws {
    let (service, _, release) = try await heldUp()
    let rider = post(service, #"{"inputs":[2],"session":"s"}"#)
    let late = await service.predict(
      #"{"inputs":[3],"session":{"id":"s","wait":true},"timeout_ms":50}"#)
    #expect(refusal(late, 504) == "the answer could not be ready within the time-out of 50 ms")
    release.signal()
    try await eventually { rider.answer() == 200 }
    #expect(try await ask(service, "[5]", #""s""#).session == #"{"id":"s","steps":3}"#)
  }

  /// However many wait for a session whose requests are refused one after another at once.
  @Test func manyWaitersAreRefusedInTurn() async throws {
    let count = 10_000
    let (service, engine, release) = try await heldUp(settings(maxWaiters: count))
    let rider = post(service, #"{"inputs":[2],"session":"s"}"#)
    let waiting = (0..<count).map { _ in
      post(service, #"{"inputs":[3],"session":{"id":"s","wait":true}}"#)
    }
    // Riders that are there still ride.
    engine.shutDown()
    release.signal()
    try await eventually { waiting.allSatisfy { $0.answer() != nil } }
    #expect(rider.answer() != nil)
    #expect(waiting.allSatisfy { $0.answer() == 503 })
  }

  /// Many clients of few sessions: each answer is one step on, and none is lost.
  @Test func concurrentClients() async throws {
    let service = try Service.make(TestModels.echo(size: 1), settings: settings(maxWaiters: 1000))
    for id in ["a", "b"] { _ = try await ask(service, "[0]", #"{"id":"\#(id)","begin":true}"#) }
    let found = try await withThrowingTaskGroup(of: [String].self) { group in
      for client in 0..<20 {
        group.addTask {
          var answers: [String] = []
          for turn in 0..<20 {
            let id = (client + turn) % 2 == 0 ? "a" : "b"
            answers.append(
              try await ask(service, "[1]", #"{"id":"\#(id)","wait":true}"#).session)
          }
          return answers
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    let expected = ["a", "b"].flatMap { id in
      (2...201).map { #"{"id":"\#(id)","steps":\#($0)}"# }
    }
    #expect(found.sorted() == expected.sorted())
  }

  // MARK: - Who has to go

  @Test func evicted() async throws {
    // Room for one, whose state has no floats.
    let service = try Service.make(
      TestModels.echo(size: 1), settings: settings(maxBytes: SessionTable.overheadBytes + 1))
    _ = try await ask(service, "[1]", #"{"id":"a","begin":true}"#)
    _ = try await ask(service, "[1]", #"{"id":"b","begin":true}"#)
    for answer in [
      await service.predict(#"{"inputs":[1],"session":"a"}"#),
      await service.predict(#"{"inputs":[1],"session":{"id":"c","fork":"a"}}"#),
    ] {
      #expect(
        refusal(answer, 410)
          == #"session \"a\" is gone: others, used later, needed its room (max_session_bytes)"#)
    }
    let page = await service.answer("GET", "/models/echo/sessions/a")
    #expect(page.status == 410)
    let tooLarge = await service.predict(
      #"{"inputs":[[1],[1]],"session":["b",{"id":"c","begin":true}]}"#)
    let (needed, limit) = (2 * SessionTable.overheadBytes + 2, SessionTable.overheadBytes + 1)
    #expect(
      refusal(tooLarge, 413)
        == "the request's sessions take \(needed) bytes, the server keeps \(limit) of all (max_session_bytes)"
    )
    #expect(try await ask(service, "[1]", #""b""#).session == #"{"id":"b","steps":2}"#)
  }

  @Test func expired() async throws {
    let service = try Service.make(
      TestModels.echo(size: 1), settings: settings(idle: .milliseconds(1)))
    _ = try await ask(service, "[1]", #"{"id":"a","begin":true}"#)
    try await Task.sleep(for: .milliseconds(5))
    let answer = await service.predict(#"{"inputs":[1],"session":"a"}"#)
    #expect(
      refusal(answer, 410)
        == #"session \"a\" is gone: nobody used it for as long as session_idle_seconds says"#)
  }

  /// What is said of a session that is not there fits what was asked of it.
  @Test func unknownSessions() async throws {
    let service = try Service.make(TestModels.echo(size: 1))
    let none = #"there is no session \"s\" of model \"echo\""#
    for (session, error) in [
      (#""s""#, none + #"; {\"id\": \"s\", \"begin\": true} begins one"#),
      (#"{"id":"s","at":3}"#, none + #"; {\"id\": \"s\", \"begin\": true} begins one"#),
      (#"{"id":"t","fork":"s"}"#, #"session \"t\" can't begin as a fork: "# + none),
    ] {
      let answer = await service.predict(#"{"inputs":[1],"session":\#(session)}"#)
      #expect(refusal(answer, 404) == error)
    }
  }

  /// Where none can begin, none is said to be able to.
  @Test(arguments: [#""a""#, #"{"id":"a","fork":"b"}"#, #"{"id":"a","at":1}"#])
  func sessionsOffForAllUses(session: String) async throws {
    let service = try Service.make(TestModels.echo(size: 1), settings: settings(maxBytes: 0))
    let answer = await service.predict(#"{"inputs":[1],"session":\#(session)}"#)
    #expect(refusal(answer, 400) == "session: this server keeps none (max_session_bytes is 0)")
  }

  @Test func sessionsOff() async throws {
    let service = try Service.make(TestModels.echo(size: 1), settings: settings(maxBytes: 0))
    let answer = await service.predict(#"{"inputs":[1],"session":{"id":"a","begin":true}}"#)
    #expect(
      refusal(answer, 400) == "session: this server keeps none (max_session_bytes is 0)")
    #expect(await service.predict(#"{"inputs":[1]}"#).status == 200)
  }

  @Test func noRoomBesideOthers() async throws {
    let (service, _, release) = try await heldUp(
      settings(maxBytes: SessionTable.overheadBytes + 1))
    let rider = post(service, #"{"inputs":[2],"session":"s"}"#)
    let answer = await service.answer(
      "POST", "/predict", #"{"inputs":[1],"session":{"id":"t","begin":true}}"#)
    #expect(answer.fields["retry-after"] == nil)
    #expect(
      refusal((answer.status, answer.body), 429)
        == "the sessions of requests under way take all that there is, \(SessionTable.overheadBytes + 1) bytes (max_session_bytes)"
    )
    release.signal()
    try await eventually { rider.answer() == 200 }
    _ = try await ask(service, "[1]", #"{"id":"t","begin":true}"#)
  }

  // MARK: - Pages

  @Test func oneSession() async throws {
    let service = try Service.make(TestModels.echo(size: 1))
    _ = try await ask(service, "[1,2,3]", #"{"id":"a-._~:b","begin":true}"#)
    let path = "/models/echo/sessions/a-._~:b"
    #expect(await service.answer("GET", "/models/echo/sessions/a-._~%3Ab").status == 200)
    let page = await service.answer("GET", path)
    #expect(page.status == 200)
    #expect(page.fields["content-type"] == "application/json")
    #expect(
      page.body.wholeMatch(
        of: /{"id":"a-._~:b","steps":3,"age_seconds":\d+,"idle_seconds":\d+}\n/) != nil)
    #expect(await service.answer("HEAD", path).status == 200)
    #expect(await service.answer("OPTIONS", path).fields["allow"] == "GET, HEAD, DELETE, OPTIONS")
    #expect(await service.answer("POST", path).status == 405)
    let ended = await service.answer("DELETE", path)
    #expect(ended.status == 200)
    #expect(ended.body == #"{"id":"a-._~:b","ended":true}"# + "\n")
    for method in ["DELETE", "GET", "HEAD"] {
      let gone = await service.answer(method, path)
      #expect(gone.status == 410)
      #expect(
        gone.body == #"{"error":"session \"a-._~:b\" is gone: a request ended it"}"# + "\n")
    }
  }

  @Test(arguments: ["GET", "DELETE"])
  func noSuchSession(method: String) async throws {
    let service = try Service.make(TestModels.echo(size: 1))
    for (path, status, error) in [
      (
        "/models/echo/sessions/s", 404, #"there is no session \"s\" of model \"echo\""#
      ),
      ("/models/none/sessions/s", 404, #"there is no model \"none\", expected echo"#),
      (
        "/models/echo/sessions/a%2Fb", 400,
        #"the path's session: found the string \"a%2Fb\", expected an id of 1 to 128 letters, digits and -._~:"#
      ),
    ] {
      let answer = await service.answer(method, path)
      #expect(refusal((answer.status, answer.body), status) == error)
    }
  }

  private func list(
    _ service: Service, _ authorization: String?, query: String? = nil,
    path: String = "/models/echo/sessions"
  ) async -> (status: Int, body: String, fields: HTTPFields) {
    let response = await withCheckedContinuation { continuation in
      var request = HTTPRequest(method: "GET", path: path, query: query)
      if let authorization { request.fields.append("authorization", authorization) }
      service.handle(
        HTTPExchange(request: request, deliver: { continuation.resume(returning: $0) }))
    }
    return (
      response.status.code, String(decoding: response.body, as: UTF8.self), response.fields
    )
  }

  @Test(arguments: [
    "Bearer sixteen bytes or", "bearer sixteen bytes or", "BEARER sixteen bytes or",
    "bEaReR sixteen bytes or", "Bearer  sixteen bytes or",
  ])
  func operatorsMayList(authorization: String) async throws {
    let service = try Service.make(TestModels.echo(size: 1), settings: settings())
    #expect(
      await list(service, authorization).body
        == #"{"model":"echo","count":0,"bytes":0,"sessions":[]}"# + "\n")
  }

  @Test(arguments: [
    nil, "", "Bearer", "Bearer ", "Bearer sixteen bytes o", "Bearer sixteen bytes oR",
    "Bearer sixteen bytes or ", "Basic sixteen bytes or",
    "sixteen bytes or", "Bearer\tsixteen bytes or", "Bearers sixteen bytes or", "bearer é",
    "Bearer sixteen bytes or, Bearer sixteen bytes or",
  ])
  func othersMayNot(authorization: String?) async throws {
    let service = try Service.make(TestModels.echo(size: 1), settings: settings())
    let answer = await list(service, authorization)
    #expect(answer.fields["www-authenticate"] == "Bearer")
    #expect(
      refusal((answer.status, answer.body), 401)
        == "this is for operators only, expected authorization: Bearer and the server's operator_key"
    )
    // Nobody else learns which models there are, or what the query may be.
    let other = await list(
      service, authorization, query: "limit=0", path: "/models/none/sessions")
    #expect(other.status == 401)
  }

  @Test func withoutAKeyNobodyMay() async throws {
    let service = try Service.make(
      TestModels.echo(size: 1), settings: settings(operatorKey: nil))
    for authorization in [nil, "Bearer ", "Bearer sixteen bytes or"] {
      let answer = await list(service, authorization)
      #expect(answer.fields["www-authenticate"] == nil)
      #expect(
        refusal((answer.status, answer.body), 403)
          == "this is for operators only, and the server has neither an operator_key nor a tokens_file by which to know them"
      )
    }
  }

  @Test func theList() async throws {
    let service = try Service.make(
      TestModels.echo(size: 1), SmallModels.forecaster(.bidirectional), settings: settings())
    for index in 0..<101 { _ = try await ask(service, "[1]", #"{"id":"s\#(index)","begin":true}"#) }
    _ = try await ask(service, "[1,1]", #""s7""#)
    let bearer = "Bearer \(Self.key)"
    // 10 names of 2 characters, 90 of 3, 1 of 4.
    let bytes = 101 * SessionTable.overheadBytes + 294
    func expected(_ ids: [Int]) -> String {
      let all = ids.map {
        #"{"id":"s\#($0)","steps":\#($0 == 7 ? 3 : 1)}"#
      }
      return
        #"{"model":"echo","count":101,"bytes":\#(bytes),"sessions":[\#(all.joined(separator: ","))]}"#
        + "\n"
    }
    let order = [7] + (0...100).reversed().filter { $0 != 7 }
    #expect(ageless(await list(service, bearer).body) == expected(Array(order.prefix(100))))
    #expect(ageless(await list(service, bearer, query: "limit=1").body) == expected([7]))
    #expect(ageless(await list(service, bearer, query: "limit=2").body) == expected([7, 100]))
    for limit in ["101", "102", "100000"] {
      #expect(ageless(await list(service, bearer, query: "limit=\(limit)").body) == expected(order))
    }
    #expect(
      await list(service, bearer, path: "/models/small/sessions").body
        == #"{"model":"small","count":0,"bytes":0,"sessions":[]}"# + "\n")
    #expect(await list(service, bearer, path: "/models/none/sessions").status == 404)
  }

  @Test(arguments: [
    ("limit=0", "0"), ("limit=100001", "100001"), ("limit=-1", "-1"), ("limit=", ""),
    ("limit", "limit"), ("", ""), ("limit=1&limit=2", "1&limit=2"), ("Limit=1", "Limit=1"),
    ("x=1", "x=1"), ("limit=+5", "+5"), ("limit=1.0", "1.0"), ("limit= 1", " 1"),
    ("limit=99999999999999999999", "99999999999999999999"),
  ])
  func whatLimitIsNot(query: String, found: String) async throws {
    let service = try Service.make(TestModels.echo(size: 1), settings: settings())
    let answer = await list(service, "Bearer \(Self.key)", query: query)
    #expect(
      refusal((answer.status, answer.body), 400)
        == #"?limit=: found \"\#(found)\", expected a whole number from 1 to 100000"#)
  }
}
