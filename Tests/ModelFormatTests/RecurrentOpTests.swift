import Testing

@testable import ModelFormat

/// Recurrent networks of every kind: their tensors, attributes and states.
@Suite struct RecurrentOpTests {
  /// A network `h` of `op` over two features, its attributes as `model.json` has them.
  private func network(
    _ op: String, _ attributes: String = "", inputs: String = "[\"x\"]", output: String = "h",
    changes: [String: [Int]] = [:], both: Bool = false
  ) throws -> Model {
    let rows = 3 * (["lstm": 4, "gru": 3, "rnn": 1][op] ?? 1)
    var tensors: [String: [Int]] = [:]
    for suffix in both ? ["_l0", "_l0_reverse"] : ["_l0"] {
      tensors["h.weight_ih\(suffix)"] = [rows, 2]
      tensors["h.weight_hh\(suffix)"] = [rows, 3]
      tensors["h.bias_ih\(suffix)"] = [rows]
      tensors["h.bias_hh\(suffix)"] = [rows]
    }
    let text = """
      { "format": "carousel/1", "name": "m", "version": "1",
        "inputs": [{ "name": "x", "kind": "features", "size": 2 },
                   { "name": "v", "kind": "vector", "size": 3 }],
        "nodes": [{ "name": "h", "op": "\(op)", "inputs": \(inputs)
                    \(attributes.isEmpty ? "" : ", \(attributes)") }],
        "outputs": [{ "name": "\(output)" }, { "name": "v" }] }
      """
    return try Model(
      description: ModelDescription(json: Array(text.utf8)),
      tensors: zeros(tensors.merging(changes) { $1 }.filter { !$0.value.isEmpty }))
  }

  // MARK: Attributes

  static let attributes: [(op: String, text: String)] = [
    ("lstm", #""gate_activation": "hard_sigmoid""#),
    ("lstm", #""gate_activation": {"op": "hard_sigmoid", "slope": 0.2}, "clip": 3"#),
    ("lstm", #""activation": "relu", "output_activation": "tanh", "input_forget": true"#),
    ("gru", #""reset": "before""#),
    ("gru", #""reset": "after", "gate_activation": {"op": "sigmoid"}, "activation": "softsign""#),
    ("gru", #""activation": ["tanh", {"op": "elu", "alpha": 0.5}], "clip": 0.5"#),
    ("rnn", #""activation": "relu""#),
    ("rnn", #""activation": {"op": "affine", "scale": 0.5, "shift": [1]}"#),
    ("rnn", #""activation": ["affine", {"op": "scaled_tanh", "alpha": 1.7, "beta": 0.67}]"#),
  ]

  @Test(arguments: attributes)
  func areReadAndWritten(op: String, text: String) throws {
    let description = try network(op, text, both: text.contains("[\"") || text.contains("[{"))
      .description
    #expect(description.nodes[0].op != ModelDescription.Op.all.first { $0.name == op })
    #expect(try ModelDescription(json: Array(description.json.utf8)) == description)
  }

  @Test func areWhatTheyAre() throws {
    let text = #"""
      "gate_activation": [{"op": "hard_sigmoid", "slope": 0.2}, "sigmoid"], "activation": "relu",
      "clip": 2.5, "input_forget": true
      """#
    let op = try network("lstm", text, both: true).description.nodes[0].op
    let lstm = try #require(op.definition as? LSTMOp)
    #expect(lstm.gateActivation?[0] == .hardSigmoid(slope: 0.2))
    #expect(lstm.gateActivation?[1] == .sigmoid)
    #expect(lstm.activation?[0] == .relu && lstm.activation?[1] == .relu)
    #expect(lstm.outputActivation == nil && lstm.clip == 2.5 && lstm.couplesForgetGate)
  }

  @Test(
    arguments: [
      ("lstm", #""gate_activation": "softmax""#, ["nodes[0].gate_activation", "hard_sigmoid"]),
      ("lstm", #""gate_activation": "gelu""#, ["nodes[0].gate_activation", "\"gelu\""]),
      ("lstm", #""gate_activation": 1"#, ["nodes[0].gate_activation", "a name"]),
      ("lstm", #""gate_activation": {"slope": 1}"#, ["nodes[0].gate_activation.op", "nothing"]),
      (
        "lstm", #""gate_activation": {"op": "hard_sigmoid", "alpha": 1}"#,
        ["nodes[0].gate_activation", "\"alpha\"", "slope"]
      ),
      (
        "lstm", #""activation": {"op": "leaky_relu", "slope": "x"}"#,
        ["nodes[0].activation.slope"]
      ),
      ("gru", #""activation": ["tanh"]"#, ["nodes[0].activation", "1 activation", "two"]),
      ("gru", #""activation": ["tanh", "relu", "tanh"]"#, ["3 activations"]),
      ("gru", #""activation": ["tanh", "relu"]"#, ["nodes[0].activation", "one direction"]),
      ("gru", #""activation": ["tanh", 3]"#, ["nodes[0].activation[1]"]),
      ("gru", #""output_activation": "tanh""#, ["\"output_activation\"", "reset"]),
      ("gru", #""reset": true"#, ["nodes[0].reset"]),
      ("gru", #""reset": "first""#, ["nodes[0].reset", "\"after\" or \"before\""]),
      ("rnn", #""gate_activation": "sigmoid""#, ["\"gate_activation\""]),
      ("rnn", #""nonlinearity": "relu""#, ["\"nonlinearity\"", "activation"]),
      (
        "rnn", #""activation": {"op": "affine", "scale": [1, 2]}"#,
        ["nodes[0].activation.scale", "one number"]
      ),
      (
        "rnn", #""activation": {"op": "softplus", "beta": 2}"#, ["nodes[0].activation", "beta"]
      ),
      ("rnn", #""clip": 0"#, ["nodes[0].clip", "greater than 0"]),
      ("lstm", #""clip": -1"#, ["nodes[0].clip"]),
      ("lstm", #""clip": "1""#, ["nodes[0].clip"]),
      ("lstm", #""input_forget": 1"#, ["nodes[0].input_forget", "true or false"]),
      ("lstm", #""reset": "before""#, ["\"reset\""]),
    ] as [(String, String, [String])])
  func areRefused(op: String, text: String, parts: [String]) {
    expectError(mentioning: parts) { _ = try network(op, text) }
  }

  @Test func clipsThatAreNotFinite() {
    var op = RNNOp()
    op.clip = .infinity
    expectError(mentioning: ["nodes[0].clip"]) {
      _ = try Model(
        description: ModelDescription(
          name: "m", version: "1",
          inputs: [.init(name: "x", kind: .features(size: 2, mean: nil, scale: nil))],
          nodes: [.init(name: "h", op: .rnn(op), inputs: ["x"])], outputs: [.init(name: "h")]),
        tensors: zeros(["h.weight_ih_l0": [3, 2], "h.weight_hh_l0": [3, 3]]))
    }
  }

  // MARK: Tensors

  @Test(arguments: ["lstm", "gru", "rnn"])
  func shapes(op: String) throws {
    let shape = try #require(try network(op, both: true).nodes[0].recurrent)
    #expect(shape.hiddenSize == 3 && shape.directions == 2 && shape.bias == .two)
    #expect(shape.projectionSize == nil && !shape.hasPeepholes)
    let rows = 3 * shape.gates
    let bias = try network(
      op, changes: ["h.bias_l0": [rows], "h.bias_ih_l0": [], "h.bias_hh_l0": []])
    #expect(bias.nodes[0].recurrent?.bias == .one)
  }

  @Test func peepholes() throws {
    let model = try network("lstm", changes: ["h.peephole_l0": [9]])
    #expect(model.nodes[0].recurrent?.hasPeepholes == true)
    #expect(model.nodes[0].tensors.contains("h.peephole_l0"))
    expectError(mentioning: ["\"h.peephole_l0\"", "[9]", "[12]"]) {
      _ = try network("lstm", changes: ["h.peephole_l0": [12]])
    }
    expectError(mentioning: ["no tensor \"h.peephole_l0_reverse\""]) {
      _ = try network("lstm", changes: ["h.peephole_l0": [9]], both: true)
    }
    expectError(mentioning: ["\"h.peephole_l0\"", "(gru)"]) {
      _ = try network("gru", changes: ["h.peephole_l0": [9]])
    }
  }

  @Test func initialStates() throws {
    func tensors(_ suffixes: String...) -> [String: [Int]] {
      [String: [Int]](uniqueKeysWithValues: suffixes.map { ("h.initial_\($0)", [3]) })
    }
    let lstm = try network("lstm", changes: tensors("hidden_l0", "cell_l0"))
    #expect(lstm.nodes[0].recurrent?.hasInitialState == true)
    #expect(lstm.nodes[0].tensors.suffix(2) == ["h.initial_hidden_l0", "h.initial_cell_l0"])
    #expect(try network("gru").nodes[0].recurrent?.hasInitialState == false)
    let gru = try network("gru", changes: tensors("hidden_l0", "hidden_l0_reverse"), both: true)
    #expect(gru.nodes[0].recurrent?.hasInitialState == true)
    for (op, given, named) in [
      ("lstm", "hidden_l0", "cell_l0"), ("lstm", "cell_l0", "hidden_l0"),
      ("rnn", "hidden_l0_reverse", "hidden_l0_reverse"), ("rnn", "hidden_l0", "hidden_l0_reverse"),
    ] {
      expectError(mentioning: ["\"h.initial_\(named)\""]) {
        _ = try network(op, changes: tensors(given), both: op == "rnn")
      }
    }
    expectError(mentioning: ["\"h.initial_cell_l0\"", "(gru)"]) {
      _ = try network("gru", changes: tensors("hidden_l0", "cell_l0"))
    }
    expectError(mentioning: ["\"h.initial_hidden_l0\"", "[4]", "[3]"]) {
      _ = try network("gru", changes: ["h.initial_hidden_l0": [4]])
    }
    expectError(mentioning: ["\"v\"", "\"h.initial_hidden_l0\"", "no initial state"]) {
      _ = try network("gru", inputs: #"["x", "v"]"#, changes: tensors("hidden_l0"))
    }
  }

  @Test(
    arguments: [
      (
        "gru", ["h.weight_ih_l0": [12, 2], "h.weight_hh_l0": [12, 3]],
        ["torch.nn.LSTM", "[3·hidden, hidden]", "\"op\": \"lstm\""]
      ),
      (
        "rnn", ["h.weight_ih_l0": [9, 2], "h.weight_hh_l0": [9, 3]],
        ["torch.nn.GRU", "[hidden, hidden]", "\"op\": \"gru\""]
      ),
      (
        "gru", ["h.weight_ih_l0": [3, 2], "h.weight_hh_l0": [3, 3]],
        ["torch.nn.RNN", "\"op\": \"rnn\""]
      ),
      ("gru", ["h.weight_ih_l0": [10, 2]], ["\"h.weight_ih_l0\"", "[3·hidden, 2]"]),
      ("rnn", ["h.weight_ih_l0": [3, 5]], ["\"h.weight_ih_l0\"", "[hidden, 2]"]),
      ("gru", ["h.weight_hr_l0": [2, 3]], ["\"h.weight_hr_l0\"", "gru", "not projected"]),
      ("rnn", ["h.weight_hr_l0": [2, 3]], ["\"h.weight_hr_l0\"", "rnn", "not projected"]),
      (
        "gru",
        [
          "h.weight_ih_l0": [], "h.weight_hh_l0": [], "h.weight_ih": [9, 2], "h.weight_hh": [9, 3],
        ], ["no tensor \"h.weight_ih_l0\"", "torch.nn.GRUCell", "_l0"]
      ),
      (
        "rnn",
        [
          "h.weight_ih_l0": [], "h.weight_hh_l0": [], "h.weight_ih": [3, 2], "h.weight_hh": [3, 3],
        ], ["torch.nn.RNNCell"]
      ),
      (
        "gru", ["h.weight_ih_l0": [], "h.weight_hh_l0": [], "h.recurrent_kernel": [3, 9]],
        ["Keras", "From Keras"]
      ),
      ("gru", ["h.weight_hh_l1": [9, 3]], ["\"h.weight_hh_l1\"", "\"h.weight_ih_l1\""]),
    ] as [(String, [String: [Int]], [String])])
  func othersAreRefused(op: String, changes: [String: [Int]], parts: [String]) {
    expectError(mentioning: parts) { _ = try network(op, changes: changes) }
  }

  // MARK: States

  @Test func beginsWithStatesThatItIsGiven() throws {
    let text = #""begins": "request""#
    let model = try network("gru", text, inputs: #"["x", "v"]"#)
    #expect((model.nodes[0].op.definition as? GRUOp)?.begins == .request)
    #expect(try ModelDescription(json: Array(model.description.json.utf8)) == model.description)
    expectError(mentioning: ["nodes[0].begins", "\"request\"", "no initial state"]) {
      _ = try network("gru", text)
    }
    expectError(mentioning: ["nodes[0].begins", "\"session\"", "\"sequence\" or \"request\""]) {
      _ = try network("gru", #""begins": "session""#, inputs: #"["x", "v"]"#)
    }
  }

  @Test(arguments: ["gru", "rnn"])
  func haveNoCellState(op: String) throws {
    let model = try network(op, inputs: #"["x", "v"]"#, output: "h.hidden.0")
    #expect(model.nodes[0].initialHidden == .input(1) && model.nodes[0].initialCell == nil)
    #expect(model.outputs[0].value == .hidden(0, layer: 0))
    expectError(mentioning: ["outputs[0].name", "\"h.cell\""]) {
      _ = try network(op, output: "h.cell")
    }
    expectError(mentioning: ["nodes[0].inputs", "3 names", "1 to 2 names", op]) {
      _ = try network(op, inputs: #"["x", "v", "v"]"#)
    }
  }
}
