import ModelFormat

/// Normalisations.
enum NormalizationLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case "LayerNormalization", "BatchNormalization", "InstanceNormalization", "GroupNormalization",
      "RMSNormalization", "SimplifiedLayerNormalization", "LpNormalization":
      return try normalise(&l, node)
    default: return nil
    }
  }

  private static func normalise(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    switch node.op {
    case "LayerNormalization": [.carried(try layer(&l, node))]
    case "BatchNormalization": [.carried(try batch(&l, node))]
    case "InstanceNormalization": [.carried(try instance(&l, node))]
    case "GroupNormalization": [.carried(try group(&l, node))]
    case "LpNormalization": [.carried(try unit(&l, node))]
    default: [.carried(try rootMeanSquare(&l, node))]
    }
  }

  /// The atoms of the axes, which have to be elements, and the value with its other elements first.
  private static func elements(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axes: Range<Int>
  ) throws(ImportError) -> (CarriedValue, others: [Atom], own: [Atom]) {
    let atoms = try requireElements(&l, node, value, axes)
    let others = value.foreignOrder.filter { !atoms.contains($0) }
    return (Layout.arranged(&l, value, others + atoms, node), others, atoms)
  }

  /// The atoms of these axes, which have to be elements.
  private static func requireElements(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, _ axes: Range<Int>
  ) throws(ImportError) -> [Atom] {
    let atoms = axes.flatMap { value.axes[$0] }
    if let atom = atoms.first(where: { $0.role != .element }) {
      throw l.requiring(atom, .element, or: StepNormalization.refusal(node, atom))
    }
    return atoms
  }

  private static func axis(_ node: SourceNode, _ value: CarriedValue) throws(ImportError) -> Int {
    let given = node.integer("axis", default: -1)
    let axis = given < 0 ? given + value.axes.count : given
    guard value.axes.indices.contains(axis) else {
      throw node.refusal("axis \(given)", because: "the value has \(value.axes.count) axes")
    }
    return axis
  }

  private static func layer(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    let value = try l.carried(node, 0)
    let axis = try axis(node, value)
    if StepNormalization.isThere(&l, node, value, Array(value.axes[axis...].joined())) {
      return try StepNormalization.layer(&l, node, value, axis: axis)
    }
    let (source, others, own) = try elements(&l, node, value, axes: axis..<value.axes.count)
    let size = own.reduce(1) { $0 * $1.size }
    let (scale, bias) = (try l.constant(node, 1, "a scale"), try l.constant(node, 2, "a bias"))
    let epsilon = Float(node.float("epsilon") ?? 1e-5)
    let groups = others.reduce(1) { $0 * $1.size }
    var tensors: [(name: String, shape: [Int], elements: [Double])] = []
    for (name, tensor) in [("weight", scale), ("bias", bias)] {
      guard let tensor else { continue }
      guard tensor.count == size else {
        throw l.requiring(
          own, ofSize: tensor.count,
          or: node.refusal(
            "a \(name) of \(tensor.shape)", because: "\(size) elements are normalised"))
      }
      let all = Array(repeating: tensor.dense, count: groups).flatMap { $0 }
      tensors.append((name, [all.count], all))
    }
    return Layout.map(
      &l,
      source,
      groups == 1 ? .layerNorm(epsilon: epsilon) : .groupNorm(groups: groups, epsilon: epsilon),
      node,
      tensors: tensors)
  }

  private static func rootMeanSquare(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    let value = try l.carried(node, 0)
    let (source, others, own) = try elements(
      &l, node, value, axes: try axis(node, value)..<value.axes.count)
    guard others.isEmpty, let scale = try l.constant(node, 1, "a scale"),
      scale.count == own.reduce(1, { $0 * $1.size })
    else {
      throw node.refusal(
        "a norm of some of the elements of a step", because: "all are normalised together")
    }
    return Layout.map(
      &l,
      source, .rmsNorm(epsilon: Float(node.float("epsilon") ?? 1e-5)), node,
      tensors: [("weight", [scale.count], scale.dense)])
  }

  private static func unit(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    let value = try l.carried(node, 0)
    let axis = try axis(node, value)
    let (source, others, _) = try elements(&l, node, value, axes: axis..<axis + 1)
    guard others.isEmpty, node.integer("p", default: 2) == 2 else {
      throw node.refusal(
        "p = \(node.integer("p", default: 2)) over some of the elements",
        because: "the Euclidean norm of all is carried")
    }
    return Layout.map(&l, source, .l2Norm(epsilon: 1e-30), node)
  }

  private static func batch(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    let value = try l.carried(node, 0)
    guard node.integer("training_mode", default: 0) == 0 else {
      throw node.refusal(
        "training_mode 1", because: "a batch's own statistics differ with its company",
        instead: "call model.eval() before the export")
    }
    var parameters: [SourceTensor] = []
    for index in 1...4 {
      guard let tensor = try l.constant(node, index, "a parameter") else {
        throw node.refusal(
          "no input \(index)", because: "scale, bias, mean and variance are needed")
      }
      parameters.append(tensor)
    }
    guard value.axes.count >= 2, parameters.allSatisfy({ $0.count == value.shape[1] }) else {
      throw l.requiring(
        value.axes.count > 1 ? value.axes[1] : [], ofSize: parameters[0].count,
        or: node.refusal(
          "\(value.shape)", because: "there are \(parameters[0].count) channels"))
    }
    if StepNormalization.isThere(&l, node, value, value.axes[1]) {
      try ExampleLength.keep(&l, value.axes[1], node, "has numbers for each step")
    } else if let atom = value.axes[1].first(where: { $0.role != .element }) {
      throw l.requiring(
        atom, .element,
        or: node.refusal(
          "channels that are \(atom.role.rawValue)", because: "they are elements of a step"))
    }
    let epsilon = node.float("epsilon") ?? 1e-5
    let count = parameters[0].count
    let scale = (0..<count).map { parameters[0][$0] / (parameters[3][$0] + epsilon).squareRoot() }
    let shift = (0..<count).map { parameters[1][$0] - parameters[2][$0] * scale[$0] }
    let shape = [1, count] + Array(repeating: 1, count: value.axes.count - 2)
    if value.axes[1].contains(where: { $0.role == .time }) {
      return try StepNormalization.scaled(
        &l, value, SourceTensor(shape: shape, elements: scale),
        SourceTensor(shape: shape, elements: shift), node)
    }
    return Arithmetic.affine(
      &l,
      value,
      scale: try Layout.elements(
        of: SourceTensor(shape: shape, elements: scale), along: value, node),
      shift: try Layout.elements(
        of: SourceTensor(shape: shape, elements: shift), along: value, node),
      node)
  }

  private static func instance(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    let value = try l.carried(node, 0)
    guard value.axes.count >= 3 else {
      throw node.refusal("\(value.shape)", because: "there is no axis behind the channels")
    }
    let channels = value.shape[1]
    if StepNormalization.isThere(&l, node, value, Array(value.axes[2...].joined())) {
      return try StepNormalization.groups(&l, node, value, count: channels)
    }
    return try groups(&l, node, value, count: channels, from: 2, channels: value.axes[1])
  }

  private static func group(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    let value = try l.carried(node, 0)
    guard value.axes.count >= 2 else {
      throw node.refusal("\(value.shape)", because: "there are no channels")
    }
    if StepNormalization.isThere(&l, node, value, Array(value.axes[1...].joined())) {
      return try StepNormalization.groups(
        &l, node, value, count: node.integer("num_groups", default: 1))
    }
    return try groups(
      &l, node, value, count: node.integer("num_groups", default: 1), from: 1,
      channels: value.axes[1])
  }

  private static func groups(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, count: Int, from axis: Int,
    channels: [Atom]
  ) throws(ImportError) -> CarriedValue {
    _ = try requireElements(&l, node, value, axis..<value.axes.count)
    let given = (
      scale: try l.constant(node, 1, "a scale"), bias: try l.constant(node, 2, "a bias")
    )
    let source = Layout.inForeignOrder(&l, value, node)
    let channelCount = value.shape[1]
    func all(_ number: Double) -> SourceTensor {
      SourceTensor(repeating: number, shape: [channelCount])
    }
    let (scale, bias) = (given.scale ?? all(1), given.bias ?? all(0))
    guard count > 0, source.size % count == 0,
      scale.count == channelCount, bias.count == channelCount,
      !value.axes[0].contains(where: { $0.role == .element })
    else {
      throw node.refusal(
        "\(count) groups of \(value.shape)", because: "each group has as many elements")
    }
    let shape = [1, scale.count] + Array(repeating: 1, count: value.axes.count - 2)
    let weights = try Layout.elements(of: scale.reshaped(shape), along: source, node)
    let biases = try Layout.elements(of: bias.reshaped(shape), along: source, node)
    return Layout.map(
      &l,
      source, .groupNorm(groups: count, epsilon: Float(node.float("epsilon") ?? 1e-5)), node,
      tensors: [("weight", [weights.count], weights), ("bias", [biases.count], biases)])
  }
}
