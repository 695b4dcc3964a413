import JSON
import Testing

@testable import ModelFormat

/// Decoders of sequence-to-sequence models: what is read, and what is refused by name.
@Suite struct DecoderTests {
  private static let head = """
    "format": "carousel/1", "name": "m", "version": "1",
    "inputs": [{ "name": "x", "kind": "features", "size": 2 }],
    "nodes": [{ "name": "enc", "op": "gru", "inputs": ["x"] },
              { "name": "sums", "op": "sum", "inputs": ["enc"] }]
    """

  private static let tensors = [
    "enc.weight_ih_l0": [9, 2], "enc.weight_hh_l0": [9, 3], "e.weight": [5, 4],
    "dec.weight_ih_l0": [9, 7], "dec.weight_hh_l0": [9, 3], "fc.weight": [5, 3],
  ]

  /// The members of a decoder that is right.
  private static let members: [(key: String, json: String)] = [
    (
      "inputs",
      """
      [{ "name": "t", "kind": "tokens", "vocabulary": ["<s>", "</s>", "a", "b", "c"] },
       { "name": "h0", "from": "enc.hidden" },
       { "name": "fed", "from": "sums", "next": "dec" }]
      """
    ),
    (
      "nodes",
      """
      [{ "name": "e", "op": "embedding", "inputs": ["t"] },
       { "name": "both", "op": "concat", "inputs": ["e", "fed"] },
       { "name": "dec", "op": "gru", "inputs": ["both", "h0"] },
       { "name": "fc", "op": "linear", "inputs": ["dec"] }]
      """
    ), ("outputs", #"[{ "name": "fc" }]"#), ("start", #""<s>""#), ("end", #"["</s>", 4]"#),
    ("max_steps", "7"), ("separator", #"" ""#),
  ]

  private func model(
    _ changes: [String: String?] = [:], head: String = head, tensors: [String: [Int]] = tensors
  ) throws -> Model {
    let members = Self.members.compactMap { key, json -> String? in
      (changes[key] ?? json).map { "\"\(key)\": \($0)" }
    }
    let json = "{ \(head), \"decoder\": { \(members.joined(separator: ", ")) } }"
    return try Model(
      description: ModelDescription(json: Array(json.utf8)), tensors: zeros(tensors))
  }

  @Test func aDecoderIsRead() throws {
    let model = try model()
    let decoder = try #require(model.decoder)
    #expect(model.outputs.isEmpty && model.decoded.map(\.name) == ["enc.hidden", "sums"])
    #expect(model.decoded.map(\.value) == [.hidden(0, layer: 0), .node(1)])
    #expect(
      decoder.sources == [.token, .encoder(0), .feedback(output: 1, first: 1)])
    #expect(decoder.model.outputs.map(\.name) == ["fc", "dec"])
    #expect(decoder.model.outputs[0].forecasts == 0)
    #expect(decoder.start == 0 && decoder.ends == [1, 4] && decoder.maxSteps == 7)
    #expect(decoder.vocabulary?.count == 5 && decoder.separator == " ")
    #expect(
      decoder.model.description.inputs.map(\.kind.form)
        == [.tokens, .vector(size: 3), .sequence(size: 3)])
    #expect(model.unusedTensors.isEmpty && model.parameterCount == 18 + 27 + 20 + 63 + 27 + 15)
  }

  @Test(
    arguments: [
      [:], ["end": "1"], ["end": nil], ["start": "2"], ["separator": nil],
      [
        "inputs":
          """
        [{ "name": "h0", "from": "enc.hidden" }, { "name": "t", "kind": "tokens", "size": 5 },
         { "name": "fed", "size": 3, "next": "dec" }]
        """, "start": "0", "end": "[]", "separator": nil,
      ],
    ] as [[String: String?]])
  func descriptionsAreWrittenAsTheyWereRead(changes: [String: String?]) throws {
    let head = changes["inputs"] == nil ? Self.head : Self.headWithoutSums
    let description = try model(changes, head: head).description
    #expect(try ModelDescription(json: Array(description.json.utf8)) == description)
  }

  private static let headWithoutSums = """
    "format": "carousel/1", "name": "m", "version": "1",
    "inputs": [{ "name": "x", "kind": "features", "size": 2 }],
    "nodes": [{ "name": "enc", "op": "gru", "inputs": ["x"] }]
    """

  @Test func zerosMayBeFirst() throws {
    let model = try model(
      [
        "inputs":
          """
        [{ "name": "h0", "from": "enc.hidden" },
         { "name": "fed", "size": 3, "next": "dec" }, { "name": "t", "kind": "tokens", "size": 5 }]
        """, "start": "3", "end": nil, "separator": nil,
      ], head: Self.headWithoutSums)
    let decoder = try #require(model.decoder)
    // The token is the first input of the graph.
    #expect(decoder.sources == [.token, .encoder(0), .feedback(output: 1, first: nil)])
    #expect(decoder.start == 3 && decoder.ends.isEmpty)
    #expect(decoder.vocabulary == nil && decoder.separator == "")
  }

  @Test(
    arguments: [
      (["start": nil], ["decoder.start", "nothing", "an id"]),
      (["start": "5"], ["decoder.start", "5", "0 to 4"]),
      (["start": "-1"], ["decoder.start", "-1"]),
      (["start": #""z""#], ["decoder.start", #""z""#, "vocabulary"]),
      (["start": "[0]"], ["decoder.start", "an array"]),
      (["end": #"["</s>", 5]"#], ["decoder.end[1]", "5", "0 to 4"]),
      (["end": "true"], ["decoder.end", "true"]),
      (["max_steps": nil], ["decoder.max_steps", "nothing"]),
      (["max_steps": "0"], ["decoder.max_steps", "at least 1"]),
      (["max_steps": "65537"], ["decoder.max_steps", "65537", "65536"]),
      (["outputs": "[]"], ["decoder.outputs", "0 outputs", "one"]),
      (["outputs": #"[{ "name": "fc" }, { "name": "dec" }]"#], ["decoder.outputs", "2 outputs"]),
      (["outputs": #"[{ "name": "dec" }]"#], ["decoder", "5 tokens", "3"]),
      (["outputs": #"[{ "name": "nope" }]"#], ["decoder: outputs[0].name", #""nope""#]),
      (
        ["outputs": #"[{ "name": "fc", "labels": ["a", "b", "c", "d", "e"] }]"#],
        ["decoder.outputs[0].labels", "scores the tokens of \"t\""]
      ),
      (
        ["outputs": #"[{ "name": "fc", "decode": "argmax" }]"#], ["decoder.outputs[0].decode"]
      ),
      (
        ["inputs": #"[{ "name": "h0", "from": "enc.hidden" }, { "name": "s", "from": "sums" }]"#],
        ["decoder.inputs", "0 of tokens"]
      ),
      (
        ["inputs": #"[{ "name": "t", "kind": "features", "size": 5 }]"#],
        ["decoder.inputs[0].kind", #""features""#, #""tokens""#]
      ),
      (["inputs": #"[{ "name": "t" }]"#], ["decoder.inputs[0].from", "nothing"]),
      (
        ["inputs": #"[{ "name": "t", "from": "enc", "size": 2 }]"#],
        ["decoder.inputs[0]", #""size""#]
      ),
      (
        ["inputs": #"[{ "name": "t", "next": "dec" }]"#], ["decoder.inputs[0].size", "nothing"]
      ),
      (
        ["inputs": inputs(h0: #""from": "enc.hiden""#)],
        ["decoder.inputs[1].from", #""enc.hiden""#, #"perhaps "enc.hidden""#]
      ),
      (
        ["inputs": inputs(h0: #""from": "x""#)],
        ["decoder: nodes[2].inputs[1]", #""h0" has the steps of "h0""#]
      ),
      (
        [
          "inputs": inputs(
            fed: #""from": "enc", "next": "dec""#, more: #", { "name": "s", "from": "sums" }"#)
        ],
        ["decoder.inputs[2].from", #""enc" is a sequence"#, "a vector"]
      ),
      (
        ["inputs": inputs(fed: #""from": "sums", "next": "e""#)],
        ["decoder.inputs[2].next", #""e""#, "size 3"]
      ),
      (
        ["inputs": inputs(fed: #""from": "sums", "next": "nope""#)], ["decoder", #""nope""#]
      ),
      (["nodes": "[]"], ["decoder", #""fc""#]),
      (["separator": "1"], ["decoder.separator", "a string"]),
      (["stop": "1"], ["decoder", #""stop""#]),
    ] as [([String: String?], [String])])
  func badDecodersAreRefused(changes: [String: String?], parts: [String]) {
    expectError(mentioning: parts) {
      guard changes["stop"] == nil else {
        let json = "{ \(Self.head), \"decoder\": { \"stop\": 1 } }"
        _ = try ModelDescription(json: Array(json.utf8))
        return
      }
      _ = try model(changes)
    }
  }

  private static func inputs(
    h0: String = #""from": "enc.hidden""#, fed: String = #""from": "sums", "next": "dec""#,
    more: String = ""
  ) -> String {
    """
    [{ "name": "t", "kind": "tokens", "vocabulary": ["<s>", "</s>", "a", "b", "c"] },
     { "name": "h0", \(h0) }, { "name": "fed", \(fed) }\(more)]
    """
  }

  /// A sequence of the encoder has steps of its own, which an attention goes over: as many as that takes, at the most.
  @Test func aDecoderAttendsToTheEncoder() throws {
    let nodes = try #require(Self.members.first { $0.key == "nodes" }?.json)
    let model = try model(
      [
        "inputs": Self.inputs(more: #", { "name": "steps", "from": "enc" }"#),
        "nodes": nodes.replacing(
          #"{ "name": "fc", "op": "linear", "inputs": ["dec"] }"#,
          with: """
            { "name": "fc", "op": "linear", "inputs": ["seen"] },
            { "name": "seen", "op": "attention", "inputs": ["dec", "steps"] }
            """),
      ])
    let decoder = try #require(model.decoder)
    #expect(decoder.sources.last == .encoder(2) && model.decoded.last?.form == .sequence(size: 3))
    #expect(decoder.model.inputAxes.map(\.input) == [0, 3])
    #expect(model.inputAxes.map(\.most) == [ModelLimits.attentionSteps])
    #expect(model.inputAxes[0].neededBy == nil)
  }

  /// The tensors are one file's: each has to be right, and none may be left over under a prefix of either graph.
  @Test(
    arguments: [
      ("fc.weight", [5, 4], ["decoder", "\"fc.weight\"", "[5, 4]"]),
      ("dec.weight_ih_l0", [9, 6], ["decoder", "\"dec.weight_ih_l0\""]),
      ("fc.biass", [5], ["\"fc.biass\"", "perhaps \"fc.bias\""]),
      ("enc.bias", [9], ["\"enc.bias\"", "enc.bias_l0"]),
    ])
  func tensorsAreChecked(name: String, shape: [Int], parts: [String]) {
    expectError(mentioning: parts) {
      _ = try model(tensors: Self.tensors.merging([name: shape]) { $1 })
    }
  }

  /// A decoder's tensors may stand under the prefix of a node of the encoder.
  @Test func prefixesMayNest() throws {
    var tensors = Self.tensors
    tensors["fc.weight"] = nil
    tensors["enc.fc.weight"] = [5, 3]
    let nodes = try #require(Self.members.first { $0.key == "nodes" }?.json)
    let model = try model(
      [
        "nodes": nodes.replacing(
          #""inputs": ["dec"] }"#, with: #""inputs": ["dec"], "weights": "enc.fc" }"#)
      ], tensors: tensors)
    #expect(model.unusedTensors.isEmpty)
  }

  @Test func outputsBesideADecoderAreRefused() {
    expectError(mentioning: ["outputs", "decoder", "none"]) {
      _ = try model(head: Self.head + #", "outputs": [{ "name": "sums" }]"#)
    }
    // Without a decoder there have to be some.
    expectError(mentioning: ["outputs", "nothing"]) {
      _ = try ModelDescription(json: Array("{ \(Self.head) }".utf8))
    }
  }

  /// What neither an output nor the decoder reads is refused as ever.
  @Test func whatNobodyReadsIsRefused() {
    expectError(mentioning: ["nodes[1]", "\"sums\"", "leads to no output"]) {
      _ = try model(["inputs": Self.inputs(fed: #""size": 3, "next": "dec""#)])
    }
  }
}

extension String {
  fileprivate func replacing(_ part: String, with other: String) -> String {
    guard let range = firstRange(of: part) else { return self }
    return String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
  }
}
