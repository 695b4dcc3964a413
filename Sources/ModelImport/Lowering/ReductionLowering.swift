import ModelFormat

/// Reductions over steps or elements.
enum ReductionLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceL1",
      "ReduceSumSquare", "ReduceLogSumExp", "GlobalAveragePool", "GlobalMaxPool":
      return try reduce(&l, node)
    case "Softmax", "LogSoftmax": return try softmax(&l, node)
    case "ArgMax": return [try largest(&l, node)]
    default: return nil
    }
  }

  private enum Kind { case mean, sum, max, min }

  /// The index of the largest element, as for an output decoded by argmax.
  private static func largest(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> LoweredValue {
    let value = try l.carried(node, 0)
    let given = node.integer("axis", default: 0)
    let axis = given < 0 ? given + value.axes.count : given
    guard value.axes.indices.contains(axis), value.elements.count == 1,
      value.axes[axis] == value.elements, node.integer("select_last_index", default: 0) == 0
    else {
      throw node.refusal(
        "ArgMax over axis \(given) of \(value.shape)",
        because: "the largest of a step's elements, or of a vector's, is carried")
    }
    return .pending(.largest(value))
  }

  private static func reduce(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    if let result = try PatternLowering.reduce(&l, node) { return [result] }
    var value = try l.carried(node, 0)
    var axes: [Int]
    var keeps = node.integer("keepdims", default: 1) == 1
    if node.op.hasPrefix("Global") {
      guard value.axes.count > 2 else {
        throw node.refusal("\(value.shape)", because: "there is no axis behind the channels")
      }
      (axes, keeps) = (Array(2..<value.axes.count), true)
    } else {
      axes = try ReductionOperators.reducedAxes(
        node, rank: value.axes.count,
        axes: try l.integers(node, "axes", input: 1))
    }
    if axes.isEmpty {
      // Of one number each: with noop_with_empty_axes, or of a scalar.
      let alone: [String: ModelDescription.Op] = [
        "ReduceL1": .abs, "ReduceL2": .abs, "ReduceSumSquare": .square,
      ]
      return [.carried(alone[node.op].map { Layout.map(&l, value, $0, node) } ?? value)]
    }
    func kept(_ value: CarriedValue) -> CarriedValue {
      var result = value
      for axis in axes.sorted() { result.axes.insert([], at: axis) }
      return result
    }
    // The largest is subtracted first, so that no power is too large.
    var largest: CarriedValue?
    if node.op == "ReduceLogSumExp" {
      let found = try over(&l, node, value, axes: axes, .max)
      let shifted = try Arithmetic.combining(&l, [value, kept(found)], .subtract, node)
      (largest, value) = (found, Layout.map(&l, shifted, .exp, node))
    }
    let kind: Kind
    switch node.op {
    case "ReduceMean", "GlobalAveragePool": kind = .mean
    case "ReduceMax", "GlobalMaxPool": kind = .max
    case "ReduceMin": (kind, value) = (.min, Arithmetic.affine(&l, value, scale: [-1], node))
    case "ReduceL1": (kind, value) = (.sum, Layout.map(&l, value, .abs, node))
    case "ReduceL2", "ReduceSumSquare": (kind, value) = (.sum, Layout.map(&l, value, .square, node))
    default: kind = .sum
    }
    var result = try over(&l, node, value, axes: axes, kind)
    if kind == .min { result = Arithmetic.affine(&l, result, scale: [-1], node) }
    if node.op == "ReduceL2" { result = Layout.map(&l, result, .sqrt, node) }
    if let largest {
      result = try Arithmetic.combining(
        &l, [Layout.map(&l, result, .log, node), largest], .add, node)
    }
    return [.carried(keeps ? kept(result) : result)]
  }

  /// The reduction; the result does not have the reduced axes.
  private static func over(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axes: [Int], _ kind: Kind
  ) throws(ImportError) -> CarriedValue {
    let atoms = axes.flatMap { value.axes[$0] }
    if let batch = atoms.first(where: { $0.role == .batch && $0.size > 1 }) {
      throw BatchMixing.refusal(&l, along: batch, "a reduction over the sequences of a batch", node)
    }
    var result = value
    let steps = axes.filter { value.axes[$0].contains { $0.role == .time } }
    let elements = axes.filter { !steps.contains($0) }
    for axis in steps where value.axes[axis].count > 1 {
      throw node.refusal(
        "an axis in which steps and elements are mixed",
        because: "it isn't one of steps alone (axis \(axis))")
    }
    // Elements first; reduced axes stay, empty, until all are done.
    if elements.contains(where: { !value.axes[$0].isEmpty }) {
      result = try overElements(&l, node, result, axes: elements, kind)
      for axis in elements.sorted() { result.axes.insert([], at: axis) }
    }
    for axis in steps {
      result = try overSteps(
        &l, node, result, axis: axis, kind == .mean ? .mean : kind == .sum ? .sum : .max,
        keeps: true)
    }
    result.axes = result.axes.indices.filter { !axes.contains($0) }.map { result.axes[$0] }
    return result
  }

  /// A pool over the steps.
  static func overSteps(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axis: Int,
    _ op: ModelDescription.Op, keeps: Bool
  ) throws(ImportError) -> CarriedValue {
    var result = value
    if value.form == .vector {
      guard op != .sum else {
        throw node.refusal(
          "a sum of what is the same at every step",
          because: "it depends on the number of steps alone")
      }
    } else {
      result.node = l.builder.emit(op, [value.node], named: node.outputs.first ?? node.name)
      result.form = .vector
    }
    if keeps { result.axes[axis] = [] } else { result.axes.remove(at: axis) }
    return result
  }

  private static func overElements(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axes: [Int], _ kind: Kind
  ) throws(ImportError) -> CarriedValue {
    if kind == .sum { return try MatrixLowering.summing(&l, value, axes: axes, node) }
    let atoms = axes.flatMap { value.axes[$0] }
    let others = value.foreignOrder.filter { !atoms.contains($0) }
    let channels = others.reduce(1) { $0 * $1.size }
    let count = atoms.reduce(1) { $0 * $1.size }
    var result = Layout.arranged(&l, value, others + atoms, node)
    result = Layout.map(
      &l,
      result,
      kind == .mean
        ? .averagePool1D(channels: channels, kernel: count)
        : .maxPool1D(channels: channels, kernel: count),
      node)
    result.axes = value.axes.indices.filter { !axes.contains($0) }.map { value.axes[$0] }
    result.elements = others
    return result
  }

  // MARK: Softmax

  private static func softmax(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    let op: ModelDescription.Op = node.op == "Softmax" ? .softmax : .logSoftmax
    if case .pending(let value) = try l.required(node, 0) {
      return [.pending(try AttentionLowering.softmax(&l, node, value))]
    }
    let value = try l.carried(node, 0)
    let axes = try ReductionOperators.softmaxAxes(node, opset: l.opset, rank: value.axes.count)
    var atoms = axes.flatMap { value.axes[$0] }
    if let batch = atoms.first(where: { $0.role == .batch && $0.size > 1 }) {
      throw BatchMixing.refusal(&l, along: batch, "a softmax over the sequences of a batch", node)
    }
    // One sequence alone has all the weight.
    if atoms.contains(where: { $0.role == .batch }) {
      atoms.removeAll { $0.role == .batch }
      if atoms.isEmpty, value.form != .tokens {
        return [
          .carried(Arithmetic.affine(&l, value, scale: [0], shift: [op == .softmax ? 1 : 0], node))
        ]
      }
    }
    if atoms.contains(where: { $0.role == .time }) {
      guard op == .softmax, atoms.count == 1, value.elements.isEmpty || value.size >= 1,
        value.form == .sequence
      else {
        throw node.refusal(
          "a \(node.op) over the steps", because: "only weights of one number a step are carried")
      }
      return [.pending(.stepWeights(value, over: atoms[0]))]
    }
    let others = value.foreignOrder.filter { !atoms.contains($0) }
    guard others.isEmpty else {
      return [.carried(try grouped(&l, node, value, atoms, others, op))]
    }
    return [.carried(Layout.map(&l, Layout.inForeignOrder(&l, value, node), op, node))]
  }

  /// A softmax over some axes of elements, for each index of the others: each group is selected by itself.
  private static func grouped(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, _ atoms: [Atom],
    _ others: [Atom],
    _ op: ModelDescription.Op
  ) throws(ImportError) -> CarriedValue {
    let (groups, size) = (others.reduce(1) { $0 * $1.size }, atoms.reduce(1) { $0 * $1.size })
    guard groups <= 32 else {
      throw node.refusal("\(groups) softmaxes a step", because: "at most 32 are carried")
    }
    let source = Layout.arranged(&l, value, others + atoms, node)
    var parts: [String] = []
    for group in 0..<groups {
      let part = Layout.picking(&l, source, Array(group * size..<(group + 1) * size), node)
      parts.append(Layout.map(&l, part, op, node).node)
    }
    var result = source
    result.node = l.builder.emit(.concat, parts, named: node.outputs.first ?? node.name)
    return result
  }
}
