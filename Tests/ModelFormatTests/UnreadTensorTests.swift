import Testing

@testable import ModelFormat

/// Tensors that are not where a node reads them: refused with what they may mean.
@Suite struct UnreadTensorTests {
  private func model(
    _ nodes: [ModelDescription.Node], _ tensors: [String: [Int]], output: String = "y"
  ) throws -> Model {
    try Model(
      description: ModelDescription(
        name: "m", version: "1", inputs: [feature("x", size: 2)], nodes: nodes,
        outputs: [.init(name: output)]),
      tensors: zeros(tensors))
  }

  private func feature(_ name: String, size: Int) -> ModelDescription.Input {
    .init(name: name, kind: .features(size: size, mean: nil, scale: nil))
  }

  private func linear(_ weights: String? = "fc", input: String = "x") -> ModelDescription.Node {
    .init(name: "y", op: .linear, inputs: [input], weights: weights)
  }

  // MARK: Under a prefix

  @Test(
    arguments: [
      (
        ["fc.b": [3]], ["\"fc.b\"", "no node", "\"y\" (linear) reads \"fc.weight\"", "\"fc.bias\""]
      ),
      (["fc.biass": [3]], ["\"fc.biass\"", "perhaps \"fc.bias\""]),
      (["fc.beta": [3]], ["perhaps \"fc.bias\""]),
      (["fc.bias": [3], "fc.scale": [3]], ["\"fc.scale\"", "\"fc.bias\", \"fc.weight\"", "save"]),
      (["fc.running_var": [3]], ["batch normalisation", "batch_norm"]),
      (["fc.lora_A.default.weight": [1, 2]], ["\"fc.lora_A.default.weight\"", "merge"]),
      (["fc.deep.er": [1]], ["\"fc.deep.er\"", "no node"]),
    ] as [([String: [Int]], [String])])
  func isRefused(more: [String: [Int]], parts: [String]) {
    let tensors = ["fc.weight": [3, 2]].merging(more) { $1 }
    expectError(mentioning: parts) { _ = try model([linear()], tensors) }
  }

  @Test func attributesInPlaceOfATensorAreNamed() {
    let node = ModelDescription.Node(
      name: "y", op: .affine(scale: [2], shift: nil), inputs: ["x"], weights: "n")
    expectError(mentioning: ["\"n.weight\"", "attribute"]) {
      _ = try model([node], ["n.weight": [2], "n.bias": [2]])
    }
  }

  /// What another node reads, or what stands under no node's prefix, is no mistake.
  @Test func othersAreAllowed() throws {
    let nodes = [
      ModelDescription.Node(name: "a", op: .linear, inputs: ["x"], weights: "m"),
      .init(name: "b", op: .linear, inputs: ["a"], weights: "m.head"),
      .init(name: "y", op: .affine(scale: nil, shift: nil), inputs: ["b"], weights: "m.head.n"),
    ]
    let tensors = [
      "m.weight": [2, 2], "m.head.weight": [2, 2], "m.head.n.bias": [2], "mm.bias": [2],
      "other.bias": [2], "bias": [2],
    ]
    #expect(try model(nodes, tensors).unusedTensors == ["bias", "mm.bias", "other.bias"])
    // Of nested prefixes the longest is meant.
    expectError(mentioning: ["\"m.head.n.wight\"", "\"y\" (affine)", "\"m.head.n.weight\""]) {
      _ = try model(nodes, tensors.merging(["m.head.n.wight": [2]]) { $1 })
    }
  }

  /// Nodes that share a prefix share what is read under it.
  @Test func tiedNodesReadTogether() throws {
    let nodes = [
      ModelDescription.Node(name: "s", op: .linear, inputs: ["x"], weights: "e"),
      .init(name: "y", op: .affine(scale: [1], shift: nil), inputs: ["s"], weights: "e"),
    ]
    #expect(try model(nodes, ["e.weight": [2, 2], "e.bias": [2]]).unusedTensors.isEmpty)
  }

  /// Under the empty prefix stand the names without a dot.
  @Test func bareModules() throws {
    let model = try model([linear("")], ["weight": [3, 2], "bias": [3], "other.weight": [1]])
    #expect(model.nodes[0].tensors == ["weight", "bias"])
    #expect(model.unusedTensors == ["other.weight"])
    expectError(mentioning: ["\"b\"", "perhaps \"bias\""]) {
      _ = try self.model([linear("")], ["weight": [3, 2], "b": [3]])
    }
    expectError(mentioning: ["no tensor \"weight\"", "\"fc.weight\""]) {
      _ = try self.model([linear("")], ["fc.weight": [3, 2]])
    }
  }

  // MARK: Missing

  @Test(
    arguments: [
      (
        ["head.weight": [3, 2], "z": [1]], ["no tensor \"fc.weight\"", "there is \"head.weight\""]
      ),
      (["module.fc.weight": [3, 2]], ["there is \"module.fc.weight\""]),
      (["fc.wieght": [3, 2]], ["there is \"fc.wieght\""]),
      (["cf.weight": [3, 2], "aa.weight": [3, 2]], ["there is \"cf.weight\", \"aa.weight\""]),
      (
        ["fc.bias": [3], "embedding.weight": [3, 2]],
        ["no tensor \"fc.weight\"", "tied weights", "\"embedding.weight\"", "clone()", "affine"]
      ),
    ] as [([String: [Int]], [String])])
  func namesWhatIsNear(tensors: [String: [Int]], parts: [String]) {
    expectError(mentioning: parts) { _ = try model([linear()], tensors) }
  }

  private static let lstm = [
    "h.weight_ih_l0": [12, 2], "h.weight_hh_l0": [12, 3], "h.bias_ih_l0": [12],
    "h.bias_hh_l0": [12],
  ]

  /// `lstm` with changes; an empty shape takes a tensor away.
  private func network(_ changes: [String: [Int]], direction: ModelDescription.Direction? = nil)
    throws -> Model
  {
    try model(
      [.init(name: "h", op: .lstm(direction: direction), inputs: ["x"])],
      Self.lstm.merging(changes) { $1 }.filter { !$0.value.isEmpty }, output: "h")
  }

  @Test(
    arguments: [
      (["h.weight_ih_l2": [12, 3]], ["\"h.weight_ih_l2\"", "\"h.weight_ih_l1\""]),
      (["h.weight_ih_l1": [12, 3]], ["no tensor \"h.weight_hh_l1\""]),
      (["h.weight_hh_l1": [12, 3]], ["\"h.weight_hh_l1\"", "there is no \"h.weight_ih_l1\""]),
      (
        ["h.weight_hh_l0_reverse": [12, 3]],
        ["\"h.weight_hh_l0_reverse\"", "there is no \"h.weight_ih_l0_reverse\""]
      ),
      (["h.bias_hh_l0": []], ["no tensor \"h.bias_hh_l0\"", "\"h.bias_ih_l0\""]),
      (["h.bias_ih_l0": []], ["no tensor \"h.bias_ih_l0\""]),
      (["h.bias_l0": [12]], ["\"h.bias_l0\" does not fit"]),
      (["h.bias_l0": [12], "h.bias_hh_l0": []], ["no tensor \"h.bias_hh_l0\""]),
      (["h.init": [3]], ["\"h.init\"", "\"h\" (lstm) reads \"h.bias_hh_l0\"", "add a node"]),
      (
        ["h.bias": [12], "h.bias_ih_l0": [], "h.bias_hh_l0": []],
        ["\"h.bias\"", "perhaps \"h.bias_l0\""]
      ),
      (
        ["h.weight_ih_l0": [9, 2], "h.weight_hh_l0": [9, 3]],
        ["\"h.weight_hh_l0\"", "[9, 3]", "torch.nn.GRU", "\"h\"", "4·hidden", "\"op\": \"gru\""]
      ),
      // 3H is a multiple of 4.
      (["h.weight_ih_l0": [12, 2], "h.weight_hh_l0": [12, 4]], ["\"op\": \"gru\""]),
      (
        ["h.weight_ih_l0": [3, 2], "h.weight_hh_l0": [3, 3]],
        ["1 row a hidden unit", "\"op\": \"rnn\""]
      ),
      (
        [
          "h.weight_ih_l0": [], "h.weight_hh_l0": [], "h.weight_ih": [12, 2],
          "h.weight_hh": [12, 3],
        ],
        ["no tensor \"h.weight_ih_l0\"", "LSTMCell", "\"h.weight_ih\"", "_l0"]
      ),
      (
        [
          "h.weight_ih_l0": [], "h.weight_hh_l0": [], "h.weight_ih": [9, 2], "h.weight_hh": [9, 3],
        ],
        ["\"h.weight_hh\"", "torch.nn.GRU"]
      ),
      (
        ["h.weight_ih_l0": [], "h.weight_hh_l0": [], "h.kernel": [2, 12]],
        ["no tensor \"h.weight_ih_l0\"", "Keras", "From Keras"]
      ),
    ] as [([String: [Int]], [String])])
  func networks(changes: [String: [Int]], parts: [String]) throws {
    #expect(try network([:]).nodes[0].recurrent?.bias == .two)
    expectError(mentioning: parts) { _ = try network(changes) }
  }

  // MARK: New forms

  @Test func oneBias() throws {
    let model = try network(["h.bias_l0": [12], "h.bias_ih_l0": [], "h.bias_hh_l0": []])
    #expect(model.nodes[0].recurrent?.bias == .one)
    expectError(mentioning: ["\"h.bias_l0\"", "[12]", "[3]"]) {
      _ = try network(["h.bias_l0": [3], "h.bias_ih_l0": [], "h.bias_hh_l0": []])
    }
  }

  @Test func reverseAlone() throws {
    #expect(try network([:], direction: .reverse).nodes[0].recurrent?.isReverse == true)
    #expect(try network([:], direction: .forward).nodes[0].recurrent?.isReverse == false)
    expectError(mentioning: ["\"h.weight_ih_l0_reverse\"", "reverse alone", "\"h\""]) {
      _ = try network(
        [
          "h.weight_ih_l0_reverse": [12, 2], "h.weight_hh_l0_reverse": [12, 3],
          "h.bias_ih_l0_reverse": [12], "h.bias_hh_l0_reverse": [12],
        ], direction: .reverse)
    }
    let linear = """
      { "format": "carousel/1", "name": "m", "version": "1",
        "inputs": [{ "name": "x", "kind": "features", "size": 2 }],
        "nodes": [{ "name": "y", "op": "linear", "inputs": ["x"], "direction": "reverse" }],
        "outputs": [{ "name": "y" }] }
      """
    expectError(mentioning: ["nodes[0]", "\"direction\""]) {
      _ = try ModelDescription(json: Array(linear.utf8))
    }
  }

  @Test(arguments: ["h.hidden.0", "h.cell.0", "h.hidden", "h.cell"])
  func statesOfLayers(name: String) throws {
    let node = ModelDescription.Node(name: "h", op: .lstm, inputs: ["x"])
    let model = try model([node], Self.lstm, output: name)
    #expect(
      model.outputs[0].value
        == (name.contains("hidden") ? .hidden(0, layer: 0) : .cell(0, layer: 0)))
  }

  @Test(arguments: [
    ("h.hidden.1", ["outputs[0].name", "layer 1", "layer 0, the only one of \"h\""]),
    ("h.hidden.-1", ["outputs[0].name", "\"h.hidden.-1\""]),
    ("h.hidden.00", ["\"h.hidden.00\""]), ("h.hidden.0.0", ["\"h.hidden.0.0\""]),
    ("x.hidden.0", ["\"x.hidden.0\""]),
  ])
  func layersThatAreNotThere(name: String, parts: [String]) {
    let node = ModelDescription.Node(name: "h", op: .lstm, inputs: ["x"])
    expectError(mentioning: parts) { _ = try model([node], Self.lstm, output: name) }
  }

  @Test func aNameOfAStateIsTaken() {
    let nodes = [
      ModelDescription.Node(name: "h.cell.7", op: .tanh, inputs: ["x"]),
      .init(name: "h", op: .lstm, inputs: ["h.cell.7"]),
    ]
    expectError(mentioning: ["nodes[0].name", "\"h.cell.7\"", "nodes[1].name"]) {
      _ = try model(nodes, Self.lstm, output: "h")
    }
  }

  @Test func statesThatAreLeftOut() throws {
    func start(_ inputs: [String?]) throws -> Model.ResolvedNode {
      try Model(
        description: ModelDescription(
          name: "m", version: "1",
          inputs: [feature("x", size: 2), .init(name: "c", kind: .vector(size: 3))],
          nodes: [.init(name: "h", op: .lstm, inputs: inputs)], outputs: [.init(name: "h")]),
        tensors: zeros(Self.lstm)
      ).nodes[0]
    }
    let cell = try start(["x", nil, "c"])
    #expect(cell.initialHidden == nil && cell.initialCell == .input(1))
    #expect(cell.inputs == [.input(0), .input(1)])
    let hidden = try start(["x", "c"])
    #expect(hidden.initialHidden == .input(1) && hidden.initialCell == nil)
    expectError(mentioning: ["nodes[0].inputs[0]", "null", "a name"]) {
      _ = try start([nil, "x", "c"])
    }
    expectError(mentioning: ["nodes[0].inputs[0]", "null"]) {
      _ = try model(
        [.init(name: "y", op: .add, inputs: [nil, "x"])], [:])
    }
  }

  @Test func theyAreWrittenAsTheyAreRead() throws {
    let description = ModelDescription(
      name: "m", version: "1",
      inputs: [feature("x", size: 2), .init(name: "c", kind: .vector(size: 3))],
      nodes: [
        .init(name: "h", op: .lstm(direction: .reverse), inputs: ["x", nil, "c"], weights: "")
      ], outputs: [.init(name: "h.hidden.0")])
    #expect(try ModelDescription(json: Array(description.json.utf8)) == description)
  }
}
