import JSON

/// Resolves a description's names to references, puts the nodes in an order that can be computed, and checks every node.
struct GraphResolver {
  let description: ModelDescription
  let tensors: TensorFile
  /// The tensors that nodes read.
  private(set) var usedTensors: Set<String> = []
  private(set) var nodes: [Model.ResolvedNode] = []
  private(set) var outputs: [Model.ResolvedOutput] = []
  private(set) var axes: GraphAxes
  /// The values of this graph that the decoder reads, by the indices of the decoder's inputs.
  private(set) var decoded: [Int: Model.ResolvedOutput] = [:]

  private let names: GraphNames
  /// For each node of the description, its index in `nodes`.
  private var resolvedIndex: [Int: Int] = [:]

  init(_ description: ModelDescription, tensors: TensorFile) throws(ModelError) {
    self.description = description
    self.tensors = tensors
    axes = GraphAxes(description)
    try DescriptionCheck(description: description).run()
    guard description.inputs.contains(where: { $0.kind.hasSteps }) else {
      throw .unexpected(
        path: "inputs", found: "vectors only", expected: "a features or tokens input")
    }
    names = try GraphNames(description)
    for index in try GraphOrder(description, names: names).indices {
      resolvedIndex[index] = nodes.count
      nodes.append(try resolveNode(index))
    }
    for (index, output) in description.outputs.enumerated() {
      let resolved = try resolve(output, path: "outputs[\(index)]")
      usedTensors.formUnion(resolved.tensors)
      outputs.append(resolved)
    }
    for (input, name) in description.decoder?.encoderValues ?? [] {
      decoded[input] = try resolve(
        ModelDescription.Output(name: name), path: "decoder.inputs[\(input)]", key: "from",
        use: "the decoder")
    }
    try checkUse()
  }

  /// Records the decoder's bounds on the steps of a value that it reads.
  mutating func bound(
    _ value: Model.ResolvedOutput, _ range: ClosedRange<Int>, node: String, path: String
  ) throws(ModelError) {
    guard let axis = value.axis else { return }
    try axes.record(
      NodeResolution.StepBound(axis: axes.axes[axis], range: range), node: node, path: path)
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
    if let weights = node.weights, node.op.tensors.isEmpty {
      throw .unexpected(
        path: "\(path).weights", found: weights.jsonExcerpt,
        expected: "no weights for \(node.op.name)")
    }
    var arguments: [NodeResolution.Argument] = []
    for (position, name) in node.inputs.enumerated() {
      let path = "\(path).inputs[\(position)]"
      guard let name else {
        guard node.op.recurrent != nil, position > 0 else {
          throw .unexpected(path: path, found: "null", expected: "a name")
        }
        continue
      }
      arguments.append(try argument(name, position: position, path: path))
    }
    if !node.op.combinesAxes { try axes.checkCommon(arguments, op: node.op.name) }
    let mask = try mask(of: node, arguments, path: "\(path).mask")
    var op = node.op
    var resolution = NodeResolution(
      node, path: path, arguments: arguments, inputs: description.inputs, tensors: tensors)
    let form = try op.resolve(&resolution)
    if let size = form.size, size > ModelLimits.size {
      throw .tooMany("\(path): the size of its value", found: size, limit: ModelLimits.size)
    }
    usedTensors.formUnion(resolution.usedTensors)
    for bound in resolution.bounds {
      try axes.record(bound, node: node.name, path: "\(path).inputs")
    }
    func initial(_ position: Int) -> Model.ValueReference? {
      guard op.recurrent != nil else { return nil }
      return arguments.first { $0.position == position }?.value
    }
    return Model.ResolvedNode(
      name: node.name, op: op, weights: op.tensors.isEmpty ? nil : resolution.prefix,
      tensors: resolution.usedTensors, inputs: arguments.map(\.value), initialHidden: initial(1),
      initialCell: initial(2), mask: mask, form: form,
      axis: resolution.axis.map { axes.place(of: $0) }, recurrent: resolution.recurrent)
  }

  /// The reference to a node's mask.
  private func mask(
    of node: ModelDescription.Node, _ arguments: [NodeResolution.Argument], path: String
  ) throws(ModelError) -> Model.ValueReference? {
    guard let name = node.mask else { return nil }
    guard let position = node.op.maskedInput, arguments.indices.contains(position) else {
      throw .unexpected(
        path: path, found: name.jsonExcerpt, expected: "no mask for \(node.op.name)")
    }
    return try mask(named: name, of: arguments[position], path: path)
  }

  /// The reference to the mask that says which steps of `masked` count.
  func mask(
    named name: String, of masked: NodeResolution.Argument, path: String
  ) throws(ModelError) -> Model.ValueReference {
    let mask = try argument(name, path: path)
    guard mask.form == .sequence(size: 1) else {
      throw .inputForm(
        path: path, op: "a mask", name: name, found: mask.form, expected: "a sequence of size 1")
    }
    try axes.checkCommon([masked, mask], op: "a mask")
    return mask.value
  }

  func argument(
    _ name: String, position: Int = 0, path: String
  ) throws(ModelError) -> NodeResolution.Argument {
    let value = try reference(to: try names.target(of: name, path: path), path: path)
    return NodeResolution.Argument(
      position: position, path: path, name: name, value: value, form: form(of: value),
      axis: axis(of: value))
  }

  /// The axis of a value; nil for a vector.
  private func axis(of value: Model.ValueReference) -> StepAxis? {
    switch value {
    case .input(let index): return axes.axis(ofInput: index)
    case .node(let index):
      guard case .sequence = nodes[index].form else { return nil }
      return nodes[index].axis.map { axes.axes[$0] }
    case .hidden, .cell: return nil
    }
  }

  /// The reference to a target whose node is resolved.
  private func reference(
    to target: GraphNames.Target, path: String
  ) throws(ModelError) -> Model.ValueReference {
    func place(_ index: Int) -> Int {
      guard let place = resolvedIndex[index] else {
        preconditionFailure("node \(index) is used before it is resolved")
      }
      return place
    }
    func layer(_ layer: Int?, of place: Int) throws(ModelError) -> Int {
      guard let layers = nodes[place].recurrent?.layers else {
        preconditionFailure("only a recurrent network has states")
      }
      guard let layer else { return layers - 1 }
      guard layer < layers else {
        throw .unexpected(
          path: path, found: "layer \(layer)",
          expected: layers == 1
            ? "layer 0, the only one of \(nodes[place].name.jsonExcerpt)"
            : "a layer of \(nodes[place].name.jsonExcerpt), 0 to \(layers - 1)")
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
      guard let shape = nodes[index].recurrent else {
        preconditionFailure("only a recurrent network has states")
      }
      if case .hidden = value { return .vector(size: shape.directions * shape.outputSize) }
      return .vector(size: shape.directions * shape.hiddenSize)
    }
  }

  /// Throws if there is an input or a node that no output needs: clients would send, and every turn compute, values
  /// that nobody reads.
  private func checkUse() throws(ModelError) {
    var used = Set<Model.ValueReference>()
    func use(_ value: Model.ValueReference) {
      if let node = value.node { used.insert(.node(node)) } else { used.insert(value) }
    }
    for output in outputs + decoded.values {
      use(output.value)
      if let mask = output.mask { use(mask) }
    }
    for (index, node) in nodes.enumerated().reversed() where used.contains(.node(index)) {
      for input in node.inputs { use(input) }
      if let mask = node.mask { use(mask) }
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
  /// The index of the node with this value, hidden or cell state; nil for an input.
  fileprivate var node: Int? {
    switch self {
    case .input: nil
    case .node(let index), .hidden(let index, _), .cell(let index, _): index
    }
  }
}

extension ClosedRange<Int> {
  /// The count in words: "1 name", "1 to 3 names".
  fileprivate var text: String {
    guard lowerBound < upperBound else { return lowerBound == 1 ? "1 name" : "\(lowerBound) names" }
    return "\(lowerBound) to \(upperBound) names"
  }
}
