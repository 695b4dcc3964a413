import Inference
import ModelFormat
import Scheduling
import Testing

@testable import API
@testable import Serving

@Suite struct GenerationQuestionTests {
  private func snapshot(_ models: Model...) throws -> ModelSnapshot {
    ModelRegistry(
      try models.map {
        ServedModel(name: $0.description.name, engine: Engine(graph: try ModelGraph($0)))
      }
    ).snapshot
  }

  private func question(
    _ members: String, model: String? = nil, limit: Int = 4096
  ) throws -> GenerationQuestion {
    let models = try snapshot(
      TestModels.chain(vocabulary: TestModels.letters, name: "text"),
      TestModels.chain(name: "ids"), TestModels.counter())
    let document = try BodyReader().read(
      Array(#"{"prompt":\#(model == "ids" ? "[0]" : #""a""#)\#(members)}"#.utf8))
    var settings = ServiceSettings()
    settings.questions.maxGenerationSteps = limit
    return try GenerationQuestion(document, name: model, models: models, limits: settings.questions)
  }

  private func refusal(_ members: String, model: String? = nil, limit: Int = 4096) -> String? {
    do {
      _ = try question(members, model: model, limit: limit)
      return nil
    } catch { return "\(error)" }
  }

  @Test func defaults() throws {
    let question = try question("")
    #expect(question.model.name == "text" && question.maxSteps == 256)
    #expect(question.sampling.temperature == 1 && question.sampling.topP == 1)
    #expect(question.sampling.topK == nil && question.stop == .texts([]))
    #expect(!question.streams && question.timeout == nil)
    #expect(question.prompt.values == [.tokens([0])])
    #expect(try self.question("", model: "ids").stop == .tokens([]))
    // Fewer where the server allows no more.
    #expect(try self.question("", limit: 10).maxSteps == 10)
    // Random, and something that the client can give back.
    let seeds = try (0..<8).map { _ in try self.question("").sampling.seed }
    #expect(Set(seeds).count == 8 && seeds.allSatisfy { $0 <= 1 << 53 })
  }

  @Test func everyOptionIsTaken() throws {
    let question = try question(
      #","max_steps":7,"temperature":0.5,"top_k":3,"top_p":0.25,"seed":9007199254740992,"#
        + #""stop":["x","yz"],"stream":true,"timeout_ms":1500,"model":"text""#)
    #expect(question.maxSteps == 7 && question.streams && question.timeout == .milliseconds(1500))
    #expect(
      question.sampling
        == Sampling(temperature: 0.5, topK: 3, topP: 0.25, seed: 9_007_199_254_740_992))
    #expect(question.stop == .texts(["x", "yz"]))
  }

  @Test(
    arguments: [
      (#""x""#, ["x"]), (#"["x"]"#, ["x"]), (#"["é\n","\u0041"]"#, ["é\n", "A"]), ("null", []),
    ] as [(String, [String])]) func stopsOfText(stop: String, texts: [String]) throws
  {
    #expect(try question(#","stop":\#(stop)"#).stop == .texts(texts))
  }

  @Test(
    arguments: [("[3]", [3]), ("[0,1,1,0]", [0, 1]), ("null", []), ("[2.0]", [2])]
      as [(String, Set<Int32>)])
  func stopsOfIDs(stop: String, ids: Set<Int32>) throws {
    #expect(try question(#","stop":\#(stop)"#, model: "ids").stop == .tokens(ids))
  }

  /// A probability that rounds to 0 still takes the likeliest; so does a temperature.
  @Test func tinyNumbersRound() throws {
    #expect(try question(#","top_p":1e-300"#).sampling.topP == .leastNormalMagnitude)
    #expect(try question(#","temperature":1e-300"#).sampling.temperature == 0)
    #expect(try question(#","temperature":0"#).sampling.temperature == 0)
    #expect(try question(#","temperature":100"#).sampling.temperature == 100)
    #expect(try question(#","top_p":1"#).sampling.topP == 1)
  }

  // MARK: - Limits

  @Test(arguments: [9, 10, 11]) func stepsAreBounded(steps: Int) {
    #expect(
      refusal(#","max_steps":\#(steps)"#, limit: 10)
        == (steps <= 10
          ? nil : "max_steps has 11 steps, at most 10 are allowed (max_generation_steps)"))
  }

  /// An empty list stops at nothing, as many clients write it.
  @Test(arguments: [0, 1, 15, 16, 17]) func stopsAreBounded(count: Int) {
    let list = (0..<count).map { #""\#($0)""# }.joined(separator: ",")
    #expect(
      refusal(#","stop":[\#(list)]"#)
        == (count <= 16
          ? nil
          : "stop: found an array, expected a text of 1 to 256 bytes, or an array of 1 to 16 of them")
    )
  }

  @Test(arguments: [0, 1, 255, 256, 257]) func stopsAreShort(count: Int) {
    // Of two bytes each, but for an odd one.
    let text =
      String(repeating: "é", count: count / 2) + String(repeating: "x", count: count % 2)
    let expected = "expected a text of 1 to 256 bytes, or an array of 1 to 16 of them"
    let isRight = (1...256).contains(count)
    let found = count == 0 ? #""""# : "\"\(text.prefix(60))…\""
    #expect(
      refusal(#","stop":"\#(text)""#)
        == (isRight ? nil : "stop: found the string \(found), \(expected)"))
    #expect(
      refusal(#","stop":["x","\#(text)"]"#)
        == (isRight ? nil : "stop[1]: found the string \(found), \(expected)"))
  }

  // MARK: - What is read exactly, and what is left out

  @Test(
    arguments: [
      ("9007199254740993", 9_007_199_254_740_993), ("18446744073709551615", UInt64.max),
      ("1e3", 1000), ("5.0", 5), ("90071992547409930e-1", 9_007_199_254_740_993), ("-0", 0),
    ] as [(String, UInt64)])
  func seedsAreReadExactly(text: String, seed: UInt64) throws {
    #expect(try question(#","seed":\#(text)"#).sampling.seed == seed)
  }

  @Test(arguments: ["1", "4", "5", "100000", "18446744073709551615"])
  func topKAboveTheVocabularyIsTheVocabulary(text: String) throws {
    #expect(try question(#","top_k":\#(text)"#).sampling.topK == (text == "1" ? 1 : 4))
  }

  @Test(arguments: [
    "model", "max_steps", "temperature", "top_k", "top_p", "seed", "stop", "stream", "timeout_ms",
  ])
  func nullIsLeftOut(name: String) {
    #expect(refusal(#","\#(name)":null"#) == nil)
  }

  // MARK: - Refusals

  @Test(arguments: [
    (#","max_steps":0"#, "max_steps: found the number 0, expected a whole number from 1 to 4096"),
    (#","max_steps":-1"#, "max_steps: found the number -1, expected a whole number from 1 to 4096"),
    (
      #","max_steps":1.5"#,
      "max_steps: found the number 1.5, expected a whole number from 1 to 4096"
    ),
    (
      #","max_steps":"9""#,
      #"max_steps: found the string "9", expected a whole number from 1 to 4096"#
    ),
    (
      #","temperature":-0.1"#,
      "temperature: found the number -0.1, expected a number from 0 to 100"
    ),
    (
      #","temperature":100.5"#,
      "temperature: found the number 100.5, expected a number from 0 to 100"
    ),
    (#","temperature":true"#, "temperature: found true, expected a number from 0 to 100"),
    (
      #","top_k":0"#,
      "top_k: found the number 0, expected a whole number from 1 to 18446744073709551615"
    ),
    (
      #","top_k":2.5"#,
      "top_k: found the number 2.5, expected a whole number from 1 to 18446744073709551615"
    ),
    (#","top_p":0"#, "top_p: found the number 0, expected a number above 0 and up to 1"),
    (#","top_p":1.01"#, "top_p: found the number 1.01, expected a number above 0 and up to 1"),
    (
      #","top_p":[1]"#,
      "top_p: found an array of 1 number, expected a number above 0 and up to 1"
    ),
    (
      #","seed":-1"#,
      "seed: found the number -1, expected a whole number from 0 to 18446744073709551615"
    ),
    (
      #","seed":18446744073709551616"#,
      "seed: found the number 1.8446744073709552e+19, expected a whole number from 0 to 18446744073709551615"
    ),
    (#","stream":1"#, "stream: found the number 1, expected true or false"),
    (
      #","timeout_ms":0"#,
      "timeout_ms: found the number 0, expected a whole number from 1 to 86400000"
    ),
    (
      #","stop":3"#,
      "stop: found the number 3, expected a text of 1 to 256 bytes, or an array of 1 to 16 of them"
    ),
    (
      #","stop":[3]"#,
      "stop: found an array of 1 number, expected a text of 1 to 256 bytes, or an array of 1 to 16 of them"
    ),
    (
      #","stop":["a",3]"#,
      "stop[1]: found the number 3, expected a text of 1 to 256 bytes, or an array of 1 to 16 of them"
    ),
    (
      #","horizon":3"#,
      #""horizon" is not known, expected prompt, model, max_steps, temperature, top_k, top_p, seed, stop, stream, timeout_ms, beam or length_penalty"#
    ),
    (#","seed":1,"seed":1"#, "seed is given twice"),
    (#","prompt":"a""#, "prompt is given twice"),
    (
      #","model":"counter""#,
      #"model "counter" does not continue text, expected text or ids: its input "x" is features, expected tokens; "horizon" of POST /predict forecasts features"#
    ),
    (#","model":"x""#, #"there is no model "x", expected text, ids or counter"#),
  ]) func refusals(members: String, sentence: String) {
    #expect(refusal(members) == sentence)
  }

  @Test(arguments: [
    (#","stop":"x""#, #"stop: found the string "x", expected an array of token ids"#),
    (#","stop":1"#, "stop: found the number 1, expected an array of token ids"),
    (#","stop":["x"]"#, "stop: found an array, expected an array of token ids"),
    (#","stop":[1,4]"#, "stop[1]: found 4, expected a token id, a whole number from 0 to 3"),
    (
      #","stop":[1,2.00000001]"#,
      "stop[1]: found a number near 2, expected a token id, a whole number from 0 to 3"
    ),
    (#","stop":[-1]"#, "stop[0]: found -1, expected a token id, a whole number from 0 to 3"),
    (#","stop":[0.5]"#, "stop[0]: found 0.5, expected a token id, a whole number from 0 to 3"),
  ]) func refusalsOfIDs(members: String, sentence: String) {
    #expect(refusal(members, model: "ids") == sentence)
  }

  @Test(arguments: [
    ("{}", #"prompt is missing, expected {"prompt": …}"#),
    (
      #"{"prompt":"ax"}"#,
      #"prompt: no entry of the model's vocabulary matches at character 1, "x""#
    ),
    (#"{"prompt":["a"]}"#, "prompt: found an array, expected text, or an array of token ids"),
    (
      #"{"prompt":[0,1.00000001]}"#,
      "prompt[1]: found a number near 1, expected a token id, a whole number from 0 to 3"
    ),
    (#"{"prompt":[0,4]}"#, "prompt[1]: found 4, expected a token id, a whole number from 0 to 3"),
    (#"{"prompt":""}"#, #"prompt: found the string "", expected at least one character"#),
    (#"{"prompt":[]}"#, "prompt: found an empty array, expected at least one element"),
    (#"{"prompt":null}"#, "prompt: found null, expected text, or an array of token ids"),
    (#"{"prompt":3}"#, "prompt: found the number 3, expected text, or an array of token ids"),
    (
      #"{"prompt":"a","model":"ids"}"#,
      "prompt: found text, expected token ids, as the model has no vocabulary"
    ),
  ]) func prompts(body: String, sentence: String) throws {
    let models = try snapshot(
      TestModels.chain(vocabulary: TestModels.letters, name: "text"),
      TestModels.chain(name: "ids"))
    do {
      let document = try BodyReader().read(Array(body.utf8))
      _ = try GenerationQuestion(
        document, name: nil, models: models, limits: QuestionLimits())
      Issue.record("taken")
    } catch { #expect("\(error)" == sentence) }
  }
}

extension GenerationQuestion {
  /// Of a question that asks for no beam.
  fileprivate var sampling: Sampling {
    guard case .sampling(let sampling) = choice else { fatalError("a beam") }
    return sampling
  }
}
