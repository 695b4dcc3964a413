import HTTPCore
import Inference
import ModelFormat
import Scheduling
import Synchronization
import TestSupport
import Testing

@testable import API

@Suite(.endsHangs) struct GenerationTests {
  private static let head = #"{"model":"chain","#

  // MARK: - Whole answers

  @Test(arguments: [
    (#""max_steps":5"#, #""text":"bcdab","steps":5,"finish":"length","seed":7}"#),
    (#""max_steps":1"#, #""text":"b","steps":1,"finish":"length","seed":7}"#),
    (#""stop":"d""#, #""text":"bc","steps":3,"finish":"stop","seed":7}"#),
    (#""stop":"b""#, #""text":"","steps":1,"finish":"stop","seed":7}"#),
    // Across tokens; two that overlap: the one that is whole first.
    (#""stop":["dab","cda"]"#, #""text":"b","steps":4,"finish":"stop","seed":7}"#),
    (#""stop":["cdax","ab"]"#, #""text":"bcd","steps":5,"finish":"stop","seed":7}"#),
    // With the last token, and one short of it: what was held back is text after all.
    (#""stop":"cd","max_steps":3"#, #""text":"b","steps":3,"finish":"stop","seed":7}"#),
    (#""stop":"cd","max_steps":2"#, #""text":"bc","steps":2,"finish":"length","seed":7}"#),
    (#""stop":"abx","max_steps":5"#, #""text":"bcdab","steps":5,"finish":"length","seed":7}"#),
  ]) func textIsContinued(options: String, answer: String) async throws {
    let service = try Service.make(TestModels.chain(vocabulary: TestModels.letters))
    let body = #"{"prompt":"cda","temperature":0,"seed":7,\#(options)}"#
    let found = await service.generate(body)
    #expect(found.status == 200 && found.fields["content-type"] == "application/json")
    #expect(found.body == Self.head + answer + "\n")
    // The same by the model's path, and in a stream.
    #expect(await service.generate(body, path: "/models/chain/generate").body == found.body)
    let stream = await service.generate(body.dropLast() + #","stream":true}"#)
    let events = try SentEvent.parse(stream.body)
    let text = try events.dropLast().map { try #require(try $0.text) }.joined()
    #expect(answer.hasPrefix(#""text":"\#(text)","#))
    #expect(events.last?.data == Self.head + answer.drop { $0 != "," }.dropFirst())
  }

  /// Tokens of several characters: a stop may begin and end within them.
  @Test(arguments: [
    (#""cd""#, "ab", 2), (#""dé""#, "abc", 2), (#""f g""#, "abcdé ", 4),
    (#"["é f","b"]"#, "a", 1), (#"["gx","éx","fx"]"#, "abcdé f gabcdé f g", 8),
  ]) func stopsWithinTokens(stop: String, text: String, steps: Int) async throws {
    let service = try Service.make(
      TestModels.chain(vocabulary: ["ab", "cdé", " f", " g"]))
    let found = await service.generate(
      #"{"prompt":[3],"temperature":0,"seed":1,"max_steps":8,"stop":\#(stop)}"#)
    let finish = steps == 8 ? "length" : "stop"
    #expect(
      found.body
        == Self.head + #""text":"\#(text)","steps":\#(steps),"finish":"\#(finish)","seed":1}"#
        + "\n")
  }

  @Test(arguments: [
    ("", #""tokens":[1,2,3,0,1],"steps":5,"finish":"length","seed":2}"#),
    (#","stop":[3]"#, #""tokens":[1,2],"steps":3,"finish":"stop","seed":2}"#),
    (#","stop":[0,1]"#, #""tokens":[],"steps":1,"finish":"stop","seed":2}"#),
  ]) func withoutAVocabularyThereAreIDs(option: String, answer: String) async throws {
    let service = try Service.make(TestModels.chain())
    let body = #"{"prompt":[2,0],"temperature":0,"seed":2,"max_steps":5\#(option)}"#
    #expect(await service.generate(body).body == Self.head + answer + "\n")
    let stream = await service.generate(body.dropLast() + #","stream":true}"#)
    let events = try SentEvent.parse(stream.body)
    let first = option.contains("[0,1]") ? #"{"tokens":[]}"# : #"{"tokens":[1]}"#
    #expect(events.first?.data == first)
    #expect(
      events.last?.data
        == Self.head + answer[answer.firstRange(of: #""steps""#)!.lowerBound...])
  }

  // MARK: - Streams

  @Test func aStreamIsAnEventAToken() async throws {
    let service = try Service.make(TestModels.chain(vocabulary: TestModels.letters))
    let found = await service.generate(
      #"{"prompt":"a","temperature":0,"seed":3,"max_steps":3,"stop":"cx","stream":true}"#)
    #expect(found.status == 200)
    #expect(found.fields["content-type"] == "text/event-stream")
    #expect(found.fields["cache-control"] == "no-store")
    #expect(
      found.body
        == """
        data: {"text":"b"}

        data: {"text":""}

        data: {"text":"cd"}

        data: {"model":"chain","steps":3,"finish":"length","seed":3}


        """)
  }

  /// Random text of a vocabulary that JSON and events have to escape.
  @Test(arguments: [1, 2, 3], ["", #","top_k":3"#, #","top_p":0.7,"temperature":2"#])
  func aStreamIsTheWholeInPieces(seed: Int, options: String) async throws {
    let vocabulary = ["\n", "\n\n", "\"", "\\", "data: ", "é\u{301}", "\r", "👍", "\u{0}", "x"]
    let service = try Service.make(SmallModels.writer(vocabulary: vocabulary, name: "chain"))
    let body = #"{"prompt":"x","seed":\#(seed),"max_steps":40,"stop":["xx","\n\nx"]\#(options)"#
    let whole = await service.generate(body + "}")
    let stream = await service.generate(body + #","stream":true}"#)
    let events = try SentEvent.parse(stream.body)
    let expected = SentEvent(data: whole.body)
    #expect(try events.dropLast().map { try #require(try $0.text) }.joined() == expected.text)
    let last = try #require(events.last)
    for name in ["model", "steps", "finish", "seed"] {
      #expect(try last.member(name) == expected.member(name) && expected.member(name) != nil)
    }
    #expect(try last.text == nil && events.allSatisfy { $0.name == nil })
    #expect(try expected.member("seed") == .number(Double(seed)))
    #expect(try expected.member("steps") == .number(Double(events.count - 1)))
  }

  /// The seed that an answer tells gives it again.
  @Test func theSeedIsTold() async throws {
    let service = try Service.make(
      SmallModels.writer(vocabulary: ["a", "b", "c", "d", "e"], name: "chain"))
    let first = SentEvent(data: await service.generate(#"{"prompt":"a","temperature":3}"#).body)
    guard case .number(let seed) = try first.member("seed") else {
      Issue.record("no seed")
      return
    }
    let again = await service.generate(
      #"{"prompt":"a","temperature":3,"seed":\#(UInt64(seed))}"#)
    #expect(again.body == first.data)
    #expect(try first.text?.count == 256)
  }

  // MARK: - Errors

  /// a is followed by b, b by c; after c the scores are beyond numbers.
  private func runaway(name: String = "chain") throws -> Model {
    try TestModels.chain(
      vocabulary: ["a", "b", "c"],
      scores: [[0, 9, 0], [0, 0, 9], [0, .greatestFiniteMagnitude, 0]], name: name)
  }

  private static let overflow =
    #"{"error":"model \"chain\" has no finite answer to these inputs: a number in its output \"next\" is NaN or beyond the range of a 32-bit float"}"#

  @Test func scoresBeyondNumbersAreTheInputs() async throws {
    let service = try Service.make(runaway())
    for prompt in ["a", "c"] {
      let found = await service.generate(#"{"prompt":"\#(prompt)","temperature":0}"#)
      #expect(found.status == 422 && found.body == Self.overflow + "\n")
    }
    // Short of it there is text.
    let short = await service.generate(#"{"prompt":"a","temperature":0,"max_steps":2,"seed":1}"#)
    #expect(short.body == Self.head + #""text":"bc","steps":2,"finish":"length","seed":1}"# + "\n")
  }

  @Test func anErrorAmidAStreamIsItsLastEvent() async throws {
    let service = try Service.make(runaway())
    let found = await service.generate(#"{"prompt":"a","temperature":0,"stream":true}"#)
    #expect(found.status == 200)
    #expect(
      found.body
        == "data: {\"text\":\"b\"}\n\ndata: {\"text\":\"c\"}\n\n"
        + "event: error\ndata: \(Self.overflow)\n\n")
    // Before the first event there is a status to say it with.
    let first = await service.generate(#"{"prompt":"c","temperature":0,"stream":true}"#)
    #expect(first.status == 422 && first.body == Self.overflow + "\n")
    #expect(first.fields["content-type"] == "application/json")
  }

  @Test(arguments: ["/generate", "/models/counter/generate"])
  func othersContinueNoText(path: String) async throws {
    let service = try Service.make(TestModels.counter())
    let found = await service.generate(#"{"prompt":[1]}"#, path: path)
    #expect(found.status == 400)
    #expect(
      found.body
        == #"{"error":"model \"counter\" does not continue text, and no model here does: its input \"x\" is features, expected tokens; \"horizon\" of POST /predict forecasts features"}"#
        + "\n")
    #expect(await service.answer("GET", path).status == 405)
    #expect(await service.answer("GET", path).fields["allow"] == "POST, OPTIONS")
  }

  @Test func aDrainingEngineBeginsNoText() async throws {
    let engine = Engine(graph: try ModelGraph(TestModels.chain()))
    let service = Service(engines: [("chain", engine)])
    engine.shutDown()
    let found = await service.generate(#"{"prompt":[1],"stream":true}"#)
    #expect(found.status == 503 && found.fields["retry-after"] == "1")
  }

  /// Mutated bodies are answered, with 200, 422 or a 4xx in JSON; and streams are events to their end.
  @Test func survivesMutations() async throws {
    var settings = ServiceSettings()
    settings.questions.maxGenerationSteps = 20
    let service = try Service.make(
      TestModels.chain(vocabulary: TestModels.letters), TestModels.chain(name: "ids"),
      runaway(name: "runaway"),
      settings: settings)
    let bodies = [
      #"{"prompt":"ab","max_steps":12,"temperature":0.5,"top_k":2,"top_p":0.9,"seed":3,"stop":["d","ca"]}"#,
      #"{"prompt":[0,1,2],"model":"ids","stop":[3],"stream":true,"seed":1}"#,
      #"{"prompt":"a","stop":"cd","stream":true,"timeout_ms":60000,"temperature":2}"#,
      #"{"prompt":"ca","model":"runaway","stream":true}"#,
    ].map { Array($0.utf8) }
    let fragments = ["[", "]", ",", "{}", "\"", "null", "1e999", "[]", "-", "\\u0000"]
    var noise = SeededNumbers(state: 9)
    var statuses: Set<Int> = []
    for _ in 0..<1500 {
      var body = bodies[Int(noise.next() % 4)]
      let place = Int(noise.next()) % body.count
      switch noise.next() % 3 {
      case 0: body[place] = UInt8(truncatingIfNeeded: noise.next() % 128)
      case 1: body.removeSubrange(place..<min(place + 3, body.count))
      default:
        body.insert(contentsOf: fragments[Int(noise.next()) % fragments.count].utf8, at: place)
      }
      let found = await service.generate(String(decoding: body, as: UTF8.self))
      statuses.insert(found.status)
      #expect(found.status == 200 || (400..<500).contains(found.status))
      let isStream = found.fields["content-type"] == "text/event-stream"
      let objects = isStream ? try SentEvent.parse(found.body).map(\.data) : [found.body]
      for object in objects {
        #expect(throws: Never.self) {
          try BodyReader().read(Array(object.utf8))
        }
      }
    }
    #expect(statuses.isSuperset(of: [200, 400]))
  }

  // MARK: - Clients who are behind, or leave

  /// Parts as a server gets them.
  private final class Client: Sendable {
    let parts = Mutex<[HTTPResponsePart]>([])
    let (ended, signal) = AsyncStream.makeStream(of: Void.self)

    func exchange(_ body: String) -> HTTPExchange {
      HTTPExchange(
        request: HTTPRequest(method: "POST", path: "/generate", body: Array(body.utf8)),
        deliverPart: { part in
          self.parts.withLock { $0.append(part) }
          if part == .end { self.signal.yield() }
        })
    }

    var bytes: [UInt8] {
      parts.withLock { parts in
        parts.flatMap { part -> [UInt8] in
          if case .bytes(let bytes) = part { bytes } else { [] }
        }
      }
    }
  }

  /// Each token is 1000 bytes: after 17 events more than 16 KiB are not taken. One seat serves others meanwhile.
  @Test func aClientThatIsBehindKeepsNoSeat() async throws {
    let vocabulary = TestModels.letters.map { String(repeating: $0, count: 1000) }
    let service = try Service.make(
      TestModels.chain(vocabulary: vocabulary), limits: EngineLimits(workers: 1, maxSeats: 1))
    let body = #"{"prompt":[0],"temperature":0,"seed":5,"max_steps":60"#
    let client = Client()
    let exchange = client.exchange(body + #","stream":true}"#)
    service.handle(exchange)
    // Answered after as many turns as the stream may take before it pauses.
    let whole = await service.generate(body + "}")
    #expect(whole.status == 200)
    #expect(client.bytes.count < (16 << 10) + 1100)
    // The client takes all that there is, again and again.
    var taken = 0
    var isEnded = false
    while !isEnded {
      let new = client.bytes.count - taken
      taken += new
      if new > 0 { exchange.recordSent(new) } else { await Task.yield() }
      isEnded = client.parts.withLock { $0.last == .end }
    }
    let events = try SentEvent.parse(String(decoding: client.bytes, as: UTF8.self))
    #expect(events.count == 61)
    #expect(
      try events.dropLast().map { try #require(try $0.text) }.joined()
        == SentEvent(data: whole.body).text)
    #expect(service.requests(of: "/generate").map(\.status) == ["200"])
  }

  @Test func aClientThatLeavesEndsItsText() async throws {
    let vocabulary = TestModels.letters.map { String(repeating: $0, count: 1000) }
    let engine = Engine(
      graph: try ModelGraph(TestModels.chain(vocabulary: vocabulary)),
      limits: EngineLimits(workers: 1, maxSeats: 1))
    let service = Service(engines: [("chain", engine)])
    service.setReadiness(.ready)
    let exchange = Client().exchange(#"{"prompt":[0],"max_steps":4000,"stream":true}"#)
    service.handle(exchange)
    exchange.abandon()
    #expect(await service.generate(#"{"prompt":[0],"max_steps":1}"#).status == 200)
    #expect(engine.snapshot().seated == 0 && engine.snapshot().queuedSequences == 0)
    #expect(service.requests(of: "/generate").map(\.status) == ["200", "499"])
  }
}
