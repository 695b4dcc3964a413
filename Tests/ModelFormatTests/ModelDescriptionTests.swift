import Testing

@testable import ModelFormat

@Suite struct ModelDescriptionTests {
  private func read(_ text: String) throws -> ModelDescription {
    try ModelDescription(json: Array(text.utf8))
  }

  private static let plain = """
    { "format": "carousel/1", "name": "m", "version": "1",
      "inputs": [{ "name": "x", "kind": "features", "size": 2 }],
      "nodes": [{ "name": "y", "op": "tanh", "inputs": ["x"] }],
      "outputs": [{ "name": "y" }] }
    """

  @Test func readsEveryKey() throws {
    let description = try read(
      """
      { "format": "carousel/1", "name": "m", "version": "2", "summary": "s", "source": "o",
        "licence": "l", "example": { "x": [[1, 2.50]], "t": "it's" }, "precision": "int8",
        "inputs": [{ "name": "x", "kind": "features", "size": 2, "mean": 1, "scale": [2, 0.5], "steps": 9 },
                   { "name": "c", "kind": "tokens", "vocabulary": "ab\\r\\n" },
                   { "name": "w", "kind": "tokens", "size": 2, "vocabulary": ["the", "of"], "axis": "a", "steps": 4 },
                   { "name": "v", "kind": "vector", "size": 3 }],
        "nodes": [{ "name": "n", "op": "layer_norm", "inputs": ["x"], "epsilon": 0.5, "weights": "p" },
                  { "name": "d", "op": "layer_norm", "inputs": ["x"] },
                  { "name": "a", "op": "affine", "inputs": ["x"], "scale": 3, "shift": [1, 2] },
                  { "name": "l", "op": "l2_norm", "inputs": ["v"] }],
        "outputs": [{ "name": "n", "labels": ["p", "q"], "forecasts": "x" }] }
      """)
    #expect(
      description
        == ModelDescription(
          name: "m", version: "2", summary: "s", source: "o", licence: "l",
          example: #"{"x": [[1, 2.50]], "t": "it's"}"#, precision: .int8,
          inputs: [
            .init(name: "x", kind: .features(size: 2, mean: [1, 1], scale: [2, 0.5]), steps: 9),
            .init(name: "c", kind: .tokens(size: 4, vocabulary: ["a", "b", "\r", "\n"])),
            .init(
              name: "w", kind: .tokens(size: 2, vocabulary: ["the", "of"]), axis: "a", steps: 4),
            .init(name: "v", kind: .vector(size: 3)),
          ],
          nodes: [
            .init(name: "n", op: .layerNorm(epsilon: 0.5), inputs: ["x"], weights: "p"),
            .init(name: "d", op: .layerNorm(epsilon: 1e-5), inputs: ["x"]),
            .init(name: "a", op: .affine(scale: [3], shift: [1, 2]), inputs: ["x"]),
            .init(name: "l", op: .l2Norm(epsilon: 1e-12), inputs: ["v"]),
          ],
          outputs: [.init(name: "n", labels: ["p", "q"], forecasts: "x")]))
    #expect(try read(description.json) == description)
  }

  /// Inputs of one axis have one number of steps, and nodes may not need more.
  @Test func stepsOfInputs() throws {
    func check(_ steps: [Int?], axes: [String?], kernel: Int = 1) throws {
      let inputs = zip(steps, axes).enumerated().map { index, input in
        ModelDescription.Input(
          name: "x\(index)", kind: .features(size: 1, mean: nil, scale: nil), axis: input.1,
          steps: input.0)
      }
      let nodes = inputs.indices.map { index in
        ModelDescription.Node(
          name: "y\(index)", op: .maxPool(kernel: kernel), inputs: ["x\(index)"])
      }
      let model = try Model(
        description: ModelDescription(
          name: "m", version: "1", inputs: inputs, nodes: nodes,
          outputs: nodes.map { .init(name: $0.name) }),
        tensors: TensorFile(bytes: TensorFile.serialize([])))
      for (axis, steps) in zip(
        model.inputAxes, axes == [nil, nil] ? [steps[0] ?? steps[1]] : steps)
      {
        #expect(axis.least == steps ?? kernel && axis.most == steps ?? .max)
      }
    }
    try check([4, 5], axes: ["a", "b"])
    try check([4, 4], axes: [nil, nil])
    try check([nil, 4], axes: [nil, nil])
    try check([4], axes: [nil], kernel: 4)
    expectError(mentioning: ["inputs[1].steps", "5", "4, as inputs[0]"]) {
      try check([4, 5], axes: [nil, nil])
    }
    for steps in [0, -1, ModelLimits.size + 1] {
      expectError(mentioning: ["inputs[0].steps", "\(steps)"]) { try check([steps], axes: ["a"]) }
    }
    expectError(mentioning: ["inputs[0].steps", "found 4 steps", "at least 5", "\"y0\""]) {
      try check([4], axes: [nil], kernel: 5)
    }
  }

  @Test(arguments: ModelDescription.Op.all) func everyOpReadsBack(op: ModelDescription.Op) throws {
    var description = try read(Self.plain)
    description.nodes[0].op = op
    #expect(try read(description.json) == description)
  }

  @Test(arguments: Precision.allCases)
  func everyPrecisionReadsBack(precision: Precision) throws {
    var description = try read(Self.plain)
    #expect(description.precision == nil && !description.json.contains("precision"))
    description.precision = precision
    #expect(description.json.contains("\"precision\": \"\(precision)\""))
    #expect(try read(description.json) == description)
  }

  @Test(
    arguments: [0.1, 1e-7, 16_777_216, .leastNonzeroMagnitude, .greatestFiniteMagnitude] as [Float])
  func numbersReadBackToTheBit(number: Float) throws {
    var description = try read(Self.plain)
    description.inputs[0].kind = .features(size: 2, mean: [number, -number], scale: nil)
    #expect(try read(description.json) == description)
  }

  @Test(arguments: [
    ("\"carousel/1\"", "\"carousel/2\"", ["format", "carousel/2", "carousel/1"]),
    ("\"format\": \"carousel/1\",", "", ["format", "nothing"]),
    ("\"name\": \"m\",", "", ["name", "nothing"]),
    ("\"version\": \"1\"", "\"version\": 1", ["version", "string", "1"]),
    ("\"version\"", "\"verison\"", ["verison", "version, summary"]),
    (
      "\"name\": \"m\"", "\"name\": \"m\", \"precision\": \"int4\"",
      ["precision: ", "\"int4\"", "\"f32\", \"f16\" or \"int8\""]
    ),
    ("\"name\": \"m\"", "\"name\": \"m\", \"precision\": 8", ["precision", "string", "8"]),
    ("\"size\": 2", "\"size\": 2, \"men\": 1", ["inputs[0]", "\"men\"", "mean"]),
    ("\"size\": 2", "\"size\": 2, \"steps\": 2.5", ["inputs[0].steps", "2.5", "whole"]),
    ("\"size\": 2", "\"size\": 2.5", ["inputs[0].size", "2.5", "whole"]),
    ("\"size\": 2", "\"size\": -1", ["inputs[0].size", "-1"]),
    (", \"size\": 2", "", ["inputs[0].size", "nothing"]),
    ("\"size\": 2", "\"size\": 2, \"mean\": [1, \"a\"]", ["inputs[0].mean[1]", "\"a\""]),
    ("\"size\": 2", "\"size\": 2, \"scale\": 1e39", ["inputs[0].scale", "1e39"]),
    ("\"size\": 2", "\"size\": 2, \"vocabulary\": \"ab\"", ["inputs[0]", "vocabulary"]),
    ("\"features\"", "\"feature\"", ["inputs[0].kind", "feature", "tokens"]),
    ("\"tanh\"", "\"tanhh\"", ["nodes[0].op", "tanhh", "log_softmax"]),
    ("[\"x\"]", "\"x\"", ["nodes[0].inputs", "array"]),
    ("[\"x\"]", "[1]", ["nodes[0].inputs[0]", "1"]),
    ("[\"x\"]", "[\"x\"], \"direction\": \"reverse\"", ["nodes[0]", "\"direction\""]),
    (
      "\"tanh\"", "\"lstm\", \"direction\": \"backwards\"",
      ["nodes[0].direction", "\"forward\" or \"reverse\"", "backwards"]
    ),
    ("[\"x\"]", "[\"x\"], \"epsilon\": 1", ["nodes[0]", "\"epsilon\"", "weights"]),
    (
      "[{ \"name\": \"y\" }]", "[{ \"name\": \"y\", \"label\": [] }]",
      ["outputs[0]", "\"label\"", "labels"]
    ),
    (
      "[{ \"name\": \"y\" }]", "[{ \"name\": \"y\", \"labels\": [1] }]",
      ["outputs[0].labels[0]", "1"]
    ),
    ("[{ \"name\": \"y\" }]", "{}", ["outputs", "object"]),
  ])
  func refuses(text: String, replacement: String, parts: [String]) throws {
    let pieces = Self.plain.split(separator: text, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(pieces.count == 2)
    expectError(mentioning: parts) { _ = try read("\(pieces[0])\(replacement)\(pieces[1])") }
  }

  @Test(arguments: [-1, 0, 1]) func fileSizeIsBounded(excess: Int) throws {
    let path = "/tmp/carousel-description-\(UInt64.random(in: 0 ... .max)).json"
    defer { OpenFile.remove(path) }
    var bytes = Array(Self.plain.utf8)
    let size = ModelLimits.descriptionBytes + excess
    bytes += Array(repeating: 0x20, count: size - bytes.count)
    try OpenFile.write(bytes, to: path)
    if excess <= 0 {
      #expect(try ModelDescription(path: path).name == "m")
    } else {
      expectError(mentioning: [path, "\(size)", "\(ModelLimits.descriptionBytes)"]) {
        _ = try ModelDescription(path: path)
      }
    }
  }

  @Test func errorsNameTheFile() throws {
    let path = "/tmp/carousel-description-\(UInt64.random(in: 0 ... .max)).json"
    defer { OpenFile.remove(path) }
    try OpenFile.write(Array("{".utf8), to: path)
    expectError(mentioning: [path, "line 1, column 2"]) { _ = try ModelDescription(path: path) }
  }
}
