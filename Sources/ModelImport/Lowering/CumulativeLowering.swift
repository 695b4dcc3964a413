import ModelFormat

/// Cumulative sums.
enum CumulativeLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    guard node.op == "CumSum" else { return nil }
    let value = try l.carried(node, 0)
    guard let given = try l.constant(node, 1, "an axis")?.integers.first else {
      throw node.refusal("no axis", because: "CumSum needs one")
    }
    let axis = given < 0 ? given + value.axes.count : given
    guard value.axes.indices.contains(axis), value.form != .tokens else {
      throw node.refusal("axis \(given)", because: "the value has \(value.axes.count) axes")
    }
    let roles = Set(value.axes[axis].map(\.role))
    if roles.isSubset(of: [.element]) {
      return [.carried(try overElements(&l, node, value, axis: axis))]
    }
    guard value.axes[axis].count == 1, let atom = value.axes[axis].first, value.form == .sequence
    else {
      throw node.refusal(
        "a cumulative sum of what is the same at every step, or of mixed axes",
        because: "it is carried over the steps of a sequence, or its elements")
    }
    guard atom.role == .time else {
      if atom.size == 1, !isExclusive(node) { return [.carried(value)] }
      throw BatchMixing.refusal(
        &l, along: atom, "a cumulative sum over the sequences of a batch", node)
    }
    return [.carried(try overSteps(&l, node, value))]
  }

  private static func isExclusive(_ node: SourceNode) -> Bool {
    node.integer("exclusive", default: 0) == 1
  }

  private static func isReverse(_ node: SourceNode) -> Bool {
    node.integer("reverse", default: 0) == 1
  }

  /// A matrix of ones on one side of the diagonal.
  private static func overElements(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axis: Int
  ) throws(ImportError) -> CarriedValue {
    let size = value.shape[axis]
    guard RowMajor.count([size, size], limit: Lowering.maxElements) != nil else {
      throw node.refusal(
        "a cumulative sum of \(size) elements",
        because: "it becomes a matrix, of at most \(Lowering.maxElements) weights")
    }
    let (isExclusive, isReverse) = (isExclusive(node), isReverse(node))
    return try MatrixLowering.contracting(&l, value, axis: axis, outputs: size, node) {
      output, input in
      if output == input { return isExclusive ? 0 : 1 }
      return (input < output) != isReverse ? 1 : 0
    }
  }

  /// A recurrent network that adds what it reads to its state.
  static func overSteps(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue
  ) throws(ImportError) -> CarriedValue {
    let size = value.size
    guard size <= maxSize else {
      throw node.refusal(
        "a cumulative sum over the steps of \(size) elements",
        because: "it becomes a recurrent network, of at most \(maxSize) elements")
    }
    var op = RNNOp()
    op.activation = CellActivation(.affine(scale: [1], shift: [0]))
    if isReverse(node) { op.direction = .reverse }
    let identity = (0..<size * size).map { $0 % (size + 1) == 0 ? 1.0 : 0 }
    var source = value
    if isExclusive(node) {
      source = Layout.map(&l, source, .shift(steps: isReverse(node) ? -1 : 1), node)
    }
    return Layout.map(
      &l, source, .rnn(op), node,
      tensors: [
        ("weight_ih_l0", [size, size], identity), ("weight_hh_l0", [size, size], identity),
      ])
  }

  private static let maxSize = 512
}
