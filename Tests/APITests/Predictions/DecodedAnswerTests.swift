import HTTPCore
import Inference
import ModelFormat
import TestSupport
import Testing

@testable import API
@testable import Serving

/// Labels and scores beside the numbers.
@Suite struct DecodedAnswerTests {
  /// Gives three features a step back as they are, under the labels a, b and "c"; a second output is the last step.
  private func model(
    _ decode: ModelDescription.Decode?, end: ModelDescription.Decode? = nil, hasEnd: Bool = false,
    labels: [String]? = ["a", "b", "\"c\""], isMasked: Bool = false
  ) throws -> Model {
    var nodes: [ModelDescription.Node] = [
      .init(name: "y", op: .affine(scale: [1, 1, 1], shift: nil), inputs: ["x"])
    ]
    if isMasked { nodes.append(.init(name: "m", op: .mask(value: 9), inputs: ["x"])) }
    var outputs: [ModelDescription.Output] = [.init(name: "y", labels: labels, decode: decode)]
    if hasEnd {
      nodes.append(.init(name: "end", op: .last, inputs: ["y"]))
      outputs.append(.init(name: "end", decode: end))
    }
    // From a label to itself costs 10.
    let tensors: [(name: String, shape: [Int], floats: [Float])] = [
      ("crf.transitions", [3, 3], [-10, 0, 0, 0, -10, 0, 0, 0, -10]),
      ("crf.end_transitions", [3], [0, 0, 0.5]),
    ]
    return try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 3, mean: nil, scale: nil))], nodes: nodes,
        outputs: outputs),
      tensors: TensorFile(bytes: TensorFile.serialize(tensors)))
  }

  private static let one = #"{"inputs":[[1,2,0],[0,2,1]]"#
  private static let many = #"{"inputs":[[[1,2,0],[0,2,1]],[[3,0,0]]]"#
  private static let numbers = #""outputs":[[1.0,2.0,0.0],[0.0,2.0,1.0]]"#

  @Test(arguments: [
    (ModelDescription.Decode?.none, ""),
    (.argmax, #","labels":["b","b"],"scores":[2.0,2.0]"#),
    (
      .topK(2),
      #","labels":[["b","a"],["b","\"c\""]],"scores":[[2.0,1.0],[2.0,1.0]]"#
    ),
    (.crf(.init()), #","labels":["b","\"c\""],"scores":3.5"#),
    (.ctc(.init(blank: 0)), #","labels":["b"],"scores":-0.8152"#),
    (.ctc(.init(blank: 0, beam: 8)), #","labels":["b"],"scores":-0.40760"#),
  ])
  func labelsStandBesideTheNumbers(
    decode: ModelDescription.Decode?, expected: String
  ) async throws {
    let service = try Service.make(model(decode))
    let answer = await service.predict(Self.one + "}")
    #expect(answer.status == 200)
    let text = #"{"model":"m","# + Self.numbers + expected
    #expect(answer.body.hasPrefix(text), "\(answer.body)")
    if decode == nil { #expect(answer.body == text + "}\n") }
  }

  private static var maskedCRF: ModelDescription.Decode {
    var crf = ModelDescription.Decode.CRF()
    crf.mask = "m"
    return .crf(crf)
  }

  /// The labels of a sequence are those of its steps that count, wherever the others stand.
  @Test(arguments: [
    (maskedCRF, #"["b","\"c\""]"#, "3.5"),
    (.ctc(.init(blank: 0, mask: "m")), #"["b"]"#, "-0.8152"),
    (.ctc(.init(blank: 0, beam: 8, mask: "m")), #"["b"]"#, "-0.40760"),
  ])
  func masks(decode: ModelDescription.Decode, labels: String, score: String) async throws {
    let service = try Service.make(model(decode, hasEnd: true, isMasked: true))
    let one = await service.predict(
      #"{"inputs":[[9,9,9],[1,2,0],[9,9,9],[9,9,9],[0,2,1],[9,9,9]],"answer":["labels","scores"]}"#)
    let text = #"{"model":"m","labels":{"y":\#(labels)},"scores":{"y":\#(score)"#
    #expect(one.body.hasPrefix(text), "\(one.body)")
    // Where none counts, there is no label.
    let many = await service.predict(
      #"{"inputs":[[[9,9,9]],[[1,2,0],[9,9,9],[0,2,1]]],"answer":["labels","scores"]}"#)
    let texts = #"{"model":"m","labels":{"y":[[],\#(labels)]},"scores":{"y":[0.0,\#(score)"#
    #expect(many.body.hasPrefix(texts), "\(many.body)")
    let last = await service.predict(
      #"{"inputs":[[1,2,0],[9,9,9]],"outputs":"last","answer":["outputs"]}"#)
    #expect(
      last.body == #"{"model":"m","outputs":{"y":[9.0,9.0,9.0],"end":[9.0,9.0,9.0]}}"# + "\n")
  }

  @Test func eachSequenceHasItsOwn() async throws {
    let crf = try Service.make(model(.crf(.init())))
    #expect(
      await crf.predict(Self.many + #","answer":["labels","scores"]}"#).body
        == #"{"model":"m","labels":[["b","\"c\""],["a"]],"scores":[3.5,3.0]}"# + "\n")
    let top = try Service.make(model(.topK(1), labels: nil))
    #expect(
      await top.predict(Self.many + #","answer":["labels"]}"#).body
        == #"{"model":"m","labels":[[[1],[1]],[[0]]]}"# + "\n")
  }

  /// A vector has a label, and of several outputs each that is decoded stands under its name.
  @Test func outputsHaveTheirOwn() async throws {
    let service = try Service.make(model(nil, end: .argmax, hasEnd: true))
    #expect(
      await service.predict(Self.one + #","answer":["labels","scores"]}"#).body
        == #"{"model":"m","labels":{"end":1},"scores":{"end":2.0}}"# + "\n")
    let both = try Service.make(model(.crf(.init()), end: .topK(2), hasEnd: true))
    #expect(
      await both.predict(Self.many + #","answer":["scores","labels"]}"#).body
        == #"{"model":"m","labels":{"y":[["b","\"c\""],["a"]],"end":[[1,2],[0,1]]},"#
        + #""scores":{"y":[3.5,3.0],"end":[[2.0,1.0],[3.0,0.0]]}}"# + "\n")
  }

  @Test func aVectorOfAStepHasOneLabel() async throws {
    let service = try Service.make(model(.argmax))
    #expect(
      await service.predict(Self.one + #","outputs":"last"}"#).body
        == #"{"model":"m","outputs":[0.0,2.0,1.0],"labels":"b","scores":2.0}"# + "\n")
  }

  @Test(arguments: [
    (#"["outputs"]"#, ["outputs"]), (#"["labels"]"#, ["labels"]), (#"["scores"]"#, ["scores"]),
    (#"["scores","outputs"]"#, ["outputs", "scores"]), ("null", ["outputs", "labels", "scores"]),
  ])
  func answersWhatIsAskedFor(answer: String, members: [String]) async throws {
    let service = try Service.make(model(.argmax))
    let body = await service.predict(Self.one + #","answer":\#(answer)}"#).body
    for member in ["outputs", "labels", "scores"] {
      #expect(body.contains("\"\(member)\"") == members.contains(member))
    }
  }

  @Test(arguments: [
    (
      "7",
      #"answer: found the number 7, expected an array of one or more of \"outputs\", \"labels\", \"scores\", \"errors\" and \"quantiles\""#
    ),
    ("[]", "answer: found an empty array, expected an array of one or more"),
    (
      #"["numbers"]"#,
      #"answer[0]: found the string \"numbers\", expected \"outputs\", \"labels\", \"scores\", \"errors\" or \"quantiles\""#
    ),
    (#"["labels","labels"]"#, "answer[1] is given twice"),
  ])
  func refusesOtherMembers(answer: String, error: String) async throws {
    let service = try Service.make(model(.argmax))
    let refused = await service.predict(Self.one + #","answer":\#(answer)}"#)
    #expect(refused.status == 400)
    #expect(refused.body.hasPrefix(#"{"error":"\#(error)"#), "\(refused.body)")
  }

  @Test func refusesLabelsThatAreNotThere() async throws {
    let service = try Service.make(model(nil), TestModels.counter())
    for (body, model) in [
      (Self.one + #","answer":["outputs","labels"]}"#, "m"),
      (#"{"inputs":[1],"horizon":2,"answer":["outputs","scores"]}"#, "counter"),
    ] {
      let refused = await service.predict(body, model: model)
      #expect(refused.status == 400)
      #expect(
        refused.body.contains("answer[1]: found \\\"") && refused.body.contains("do not have"))
    }
  }

  /// Labels that depend on all steps are not made of some.
  @Test(arguments: [
    (#","outputs":"last""#, "outputs"), (#","outputs":{"y":"last"}"#, "outputs"),
    (#","session":{"id":"s","begin":true}"#, "session"), (#","return_state":true"#, "state"),
  ])
  func partsOfSequencesAreNotDecoded(option: String, path: String) async throws {
    let service = try Service.make(model(.crf(.init())))
    let refused = await service.predict(Self.one + option + "}")
    #expect(refused.status == 400)
    #expect(
      refused.body.hasPrefix(
        #"{"error":"\#(path): the labels of output \"y\" depend on all steps of a sequence (crf), expected"#
      ), "\(refused.body)")
    #expect(refused.body.contains(#"\"answer\": [\"outputs\"]"#))
    let numbers = await service.predict(Self.one + option + #","answer":["outputs"]}"#)
    #expect(numbers.status == 200 && !numbers.body.contains("labels"))
    // What is decided step by step is decided of any steps.
    let steps = try Service.make(model(.argmax))
    let answer = await steps.predict(Self.one + option + "}")
    #expect(answer.status == 200 && answer.body.contains("\"labels\""))
  }

  @Test func infiniteScoresAreRefused() async throws {
    let service = try Service.make(model(.crf(.init())))
    let huge = "[3e38,3e38,3e38]"
    let refused = await service.predict(#"{"inputs":[\#(huge),\#(huge)]}"#)
    #expect(refused.status == 422)
    let numbers = await service.predict(
      #"{"inputs":[\#(huge),\#(huge)],"answer":["outputs"]}"#)
    #expect(numbers.status == 200)
  }

  /// The same text, whole or in parts, which is as long as was reserved for it at the most.
  @Test(arguments: [
    ModelDescription.Decode.argmax, .topK(3), .crf(.init()), .ctc(.init()), .ctc(.init(beam: 3)),
  ])
  func answersAreNoLongerThanReserved(decode: ModelDescription.Decode) async throws {
    let names = ["\u{1}\u{2}", "b", "a long label with \"quotes\""]
    let service = try Service.make(model(decode, end: .topK(2), hasEnd: true, labels: names))
    let steps = (0..<50).map { "[\($0 % 3),\($0 % 7),\($0 % 5)]" }.joined(separator: ",")
    for answer in [#"["outputs","labels","scores"]"#, #"["labels"]"#, #"["scores"]"#] {
      let body = Array(#"{"inputs":[[\#(steps)],[\#(steps)]],"answer":\#(answer)}"#.utf8)
      let question = try Predictions(service.parts).question(in: body)
      let size = AnswerSize(question)
      let values = (0..<150).map { Float($0 % 11) * 1.234567e-20 }
      let prediction = Prediction(outputs: [
        .init(rows: 50, size: 3, values: values), .init(rows: nil, size: 3, values: [1, 2, 3]),
      ])
      let encoder = AnswerEncoder(question: question, sealer: service.parts.sealer)
      var whole = try encoder.text(of: [prediction, prediction], isWhole: true)
      let text = whole.remainder()
      #expect(text.count <= size.textBytes)
      #expect(size.decodingOperations > 0)
      for byteCount in [1, 40, 1000] {
        var parts = try encoder.text(of: [prediction, prediction], isWhole: false)
        var joined: [UInt8] = []
        while let part = parts.nextPart(byteCount) { joined += part }
        #expect(joined == text)
      }
    }
  }

  /// Labels count at `max_answer_bytes`, numbers that are left out do not.
  @Test func labelsCountAsAnswers() async throws {
    let names = ["a", "b", String(repeating: "c", count: 2000)]
    var settings = ServiceSettings()
    settings.maxAnswerBytes = 4000
    let service = try Service.make(model(.argmax, labels: names), settings: settings)
    #expect(await service.predict(Self.one + "}").status == 413)
    #expect(await service.predict(Self.one + #","answer":["labels"]}"#).status == 413)
    #expect(await service.predict(Self.one + #","answer":["outputs","scores"]}"#).status == 200)
    #expect(await service.predict(Self.one + #","answer":["outputs"]}"#).status == 200)
  }

  /// What takes too long is refused before anything is computed, unless the labels are left out.
  @Test(arguments: [(-1, 413), (0, 200), (1, 200)])
  func workIsBounded(extra: Int, status: Int) async throws {
    var settings = ServiceSettings()
    // Two steps of three labels.
    settings.maxDecodingOperations = 18 + extra
    let service = try Service.make(model(.crf(.init())), settings: settings)
    let answer = await service.predict(Self.one + "}")
    #expect(answer.status == status)
    guard status == 413 else { return }
    #expect(
      answer.body.contains(
        "about 18 operations, at most 17 are allowed (max_decoding_operations)"), "\(answer.body)")
    #expect(await service.predict(Self.one + #","answer":["outputs"]}"#).status == 200)
  }

  /// A client that has left ends the search.
  @Test func searchesEndWithTheirClients() throws {
    let service = try Service.make(model(.crf(.init())))
    let steps = 500
    let rows = Array(repeating: "[1,2,0]", count: steps).joined(separator: ",")
    let question = try Predictions(service.parts).question(
      in: Array(#"{"inputs":[\#(rows)]}"#.utf8))
    let prediction = Prediction(outputs: [
      .init(rows: steps, size: 3, values: Array(repeating: 1, count: 3 * steps))
    ])
    let exchange = HTTPExchange(
      request: HTTPRequest(method: "POST", path: "/predict"), deliver: { _ in })
    let call = Call(
      exchange: exchange, endpoint: Endpoint(label: "/predict"), path: MatchedPath("/predict"))
    let encoder = AnswerEncoder(
      question: question, sealer: service.parts.sealer, checkpoint: call.checkPresence)
    #expect(throws: Never.self) { try encoder.text(of: [prediction], isWhole: true) }
    exchange.abandon()
    #expect(throws: Fault.self) { try encoder.text(of: [prediction], isWhole: true) }
  }

  @Test func pagesTellOfDecoding() async throws {
    let service = try Service.make(model(.crf(.init())))
    let page = await service.answer("GET", "/models/m").body
    #expect(page.contains(#""labels":["a","b","\"c\""],"decode":"crf"}"#))
  }
}
