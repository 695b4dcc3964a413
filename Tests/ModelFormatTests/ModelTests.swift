import Glibc
import Testing

@testable import ModelFormat

@Suite struct ModelTests {
  typealias Description = ModelDescription

  private func model(
    inputs: [Description.Input] = [
      .init(name: "x", kind: .features(size: 2, mean: nil, scale: nil))
    ],
    _ nodes: [Description.Node], outputs: [Description.Output] = [.init(name: "y")],
    tensors: [String: [Int]] = [:], name: String = "m", version: String = "1"
  ) throws -> Model {
    try Model(
      description: Description(
        name: name, version: version, inputs: inputs, nodes: nodes, outputs: outputs),
      tensors: zeros(tensors))
  }

  private static let tokens = Description.Input(
    name: "ids", kind: .tokens(size: 50, vocabulary: nil))

  // MARK: Real files

  @Test(arguments: ["tagger", "tagger_f16", "tagger_bf16", "proj"])
  func readsShapesOfAPyTorchModel(name: String) throws {
    let model = try Model(
      description: Description(
        name: "tagger", version: "1", inputs: [Self.tokens],
        nodes: [
          .init(name: "tags", op: .linear, inputs: ["lstm"], weights: "fc"),
          .init(name: "lstm", op: .lstm, inputs: ["e"]),
          .init(name: "e", op: .embedding, inputs: ["ids"], weights: "embedding"),
        ],
        outputs: [.init(name: "tags"), .init(name: "lstm.cell")]),
      tensors: TensorFile(path: fixture("torch/\(name).safetensors")))
    let projection = name == "proj" ? 10 : nil
    let output = 2 * (projection ?? 24)
    #expect(model.nodes.map(\.name) == ["e", "lstm", "tags"])
    #expect(
      model.nodes.map(\.form) == [.sequence(size: 16), .sequence(size: output), .sequence(size: 5)])
    #expect(
      model.nodes[1].recurrent
        == Model.RecurrentShape(
          layers: 2, bidirectional: true, inputSize: 16, hiddenSize: 24,
          projectionSize: projection, bias: .two))
    #expect(model.nodes.map(\.inputs) == [[.input(0)], [.node(0)], [.node(1)]])
    #expect(model.nodes.map(\.weights) == ["embedding", "lstm", "fc"])
    #expect(model.outputs.map(\.value) == [.node(2), .cell(1, layer: 1)])
    #expect(model.outputs[1].form == .vector(size: 48))
    #expect(model.unusedTensors == [])
  }

  @Test func unusedTensorsAreListed() throws {
    let model = try model(
      [.init(name: "y", op: .linear, inputs: ["x"])],
      tensors: ["y.weight": [3, 2], "y.bias": [3], "z": [1], "a": []])
    #expect(model.unusedTensors == ["a", "z"])
    #expect(model.parameterCount == 9)
  }

  // MARK: Forms

  @Test(arguments: [
    (Description.Op.sigmoid, Model.ValueForm.sequence(size: 2)), (.softmax, .sequence(size: 2)),
    (.l2Norm(epsilon: 0), .sequence(size: 2)), (.layerNorm(epsilon: 0), .sequence(size: 2)),
    (.linear, .sequence(size: 3)), (.last, .vector(size: 2)), (.max, .vector(size: 2)),
  ])
  func infersForm(op: Description.Op, form: Model.ValueForm) throws {
    let tensors = op == .linear ? ["y.weight": [3, 2]] : [:]
    let model = try model([.init(name: "y", op: op, inputs: ["x"])], tensors: tensors)
    #expect(model.nodes[0].form == form)
  }

  @Test func infersCombinedForms() throws {
    let model = try model(
      [
        .init(name: "c", op: .concat, inputs: ["x", "x", "x"]),
        .init(name: "a", op: .add, inputs: ["c", "c"]),
        .init(name: "s", op: .linear, inputs: ["a"]),
        .init(name: "y", op: .softmaxSum, inputs: ["s", "a"]),
      ], tensors: ["s.weight": [1, 6]])
    #expect(
      model.nodes.map(\.form)
        == [.sequence(size: 6), .sequence(size: 6), .sequence(size: 1), .vector(size: 6)])
  }

  @Test func affineIsFilledFromAttributesTensorsAndDefaults() throws {
    func op(_ scale: [Float]?, _ shift: [Float]?, _ tensors: [String: [Int]]) throws
      -> Description.Op
    {
      try model(
        [.init(name: "y", op: .affine(scale: scale, shift: shift), inputs: ["x"])], tensors: tensors
      )
      .nodes[0].op
    }
    #expect(try op([3], nil, [:]) == .affine(scale: [3, 3], shift: [0, 0]))
    #expect(try op([3, 4], nil, ["y.bias": [2]]) == .affine(scale: [3, 4], shift: [0, 0]))
    #expect(try op(nil, [5], ["y.weight": [2]]) == .affine(scale: [0, 0], shift: [5, 5]))
    #expect(try op(nil, [5], [:]) == .affine(scale: [1, 1], shift: [5, 5]))
    expectError(mentioning: ["\"y.weight\"", "\"y\""]) { _ = try op(nil, nil, [:]) }
    expectError(mentioning: ["nodes[0].scale", "3", "1 or 2"]) { _ = try op([1, 2, 3], nil, [:]) }
    expectError(mentioning: ["nodes[0].shift[0]", "nan"]) { _ = try op(nil, [.nan], [:]) }
  }

  // MARK: Refusals

  static let lstmTensors = [
    "y.weight_ih_l0": [12, 2], "y.weight_hh_l0": [12, 3], "y.bias_ih_l0": [12],
    "y.bias_hh_l0": [12],
    "y.weight_ih_l1": [12, 3], "y.weight_hh_l1": [12, 3], "y.bias_ih_l1": [12],
    "y.bias_hh_l1": [12],
  ]

  /// What happens to `lstmTensors` when some are changed (an empty shape: taken away).
  @Test(
    arguments: [
      (["y.weight_ih_l0": [11, 2]], ["y.weight_ih_l0", "[4·hidden, 2]", "[11, 2]"]),
      (["y.weight_ih_l0": [12, 5]], ["y.weight_ih_l0", "[4·hidden, 2]", "[12, 5]"]),
      (["y.weight_ih_l0": [24]], ["y.weight_ih_l0", "[24]"]),
      (["y.weight_ih_l0": []], ["y.weight_ih_l0", "no tensor", "\"y\""]),
      (["y.weight_hh_l0": [12, 5]], ["y.weight_hh_l0", "[12, 3]", "[12, 5]"]),
      (["y.weight_hh_l1": []], ["y.weight_hh_l1", "no tensor"]),
      (["y.weight_ih_l1": [12, 6]], ["y.weight_ih_l1", "[12, 3]", "[12, 6]"]),
      (["y.weight_ih_l1": []], ["y.bias_hh_l1", "does not fit"]),
      (["y.bias_hh_l0": []], ["y.bias_hh_l0", "no tensor"]),
      (["y.bias_ih_l0": []], ["y.bias_ih_l0", "no tensor"]),
      (["y.bias_ih_l1": [3]], ["y.bias_ih_l1", "[12]", "[3]"]),
      (["y.weight_ih_l0_reverse": [12, 2]], ["y.weight_hh_l0_reverse", "no tensor"]),
      (["y.weight_ih_l1_reverse": [12, 3]], ["y.weight_ih_l1_reverse", "does not fit"]),
      (["y.weight_ih_l3": [12, 3]], ["y.weight_ih_l3", "does not fit"]),
      (["y.weight_hr_l0": [2, 4]], ["y.weight_hr_l0", "[projection, 3]", "[2, 4]"]),
      (["y.weight_hr_l0": [2, 3]], ["y.weight_hh_l0", "[12, 2]"]),
      (["y.weight_hr_l0": [2]], ["y.weight_hr_l0", "[projection, 3]", "[2]"]),
      (["y.weight_hr_l1": [2, 3]], ["y.weight_hr_l1", "does not fit"]),
    ] as [([String: [Int]], [String])])
  func refusesInconsistentLSTM(changes: [String: [Int]], parts: [String]) throws {
    let node = Description.Node(name: "y", op: .lstm, inputs: ["x"])
    let whole = try model([node], tensors: Self.lstmTensors)
    #expect(whole.nodes[0].recurrent?.layers == 2)
    var tensors = Self.lstmTensors
    for (name, shape) in changes { tensors[name] = shape.isEmpty ? nil : shape }
    expectError(mentioning: parts) { _ = try model([node], tensors: tensors) }
  }

  @Test func initialStatesHaveAllLayers() throws {
    func inputs(_ h: Int, _ c: Int) -> [Description.Input] {
      [
        .init(name: "x", kind: .features(size: 2, mean: nil, scale: nil)),
        .init(name: "h", kind: .vector(size: h)), .init(name: "c", kind: .vector(size: c)),
      ]
    }
    let node = Description.Node(name: "y", op: .lstm, inputs: ["x", "h", "c"])
    _ = try model(inputs: inputs(6, 6), [node], tensors: Self.lstmTensors)
    expectError(mentioning: ["nodes[0].inputs[1]", "size 6", "size 3"]) {
      _ = try model(inputs: inputs(3, 6), [node], tensors: Self.lstmTensors)
    }
    expectError(mentioning: ["nodes[0].inputs[2]", "size 6", "size 7"]) {
      _ = try model(inputs: inputs(6, 7), [node], tensors: Self.lstmTensors)
    }
  }

  @Test(
    arguments: [
      ([.init(name: "y", op: .tanh, inputs: ["z"])], ["nodes[0].inputs[0]", "\"z\""]),
      ([.init(name: "x", op: .tanh, inputs: ["x"])], ["nodes[0].name", "\"x\"", "inputs[0].name"]),
      (
        [
          .init(name: "y.cell", op: .tanh, inputs: ["x"]),
          .init(name: "y", op: .lstm, inputs: ["x"]),
        ], ["nodes[1].name", "\"y.cell\"", "nodes[0].name"]
      ),
      (
        [
          .init(name: "y", op: .add, inputs: ["x", "z"]),
          .init(name: "z", op: .tanh, inputs: ["y"]),
        ], ["y → z → y"]
      ),
      ([.init(name: "y", op: .tanh, inputs: ["y"])], ["y → y"]),
      (
        [.init(name: "y", op: .tanh, inputs: ["x"]), .init(name: "z", op: .tanh, inputs: ["y"])],
        ["nodes[1]", "\"z\"", "no output"]
      ),
      (
        [.init(name: "y", op: .tanh, inputs: [])],
        ["nodes[0].inputs", "0 names", "1 name for tanh"]
      ),
      ([.init(name: "y", op: .concat, inputs: ["x"])], ["nodes[0].inputs", "2 to 100 names"]),
      (
        [.init(name: "y", op: .tanh, inputs: ["x"], weights: "w")],
        ["nodes[0].weights", "\"w\"", "tanh"]
      ),
      (
        [.init(name: "l", op: .last, inputs: ["x"]), .init(name: "y", op: .mean, inputs: ["l"])],
        ["nodes[1].inputs[0]", "mean", "a sequence", "a vector of size 2"]
      ),
      (
        [
          .init(name: "l", op: .slice(start: 0, end: 1), inputs: ["x"]),
          .init(name: "m", op: .concat, inputs: ["x", "l"]),
          .init(name: "y", op: .add, inputs: ["m", "x"]),
        ], ["nodes[2].inputs[1]", "add", "a size of 3 or 1", "a sequence of size 2"]
      ),
      (
        [
          .init(name: "l", op: .concat, inputs: ["x", "x"]),
          .init(name: "y", op: .multiply, inputs: ["x", "l"]),
        ], ["nodes[1].inputs[1]", "size 2", "size 4"]
      ),
      ([.init(name: "y", op: .slice(start: 2), inputs: ["x"])], ["nodes[0].start", "-2 to 1"]),
      (
        [.init(name: "y", op: .slice(start: 1, end: 1), inputs: ["x"])],
        ["nodes[0].end", "found 1", "2 to 2"]
      ),
      (
        [.init(name: "y", op: .slice(stride: 0), inputs: ["x"])],
        ["nodes[0].stride", "1 to 4194304"]
      ),
      ([.init(name: "y", op: .gather([0, 2]), inputs: ["x"])], ["nodes[0].indices[1]", "0 to 1"]),
      ([.init(name: "y", op: .gather([]), inputs: ["x"])], ["nodes[0].indices", "1 or more"]),
      (
        [.init(name: "y", op: .transpose(rows: 3), inputs: ["x"])],
        ["nodes[0].rows", "found 3", "a divisor of 2"]
      ),
      (
        [.init(name: "y", op: .groupNorm(groups: 3), inputs: ["x"])],
        ["nodes[0].groups", "found 3", "a divisor of 2"]
      ),
      (
        [.init(name: "y", op: .pad(channels: 2, before: 1, mode: .reflect), inputs: ["x"])],
        ["nodes[0].before", "found 1", "a channel's 1 elements"]
      ),
      (
        [.init(name: "y", op: .maxPool1D(kernel: 3), inputs: ["x"])],
        ["nodes[0].kernel", "over 3 elements", "at most 2"]
      ),
      (
        [.init(name: "y", op: .averagePool1D(kernel: 2, padding: [2]), inputs: ["x"])],
        ["nodes[0].padding", "half of the kernel, 2"]
      ),
      (
        [.init(name: "y", op: .maxPool1D(padding: [0, 0, 0]), inputs: ["x"])],
        ["nodes[0].padding", "one or two whole numbers"]
      ),
      (
        [.init(name: "y", op: .attention(heads: 3), inputs: ["x", "x"])],
        ["nodes[0].heads", "found 3", "a divisor of 2"]
      ),
      (
        [.init(name: "y", op: .attention(), inputs: ["x", "x"], weights: "w")],
        ["nodes[0].weights", "\"w\"", "additive"]
      ),
      ([.init(name: "y", op: .conv1D(), inputs: ["x"])], ["\"y.weight\"", "node \"y\""]),
      ([.init(name: "y", op: .batchNorm(), inputs: ["x"])], ["\"y.running_mean\""]),
      (
        [.init(name: "y", op: .softmaxSum, inputs: ["x", "x"])],
        ["nodes[0].inputs[0]", "size 1", "size 2"]
      ),
      (
        [.init(name: "y", op: .embedding, inputs: ["x"])],
        ["nodes[0].inputs[0]", "tokens", "a sequence of size 2"]
      ),
      ([.init(name: "y", op: .l2Norm(epsilon: -1), inputs: ["x"])], ["nodes[0].epsilon", "-1"]),
      ([.init(name: "", op: .tanh, inputs: ["x"])], ["nodes[0].name", "letters"]),
      ([.init(name: "y", op: .linear, inputs: ["x"])], ["\"y.weight\"", "node \"y\""]),
    ] as [([Description.Node], [String])])
  func refusesNodes(nodes: [Description.Node], parts: [String]) {
    expectError(mentioning: parts) { _ = try model(nodes) }
  }

  @Test(
    arguments: [
      (.linear, ["y.weight": [3, 5]], ["y.weight", "[out, 2]", "[3, 5]"]),
      (.linear, ["y.weight": [3, 2], "y.bias": [2]], ["y.bias", "[3]", "[2]"]),
      (.linear, ["y.weight": [0, 2]], ["y.weight", "[0, 2]"]),
      (.layerNorm(epsilon: 0), ["y.weight": [3]], ["y.weight", "[2]", "[3]"]),
      (.layerNorm(epsilon: 0), ["y.bias": [2, 1]], ["y.bias", "[2]", "[2, 1]"]),
      (.affine(scale: nil, shift: nil), ["y.weight": [1]], ["y.weight", "[2]", "[1]"]),
    ] as [(Description.Op, [String: [Int]], [String])])
  func refusesTensors(op: Description.Op, tensors: [String: [Int]], parts: [String]) {
    expectError(mentioning: parts) {
      _ = try model([.init(name: "y", op: op, inputs: ["x"])], tensors: tensors)
    }
  }

  @Test func embeddingHasARowAnId() {
    expectError(mentioning: ["y.weight", "[50, size]", "[49, 4]"]) {
      _ = try model(
        inputs: [Self.tokens], [.init(name: "y", op: .embedding, inputs: ["ids"])],
        tensors: ["y.weight": [49, 4]])
    }
  }

  @Test func tensorThatIsNotOfFloatsIsRefused() {
    expectError(mentioning: ["\"y.weight\"", "I64"]) {
      _ = try Model(
        description: Description(
          name: "m", version: "1",
          inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))],
          nodes: [.init(name: "y", op: .linear, inputs: ["x"])], outputs: [.init(name: "y")]),
        tensors: TensorFile(
          bytes: tensorBytes(
            #"{"y.weight":{"dtype":"I64","shape":[1,1],"data_offsets":[0,8]}}"#,
            data: [UInt8](repeating: 0, count: 8))))
    }
  }

  @Test(
    arguments: [
      (.features(size: 0, mean: nil, scale: nil), ["inputs[0].size", "0"]),
      (.features(size: 2, mean: [1], scale: nil), ["inputs[0].mean", "1", "2"]),
      (.features(size: 2, mean: nil, scale: [1, 2, 3]), ["inputs[0].scale", "3", "2"]),
      (.features(size: 2, mean: nil, scale: [1, 0]), ["inputs[0].scale[1]", "0"]),
      (.features(size: 2, mean: [1, .infinity], scale: nil), ["inputs[0].mean[1]", "inf"]),
      (.tokens(size: 3, vocabulary: ["a", "b"]), ["inputs[0].vocabulary", "2", "3"]),
      (
        .tokens(size: 2, vocabulary: ["a", "a"]),
        ["inputs[0].vocabulary[1]", "\"a\"", "vocabulary[0]"]
      ),
      (.tokens(size: 2, vocabulary: nil), ["nodes[0].inputs[0]", "tanh", "tokens"]),
      (.vector(size: -1), ["inputs[0].size", "-1"]),
    ] as [(Description.Input.Kind, [String])])
  func refusesInput(kind: Description.Input.Kind, parts: [String]) {
    expectError(mentioning: parts) {
      _ = try model(
        inputs: [.init(name: "x", kind: kind)], [.init(name: "y", op: .tanh, inputs: ["x"])])
    }
  }

  @Test func unusedInputIsRefused() {
    expectError(mentioning: ["inputs[1]", "\"v\""]) {
      _ = try model(
        inputs: [
          feature("x", size: 1), .init(name: "v", kind: .vector(size: 1)),
        ], [.init(name: "y", op: .tanh, inputs: ["x"])])
    }
  }

  @Test(
    arguments: [
      ([], ["outputs", "none"]), ([.init(name: "z")], ["outputs[0].name", "\"z\""]),
      ([.init(name: "y"), .init(name: "y")], ["outputs[1].name", "\"y\"", "outputs[0].name"]),
      ([.init(name: "y", labels: ["a"])], ["outputs[0].labels", "1", "2 labels"]),
      ([.init(name: "y", labels: ["a", "a"])], ["outputs[0].labels[1]", "\"a\""]),
      ([.init(name: "y", forecasts: "z")], ["outputs[0].forecasts", "\"z\""]),
      ([.init(name: "y", forecasts: "y")], ["outputs[0].forecasts", "\"y\"", "features"]),
    ] as [([Description.Output], [String])])
  func refusesOutputs(outputs: [Description.Output], parts: [String]) {
    expectError(mentioning: parts) {
      _ = try model([.init(name: "y", op: .tanh, inputs: ["x"])], outputs: outputs)
    }
  }

  /// A name that nothing has is told beside those that there are.
  @Test(
    arguments: [
      ("zzzz", #""x", "l", "l.hidden", "l.cell", "y""#),
      ("l.hiden", "perhaps \"l.hidden\" is meant"),
      ("X", #""l.cell", "y""#),
    ])
  func unknownNamesAreToldBesideOthers(name: String, part: String) {
    let path = "nodes[1].inputs[0]: nothing is named \"\(name)\"; there is \"x\", "
    expectError(mentioning: [path, part]) {
      _ = try model([
        .init(name: "l", op: .lstm, inputs: ["x"]), .init(name: "y", op: .tanh, inputs: [name]),
      ])
    }
  }

  /// Many are cut short.
  @Test func someOfManyNames() {
    func error(_ count: Int) -> String {
      "\(ModelError.unknownName("a", path: "p", known: (0..<count).map { "node\($0)" }))"
    }
    #expect(error(20).hasSuffix(#""node18", "node19""#))
    #expect(error(21).hasSuffix(#""node19" and 1 more"#))
  }

  @Test func vectorsAloneAreNoSequence() {
    expectError(mentioning: ["inputs", "vectors only", "features or tokens"]) {
      _ = try model(
        inputs: [.init(name: "x", kind: .vector(size: 2))],
        [.init(name: "y", op: .tanh, inputs: ["x"])])
    }
  }

  /// A projection as wide as an array without elements may be.
  @Test func hugeProjectionIsRefused() throws {
    func entry(_ name: String, _ shape: String, _ offsets: String) -> String {
      #""\#(name)":{"dtype":"F32","shape":[\#(shape)],"data_offsets":[\#(offsets)]}"#
    }
    let header = [
      entry("y.weight_hr_l0", "16777216,0", "96,96"),
      entry("y.weight_ih_l0", "12,2", "0,96"),
      entry("y.weight_ih_l0_reverse", "0,2", "96,96"),
      entry("y.weight_ih_l1", "0,2", "96,96"),
    ]
    let file = try TensorFile(
      bytes: tensorBytes(
        "{\(header.joined(separator: ","))}",
        data: Array(repeating: 0, count: 96)))
    expectError(mentioning: ["y.weight_hr_l0", "[projection, 3]"]) {
      _ = try Model(
        description: Description(
          name: "m", version: "1",
          inputs: [.init(name: "x", kind: .features(size: 2, mean: nil, scale: nil))],
          nodes: [.init(name: "y", op: .lstm, inputs: ["x"])], outputs: [.init(name: "y")]),
        tensors: file)
    }
  }

  @Test func tokensAreNoOutput() {
    expectError(mentioning: ["outputs[0].name", "\"ids\"", "tokens"]) {
      _ = try model(inputs: [Self.tokens], [], outputs: [.init(name: "ids")])
    }
  }

  @Test(arguments: [(4, true), (5, false), (6, true)]) func forecastHoldsWholeSteps(
    size: Int, fits: Bool
  ) throws {
    func build() throws -> Model {
      try model(
        [.init(name: "y", op: .linear, inputs: ["x"])],
        outputs: [.init(name: "y", forecasts: "x")], tensors: ["y.weight": [size, 2]])
    }
    if fits {
      #expect(try build().outputs[0].forecasts == 0)
    } else {
      expectError(mentioning: ["outputs[0].forecasts", "2", "5"]) { _ = try build() }
    }
  }

  // MARK: Limits

  @Test(arguments: ["", ".", "..", ".a", "a/b", "a b", "é", "a\n"]) func refusesName(name: String) {
    let nodes = [Description.Node(name: "y", op: .tanh, inputs: ["x"])]
    expectError(mentioning: ["name: expected"]) { _ = try model(nodes, name: name) }
    expectError(mentioning: ["version: expected"]) { _ = try model(nodes, version: name) }
  }

  @Test(arguments: [-1, 0, 1]) func limitsHold(excess: Int) throws {
    func check(_ name: String, _ build: () throws -> Model) throws {
      if excess <= 0 {
        _ = try build()
      } else {
        expectError(mentioning: [name]) { _ = try build() }
      }
    }
    let y = Description.Node(name: "y", op: .tanh, inputs: ["x"])
    try check("name") {
      try model([y], name: String(repeating: "a", count: ModelLimits.nameBytes + excess))
    }
    try check("nodes") {
      let count = ModelLimits.nodes + excess
      return try model(
        (0..<count).map {
          .init(name: "n\($0)", op: .tanh, inputs: [$0 == 0 ? "x" : "n\($0 - 1)"])
        }, outputs: [.init(name: "n\(count - 1)")])
    }
    let names = (0..<ModelLimits.inputs + excess).map { "v\($0)" }
    try check("inputs") {
      try model(
        inputs: names.map { feature($0, size: 1) }, [],
        outputs: names.prefix(ModelLimits.outputs).map { .init(name: $0) })
    }
    try check("outputs") {
      let count = ModelLimits.outputs + excess
      return try model(
        (0..<count).map { .init(name: "n\($0)", op: .tanh, inputs: ["x"]) },
        outputs: (0..<count).map { .init(name: "n\($0)") })
    }
    try check("nodes[0].inputs") {
      try model([
        .init(
          name: "y", op: .add, inputs: Array(repeating: "x", count: ModelLimits.nodeInputs + excess)
        )
      ])
    }
    try check("inputs[0].size") {
      try model(inputs: [feature("x", size: ModelLimits.size + excess)], [y])
    }
    try check("nodes[0]: the size of its value") {
      try model(
        inputs: [
          feature("x", size: ModelLimits.size - 2), feature("z", size: excess + 2),
        ], [.init(name: "y", op: .concat, inputs: ["x", "z"])])
    }
  }

  private func feature(_ name: String, size: Int) -> Description.Input {
    .init(name: name, kind: .features(size: size, mean: nil, scale: nil))
  }

  // MARK: Folders

  @Test func folderLoadsAndItsErrorsNameTheFile() throws {
    let folder = "/tmp/carousel-model-\(UInt64.random(in: 0 ... .max))"
    // SAFETY: the path is a zero-terminated string for the length of each call.
    try #require(unsafe mkdir(folder, 0o700) == 0)
    defer {
      OpenFile.remove("\(folder)/model.json")
      OpenFile.remove("\(folder)/model.safetensors")
      unsafe rmdir(folder)
    }
    expectError(mentioning: ["\(folder) holds no model.json"]) { _ = try Model(folder: folder) }

    let source = try model(
      [.init(name: "y", op: .linear, inputs: ["x"])], tensors: ["y.weight": [3, 2]])
    try source.description.write(to: "\(folder)/model.json")
    #expect(throws: ModelError.missingFile("model.safetensors", folder: folder, .none)) {
      try Model(folder: folder)
    }
    #expect(throws: ModelError.notFolder(path: "\(folder)/model.json")) {
      try Model(folder: "\(folder)/model.json")
    }

    try TensorFile.write([("y.weight", [1, 3], [1, 2, 3])], to: "\(folder)/model.safetensors")
    expectError(mentioning: [folder, "y.weight", "[out, 2]", "[1, 3]"]) {
      _ = try Model(folder: folder)
    }

    try TensorFile.write([("y.weight", [1, 2], [1, 2])], to: "\(folder)/model.safetensors")
    let model = try Model(folder: folder)
    #expect(model.description == source.description)
    #expect(model.nodes[0].form == .sequence(size: 1))
    #expect(try model.tensors.floats("y.weight") == [1, 2])
  }
}
