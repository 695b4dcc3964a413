import TestSupport
import Testing

@testable import ModelFormat

/// What `decode` of an output may say.
@Suite struct DecodeTests {
  private static func text(_ decode: String, output: String = "y") -> [UInt8] {
    Array(
      """
      { "format": "carousel/1", "name": "m", "version": "1",
        "inputs": [{ "name": "x", "kind": "features", "size": 2 }],
        "nodes": [{ "name": "y", "op": "linear", "inputs": ["x"] },
                  { "name": "end", "op": "last", "inputs": ["y"] }],
        "outputs": [{ "name": "y" }, { "name": "end" }] }
      """.replacing(
        "{ \"name\": \"\(output)\" }", with: "{ \"name\": \"\(output)\", \"decode\": \(decode) }"
      ).utf8)
  }

  private static let tensors = [
    "y.weight": [3, 2], "crf.transitions": [3, 3], "crf.start_transitions": [3],
    "crf.end_transitions": [3],
  ]

  private func model(
    _ decode: String, output: String = "y", tensors: [String: [Int]] = tensors
  ) throws -> Model {
    try Model(
      description: ModelDescription(json: Self.text(decode, output: output)),
      tensors: zeros(tensors))
  }

  @Test(arguments: [
    (#""argmax""#, ModelDescription.Decode.argmax), (#"{"op":"argmax"}"#, .argmax),
    (#"{"op":"top_k","k":2}"#, .topK(2)), (#""ctc""#, .ctc(.init())),
    (#"{"op":"ctc","blank":2,"beam":100}"#, .ctc(.init(blank: 2, beam: 100))),
    (#""crf""#, .crf(.init())),
  ])
  func reads(text: String, decode: ModelDescription.Decode) throws {
    let model = try model(text)
    #expect(model.outputs[0].decode == decode && model.outputs[1].decode == nil)
    // And back.
    #expect(try ModelDescription(json: Array(model.description.json.utf8)) == model.description)
  }

  @Test func readsACRFsAttributes() throws {
    let model = try model(
      #"{"op":"crf","weights":"a.b","order":"to_from","start":1,"end":2}"#,
      tensors: ["y.weight": [3, 2], "a.b.transitions": [3, 3]])
    var crf = ModelDescription.Decode.CRF()
    (crf.weights, crf.order, crf.start, crf.end) = ("a.b", .toFrom, 1, 2)
    #expect(model.outputs[0].decode == .crf(crf))
    #expect(model.outputs[0].tensors == ["a.b.transitions"] && model.unusedTensors == [])
    #expect(try ModelDescription(json: Array(model.description.json.utf8)) == model.description)
  }

  /// A mask is read, and written, and leads to no output of its own.
  @Test(arguments: ["crf", "ctc"]) func masks(op: String) throws {
    func model(_ mask: String, _ node: String) throws -> Model {
      let text = String(
        decoding: Self.text(#"{"op":"\#(op)","mask":"\#(mask)"}"#), as: UTF8.self)
      return try Model(
        description: ModelDescription(
          json: Array(text.replacing("\"nodes\": [", with: "\"nodes\": [\(node),").utf8)),
        tensors: zeros(Self.tensors.filter { op == "crf" || $0.key == "y.weight" }))
    }
    let mask = #"{ "name": "m", "op": "mask", "inputs": ["x"] }"#
    let found = try model("m", mask)
    #expect(found.outputs[0].mask == .node(0) && found.outputs[0].decode?.mask == "m")
    #expect(found.maskPlace(ofOutput: 0) == 2 && found.maskPlace(ofOutput: 1) == nil)
    #expect(found.answers.map(\.form.size) == [3, 3, 1])
    #expect((0...2).map { found.output(ofAnswer: $0) } == [0, 1, 0])
    #expect(try ModelDescription(json: Array(found.description.json.utf8)) == found.description)
    expectError(mentioning: ["outputs[0].decode.mask", "\"x\"", "a sequence of size 1"]) {
      _ = try model("x", mask)
    }
    expectError(mentioning: ["outputs[0].decode.mask", "\"n\""]) { _ = try model("n", mask) }
    expectError(mentioning: ["outputs[0].decode.mask", "as many steps"]) {
      _ = try model(
        "later",
        mask.replacing("\"m\"", with: "\"whole\"")
          + #", { "name": "later", "op": "slice_steps", "start": 1, "inputs": ["whole"] }"#)
    }
  }

  @Test(arguments: [
    (#""viterbi""#, "outputs[0].decode: expected one of argmax, top_k, crf, ctc"),
    (#"{"op":"beam"}"#, "outputs[0].decode.op: expected one of argmax, top_k, crf, ctc"),
    ("{}", "outputs[0].decode.op: expected a string, found nothing"),
    ("7", "outputs[0].decode: expected one of argmax"),
    (#"{"op":"argmax","k":2}"#, #""k""#),
    (#""top_k""#, "outputs[0].decode.k: expected a whole number, found nothing"),
    (#"{"op":"top_k","k":0}"#, "outputs[0].decode.k: expected a whole number from 1 to 3, found 0"),
    (#"{"op":"top_k","k":4}"#, "outputs[0].decode.k: expected a whole number from 1 to 3, found 4"),
    (#"{"op":"ctc","blank":3}"#, "outputs[0].decode.blank: expected a whole number from 0 to 2"),
    (#"{"op":"ctc","beam":0}"#, "outputs[0].decode.beam: expected a whole number from 1 to 100"),
    (#"{"op":"ctc","beam":101}"#, "outputs[0].decode.beam: expected a whole number from 1 to 100"),
    (#"{"op":"crf","order":"x"}"#, #"outputs[0].decode.order: expected "from_to" or "to_from""#),
    (#"{"op":"crf","start":3}"#, "outputs[0].decode.start: expected a whole number from 0 to 2"),
    (#"{"op":"crf","weights":"b"}"#, #"there is no tensor "b.transitions""#),
    // The attribute stands in the tensor's place.
    (#"{"op":"crf","start":1}"#, #"tensor "crf.start_transitions" is read by no node"#),
  ])
  func refuses(text: String, error: String) {
    expectError(mentioning: [error]) { _ = try model(text) }
  }

  @Test(arguments: ["\"crf\"", "\"ctc\""]) func vectorsAreNoSequences(decode: String) {
    expectError(mentioning: ["outputs[1].decode", "takes a sequence", "a vector of size 3"]) {
      _ = try model(decode, output: "end")
    }
  }

  @Test(arguments: [[2, 3], [3, 2], [9]]) func transitionsHaveAShape(shape: [Int]) {
    expectError(mentioning: [#""crf.transitions": expected shape [3, 3]"#]) {
      _ = try model("\"crf\"", tensors: ["y.weight": [3, 2], "crf.transitions": shape])
    }
  }

  @Test func kerasNamesAreToldApart() {
    expectError(mentioning: [#""crf.left_boundary" is read by no node"#, "crf.start_transitions"]) {
      _ = try model(
        "\"crf\"",
        tensors: ["y.weight": [3, 2], "crf.transitions": [3, 3], "crf.left_boundary": [3]])
    }
  }

  @Test(arguments: [(512, true), (513, false)]) func labelsOfACRFAreBounded(size: Int, fits: Bool) {
    let tensors = ["y.weight": [size, 2], "crf.transitions": [size, size]]
    if fits {
      #expect(throws: Never.self) { _ = try model("\"crf\"", tensors: tensors) }
    } else {
      expectError(mentioning: ["512"]) { _ = try model("\"crf\"", tensors: tensors) }
    }
  }

  @Test func forecastsOfNumbersAreNotDecoded() {
    let text = String(decoding: Self.text("\"argmax\""), as: UTF8.self)
      .replacing("\"decode\"", with: "\"forecasts\": \"x\", \"decode\"")
      .replacing("\"size\": 2", with: "\"size\": 3")
    expectError(mentioning: ["outputs[0].decode", #""y" foretells numbers"#]) {
      _ = try Model(
        description: ModelDescription(json: Array(text.utf8)), tensors: zeros(["y.weight": [3, 3]]))
    }
  }

  /// The texts of labels: the output's, or the vocabulary of the tokens that it scores.
  @Test func labelsHaveTexts() throws {
    func texts(_ output: ModelDescription.Output) throws -> [String]? {
      try Model(
        description: ModelDescription(
          name: "m", version: "1",
          inputs: [.init(name: "t", kind: .tokens(size: 2, vocabulary: ["a", "b"]))],
          nodes: [.init(name: "y", op: .embedding, inputs: ["t"])], outputs: [output]),
        tensors: zeros(["y.weight": [2, 2]])
      ).outputs[0].labelTexts
    }
    #expect(try texts(.init(name: "y", decode: .argmax)) == nil)
    #expect(try texts(.init(name: "y", labels: ["c", "d"], decode: .argmax)) == ["c", "d"])
    #expect(try texts(.init(name: "y", forecasts: "t", decode: .argmax)) == ["a", "b"])
    #expect(
      try texts(.init(name: "y", labels: ["c", "d"], forecasts: "t", decode: .argmax)) == [
        "c", "d",
      ])
  }
}
