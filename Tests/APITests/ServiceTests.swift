import Dispatch
import HTTPCore
import Inference
import JSON
import Scheduling
import Serving
import Synchronization
import TestSupport
import Testing

@testable import API

@Suite struct ServiceTests {
  @Test func theFirstModelIsTheDefault() async throws {
    let service = try Service.make(TestModels.echo(), TestModels.counter())
    #expect(await service.predict(#"{"inputs":[[1,2]]}"#).body.contains(#""model":"echo""#))
    let chosen = Service(
      engines: [
        ("a", Engine(graph: try ModelGraph(TestModels.echo()))),
        ("b", Engine(graph: try ModelGraph(TestModels.echo()))),
      ], defaultModel: "b")
    #expect(await chosen.predict(#"{"inputs":[[1,2]]}"#).body.contains(#""model":"b""#))
    #expect(await chosen.predict(#"{"inputs":[[1,2]],"model":"a"}"#).status == 200)
  }

  @Test func aServiceWithoutModelsSaysSo() async throws {
    let service = Service(engines: [])
    let answer = await service.predict(#"{"inputs":[1]}"#)
    #expect(answer.status == 404)
    #expect(answer.body == #"{"error":"the server holds no models"}"# + "\n")
  }

  @Test func overflowIsTheInputs() async throws {
    let service = try Service.make(TestModels.overflow())
    let answer = await service.predict(#"{"inputs":[0.5,2]}"#)
    #expect(answer.status == 422)
    #expect(
      answer.body
        == #"{"error":"model \"overflow\" has no finite answer to these inputs: a number in its output \"y\" is NaN or beyond the range of a 32-bit float"}"#
        + "\n")
    #expect(service.requests(of: "/predict").map(\.status) == ["422"])
  }

  @Test func errorsQuoteLittleAndEscapeIt() async throws {
    let service = try Service.make(TestModels.echo())
    let name = String(repeating: "\"\u{1F}é", count: 100)
    let answer = await service.predict(
      #"{"inputs":[[1,2]],"model":"\#(String(repeating: #"\"\u001fé"#, count: 100))"}"#)
    #expect(answer.status == 404)
    let document = try JSONReaderPool().read(Array(answer.body.utf8), maxDepth: 2)
    #expect(
      document.string(2)
        == "there is no model \"\(name.prefix(maxQuotedCharacters))…\", expected echo")
  }

  // MARK: - Methods and paths

  @Test(arguments: ["/", "/models", "/models/echo", "/livez", "/readyz", "/healthz", "/metrics"])
  func pagesAnswerGetAndHead(path: String) async throws {
    let service = try Service.make(TestModels.echo())
    let get = await service.answer("GET", path)
    #expect(get.status == 200)
    #expect(!get.body.isEmpty)
    #expect(get.fields["content-type"] != nil)
    #expect(await service.answer("HEAD", path).status == 200)
    for method in ["POST", "PUT", "DELETE", "get", "BREW"] {
      let refused = await service.answer(method, path)
      #expect(refused.status == 405)
      #expect(refused.fields["allow"] == "GET, HEAD, OPTIONS")
      #expect(refused.body.hasPrefix(#"{"error":""#))
    }
    let options = await service.answer("OPTIONS", path)
    #expect(options.status == 200)
    #expect(options.fields["allow"] == "GET, HEAD, OPTIONS")
  }

  @Test(arguments: [
    ("/predict", #"{"inputs":[[1,2]]}"#), ("/models/echo/predict", #"{"inputs":[[1,2]]}"#),
    (
      "/v1/timeseries/forecast",
      #"{"model":"counter","inputs":[{"type":"univariate_time_series","name":"","series":[1],"frequency":"D"}],"options":{"horizon":1}}"#
    ),
  ])
  func predictionsAnswerPost(path: String, body: String) async throws {
    let service = try Service.make(TestModels.echo(), TestModels.counter())
    let answer = await service.answer("POST", path, body)
    #expect(answer.status == 200)
    #expect(answer.fields["content-type"] == "application/json")
    for method in ["GET", "HEAD", "PUT"] {
      let refused = await service.answer(method, path)
      #expect(refused.status == 405)
      #expect(refused.fields["allow"] == "POST, OPTIONS")
    }
    #expect(await service.answer("OPTIONS", path).fields["allow"] == "POST, OPTIONS")
  }

  @Test func theServerAsAWholeHasOptions() async throws {
    let answer = await Service(engines: []).answer("OPTIONS", "*")
    #expect(answer.status == 200)
    #expect(answer.fields["allow"] == "GET, HEAD, POST, DELETE, OPTIONS")
  }

  @Test(arguments: ["GET", "POST", "HEAD", "OPTIONS", "BREW"])
  func otherPathsAreNotFound(method: String) async throws {
    let answer = await Service(engines: []).answer(method, "/nothing/\"here")
    #expect(answer.status == 404)
    #expect(
      answer.body
        == #"{"error":"there is nothing at \"/nothing/\"here\"; GET / lists what there is"}"# + "\n"
    )
  }

  // MARK: - Readiness

  @Test func readinessFollows() async throws {
    let service = Service(engines: [])
    for path in ["/readyz", "/healthz"] {
      service.setReadiness(.starting)
      let starting = await service.answer("GET", path)
      #expect(starting.status == 503)
      #expect(starting.body == #"{"error":"the server is starting"}"# + "\n")
      #expect(starting.fields["retry-after"] == "1")
      service.setReadiness(.ready)
      #expect(await service.answer("GET", path).body == #"{"status":"ready"}"# + "\n")
      service.setReadiness(.draining)
      let draining = await service.answer("GET", path)
      #expect(draining.status == 503)
      #expect(draining.body == #"{"error":"the server is about to stop"}"# + "\n")
      #expect(await service.answer("GET", "/livez").status == 200)
    }
  }

  @Test func aDrainingEngineRefuses() async throws {
    let engine = Engine(graph: try ModelGraph(TestModels.echo()))
    let service = Service(engines: [("echo", engine)])
    engine.shutDown()
    let answer = await service.answer("POST", "/predict", #"{"inputs":[[1,2]]}"#)
    #expect(answer.status == 503)
    #expect(answer.fields["retry-after"] == "1")
  }

  @Test func aRequestLargerThanTheQueueIsRefused() async throws {
    let service = try Service.make(
      TestModels.echo(size: 1), limits: EngineLimits(maxSeats: 1, maxQueuedSequences: 2))
    #expect(await service.predict(#"{"inputs":[[1],[2]]}"#).status == 200)
    let answer = await service.predict(#"{"inputs":[[1],[2],[3],[4]]}"#)
    #expect(answer.status == 413)
    #expect(answer.body.contains("max_queued_sequences"))
  }

  @Test(arguments: [
    Refusal.queueFull(queued: 3, arriving: 2, limit: 4, retryAfter: 6.2),
    .stepsFull(queued: 3, arriving: 2, limit: 4, retryAfter: 6.2),
  ])
  func aFullQueueTellsWhenToTryAgain(refusal: Refusal) {
    let response = Fault(refusal).response
    #expect(response.status == .tooManyRequests)
    #expect(response.fields["retry-after"] == "7")
    #expect(String(decoding: response.body, as: UTF8.self).contains("would exceed 4"))
  }

  @Test func aDeadlineOutOfReachTellsWhenToTryAgain() {
    let response = Fault(
      Refusal.deadlineOutOfReach(
        timeout: .milliseconds(20), needed: .microseconds(2_500_100), retryAfter: 2.1)
    ).response
    #expect(response.status == .tooManyRequests)
    #expect(response.fields["retry-after"] == "3")
    #expect(
      String(decoding: response.body, as: UTF8.self)
        == #"{"error":"the time-out: found 20 ms, expected at least 2501 for as many as wait at the moment"}"#
        + "\n")
  }

  // MARK: - Clients that leave, large bodies

  @Test func aClientThatLeftGetsNothing() async throws {
    let service = try Service.make(TestModels.echo())
    let exchange = HTTPExchange(
      request: HTTPRequest(
        method: "POST", path: "/predict", body: Array(#"{"inputs":[[1,2]]}"#.utf8)),
      deliver: { _ in Issue.record("an answer to nobody") })
    exchange.abandon()
    service.handle(exchange)
    #expect(service.requests(of: "/predict").map(\.status) == ["499"])
  }

  /// Keeps the engine's worker busy until the semaphore is signalled.
  private func holdUp(_ engine: Engine) throws -> DispatchSemaphore {
    let held = DispatchSemaphore(value: 0)
    let release = DispatchSemaphore(value: 0)
    engine.predict(
      [try InputSequence([.features([1])], for: engine.graph.model)], selection: .last
    ) { _ in
      held.signal()
      release.wait()
    }
    held.wait()
    return release
  }

  /// With the engine held up, until the time-out of a request that waits has passed.
  @Test func aDeadlineThatPassesIsToldAtTheNextTurn() async throws {
    try await withGrowingTimeouts { timeout in
      let engine = Engine(
        graph: try ModelGraph(TestModels.echo(size: 1)), limits: EngineLimits(maxSeats: 1))
      let service = Service(engines: [("echo", engine)])
      let release = try holdUp(engine)
      let milliseconds = Int(timeout / .milliseconds(1))
      async let late = service.predict(#"{"inputs":[1],"timeout_ms":\#(milliseconds)}"#)
      async let patient = service.predict(#"{"inputs":[1]}"#)
      let begun = ContinuousClock.now
      try await eventually {
        engine.snapshot().queuedSequences == 2 || begun.duration(to: .now) > timeout
      }
      let wasQueued = engine.snapshot().queuedSequences == 2
      // A little more than the time-out, which began before this.
      try await Task.sleep(for: timeout + .milliseconds(1))
      release.signal()
      let answer = await late
      #expect(answer.status == 504)
      #expect(
        answer.body
          == #"{"error":"the answer could not be ready within the time-out of \#(milliseconds) ms"}"#
          + "\n")
      #expect(await patient.status == 200)
      #expect(engine.snapshot().refused.first { $0.reason == "deadline_passed" }?.count == 1)
      return wasQueued
    }
  }

  /// With the engine held up: one request waits, the next finds the queue full, and the first one's client leaves.
  @Test func queuesRefuseAndLetGo() throws {
    let engine = Engine(
      graph: try ModelGraph(TestModels.echo(size: 1)),
      limits: EngineLimits(maxSeats: 1, maxQueuedSequences: 1))
    let service = Service(engines: [("echo", engine)])
    let release = try holdUp(engine)
    defer { release.signal() }

    let request = HTTPRequest(
      method: "POST", path: "/predict", body: Array(#"{"inputs":[1]}"#.utf8))
    let waiting = HTTPExchange(request: request, deliver: { _ in Issue.record("answered") })
    service.handle(waiting)
    #expect(engine.snapshot().queuedSequences == 1)

    let refused = Mutex<HTTPResponse?>(nil)
    service.handle(
      HTTPExchange(request: request, deliver: { response in refused.withLock { $0 = response } }))
    let response = try #require(refused.withLock { $0 })
    #expect(response.status == .tooManyRequests)
    #expect(response.fields["retry-after"].flatMap { Int($0) } ?? 0 >= 1)

    waiting.abandon()
    #expect(engine.snapshot().queuedSequences == 0)
    #expect(service.requests(of: "/predict").map(\.status) == ["429", "499"])
  }

  /// Around `max_inline_bytes`, answers are the same on either side of the hop.
  @Test(arguments: [-1, 0, 1])
  func largeBodiesAnswerAlike(excess: Int) async throws {
    let body = #"{"inputs":[[1,2],[3,4]]}"#
    var settings = ServiceSettings()
    settings.maxInlineBytes = body.utf8.count + excess
    let service = try Service.make(TestModels.echo(), settings: settings)
    #expect(
      await service.predict(body).body
        == #"{"model":"echo","outputs":[[1.0,2.0],[3.0,4.0]]}"# + "\n")
    #expect(await service.predict(#"{"inputs":[[1,2],[3,4],[]]}"#).status == 400)
  }

  @Test func largeAnswersAreWhole() async throws {
    let service = try Service.make(TestModels.echo(size: 1))
    let steps = (0..<20_000).map { "\($0).0" }.joined(separator: ",")
    let answer = await service.predict(#"{"inputs":[\#(steps)]}"#)
    #expect(answer.body == #"{"model":"echo","outputs":[\#(steps)]}"# + "\n")
  }

  /// Everybody gets their own answer.
  @Test func concurrentClients() async throws {
    let service = try Service.make(TestModels.echo())
    await withTaskGroup(of: Bool.self) { group in
      for client in 0..<200 {
        group.addTask {
          let answer = await service.predict(#"{"inputs":[[\#(client),1],[2,\#(client)]]}"#)
          return answer.body
            == #"{"model":"echo","outputs":[[\#(client).0,1.0],[2.0,\#(client).0]]}"# + "\n"
        }
      }
      for await right in group { #expect(right) }
    }
  }

  /// Mutated bodies are answered, with 200 or a 4xx in JSON.
  @Test func survivesMutations() async throws {
    let service = try Service.make(
      TestModels.echo(), TestModels.tokens(vocabulary: ["a", "b", "c", "d"]), TestModels.pair(),
      TestModels.counter())
    let bodies = [
      #"{"inputs":[[1.5,2],[-3e4,4]],"outputs":"all"}"#,
      #"{"inputs":["ab","ca"],"model":"tokens"}"#,
      #"{"inputs":{"x":[[1,2]],"t":[1]},"model":"pair"}"#,
      #"{"inputs":[[[1],[2]]],"horizon":3,"model":"counter"}"#,
      #"{"inputs":[[[1,2]],[[3,4]]],"state":[null,"AQEB"],"return_state":"f16"}"#,
      #"{"inputs":[[[1,2]],[[3,4]]],"session":[{"id":"a","begin":true,"end":true},null]}"#,
      #"{"inputs":[1],"model":"counter","horizon":2,"session":{"id":"b","begin":true}}"#,
      #"{"inputs":[1],"model":"counter","session":{"id":"c","fork":"b"}}"#,
    ].map { Array($0.utf8) }
    let fragments = ["[", "]", ",", "{}", "\"", "null", "1e999", "[]", "-", "\\u0000"]
    var noise = SeededNumbers(state: 5)
    for _ in 0..<3000 {
      var body = bodies[Int(noise.next()) % bodies.count]
      let place = Int(noise.next()) % body.count
      switch noise.next() % 3 {
      case 0: body[place] = UInt8(truncatingIfNeeded: noise.next() % 128)
      case 1: body.removeSubrange(place..<min(place + 3, body.count))
      default:
        body.insert(contentsOf: fragments[Int(noise.next()) % fragments.count].utf8, at: place)
      }
      let answer = await service.answer("POST", "/predict", String(decoding: body, as: UTF8.self))
      #expect(answer.status == 200 || (400..<500).contains(answer.status))
      #expect(throws: Never.self) {
        try BodyReader().read(Array(answer.body.utf8))
      }
    }
  }
}
