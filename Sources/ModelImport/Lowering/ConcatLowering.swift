import ModelFormat

/// Values one behind the other, along any axis.
enum ConcatLowering {
  /// The values of a node one behind the other.
  static func concat(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    var values: [LoweredValue] = []
    for index in node.inputs.indices {
      switch try l.required(node, index) {
      case .constant(let tensor) where tensor.count == 0: continue
      case .constant(let tensor): values.append(.constant(tensor))
      case .carried, .pending: values.append(.carried(try l.carried(node, index)))
      }
    }
    return [.carried(try concat(&l, node, values, axis: node.integer("axis", default: 0)))]
  }

  /// Values, one of which at least is no constant, one behind the other.
  static func concat(
    _ l: inout Lowering, _ node: SourceNode, _ values: [LoweredValue], axis given: Int
  ) throws(ImportError) -> CarriedValue {
    var parts: [CarriedValue] = []
    var constants: [Int: SourceTensor] = [:]
    var place = 0
    for (index, value) in values.enumerated() {
      switch value {
      case .constant(let tensor): constants[index] = tensor
      case .carried(let value):
        parts.append(value)
        place = index
      case .pending(let value): throw PatternLowering.refusal(node, value)
      }
    }
    guard let first = parts.first else {
      throw node.refusal("constants alone", because: "one value must depend on an input")
    }
    let axis = given < 0 ? given + first.axes.count : given
    guard first.axes.indices.contains(axis),
      values.allSatisfy({ $0.shape.count == first.axes.count })
    else {
      throw node.refusal(
        "axis \(given)", because: "the values have \(values.map(\.shape.count)) axes")
    }
    if values.count == 1 { return first }
    if let apart = withBatchesApart(values, axis: axis) {
      return try concat(&l, node, apart, axis: axis)
    }
    if parts.count == 1,
      let padded = try StepLowering.padded(&l, node, first, at: place, constants, axis: axis)
    {
      return padded
    }
    // The last steps of any sequence side by side with elements, as of a skip around the network.
    if parts.contains(where: { mixedSteps($0.axes[axis]) != nil }) {
      var isChanged = false
      let apart = values.map { value -> LoweredValue in
        guard case .carried(let part) = value, mixedSteps(part.axes[axis]) != nil,
          let vector = FixedSteps.elements(&l, part, areSure: true, node)
        else { return value }
        isChanged = true
        return .carried(vector)
      }
      if isChanged { return try concat(&l, node, apart, axis: axis) }
    }
    // Steps beside elements, as of a spectrogram whose other axis is the steps.
    if let atom = parts.lazy.compactMap({ mixedSteps($0.axes[axis]) }).first {
      throw l.requiring(
        atom, .element,
        or: node.refusal(
          "\(values.map(\.shape)) one behind the other along axis \(axis)",
          because: "it holds steps beside elements", instead: Remedy.spectrogram(atom.origin)))
    }
    let others = first.axes.indices.filter { $0 != axis }
    if parts.contains(where: { $0.axes[axis].contains { $0.role == .time } }),
      values.allSatisfy({ value in others.allSatisfy { value.shape[$0] == first.shape[$0] } })
    {
      return try StepJoin.lower(&l, node, values, axis: axis)
    }
    for index in values.indices {
      if let tensor = constants[index] {
        parts.insert(
          try constantPart(&l, node, tensor, beside: first, axis: axis),
          at: min(index, parts.count))
      }
    }
    return try concat(&l, node, parts, axis: axis)
  }

  /// The steps in an axis that holds elements too.
  private static func mixedSteps(_ axis: [Atom]) -> Atom? {
    axis.contains { $0.role == .element } ? axis.first { $0.role == .time && $0.size > 1 } : nil
  }

  /// The values with a batch of one sequence in another axis than the one along which they are put; nil if none has it there.
  private static func withBatchesApart(_ values: [LoweredValue], axis: Int) -> [LoweredValue]? {
    var isChanged = false
    let result = values.map { part in
      guard case .carried(let value) = part,
        value.axes[axis].contains(where: { $0.role == .batch }),
        let free = value.axes.indices.first(where: { $0 != axis && value.shape[$0] == 1 })
      else { return part }
      let apart = value.withSingles(batch: free, other: axis)
      isChanged = isChanged || apart.axes[axis].count < value.axes[axis].count
      return .carried(apart)
    }
    return isChanged ? result : nil
  }

  /// A constant to concatenate with a value: the value's elements times 0, plus the constant.
  private static func constantPart(
    _ l: inout Lowering, _ node: SourceNode, _ tensor: SourceTensor, beside value: CarriedValue,
    axis: Int
  ) throws(ImportError) -> CarriedValue {
    guard tensor.rank == value.axes.count, value.axes[axis].allSatisfy({ $0.role == .element }),
      tensor.shape[axis] <= Lowering.maxElements
    else {
      throw node.refusal(
        "a constant of \(tensor.shape) before or behind the steps",
        because: "steps come from inputs")
    }
    var model = Layout.selecting(
      &l, value, axis: axis, Array(repeating: 0, count: tensor.shape[axis]), node)
    let tensor = Layout.withoutBatch(tensor, along: value)
    model = try Layout.expanded(&l, model, to: tensor.shape, node)
    if let numbers = try StepNumbers.sequence(&l, tensor, along: model, node) { return numbers }
    let numbers = try Layout.elements(of: tensor, along: model, node)
    return Layout.map(
      &l,
      model, .affine(scale: [0], shift: nil), node, tensors: [("bias", [model.size], numbers)])
  }

  /// What an axis holds.
  private static func role(_ value: CarriedValue, _ axis: Int) -> String {
    value.axes[axis].map(\.role.rawValue).joined(separator: " and ")
  }

  /// Asks that an axis is of steps in all parts, if it is in one: an input's last one may be, as of channels before steps.
  private static func requireSameRoles(
    _ l: inout Lowering, _ node: SourceNode, _ parts: [CarriedValue], _ axis: Int
  ) throws(ImportError) {
    guard parts.contains(where: { $0.axes[axis].contains { $0.role == .time } }),
      let part = parts.first(where: { $0.axes[axis].contains { $0.role == .element } }),
      let atom = part.axes[axis].first(where: { $0.role == .element && $0.size > 1 })
    else { return }
    throw l.requiring(
      atom, .time,
      or: node.refusal(
        "\(parts.map(\.shape))",
        because: "axis \(axis) is time in one and \(role(part, axis)) in another"))
  }

  private static func concat(
    _ l: inout Lowering, _ node: SourceNode, _ given: [CarriedValue], axis: Int
  ) throws(ImportError) -> CarriedValue {
    let parts = try StepCropping.cropped(&l, given, node)
    let roles = Set(parts.flatMap { $0.axes[axis] }.map(\.role))
    guard roles.isSubset(of: [.element]) else {
      throw node.refusal(
        "\(parts.map(\.shape)) one behind the other along axis \(axis)",
        because:
          "it holds \(roles.map(\.rawValue).sorted().joined(separator: " and ")), or the values differ beside it",
        instead: roles.contains(.batch) ? Remedy.dilated : nil)
    }
    guard parts.count <= ModelLimits.nodeInputs else {
      throw node.refusal(
        "\(parts.count) values", because: "a node may have \(ModelLimits.nodeInputs) inputs")
    }
    // The other axes must agree; axes of elements get the first part's atoms.
    var others: [Atom] = []
    var first = parts[0]
    for (index, atoms) in first.axes.enumerated() where index != axis {
      others += atoms.filter { $0.role == .element }
      let isBatch = atoms.contains { $0.role == .batch }
      for part in parts
      where part.shape[index] != first.shape[index]
        || isBatch && part.axes[index].first?.role == .time
      {
        throw l.requiringSameSteps(
          [first.axes[index], part.axes[index]],
          or: StepCropping.refusal(
            [first.axes[index], part.axes[index]],
            node.refusal(
              "\(first.shape) and \(part.shape)",
              because: first.shape == part.shape
                ? "axis \(index) is \(role(first, index)) in one and \(role(part, index)) in the other"
                : "they differ beside axis \(axis)")))
      }
    }
    for index in first.axes.indices where index != axis {
      try requireSameRoles(&l, node, parts, index)
    }
    let atom = l.newAtom(parts.reduce(0) { $0 + $1.shape[axis] })
    var nodes: [String] = []
    var isSequence = false
    for part in parts {
      let rest = part.axes.enumerated().flatMap { index, atoms in
        index == axis ? [] : atoms.filter { $0.role == .element }
      }
      let own = part.axes[axis]
      nodes.append(Layout.arranged(&l, part, own + rest, node).node)
      isSequence = isSequence || part.form == .sequence
      // If one value has the batch or steps and another is the same for all, the former's axis is used.
      for index in first.axes.indices where index != axis && first.axes[index].isEmpty {
        first.axes[index] = part.axes[index]
      }
    }
    var result = first
    result.node = l.builder.emit(.concat, nodes, named: node.outputs.first ?? node.name)
    result.form = isSequence ? .sequence : .vector
    result.axes[axis] = [atom]
    result.elements = [atom] + others
    l.setOrigins(of: result.node, parts.reduce(into: []) { $0.formUnion(l.origins(of: $1.node)) })
    return result.withoutSingles
  }
}
