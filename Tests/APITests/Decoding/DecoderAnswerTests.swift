import HTTPCore
import Inference
import JSON
import ModelFormat
import Scheduling
import TestSupport
import Testing

@testable import API

extension TestModels {
  /// Spells: after the start a, then b, c, and the end; what the last step of its input holds is added to the scores of
  /// `<s>`, `</s>`, a, b and c.
  static func speller(
    vocabulary: [String]? = ["<s>", "</s>", "a", "b", "c"], separator: String? = nil,
    maxSteps: Int = 6, factor: Float = 1
  ) throws -> Model {
    let table: [[Float]] = [
      [0, 0, 9, 1, 0], [0, 0, 0, 0, 0], [0, 1, 0, 9, 2], [0, 1, 0, 0, 9], [0, 9, 1, 0, 0],
    ]
    return try Model(
      description: ModelDescription(
        name: "speller", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 5, mean: nil, scale: nil))],
        nodes: [
          .init(name: "last", op: .last, inputs: ["x"]),
          .init(name: "v", op: .affine(scale: [factor], shift: nil), inputs: ["last"]),
        ], outputs: [],
        decoder: ModelDescription.Decoder(
          inputs: [
            .init(name: "t", source: .tokens(size: 5, vocabulary: vocabulary)),
            .init(name: "v", source: .encoder("v")),
          ],
          nodes: [
            .init(name: "e", op: .embedding, inputs: ["t"]),
            .init(name: "y", op: .add, inputs: ["e", "v"]),
          ], outputs: [.init(name: "y")], start: .id(0), end: [.id(1)], maxSteps: maxSteps,
          separator: separator)),
      tensors: TensorFile(
        bytes: TensorFile.serialize([("e.weight", [5, 5], table.flatMap(\.self))])))
  }
}

/// Models with a decoder, as clients see them.
@Suite(.endsHangs) struct DecoderAnswerTests {
  private static let zeros = "[[0,0,0,0,0]]"

  /// The answer up to the score, which has another test.
  private func answer(_ service: Service, _ body: String) async throws -> String {
    let found = await service.predict(body)
    try #require(found.status == 200)
    return String(found.body[..<found.body.firstRange(of: #","scores""#)!.lowerBound])
  }

  @Test(arguments: [
    ("[[0,0,0,0,0]]", #""tokens":[2,3,4],"labels":["a","b","c"],"text":"abc""#),
    ("[[9,9,9,9,9],[0,20,0,0,0]]", #""tokens":[],"labels":[],"text":"""#),
    (
      "[[0,0,0,20,0]]",
      #""tokens":[3,3,3,3,3,3],"labels":["b","b","b","b","b","b"],"text":"bbbbbb""#
    ),
    (
      "[[[0,0,0,0,0]],[[0,20,0,0,0]]]",
      #""tokens":[[2,3,4],[]],"labels":[["a","b","c"],[]],"text":["abc",""]"#
    ),
    ("[[[0,0,0,0,0]]]", #""tokens":[[2,3,4]],"labels":[["a","b","c"]],"text":["abc"]"#),
  ]) func tokensAreAnsweredInTheDepthOfTheQuestion(inputs: String, members: String) async throws {
    let service = try Service.make(TestModels.speller())
    #expect(
      try await answer(service, #"{"inputs":\#(inputs)}"#) == #"{"model":"speller",\#(members)"#)
  }

  @Test func withoutAVocabularyThereAreIDs() async throws {
    let service = try Service.make(TestModels.speller(vocabulary: nil))
    #expect(
      try await answer(service, #"{"inputs":\#(Self.zeros)}"#)
        == #"{"model":"speller","tokens":[2,3,4]"#)
    let text = await service.generate(#"{"prompt":\#(Self.zeros)}"#)
    #expect(text.body.hasPrefix(#"{"model":"speller","tokens":[2,3,4],"steps":3,"finish":"stop","#))
  }

  @Test func aSeparatorStandsBetweenTexts() async throws {
    let service = try Service.make(TestModels.speller(separator: " - "))
    #expect(
      try await answer(service, #"{"inputs":\#(Self.zeros)}"#).hasSuffix(#""text":"a - b - c""#))
    let text = await service.generate(#"{"prompt":\#(Self.zeros),"stream":true}"#)
    let events = try SentEvent.parse(text.body)
    #expect(try events.dropLast().map { try $0.text } == ["a", " - b", " - c"])
  }

  /// One step less than the end takes, as many, and one more; then more than the model and the server allow.
  @Test(arguments: [
    (1, "a", "length"), (3, "abc", "length"), (4, "abc", "stop"), (5, "abc", "stop"),
    (6, "abc", "stop"),
  ]) func stepsAreLimited(steps: Int, text: String, finish: String) async throws {
    let service = try Service.make(TestModels.speller())
    let found = await service.predict(#"{"inputs":\#(Self.zeros),"max_steps":\#(steps)}"#)
    #expect(found.body.contains(#""text":"\#(text)","#))
    #expect(found.body.hasSuffix(#""finish":"\#(finish)"}"# + "\n"))
    let generated = await service.generate(#"{"prompt":\#(Self.zeros),"max_steps":\#(steps)}"#)
    #expect(
      generated.body.hasPrefix(
        #"{"model":"speller","text":"\#(text)","steps":\#(text.count),"finish":"\#(finish)","score":-"#
      ))
  }

  @Test(arguments: [
    (
      #""max_steps":7"#,
      #"max_steps: found 7, at most 6 are what the decoder of model \"speller\" comes to"#
    ), (#""max_steps":0"#, "max_steps: found the number 0, expected a whole number from 1 to"),
    (#""beam":0"#, "beam: found the number 0, expected a whole number from 1 to 64"),
    (#""beam":65"#, "beam: found the number 65, expected a whole number from 1 to 64"),
    (#""length_penalty":1"#, "length_penalty is given without beam"),
    (#""alternatives":2"#, "alternatives is given without beam"),
    (#""beam":2,"alternatives":3"#, "alternatives: found the number 3"),
    (#""beam":2,"length_penalty":-1"#, "length_penalty: found the number -1"),
    (#""beam":2,"temperature":1"#, "temperature is given beside beam"),
    (#""outputs":"last""#, #"outputs: found \"last\", expected \"all\""#),
    (#""outputs":{"y":"last"}"#, #"outputs.y: found \"last\", expected \"all\""#),
    (#""outputs":3"#, #"outputs: found the number 3, expected \"all\""#),
    (#""answer":["errors"]"#, #"answer[0]: found \"errors\""#),
    (#""outputs":{"z":"all"}"#, #"outputs: \"z\" is not known, expected y"#),
    (#""return_state":true"#, "return_state"), (#""horizon":3"#, "horizon"),
    (#""session":"a""#, "session"),
  ]) func badQuestionsAreRefused(member: String, error: String) async throws {
    let service = try Service.make(TestModels.speller())
    let found = await service.predict(#"{"inputs":\#(Self.zeros),\#(member)}"#)
    #expect(found.status == 400 && found.body.contains(error))
  }

  /// Models without a decoder have no use for any of it.
  @Test(arguments: BodyMembers.decodingNames) func othersRefuseIt(name: String) async throws {
    let service = try Service.make(TestModels.echo(), TestModels.chain())
    let found = await service.predict(#"{"inputs":[[1,2]],"\#(name)":1}"#)
    #expect(found.status == 400)
    #expect(found.body.contains(#"\#(name): model \"echo\" has no decoder"#))
    let generated = await service.generate(#"{"prompt":[1],"model":"chain","beam":1}"#)
    #expect(generated.status == 400 && generated.body.contains("no decoder"))
  }

  /// The server's limit goes before the model's.
  @Test(arguments: [2, 3, 4, 5]) func theServersLimitHolds(limit: Int) async throws {
    var settings = ServiceSettings()
    settings.questions.maxGenerationSteps = limit
    let service = try Service.make(TestModels.speller(), settings: settings)
    let found = await service.predict(#"{"inputs":\#(Self.zeros)}"#)
    #expect(found.body.contains(#""finish":"\#(limit < 4 ? "length" : "stop")""#))
    let more = await service.predict(#"{"inputs":\#(Self.zeros),"max_steps":\#(limit + 1)}"#)
    #expect(more.status == 400 && more.body.contains("max_generation_steps"))
  }

  @Test(arguments: [#""all""#, #"{"y":"all"}"#])
  func scoresOfEachStepAreAnsweredWhereAsked(outputs: String) async throws {
    let service = try Service.make(TestModels.speller())
    let found = await service.predict(
      #"{"inputs":[[[0,0,0,0,0]],[[0,20,0,0,0]]],"outputs":\#(outputs)}"#)
    #expect(
      found.body.hasPrefix(
        #"{"model":"speller","outputs":[[[0.0,0.0,9.0,1.0,0.0],[0.0,1.0,0.0,9.0,2.0],[0.0,1.0,0.0,0.0,9.0],[0.0,9.0,1.0,0.0,0.0]],[[0.0,20.0,9.0,1.0,0.0]]],"tokens":"#
      ))
    #expect(
      try await answer(service, #"{"inputs":\#(Self.zeros),"outputs":{}}"#)
        == #"{"model":"speller","tokens":[2,3,4],"labels":["a","b","c"],"text":"abc""#)
  }

  @Test func alternativesAreAnArrayEach() async throws {
    let service = try Service.make(TestModels.speller())
    let beam = #""beam":3,"length_penalty":1"#
    let best = try await answer(service, #"{"inputs":\#(Self.zeros),\#(beam)}"#)
    #expect(best.hasSuffix(#""text":"abc""#))
    let two = await service.predict(#"{"inputs":\#(Self.zeros),\#(beam),"alternatives":2}"#)
    #expect(two.body.contains(#""text":["abc","#))
    let one = await service.predict(#"{"inputs":[\#(Self.zeros)],\#(beam),"alternatives":1}"#)
    #expect(one.body.contains(#""tokens":[[[2,3,4]]],"labels":[[["a","b","c"]]],"text":[["abc"]]"#))
    #expect(one.body.hasSuffix(#""finish":[["stop"]]}"# + "\n"))
  }

  /// `answer` leaves members out, and asks for the scores of each step as `outputs` does.
  @Test(arguments: [
    (#"["labels"]"#, #","tokens":[],"labels":[],"text":"","finish":"stop"}"#),
    (#"["scores"]"#, #","scores":-1.6711287e-05,"finish":"stop"}"#),
    (#"["outputs"]"#, #","outputs":[[0.0,20.0,9.0,1.0,0.0]],"finish":"stop"}"#),
    (
      #"["outputs","scores"]"#,
      #","outputs":[[0.0,20.0,9.0,1.0,0.0]],"scores":-1.6711287e-05,"finish":"stop"}"#
    ),
  ]) func anAnswerHasWhatIsAskedFor(answer: String, members: String) async throws {
    let service = try Service.make(TestModels.speller())
    let found = await service.predict(#"{"inputs":[[0,20,0,0,0]],"answer":\#(answer)}"#)
    #expect(found.body == #"{"model":"speller""# + members + "\n")
  }

  /// The score is the logarithm of the probability.
  @Test func theScoreIsTold() async throws {
    let service = try Service.make(TestModels.speller())
    let found = await service.predict(#"{"inputs":[[0,20,0,0,0]]}"#)
    // −ln(1 + (1 + e⁹ + e + 1) / e²⁰)
    let score = SentEvent(data: found.body)
    guard case .number(let value) = try score.member("scores") else {
      Issue.record("no score")
      return
    }
    #expect(abs(value - -1.671e-5) < 1e-8)
  }

  @Test(arguments: ["", #","beam":1"#, #","beam":4"#, #","temperature":1.5,"seed":4"#])
  func aStreamIsTheWholeInPieces(options: String) async throws {
    let kind = SmallModels.Translator {
      $0.vocabulary = ["</s>", "\n", "data: ", "é", "👍", "<s>"]
      $0.separator = " "
    }
    for seed: UInt64 in 1...5 {
      var kind = kind
      kind.seed = seed
      let service = try Service.make(SmallModels.translator(kind))
      let body = #"{"prompt":[1,2,\#(seed)]\#(options)"#
      let whole = await service.generate(body + "}")
      let stream = await service.generate(body + #","stream":true}"#)
      let events = try SentEvent.parse(stream.body)
      let expected = SentEvent(data: whole.body)
      #expect(try events.dropLast().map { try #require(try $0.text) }.joined() == expected.text)
      let last = try #require(events.last)
      for name in ["model", "steps", "finish", "score"] {
        #expect(try last.member(name) == expected.member(name) && expected.member(name) != nil)
      }
      #expect(try (last.member("seed") == nil) == options.contains("beam"))
      #expect(try expected.member("steps") == .number(Double(events.count - 1)))
      // The same that a prediction tells, of the same inputs.
      let predicted = await service.predict(body.replacing(#""prompt""#, with: #""inputs""#) + "}")
      #expect(try SentEvent(data: predicted.body).member("text") == expected.member("text"))
      #expect(try SentEvent(data: predicted.body).member("scores") == expected.member("score"))
    }
  }

  /// Texts that stop a generation: before the end token, across tokens, and one that never comes.
  @Test(arguments: [
    (#""b""#, "a", 2, "stop"), (#""bc""#, "a", 3, "stop"), (#""bcd""#, "abc", 3, "stop"),
    (#"["x","c"]"#, "ab", 3, "stop"),
  ]) func stopsAreHeeded(stop: String, text: String, steps: Int, finish: String) async throws {
    let service = try Service.make(TestModels.speller())
    let body = #"{"prompt":\#(Self.zeros),"stop":\#(stop)"#
    let found = await service.generate(body + "}")
    #expect(
      found.body.hasPrefix(
        #"{"model":"speller","text":"\#(text)","steps":\#(steps),"finish":"\#(finish)","#))
    let stream = await service.generate(body + #","stream":true}"#)
    let events = try SentEvent.parse(stream.body)
    #expect(try events.dropLast().compactMap { try $0.text }.joined() == text)
  }

  /// Numbers that the encoder makes infinite: the fault is the inputs', whole and streamed.
  @Test func scoresBeyondNumbersAreTheInputs() async throws {
    let service = try Service.make(TestModels.speller(factor: 2))
    for (input, status) in [("1e38", 200), ("3e38", 422)] {
      let inputs = "[[\(input),0,0,0,0]]"
      let found = await service.predict(#"{"inputs":\#(inputs)}"#)
      #expect(found.status == status)
      let text = await service.generate(#"{"prompt":\#(inputs),"stream":true}"#)
      #expect(text.status == status)
      guard status == 422 else { continue }
      #expect(found.body.contains(#"a number in its output \"y\" is NaN or beyond"#))
      #expect(text.body == found.body)
    }
  }

  @Test(arguments: [
    #"{"inputs":[[0,0,0,0,0]]}"#, #"{"inputs":[[[0,0,0,0,0]],[[0,0,0,20,0]]],"outputs":"all"}"#,
    #"{"inputs":[[0,0,0,0,0]],"beam":5,"alternatives":5,"outputs":"all"}"#,
    #"{"inputs":[[[1e-38,-1e-38,1e-38,1e-38,2e-38]]],"temperature":100,"outputs":"all"}"#,
  ]) func answersAreNoLongerThanForetold(body: String) async throws {
    func service(_ limit: Int = .max) throws -> Service {
      var settings = ServiceSettings()
      settings.maxAnswerBytes = limit
      return try Service.make(
        TestModels.speller(
          vocabulary: ["<s>", "</s>", "\u{0}\u{0}", "\u{1}\u{2}", "\u{3}\u{4}"], separator: "\u{5}"),
        settings: settings)
    }
    let size = AnswerSize(try service().question(in: Array(body.utf8)))
    let found = await (try service()).predict(body)
    #expect(found.status == 200 && found.body.utf8.count <= size.textBytes)
    for extra in [-1, 0, 1] {
      #expect(
        await (try service(size.textBytes + extra)).predict(body).status == (extra < 0 ? 413 : 200))
    }
  }

  @Test func aClientThatLeavesEndsItsSearch() async throws {
    let engine = Engine(
      graph: try ModelGraph(TestModels.speller(maxSteps: 60_000)),
      limits: EngineLimits(workers: 1, maxSeats: 1))
    var settings = ServiceSettings()
    settings.questions.maxGenerationSteps = 60_000
    let service = Service(engines: [("speller", engine)], settings: settings)
    service.setReadiness(.ready)
    for (path, name) in [("/predict", "inputs"), ("/generate", "prompt")] {
      let exchange = HTTPExchange(
        request: HTTPRequest(
          method: "POST", path: path, body: Array(#"{"\#(name)":[[0,0,0,20,0]]}"#.utf8)),
        deliver: { _ in })
      service.handle(exchange)
      exchange.abandon()
    }
    #expect(await service.predict(#"{"inputs":[[0,0,0,0,0]]}"#).status == 200)
    #expect(engine.snapshot().seated == 0 && engine.snapshot().queuedSequences == 0)
  }

  @Test func modelsTellTheirDecoder() async throws {
    let service = try Service.make(TestModels.speller(), TestModels.echo())
    let list = await service.answer("GET", "/models").body
    #expect(
      list.contains(
        #""outputs":[],"decoder":{"output":"y","size":5,"start":0,"end":[1],"max_steps":6,"text":true},"streamable":true"#
      ))
    let one = await service.answer("GET", "/models/speller").body
    #expect(one.contains(#""text":true,"vocabulary":["<s>","</s>","a","b","c"]}"#))
    #expect(list.contains(#""default_outputs":"#))
  }
}
