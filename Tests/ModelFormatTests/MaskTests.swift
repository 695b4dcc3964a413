import Testing

@testable import ModelFormat

/// What may be a mask, and of which nodes.
@Suite struct MaskTests {
  private func model(
    _ nodes: [ModelDescription.Node], inputs: [ModelDescription.Input] = []
  ) throws -> Model {
    try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 2, mean: nil, scale: nil))] + inputs,
        nodes: nodes, outputs: [.init(name: "y")]),
      tensors: zeros(["y.weight_ih_l0": [3, 2], "y.weight_hh_l0": [3, 3]]))
  }

  private let mask = ModelDescription.Node(name: "m", op: .mask(value: -1), inputs: ["x"])

  @Test func wherever() throws {
    // A mask is found wherever it stands, and is read: it needs to lead to no output.
    let model = try model([
      .init(name: "y", op: .rnn, inputs: ["x"], mask: "m"), mask,
    ])
    #expect(model.nodes.map(\.name) == ["m", "y"] && model.nodes[1].mask == .node(0))
    let json = model.description.json
    #expect(json.contains(#""mask": "m""#))
    #expect(try ModelDescription(json: Array(json.utf8)) == model.description)
  }

  @Test func refused() {
    expectError(mentioning: ["nodes[1].mask", "\"x\"", "a sequence of size 1"]) {
      _ = try model([mask, .init(name: "y", op: .rnn, inputs: ["x"], mask: "x")])
    }
    expectError(mentioning: ["nodes[1].mask", "no mask for tanh"]) {
      _ = try model([mask, .init(name: "y", op: .tanh, inputs: ["x"], mask: "m")])
    }
    expectError(mentioning: ["nodes[1].masked_output", "\"zero\"", "no \"mask\""]) {
      var op = RNNOp()
      op.maskedOutput = .zero
      _ = try model([mask, .init(name: "y", op: .rnn(op), inputs: ["x"])])
    }
    expectError(mentioning: ["nodes[0].mask", "n"]) {
      _ = try model([.init(name: "y", op: .rnn, inputs: ["x"], mask: "n")])
    }
    expectError(mentioning: ["nodes[0].mask", "as many steps", "\"z\" has the steps of \"z\""]) {
      _ = try model(
        [.init(name: "y", op: .rnn, inputs: ["x"], mask: "z")],
        inputs: [.init(name: "z", kind: .features(size: 1, mean: nil, scale: nil), axis: "z")])
    }
    expectError(mentioning: ["y", "m"]) {
      _ = try model([
        .init(name: "y", op: .rnn, inputs: ["x"], mask: "m"),
        .init(name: "m", op: .linear, inputs: ["y"]),
      ])
    }
  }

  @Test func keyOfOpsThatTakeOne() {
    let json = """
      { "format": "carousel/1", "name": "m", "version": "1",
        "inputs": [{ "name": "x", "kind": "features", "size": 1 }],
        "nodes": [{ "name": "y", "op": "relu", "inputs": ["x"], "mask": "x" }],
        "outputs": [{ "name": "y" }] }
      """
    expectError(mentioning: ["nodes[0]", "unknown key \"mask\""]) {
      _ = try ModelDescription(json: Array(json.utf8))
    }
  }
}
