/// Cells of LSTMs and GRUs that are written as arithmetic, as exporters write `nn.LSTMCell` and people write their own, of
/// models whose callers keep the state: a node of one step each, so that a session can keep it. An RNN's cell is told from
/// a dense layer of two inputs by its names (`NamedStates`), or by the loop that says what its next states are.
struct WrittenCells {
  /// The graph with the cells' nodes.
  private(set) var graph: SourceGraph
  /// The inputs with the cells' states.
  private(set) var states: Set<String> = []
  private var forms: AffineForms
  private let consumers: NodeConsumers
  /// Of a loop's body: the next value of each state.
  private let loop: [String: String]?
  /// What tells an RNN's state; nil in a loop.
  private let named: NamedStates?
  private let order: [String: Int]
  /// The nodes of the cells, and the values that they make.
  private var cells: [SourceNode] = []
  private var made: Set<String> = []

  /// Nil where there are none.
  ///
  /// - Parameter loop: of a loop's body, the next value of each state. Its cells are nodes that read [batch, size], as no operator
  ///   of ONNX does: LSTM, GRU or RNN with the next states as their outputs 1 and 2.
  init?(_ graph: SourceGraph, loop: [String: String]? = nil) {
    named = loop == nil ? NamedStates(graph) : nil
    guard
      loop != nil || named?.isEmpty == false || graph.nodes.contains(where: { $0.op == "Sigmoid" })
    else { return nil }
    self.graph = graph
    self.loop = loop
    forms = AffineForms(
      graph,
      addends: loop.map { states in Set(graph.inputs.map(\.name)).subtracting(states.keys) } ?? [])
    consumers = NodeConsumers(graph)
    order = Dictionary(
      graph.inputs.enumerated().map { ($0.element.name, $0.offset) }
        .filter { loop == nil || loop?[$0.0] != nil },
      uniquingKeysWith: { a, _ in a })
    for node in graph.nodes {
      guard let cell = lstm(node) ?? gru(node) ?? rnn(node) else { continue }
      replace(cell)
    }
    guard !states.isEmpty else { return nil }
    insertCells()
  }

  // MARK: States

  /// The input that a state comes of, by selecting elements alone, if the state is [batch, size].
  private mutating func input(of state: String) -> String? {
    guard forms.rank(of: state) == 2 else { return nil }
    let name = forms.source(of: state)
    return order[name] != nil ? name : nil
  }

  /// Whether a value, moved or beside others, is an output.
  private func isAnswered(_ value: String) -> Bool {
    var (seen, pending): (Set<String>, [String]) = ([], [value])
    while let name = pending.popLast() {
      if graph.outputs.contains(name) { return true }
      guard seen.insert(name).inserted, seen.count < 256 else { continue }
      for node in consumers[name]
      where NodeConsumers.moving.contains(node.op) || ["Concat", "Identity"].contains(node.op) {
        pending += node.outputs
      }
    }
    return false
  }

  /// An LSTM's h among what its gates multiply: what an input holds; of two, the one nearer to c among the inputs.
  private mutating func hidden(_ gates: [AffineForms.Form], beside cell: String) -> String? {
    guard let place = input(of: cell).flatMap({ order[$0] }) else { return nil }
    var distances: [String: Int] = [:]
    for form in gates {
      for (name, matrix) in form.matrices where matrix.count == form.size && name != cell {
        guard let own = input(of: name).flatMap({ order[$0] }) else { continue }
        distances[name] = abs(own - place)
      }
    }
    guard let least = distances.values.min() else { return nil }
    let nearest = distances.filter { $0.value == least }.map(\.key)
    return nearest.count == 1 ? nearest[0] : nil
  }

  // MARK: Kinds

  /// A product of a gate and a value.
  private struct Gated {
    let gate: String
    let form: AffineForms.Form
    let value: String
    var peephole: Peephole?
  }

  /// A state that a gate reads element by element.
  private struct Peephole {
    let state: String
    let weights: [Double]
  }

  private mutating func gated(_ name: String) -> Gated? {
    guard let node = forms.producer(name), node.op == "Mul", node.inputs.count == 2 else {
      return nil
    }
    for (first, second) in [(0, 1), (1, 0)] {
      let (gate, value) = (node.inputs[first], forms.origin(node.inputs[second]))
      if let form = forms.form(before: "Sigmoid", of: gate) {
        return Gated(gate: forms.origin(gate), form: form, value: value)
      }
      if let (form, peephole) = peephole(gate) {
        return Gated(gate: forms.origin(gate), form: form, value: value, peephole: peephole)
      }
    }
    return nil
  }

  /// σ(a + p ⊙ c).
  private mutating func peephole(_ gate: String) -> (AffineForms.Form, Peephole)? {
    guard let node = forms.producer(gate), node.op == "Sigmoid",
      let sum = node.input(0).flatMap(forms.producer), sum.op == "Add", sum.inputs.count == 2
    else { return nil }
    for (own, other) in [(0, 1), (1, 0)] {
      guard let product = forms.producer(sum.inputs[other]), product.op == "Mul",
        product.inputs.count == 2
      else { continue }
      for (first, second) in [(0, 1), (1, 0)] {
        guard let weights = forms.constant(product.inputs[first]),
          let form = forms.form(sum.inputs[own]), weights.count == form.size
        else { continue }
        let state = forms.origin(product.inputs[second])
        return (form, Peephole(state: state, weights: weights.dense))
      }
    }
    return nil
  }

  /// Activations that have no numbers of their own.
  private static let activations = ["Tanh", "Relu", "Softsign"]

  /// What an activation makes of an affine function.
  private mutating func activated(_ name: String) -> (op: String, form: AffineForms.Form)? {
    for op in Self.activations {
      if let form = forms.form(before: op, of: name) { return (op, form) }
    }
    return nil
  }

  /// h' = σ(o) tanh(c'), c' = σ(f) c + σ(i) tanh(g); or with another activation in tanh's place.
  private mutating func lstm(_ node: SourceNode) -> WrittenCell? {
    guard node.op == "Mul", let next = node.output(0), let output = gated(next),
      let activation = forms.producer(output.value), Self.activations.contains(activation.op),
      let sum = activation.input(0).flatMap(forms.producer), sum.op == "Add", sum.inputs.count == 2,
      let nextCell = sum.output(0)
    else { return nil }
    for (kept, added) in [(0, 1), (1, 0)] {
      guard let forget = gated(sum.inputs[kept]), input(of: forget.value) != nil,
        let entry = gated(sum.inputs[added]),
        let (inner, candidate) = activated(entry.value),
        let hidden = hidden(
          [entry.form, output.form, forget.form, candidate], beside: forget.value)
      else { continue }
      let gates = [entry, output, forget]
      let states = [forget.value, forms.origin(nextCell), forget.value]
      guard zip(gates, states).allSatisfy({ ($0.peephole?.state ?? $1) == $1 }) else { continue }
      let zeros = Array(repeating: 0.0, count: candidate.size)
      return WrittenCell(
        op: "LSTM", gates: gates.map(\.form) + [candidate],
        attributes: ["activations": .texts(["Sigmoid", inner, activation.op])],
        peepholes: gates.contains { $0.peephole != nil }
          ? gates.flatMap { $0.peephole?.weights ?? zeros } : nil,
        hidden: hidden, cell: forget.value, next: [next, nextCell])
    }
    return nil
  }

  /// h' = (1 − z) n + z h, also as (h − n) z + n, or with 1 − z in the place of z; n = tanh(a + r b), or of r h.
  private mutating func gru(_ node: SourceNode) -> WrittenCell? {
    guard node.op == "Add", node.inputs.count == 2, let next = node.output(0),
      let mix = mix(node), let activation = forms.producer(mix.candidate),
      Self.activations.contains(activation.op), let candidate = activation.input(0)
    else { return nil }
    let hidden = mix.hidden
    let activations = SourceAttribute.texts(["Sigmoid", activation.op])
    // The reset gate behind the product.
    if let sum = forms.producer(candidate), sum.op == "Add", sum.inputs.count == 2 {
      for (own, other) in [(0, 1), (1, 0)] {
        guard let reset = gated(sum.inputs[other]), reset.peephole == nil,
          let recurrent = forms.form(reset.value),
          let given = forms.form(sum.inputs[own]), given.matrices[hidden] == nil,
          Array(recurrent.matrices.keys) == [hidden]
        else { continue }
        return WrittenCell(
          op: "GRU", gates: [mix.update, reset.form, given], recurrent: recurrent,
          attributes: ["linear_before_reset": .integer(1), "activations": activations],
          hidden: hidden, next: [next])
      }
    }
    guard let form = forms.form(candidate), form.matrices[hidden] == nil else {
      return nil
    }
    for (name, matrix) in form.matrices {
      guard let reset = gated(name), reset.peephole == nil, reset.value == hidden else { continue }
      var given = form
      given.matrices[name] = nil
      let zeros = Array(repeating: 0.0, count: form.size)
      return WrittenCell(
        op: "GRU", gates: [mix.update, reset.form, given],
        recurrent: AffineForms.Form(matrices: [hidden: matrix], bias: zeros),
        attributes: ["activations": activations], hidden: hidden, next: [next])
    }
    return nil
  }

  /// h' = tanh(a), or of another activation.
  private mutating func rnn(_ node: SourceNode) -> WrittenCell? {
    guard named?.isEmpty != true, (Self.activations + ["Sigmoid"]).contains(node.op),
      let next = node.output(0), loop != nil || isAnswered(next),
      let form = forms.form(before: node.op, of: next)
    else { return nil }
    var hidden = form.matrices.keys.filter { loop?[$0].map(forms.origin) == next }
    if let named {
      let inputs = form.matrices.keys.compactMap { name in input(of: name).map { (name, $0) } }
      let state = named.state(among: inputs.map(\.1))
      hidden = inputs.filter { $0.1 == state }.map(\.0)
    }
    guard hidden.count == 1 else { return nil }
    return WrittenCell(
      op: "RNN", gates: [form], attributes: ["activations": .texts([node.op])], hidden: hidden[0],
      next: [next])
  }

  /// The parts of a GRU's answer.
  private struct Mix {
    /// What weighs h.
    let update: AffineForms.Form
    let hidden: String
    let candidate: String

    /// Nil where neither value is a state.
    init?(_ gate: AffineForms.Form, of first: String, and second: String, isFirstState: Bool?) {
      guard let isFirstState else { return nil }
      (hidden, candidate) = isFirstState ? (first, second) : (second, first)
      update = isFirstState ? gate : gate.negative
    }
  }

  private mutating func mix(_ node: SourceNode) -> Mix? {
    func isFirst(_ first: String, _ second: String) -> Bool? {
      input(of: first) != nil ? true : input(of: second) != nil ? false : nil
    }
    for (index, other) in [(0, 1), (1, 0)] {
      guard let own = gated(node.inputs[index]), own.peephole == nil else { continue }
      // z (a − b) + b
      if let difference = forms.producer(own.value), difference.op == "Sub",
        difference.inputs.count == 2
      {
        let (a, b) = (forms.origin(difference.inputs[0]), forms.origin(difference.inputs[1]))
        guard forms.origin(node.inputs[other]) == b else { continue }
        return Mix(own.form, of: a, and: b, isFirstState: isFirst(a, b))
      }
      // z a + (1 − z) b
      guard let product = forms.producer(node.inputs[other]), product.op == "Mul",
        product.inputs.count == 2
      else { continue }
      for (first, second) in [(0, 1), (1, 0)] {
        guard let rest = forms.producer(product.inputs[first]), rest.op == "Sub",
          let one = forms.constant(rest.input(0)), one.elements.allSatisfy({ $0 == 1 }),
          rest.input(1).map(forms.origin) == own.gate
        else { continue }
        let b = forms.origin(product.inputs[second])
        return Mix(own.form, of: own.value, and: b, isFirstState: isFirst(own.value, b))
      }
    }
    return nil
  }

  // MARK: The node

  /// Whether a cell's states are answered; of a loop, whether they are what its states are next.
  private func isItsOwnNext(_ cell: WrittenCell) -> Bool {
    guard let loop else { return cell.next.allSatisfy(isAnswered) }
    return zip(cell.states, cell.next).allSatisfy { state, next in
      loop[state].map(forms.origin) == forms.origin(next)
    }
  }

  private mutating func replace(_ cell: WrittenCell) {
    let size = cell.gates[0].size
    let given = cell.gates.dropLast(cell.recurrent == nil ? 0 : 1)
    let sources = Set(cell.gates.flatMap(\.matrices.keys)).subtracting([cell.hidden]).sorted()
    guard let hiddenInput = input(of: cell.hidden), isItsOwnNext(cell),
      !sources.isEmpty, !sources.contains(where: { $0 == cell.cell }),
      cell.gates.allSatisfy({ $0.size == size }),
      given.allSatisfy({ $0.matrices[cell.hidden]?.count == size }),
      cell.recurrent.map({ $0.size == size && $0.matrices[cell.hidden]?.count == size }) ?? true
    else { return }
    var sizes: [Int] = []
    for source in sources {
      let own = Set(cell.gates.compactMap { $0.matrices[source]?.count })
      guard own.count == 1, let size = own.first else { return }
      sizes.append(size)
    }
    let (input, recurrent, biases) = cell.weights(of: sources, sizes: sizes)
    let rows = cell.gates.count * size
    let name = cell.next[0]
    func tensor(_ part: String, _ shape: [Int], _ elements: [Double]) -> String {
      graph.constants["\(name)/cell/\(part)"] = SourceConstant(
        SourceTensor(shape: shape, elements: elements))
      return "\(name)/cell/\(part)"
    }
    let weights = [
      tensor("W", [1, rows, sizes.reduce(0, +)], input), tensor("R", [1, rows, size], recurrent),
      tensor("B", [1, 2 * rows], biases),
    ]
    let peepholes = cell.peepholes.map { [tensor("P", [1, $0.count], $0)] } ?? []
    graph.constants["\(name)/cell/axis"] = SourceConstant(SourceTensor(integers: [0]))
    func add(
      _ op: String, _ inputs: [String], _ outputs: [String],
      _ attributes: [String: SourceAttribute] = [:]
    ) {
      cells.append(
        SourceNode(
          name: name, op: op, inputs: inputs, outputs: outputs, attributes: attributes))
    }
    /// An axis in front, or without it.
    func framed(_ op: String, _ value: String, _ output: String) -> String {
      if graph.opset < 13 {
        add(op, [value], [output], ["axes": .integers([0])])
      } else {
        add(op, [value, "\(name)/cell/axis"], [output])
      }
      return output
    }
    var x = sources[0]
    if sources.count > 1 {
      x = "\(name)/cell/x"
      add("Concat", sources, [x], ["axis": .integer(-1)])
    }
    var attributes = cell.attributes
    attributes["hidden_size"] = .integer(size)
    made.formUnion(cell.next)
    states.insert(hiddenInput)
    if let state = cell.cell, let input = self.input(of: state) { states.insert(input) }
    if loop != nil {
      add(cell.op, [x] + weights + [""] + cell.states + peepholes, [""] + cell.next, attributes)
      return
    }
    var operands = [framed("Unsqueeze", x, "\(name)/cell/step")] + weights + [""]
    for (index, state) in cell.states.enumerated() {
      operands.append(framed("Unsqueeze", state, "\(name)/cell/state.\(index)"))
    }
    operands += peepholes
    let ends = cell.next.indices.map { "\(name)/cell/end.\($0)" }
    add(cell.op, operands, ["\(name)/cell/steps"] + ends, attributes)
    for (end, next) in zip(ends, cell.next) { _ = framed("Squeeze", end, next) }
  }

  /// Puts the cells' nodes in the place of those that made their states, and of all that only these needed.
  private mutating func insertCells() {
    graph.nodes = graph.nodes.map { node in
      var node = node
      node.outputs = node.outputs.map { made.contains($0) ? "" : $0 }
      return node
    }
    graph.nodes += cells
    graph.order()
    graph.dropUnneeded()
  }
}
