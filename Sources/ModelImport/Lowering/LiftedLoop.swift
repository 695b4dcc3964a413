/// A loop over steps whose states are those of cells, as nodes over whole sequences: a recurrent network for each cell, and what is
/// computed between them of all steps at once. So of TensorFlow 1's `dynamic_rnn`, of JAX's `lax.scan` and of stacked cells.
struct LiftedLoop {
  private let loop: StepLoop
  private let opset: Int
  /// The body, with a node for each cell.
  private let body: SourceGraph
  /// The nodes over whole sequences, and their constants.
  private var lifted: SourceGraph
  /// For each value of the body, what it is at all steps: [steps, batch, size].
  private var steps: [String: String] = [:]
  /// What the cells' states are behind the last step, by their names in the body.
  private var ends: [String: (state: String, value: String)] = [:]

  /// The values of the node's outputs; nil where the body is no cells and arithmetic of each step.
  static func lower(_ l: inout Lowering, _ loop: StepLoop) throws(ImportError) -> [LoweredValue]? {
    guard var lifting = try LiftedLoop(&l, loop), let names = lifting.lift() else { return nil }
    try l.lower(lifting.lifted)
    var values: [LoweredValue] = []
    for (index, name) in names.enumerated() {
      switch loop.results[index] {
      case .count:
        let count = try l.value(named: loop.reads[0].sequence, of: loop.node).shape[0]
        values.append(
          .constant(SourceTensor(shape: [], kind: .integer, elements: [Double(count)])))
      default: values.append(try l.value(named: name, of: loop.node))
      }
    }
    return values
  }

  private init?(_ l: inout Lowering, _ loop: StepLoop) throws(ImportError) {
    (self.loop, opset, lifted) = (loop, l.opset, SourceGraph(opset: l.opset))
    guard !loop.reads.isEmpty,
      let body = try Self.body(&l, loop),
      !body.nodes.contains(where: { Self.networks.contains($0.op) }),
      let cells = WrittenCells(
        body,
        loop: Dictionary(
          loop.states.map { ($0.name, $0.next) }, uniquingKeysWith: { first, _ in first }))
    else { return nil }
    self.body = cells.graph
  }

  // MARK: The body

  /// The body with its inputs' sizes, what it takes from outside, and nothing that can be computed before; nil if that is more than
  /// constants.
  private static func body(
    _ l: inout Lowering, _ loop: StepLoop
  ) throws(ImportError) -> SourceGraph? {
    var body = loop.body
    body.inputs = []
    var time: [Atom]?
    for read in loop.reads {
      guard case .carried(let value) = try l.value(named: read.sequence, of: loop.node),
        value.axes.count == 3, value.kind == .float
      else { return nil }
      try RecurrentLowering.checkAxes(&l, loop.node, value, time: 0, batch: 1)
      guard time ?? value.axes[0] == value.axes[0] else { return nil }
      time = value.axes[0]
      body.inputs.append(input(read.name, value.shape.dropFirst()))
    }
    for state in loop.states {
      let shape = try l.value(named: state.first, of: loop.node).shape
      guard shape.count == 2 else { return nil }
      body.inputs.append(input(state.name, shape[...]))
    }
    body.outputs =
      loop.states.map(\.next)
      + loop.results.compactMap { if case .steps(let name, _) = $0 { name } else { nil } }
    var values: [String: SourceTensor] = [:]
    var known = Set(body.inputs.map(\.name) + body.constants.keys)
    for node in body.nodes {
      for name in node.inputs where !name.isEmpty && !known.contains(name) {
        known.insert(name)
        // A counter stays without a value.
        guard let outer = loop.outer(name),
          case .constant(let tensor) = try l.value(named: outer, of: loop.node)
        else { continue }
        values[name] = tensor
        body.constants[name] = SourceConstant(tensor)
      }
      known.formUnion(node.outputs)
    }
    return folded(body, values)
  }

  private static func input(_ name: String, _ shape: ArraySlice<Int>) -> SourceGraph.Input {
    SourceGraph.Input(
      name: name, kind: .float,
      dimensions: [.named("batch"), .fixed(shape.last ?? 1)])
  }

  /// The most elements of what is computed of constants alone.
  private static let maxFolded = 1 << 16

  private static func folded(
    _ graph: SourceGraph, _ values: [String: SourceTensor]
  ) -> SourceGraph {
    var (graph, values) = (graph, values)
    let interpreter = Interpreter(opset: graph.opset)
    var kept: [SourceNode] = []
    for var node in graph.nodes {
      for name in node.inputs where values[name] == nil {
        guard let constant = graph.constants[name],
          RowMajor.count(constant.shape, limit: maxFolded) != nil
        else { continue }
        values[name] = try? constant.tensor()
      }
      let operands = node.inputs.map { values[$0] }
      let isKnown = zip(node.inputs, operands).allSatisfy { $0.isEmpty || $1 != nil }
      if isKnown, operands.reduce(0, { $0 + ($1?.count ?? 0) }) <= maxFolded,
        let results = try? interpreter.evaluate(node, operands)
      {
        for (name, result) in zip(node.outputs, results) where !name.isEmpty {
          // A bias that is repeated for a batch of a fixed size.
          let isRepeated = node.op == "Expand" && result.rank == 2
          let result = isRepeated ? result.common(along: 0) ?? result : result
          values[name] = result
          graph.constants[name] = SourceConstant(result)
        }
        continue
      }
      // Numbers of other types are computed with as they are.
      if node.op == "Cast", node.integer("to").map({ floats.contains($0) }) ?? false {
        node.op = "Identity"
      }
      kept.append(node)
    }
    graph.nodes = kept
    return graph
  }

  /// ONNX's types of floats.
  private static let floats = [1, 10, 11]
  private static let networks = ["LSTM", "GRU", "RNN"]

  // MARK: All steps at once

  private func own(_ name: String) -> String {
    "\(loop.node.outputs.first { !$0.isEmpty } ?? loop.node.name)/\(name)"
  }

  private mutating func add(
    _ op: String, _ inputs: [String], _ outputs: [String],
    _ attributes: [String: SourceAttribute] = [:]
  ) {
    lifted.nodes.append(
      SourceNode(
        name: outputs.first { !$0.isEmpty } ?? loop.node.name, op: op, inputs: inputs,
        outputs: outputs, attributes: attributes))
  }

  private mutating func constant(_ name: String, _ tensor: SourceTensor) -> String {
    lifted.constants[name] = SourceConstant(tensor)
    return name
  }

  /// Adds an axis of one element, or takes it away.
  private mutating func frame(_ op: String, _ value: String, axis: Int, as output: String) {
    if opset < 13 {
      add(op, [value], [output], ["axes": .integers([axis])])
    } else {
      add(op, [value, constant("\(output)/axis", SourceTensor(integers: [axis]))], [output])
    }
  }

  private mutating func reversed(_ value: String, as output: String) {
    let bounds = [-1, Int(Int32.min), 0, -1]
    let names = bounds.enumerated().map { index, bound in
      constant("\(output)/bound.\(index)", SourceTensor(integers: [bound]))
    }
    add("Slice", [value] + names, [output])
  }

  /// The names of the results in the lifted graph; nil if the body has other nodes.
  private mutating func lift() -> [String]? {
    for read in loop.reads {
      steps[read.name] = read.isReversed ? own("\(read.name)/reversed") : read.sequence
      if read.isReversed { reversed(read.sequence, as: own("\(read.name)/reversed")) }
    }
    for node in body.nodes {
      guard Self.networks.contains(node.op) ? lift(cell: node) : lift(node) else { return nil }
    }
    var names: [String] = []
    for result in loop.results {
      switch result {
      case .count: names.append("")
      case .same(let name): names.append(name)
      case .state(let index):
        let state = loop.states[index]
        guard let end = ends[state.next], end.state == state.name else { return nil }
        names.append(end.value)
      case .steps(let name, let isReversed):
        guard let value = steps[name] else { return nil }
        names.append(isReversed ? own("\(name)/outward") : value)
        if isReversed { reversed(value, as: own("\(name)/outward")) }
      }
    }
    return names
  }

  /// A cell as a network over the steps, of which h alone is known at each.
  private mutating func lift(cell node: SourceNode) -> Bool {
    guard let x = steps[node.inputs[0]], let name = node.output(1) else { return false }
    var operands = [x]
    for name in node.inputs.dropFirst() {
      if name.isEmpty {
        operands.append("")
      } else if let tensor = body.constants[name] {
        lifted.constants[own(name)] = tensor
        operands.append(own(name))
      } else if let state = loop.states.first(where: { $0.name == name }) {
        frame("Unsqueeze", state.first, axis: 0, as: own("\(name)/first"))
        operands.append(own("\(name)/first"))
      } else {
        return false
      }
    }
    let outputs = ["steps", "h", "c"].prefix(node.outputs.count).map { own("\(name)/\($0)") }
    add(node.op, operands, Array(outputs), node.attributes)
    frame("Squeeze", outputs[0], axis: 1, as: own(name))
    steps[name] = own(name)
    for (index, next) in node.outputs.enumerated().dropFirst() {
      frame("Squeeze", outputs[index], axis: 0, as: own("\(next)/last"))
      ends[next] = (node.inputs[4 + index], own("\(next)/last"))
    }
    return true
  }

  /// A node that computes each step by itself.
  private mutating func lift(_ node: SourceNode) -> Bool {
    if node.op == "Identity", let source = node.input(0), let output = node.output(0) {
      (steps[output], ends[output]) = (steps[source], ends[source])
      return steps[output] != nil || ends[output] != nil
    }
    var (operands, attributes): ([String], _) = ([], node.attributes)
    for (index, name) in node.inputs.enumerated() {
      if let value = steps[name] {
        operands.append(value)
      } else if let tensor = body.constants[name] {
        // A row of its own for each sequence is none for each step.
        guard
          tensor.shape.count < 2 || tensor.shape.count == 2 && tensor.shape[0] == 1
            || index == 1 && ["MatMul", "Gemm"].contains(node.op)
        else { return false }
        lifted.constants[own(name)] = tensor
        operands.append(own(name))
      } else if name.isEmpty {
        operands.append("")
      } else {
        return false
      }
    }
    guard node.inputs.contains(where: { steps[$0] != nil }) else { return false }
    switch node.op {
    case _ where Self.elementwise.contains(node.op): break
    case "Concat", "Split", "Softmax", "LogSoftmax":
      guard [1, -1].contains(node.integer("axis", default: node.op == "Split" ? 0 : -1)),
        node.op != "Concat" || node.inputs.allSatisfy({ steps[$0] != nil })
      else { return false }
      attributes["axis"] = .integer(-1)
    case "MatMul":
      guard steps[node.inputs[0]] != nil else { return false }
    case "Gemm": return lift(gemm: node, operands)
    default: return false
    }
    let outputs = node.outputs.map { $0.isEmpty ? "" : own($0) }
    add(node.op, operands, outputs, attributes)
    for (name, output) in zip(node.outputs, outputs) where !name.isEmpty { steps[name] = output }
    return true
  }

  private static let elementwise = [
    "Tanh", "Sigmoid", "Relu", "Neg", "Exp", "Abs", "Sqrt", "Elu", "LeakyRelu", "Softplus",
    "Softsign", "HardSigmoid", "Clip", "Add", "Sub", "Mul", "Div", "Max", "Min", "Pow",
  ]

  private mutating func lift(gemm node: SourceNode, _ operands: [String]) -> Bool {
    let beta = node.float("beta") ?? 1
    guard steps[node.inputs[0]] != nil, node.float("alpha") ?? 1 == 1, [0, 1].contains(beta),
      node.integer("transA", default: 0) == 0, let output = node.output(0)
    else { return false }
    var matrix = operands[1]
    if node.integer("transB", default: 0) == 1 {
      add("Transpose", [matrix], ["\(own(output))/matrix"], ["perm": .integers([1, 0])])
      matrix = "\(own(output))/matrix"
    }
    let addend = beta == 1 ? node.input(2) == nil ? nil : operands[2] : nil
    add("MatMul", [operands[0], matrix], [addend == nil ? own(output) : "\(own(output))/product"])
    if let addend { add("Add", ["\(own(output))/product", addend], [own(output)]) }
    steps[output] = own(output)
    return true
  }
}
