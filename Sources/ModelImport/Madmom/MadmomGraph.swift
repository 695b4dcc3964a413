/// The graph of one network of madmom, or of an ensemble.
struct MadmomGraph {
  static let input = "x"
  private static let output = "y"

  /// What the names of a network's values begin with.
  var prefix = ""
  /// The elements of a step of the input.
  var width: Int?
  /// How many elements of weights were read.
  var elementCount = 0
  private var graph = SourceGraph(opset: 17)

  /// Adds a layer of one direction or of two; returns the name of what it answers, [batch, steps, units].
  mutating func add(_ parts: [MadmomLayer], to input: String, named name: String) -> String {
    let name = prefix + name
    guard parts.count > 1 else { return add(parts[0], isReverse: false, to: input, named: name) }
    let both = zip(parts, ["forward", "backward"]).map { part, direction in
      add(part, isReverse: direction == "backward", to: input, named: "\(name).\(direction)")
    }
    return add("Concat", both, ["axis": .integer(2)], named: name)
  }

  private mutating func add(
    _ layer: MadmomLayer, isReverse: Bool, to input: String, named name: String
  ) -> String {
    guard let op = layer.op else {
      let gate = layer.gates[0]
      let weights = constant("\(name).weights", gate.weights)
      let bias = constant("\(name).bias", gate.bias)
      let product = add("MatMul", [input, weights], named: "\(name).product")
      let sum = add("Add", [product, bias], named: "\(name).sum")
      guard let function = gate.activation.op else { return sum }
      return add(
        function, [sum], gate.activation == .softmax ? ["axis": .integer(-1)] : [:], named: name)
    }
    let units = layer.units
    let gates = op == "GRU" ? [Self.negated(layer.gates[0])] + layer.gates.dropFirst() : layer.gates
    let zeros = Array(repeating: 0.0, count: gates.count * units)
    var inputs = [
      input,
      joined(
        "\(name).W", gates.map { Self.rows($0.weights) }, [gates.count * units, layer.inputs]),
      joined(
        "\(name).R", gates.map { $0.recurrent.map(Self.rows) ?? [] }, [gates.count * units, units]),
      joined("\(name).B", gates.map(\.bias.dense) + [zeros], [2 * gates.count * units]),
      "",
    ]
    for (state, suffix) in zip(layer.states, ["h", "c"]) {
      inputs.append(
        state.map { constant("\(name).\(suffix)", $0.reshaped([1, 1, units])) } ?? "")
    }
    if gates.contains(where: { $0.peephole != nil }) {
      let none = Array(repeating: 0.0, count: units)
      inputs.append(
        joined("\(name).P", gates.prefix(3).map { $0.peephole?.dense ?? none }, [3 * units]))
    }
    let functions =
      ([layer.gates[0], layer.gates[layer.gates.count - 1]].prefix(gates.count)
      .map(\.activation) + [layer.outputActivation].compactMap { $0 }).map(\.cellFunction)
    let output = add(
      op, inputs,
      [
        "hidden_size": .integer(units), "layout": .integer(1), "linear_before_reset": .integer(1),
        "direction": .text(isReverse ? "reverse" : "forward"),
        "activations": .texts(functions.map(\.name)),
        "activation_alpha": .floats(functions.flatMap(\.alpha)),
        "activation_beta": .floats(functions.flatMap(\.beta)),
      ], named: "\(name).steps")
    return squeezed(output, axis: 2, named: name)
  }

  /// madmom's update gate u makes h' = u · candidate + (1 - u) · h, ONNX's the other way round; 1 - σ(a) = σ(-a).
  private static func negated(_ gate: MadmomLayer.Gate) -> MadmomLayer.Gate {
    var gate = gate
    gate.weights = gate.weights.map { -$0 }
    gate.recurrent = gate.recurrent?.map { -$0 }
    gate.bias = gate.bias.map { -$0 }
    return gate
  }

  /// A matrix as ONNX's recurrent networks have it, a row for each unit.
  private static func rows(_ matrix: SourceTensor) -> [Double] { matrix.permuted([1, 0]).dense }

  /// Without the last axis, which has one element.
  mutating func squeezed(_ value: String) -> String {
    squeezed(value, axis: -1, named: "\(prefix)answer")
  }

  private mutating func squeezed(_ value: String, axis: Int, named name: String) -> String {
    let axes = constant("\(name).axes", SourceTensor(integers: [axis]))
    return add("Squeeze", [value, axes], named: name)
  }

  /// The graph that answers the mean of these values.
  mutating func finished(_ answers: [String]) -> SourceGraph {
    _ = add(answers.count == 1 ? "Identity" : "Mean", answers, named: Self.output)
    graph.inputs = [
      SourceGraph.Input(
        name: Self.input, kind: .float,
        dimensions: [.named("batch"), .named("steps"), .fixed(width ?? 1)])
    ]
    graph.outputs = [Self.output]
    return graph
  }

  mutating func note(_ note: String) { graph.notes.append(note) }

  // MARK: Parts

  private mutating func add(
    _ op: String, _ inputs: [String], _ attributes: [String: SourceAttribute] = [:],
    named name: String
  ) -> String {
    graph.nodes.append(
      SourceNode(name: name, op: op, inputs: inputs, outputs: [name], attributes: attributes))
    return name
  }

  private mutating func constant(_ name: String, _ tensor: SourceTensor) -> String {
    graph.constants[name] = SourceConstant(tensor)
    return name
  }

  /// Parts one after another, as the one direction that a node has.
  private mutating func joined(_ name: String, _ parts: [[Double]], _ shape: [Int]) -> String {
    constant(name, SourceTensor(shape: [1] + shape, elements: parts.flatMap { $0 }))
  }
}
