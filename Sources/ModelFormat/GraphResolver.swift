/// Turns a description's names into references, in an order that can be computed, and checks every node on the way.
struct GraphResolver {
  let description: ModelDescription
  let tensors: TensorFile
  /// The tensors that some node reads.
  private(set) var usedTensors: Set<String> = []
  /// Those that the node under way reads, in order.
  var nodeTensors: [String] = []
  private(set) var nodes: [Model.ResolvedNode] = []
  private(set) var outputs: [Model.ResolvedOutput] = []

  /// Where each name is declared; node indices are the description's.
  private var declarations: [String: Declaration] = [:]
  /// For each node of the description, its place in `nodes`.
  private var resolvedIndex: [Int: Int] = [:]

  private struct Declaration {
    let target: Target
    let path: String
  }

  /// What a name stands for before its node is resolved; of a final state, nil is the last layer's.
  private enum Target {
    case input(Int)
    case node(Int)
    case hidden(Int, layer: Int?)
    case cell(Int, layer: Int?)

    /// The index of the node whose value, hidden or cell state this is.
    var node: Int? {
      switch self {
      case .input: nil
      case .node(let index), .hidden(let index, _), .cell(let index, _): index
      }
    }
  }

  /// A node's input: its path and name in the description, and what they stand for.
  struct Argument {
    /// Its place in the node's list of inputs.
    let position: Int
    let path: String
    let name: String
    let value: Model.ValueReference
    let form: Model.ValueForm
  }

  init(_ description: ModelDescription, tensors: TensorFile) throws(ModelError) {
    self.description = description
    self.tensors = tensors
    try description.checkFields()
    guard description.inputs.contains(where: { $0.kind.hasSteps }) else {
      throw .unexpected(
        path: "inputs", found: "vectors only", expected: "a features or tokens input")
    }
    try declareNames()
    for index in try nodesInOrder() {
      resolvedIndex[index] = nodes.count
      nodes.append(try resolveNode(index))
    }
    for (index, output) in description.outputs.enumerated() {
      outputs.append(try resolve(output, path: "outputs[\(index)]"))
    }
    try checkUse()
    try checkUnreadTensors()
  }

  /// Records that a node reads `tensor`, after its check.
  mutating func use(_ tensor: String, shape: [Int], node: String) throws(ModelError) {
    try tensors.check(tensor, hasShape: shape, node: node)
    usedTensors.insert(tensor)
    nodeTensors.append(tensor)
  }

  // MARK: Names

  private mutating func declareNames() throws(ModelError) {
    for (index, input) in description.inputs.enumerated() {
      try declare(input.name, .input(index), path: "inputs[\(index)].name")
    }
    for (index, node) in description.nodes.enumerated() {
      let path = "nodes[\(index)].name"
      try declare(node.name, .node(index), path: path)
      if node.op == .lstm {
        try declare("\(node.name).hidden", .hidden(index, layer: nil), path: path)
        try declare("\(node.name).cell", .cell(index, layer: nil), path: path)
      }
    }
    for (name, declaration) in declarations.sorted(by: { $0.key < $1.key }) {
      guard let state = layerState(name) else { continue }
      throw .duplicateName(name, path: declaration.path, first: state.path)
    }
  }

  private mutating func declare(
    _ name: String, _ target: Target, path: String
  ) throws(ModelError) {
    if let first = declarations[name] {
      throw .duplicateName(name, path: path, first: first.path)
    }
    declarations[name] = Declaration(target: target, path: path)
  }

  private func declaration(of name: String, path: String) throws(ModelError) -> Declaration {
    guard let declaration = declarations[name] ?? layerState(name) else {
      throw .unknownName(name, path: path)
    }
    return declaration
  }

  /// What `h.hidden.0` stands for: the final state of one layer.
  private func layerState(_ name: String) -> Declaration? {
    guard let dot = name.lastIndex(of: "."), let layer = Int(name[name.index(after: dot)...]),
      // As Int reads more: "+1", "01".
      name[name.index(after: dot)...] == "\(layer)", layer >= 0,
      let whole = declarations[String(name[..<dot])]
    else { return nil }
    switch whole.target {
    case .hidden(let index, nil):
      return Declaration(target: .hidden(index, layer: layer), path: whole.path)
    case .cell(let index, nil):
      return Declaration(target: .cell(index, layer: layer), path: whole.path)
    case .input, .node, .hidden, .cell: return nil
    }
  }

  // MARK: Order

  /// The description's nodes, each behind all that it needs, otherwise in the description's order.
  private func nodesInOrder() throws(ModelError) -> [Int] {
    var needs: [[Int]] = []
    for index in description.nodes.indices { needs.append(try nodesNeeded(by: index)) }
    var order: [Int] = []
    var done = Set<Int>()
    while done.count < needs.count {
      let countBefore = done.count
      for index in needs.indices where !done.contains(index) && done.isSuperset(of: needs[index]) {
        order.append(index)
        done.insert(index)
      }
      guard done.count > countBefore else { throw cycle(needs, done: done) }
    }
    return order
  }

  private func nodesNeeded(by index: Int) throws(ModelError) -> [Int] {
    var needed: [Int] = []
    for (position, name) in description.nodes[index].inputs.enumerated() {
      guard let name else { continue }
      let path = "nodes[\(index)].inputs[\(position)]"
      if let node = try declaration(of: name, path: path).target.node { needed.append(node) }
    }
    return needed
  }

  /// Follows the needs of nodes that wait on each other until one comes up again.
  private func cycle(_ needs: [[Int]], done: Set<Int>) -> ModelError {
    var trail: [Int] = []
    var next = needs.indices.first { !done.contains($0) }
    while let node = next, !trail.contains(node) {
      trail.append(node)
      next = needs[node].first { !done.contains($0) }
    }
    let start = trail.firstIndex { $0 == next } ?? 0
    let cycle = trail[start...] + trail[start...].prefix(1)
    return .cycle(cycle.map { description.nodes[$0].name })
  }

  // MARK: Values

  private mutating func resolveNode(_ index: Int) throws(ModelError) -> Model.ResolvedNode {
    let node = description.nodes[index]
    let path = "nodes[\(index)]"
    guard node.op.inputCount.contains(node.inputs.count) else {
      throw .unexpected(
        path: "\(path).inputs", found: "\(node.inputs.count) names",
        expected: "\(node.op.inputCount.text) for \(node.op.name)")
    }
    if let weights = node.weights, !node.op.hasTensors {
      throw .unexpected(
        path: "\(path).weights", found: ModelError.quoted(weights),
        expected: "no weights for \(node.op.name)")
    }
    if node.direction != nil, node.op != .lstm {
      throw .unexpected(
        path: "\(path).direction", found: "a direction", expected: "none for \(node.op.name)")
    }
    var arguments: [Argument] = []
    for (position, name) in node.inputs.enumerated() {
      let path = "\(path).inputs[\(position)]"
      guard let name else {
        guard node.op == .lstm, position > 0 else {
          throw .unexpected(path: path, found: "null", expected: "a name")
        }
        continue
      }
      arguments.append(try argument(name, position: position, path: path))
    }
    return try resolve(node, path: path, arguments: arguments)
  }

  private func argument(
    _ name: String, position: Int = 0, path: String
  ) throws(ModelError) -> Argument {
    let value = try reference(to: try declaration(of: name, path: path).target, path: path)
    return Argument(
      position: position, path: path, name: name, value: value, form: form(of: value))
  }

  /// The reference to a target whose node is resolved.
  private func reference(
    to target: Target, path: String
  ) throws(ModelError) -> Model.ValueReference {
    func place(_ index: Int) -> Int {
      guard let place = resolvedIndex[index] else {
        preconditionFailure("node \(index) is used before it is resolved")
      }
      return place
    }
    func layer(_ layer: Int?, of place: Int) throws(ModelError) -> Int {
      guard let layers = nodes[place].lstm?.layers else {
        preconditionFailure("only an lstm has states")
      }
      guard let layer else { return layers - 1 }
      guard layer < layers else {
        throw .unexpected(
          path: path, found: "layer \(layer)",
          expected: layers == 1
            ? "layer 0, the only one of \(ModelError.quoted(nodes[place].name))"
            : "a layer of \(ModelError.quoted(nodes[place].name)), 0 to \(layers - 1)")
      }
      return layer
    }
    switch target {
    case .input(let index): return .input(index)
    case .node(let index): return .node(place(index))
    case .hidden(let index, let given):
      return .hidden(place(index), layer: try layer(given, of: place(index)))
    case .cell(let index, let given):
      return .cell(place(index), layer: try layer(given, of: place(index)))
    }
  }

  private func form(of value: Model.ValueReference) -> Model.ValueForm {
    switch value {
    case .input(let index): return description.inputs[index].kind.form
    case .node(let index): return nodes[index].form
    case .hidden(let index, _), .cell(let index, _):
      guard let shape = nodes[index].lstm else { preconditionFailure("only an lstm has states") }
      if case .hidden = value { return .vector(size: shape.directions * shape.outputSize) }
      return .vector(size: shape.directions * shape.hiddenSize)
    }
  }

  // MARK: Outputs

  private func resolve(
    _ output: ModelDescription.Output, path: String
  ) throws(ModelError) -> Model.ResolvedOutput {
    let argument = try argument(output.name, path: "\(path).name")
    guard let size = argument.form.size else {
      throw .inputForm(
        path: "\(path).name", op: "an output", name: output.name, found: argument.form,
        expected: "a sequence or a vector")
    }
    if let labels = output.labels, labels.count != size {
      throw .unexpected(
        path: "\(path).labels", found: "\(labels.count)",
        expected: "\(size) labels, one an element of \(ModelError.quoted(output.name))")
    }
    var forecasts: Int?
    if let name = output.forecasts {
      forecasts = try forecast(of: name, outputSize: size, path: "\(path).forecasts")
    }
    return Model.ResolvedOutput(
      name: output.name, value: argument.value, form: argument.form, labels: output.labels,
      forecasts: forecasts)
  }

  private func forecast(
    of name: String, outputSize: Int, path: String
  ) throws(ModelError) -> Int {
    guard case .input(let index) = try declaration(of: name, path: path).target else {
      throw .unexpected(
        path: path, found: ModelError.quoted(name),
        expected: "the name of a features or tokens input")
    }
    let size = description.inputs[index].kind.size
    switch description.inputs[index].kind {
    case .vector:
      throw .unexpected(
        path: path, found: ModelError.quoted(name),
        expected: "the name of a features or tokens input")
    case .tokens:
      guard outputSize != size else { return index }
      throw .unexpected(
        path: path, found: "an input of \(size) tokens",
        expected: "one of as many as the output has scores, \(outputSize)")
    case .features: break
    }
    guard outputSize % size == 0 else {
      throw .unexpected(
        path: path, found: "an input of size \(size)",
        expected: "an input whose size divides the output's, \(outputSize)")
    }
    return index
  }

  /// Refuses inputs and nodes that no output needs: clients would send, and every turn compute, what nobody reads.
  private func checkUse() throws(ModelError) {
    var used = Set<Model.ValueReference>()
    func use(_ value: Model.ValueReference) {
      if let node = value.node { used.insert(.node(node)) } else { used.insert(value) }
    }
    for output in outputs { use(output.value) }
    for (index, node) in nodes.enumerated().reversed() where used.contains(.node(index)) {
      for input in node.inputs { use(input) }
    }
    for (index, input) in description.inputs.enumerated() where !used.contains(.input(index)) {
      throw .unused(input.name, path: "inputs[\(index)]")
    }
    for (index, node) in description.nodes.enumerated() {
      guard let place = resolvedIndex[index], used.contains(.node(place)) else {
        throw .unused(node.name, path: "nodes[\(index)]")
      }
    }
  }
}

extension Model.ValueReference {
  /// The index of the node whose value, hidden or cell state this is.
  fileprivate var node: Int? {
    switch self {
    case .input: nil
    case .node(let index), .hidden(let index, _), .cell(let index, _): index
    }
  }
}

extension ClosedRange<Int> {
  /// "1 name", "1 to 3 names" or, where only a limit bounds it, "2 to 100 names".
  fileprivate var text: String {
    guard lowerBound < upperBound else { return lowerBound == 1 ? "1 name" : "\(lowerBound) names" }
    return "\(lowerBound) to \(upperBound) names"
  }
}
