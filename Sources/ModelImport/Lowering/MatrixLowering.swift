import ModelFormat

/// Products with matrices.
enum MatrixLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case "MatMul": return try matMul(&l, node)
    case "Gemm": return try gemm(&l, node)
    default: return nil
    }
  }

  private static func matMul(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    let (first, second) = (try l.required(node, 0), try l.required(node, 1))
    return [try product(&l, node, first, second)]
  }

  static func product(
    _ l: inout Lowering, _ node: SourceNode, _ first: LoweredValue, _ second: LoweredValue
  ) throws(ImportError) -> LoweredValue {
    if let result = try AttentionLowering.product(&l, node, first, second) { return result }
    switch (first, second) {
    case (.carried(let value), .constant(let weights)):
      return .carried(try product(&l, node, value, weights))
    case (.constant(let weights), .carried(let value)):
      return .carried(try product(&l, node, weights, value))
    case (.carried(let first), .carried(let second)):
      return .carried(try product(&l, node, first, second))
    default:
      if case .pending(let value) = first { throw PatternLowering.refusal(node, value) }
      if case .pending(let value) = second { throw PatternLowering.refusal(node, value) }
      guard case (.constant(let first), .constant(let second)) = (first, second) else {
        preconditionFailure("all other pairs are above")
      }
      // Of a Gemm whose addend alone depends on the input.
      return .constant(
        try Interpreter.result(of: "MatMul", in: node, first, second, opset: l.opset))
    }
  }

  /// What to do where a pool or a matrix of the example's steps meets any number of them.
  private static func remedy(_ value: CarriedValue, axis: Int) -> String? {
    value.axes[axis].contains { $0.role == .time && $0.isOpen } ? Remedy.stepsOfTheExample : nil
  }

  /// `x W`: the matrix applies to the last axis.
  private static func product(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, _ weights: SourceTensor
  ) throws(ImportError) -> CarriedValue {
    guard let inner = value.shape.last, weights.rank >= 1 else {
      throw node.refusal("\(value.shape) and \(weights.shape)", because: "a number is no matrix")
    }
    let matrix =
      weights.rank == 1
      ? weights.reshaped([weights.count, 1])
      : Layout.withoutBatch(weights, along: value, keeping: 2)
    guard matrix.shape.dropLast(2).allSatisfy({ $0 == 1 }), matrix.shape[matrix.rank - 2] == inner
    else {
      if let result = try perElement(&l, node, value, weights, isFirst: false) { return result }
      throw l.requiring(
        value.axes[value.axes.count - 1], ofSize: matrix.shape[matrix.rank - 2],
        or: node.refusal(
          "\(value.shape) and weights of \(weights.shape)",
          because: "one matrix for all is carried",
          instead: remedy(value, axis: value.axes.count - 1)))
    }
    let outputs = matrix.shape[matrix.rank - 1]
    var result = try MatrixLowering.contracting(
      &l,
      value, axis: value.axes.count - 1, outputs: outputs, node
    ) { output, input in matrix[input * outputs + output] }
    guard weights.rank > 1 else {
      result.axes.removeLast()
      return result
    }
    return Layout.padded(result, rank: weights.rank)
  }

  /// `W x`: the matrix applies to the last axis but one.
  private static func product(
    _ l: inout Lowering, _ node: SourceNode, _ weights: SourceTensor, _ value: CarriedValue
  ) throws(ImportError) -> CarriedValue {
    let axis = max(value.axes.count - 2, 0)
    // A vector is a matrix of one row, which the product does not have.
    let matrix =
      weights.rank == 1
      ? weights.reshaped([1, weights.count])
      : Layout.withoutBatch(weights, along: value, keeping: 2)
    guard matrix.rank >= 2, !value.axes.isEmpty, matrix.shape.dropLast(2).allSatisfy({ $0 == 1 }),
      matrix.shape[matrix.rank - 1] == value.shape[axis]
    else {
      if let result = try perElement(&l, node, value, weights, isFirst: true) { return result }
      throw node.refusal(
        "weights of \(weights.shape) and \(value.shape)", because: "one matrix for all is carried",
        instead: remedy(value, axis: axis)
          ?? (weights.rank > 2 && !value.timeAtoms.isEmpty ? Remedy.learnedQuery : nil))
    }
    let (outputs, inner) = (matrix.shape[matrix.rank - 2], value.shape[axis])
    var result = try MatrixLowering.contracting(&l, value, axis: axis, outputs: outputs, node) {
      output, input in
      matrix[output * inner + input]
    }
    guard weights.rank > 1 else {
      result.axes.remove(at: axis)
      return result
    }
    return Layout.padded(result, rank: weights.rank)
  }

  /// A product with a matrix of its own for each element of the axes before, as for each head of attention; nil for other shapes.
  private static func perElement(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, _ weights: SourceTensor,
    isFirst: Bool
  ) throws(ImportError) -> CarriedValue? {
    if let groups = MatrixGroups(value, weights, isFirst: isFirst) {
      return try groups.product(&l, node)
    }
    let rank = value.axes.count
    guard rank > 2, weights.rank == rank, value.timeAtoms.allSatisfy({ $0.size > 1 }),
      zip(weights.shape, value.shape).dropLast(2).allSatisfy({ $0 == $1 || $0 == 1 })
    else { return nil }
    let summed = isFirst ? rank - 2 : rank - 1
    guard weights.shape[isFirst ? rank - 1 : rank - 2] == value.shape[summed],
      value.axes[summed].allSatisfy({ $0.role == .element })
    else { return nil }
    // [.., 1, K, N] times [.., M, K, 1], or [.., M, K, 1] times [.., 1, K, N].
    var wide = value
    wide.axes.insert([], at: isFirst ? rank - 2 : rank)
    var shape = weights.shape
    shape.insert(1, at: isFirst ? rank : rank - 2)
    guard
      case .carried(let product) = try ElementwiseLowering.binary(
        &l, node, "Mul", .carried(wide), .constant(weights.reshaped(shape)))
    else { return nil }
    return try summing(&l, product, axes: [rank - 1], node)
  }

  /// The product of two values over axes of elements.
  private static func product(
    _ l: inout Lowering, _ node: SourceNode, _ first: CarriedValue, _ second: CarriedValue
  ) throws(ImportError) -> CarriedValue {
    guard first.axes.count >= 2, second.axes.count >= 2, let inner = first.axes.last else {
      throw node.refusal("\(first.shape) and \(second.shape)", because: "matrices are multiplied")
    }
    // [.., M, K] and [.., K, N] as [.., M, N, K].
    var (left, right) = (first, second)
    // Elements that are columns of one and rows of the other, as in `hᵀ h`, are two axes of the product.
    let rows = first.axes[first.axes.count - 2]
    for atom in second.axes[second.axes.count - 1]
    where rows.contains(atom) && atom.role == .element {
      right = Layout.splitting(right, atom, into: [l.newAtom(atom.size)])
    }
    left.axes.insert([], at: left.axes.count - 1)
    let row = right.axes.count - 2
    right.axes.append(right.axes.remove(at: row))
    right.axes.insert([], at: row)
    let product = try Arithmetic.combining(&l, [left, right], .multiply, node)
    let last = product.axes.count - 1
    if inner.contains(where: { $0.role != .element })
      || product.axes[last].contains(where: { $0.role != .element })
    {
      return try ReductionLowering.overSteps(&l, node, product, axis: last, .sum, keeps: false)
    }
    return try MatrixLowering.summing(&l, product, axes: [last], node)
  }

  private static func gemm(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    func transposed(_ value: LoweredValue) throws(ImportError) -> LoweredValue {
      switch value {
      case .carried(var carried):
        carried.axes.reverse()
        return .carried(carried)
      case .constant(let tensor):
        guard tensor.rank == 2 else {
          throw node.refusal("\(tensor.shape)", because: "Gemm is of two matrices")
        }
        return .constant(tensor.permuted([1, 0]))
      case .pending(let value): throw PatternLowering.refusal(node, value)
      }
    }
    var (first, second) = (try l.required(node, 0), try l.required(node, 1))
    if node.integer("transA") == 1 { first = try transposed(first) }
    if node.integer("transB") == 1 { second = try transposed(second) }
    var result = try product(&l, node, first, second)
    let (alpha, beta) = (node.float("alpha") ?? 1, node.float("beta") ?? 1)
    if alpha != 1 {
      result = try ElementwiseLowering.binary(
        &l, node, "Mul", result, .constant(SourceTensor(shape: [], elements: [alpha])))
    }
    guard var bias = try l.value(node, 2), beta != 0 else { return [result] }
    if beta != 1 {
      bias = try ElementwiseLowering.binary(
        &l, node, "Mul", bias, .constant(SourceTensor(shape: [], elements: [beta])))
    }
    return [try ElementwiseLowering.binary(&l, node, "Add", result, bias)]
  }
}

extension MatrixLowering {
  /// The value with a batch of one, which a reshape put beside the elements of an axis, in the axis before.
  private static func withBatchOfOneApart(_ value: CarriedValue, axis: Int) -> CarriedValue {
    let ones = value.axes[axis].filter { $0.role == .batch && $0.size == 1 && !$0.isOpen }
    guard axis > 0, !ones.isEmpty, value.axes[axis].contains(where: { $0.role == .element }) else {
      return value
    }
    var result = value
    result.axes[axis].removeAll(where: ones.contains)
    result.axes[axis - 1] += ones
    return result
  }

  /// Applies a matrix with `outputs` rows to one axis of elements.
  static func contracting(
    _ l: inout Lowering, _ value: CarriedValue, axis: Int, outputs: Int, _ node: SourceNode,
    weight: (_ output: Int, _ input: Int) -> Double
  ) throws(ImportError) -> CarriedValue {
    let value = withBatchOfOneApart(value, axis: axis)
    let atoms = value.axes[axis]
    if let result = try flattened(&l, value, axis: axis, outputs: outputs, node, weight: weight) {
      return result
    }
    if atoms.contains(where: { $0.role == .time }),
      let vector = FixedSteps.elements(&l, value, node)
    {
      return try contracting(&l, vector, axis: axis, outputs: outputs, node, weight: weight)
    }
    if let other = atoms.first(where: { $0.role != .element }) {
      throw l.requiring(
        other, .element,
        or: node.refusal(
          "a matrix over \(other.role.rawValue) (axis \(axis) of \(value.shape))",
          because:
            "each step, or vector, is taken through a matrix by itself: a fixed number of steps would be part of the weights",
          instead:
            "pool over the steps, or take the last, before this layer; of the last n steps, put them side by side: torch.stack([x[:, i - n] for i in range(n)], -1)"
        ))
    }
    let inner = atoms.reduce(1) { $0 * $1.size }
    let others = value.foreignOrder.filter { !atoms.contains($0) }
    let arranged = Layout.arranged(&l, value, atoms + others, node)
    var weights: [Double] = []
    weights.reserveCapacity(outputs * inner)
    for output in 0..<outputs {
      for input in 0..<inner { weights.append(weight(output, input)) }
    }
    var result: CarriedValue
    if others.isEmpty {
      result = Layout.map(
        &l, arranged, .linear, node, tensors: [("weight", [outputs, inner], weights)])
    } else {
      result = Layout.map(
        &l, arranged, .conv1D(), node, tensors: [("weight", [outputs, inner, 1], weights)])
    }
    let atom = l.newAtom(outputs)
    result.axes[axis] = [atom]
    result.elements = [atom] + others
    result.kind = .float
    return result.withoutSingles
  }

  /// A matrix over all steps and their elements, flattened: the last step of a convolution over the fixed number of steps.
  private static func flattened(
    _ l: inout Lowering, _ value: CarriedValue, axis: Int, outputs: Int, _ node: SourceNode,
    weight: (_ output: Int, _ input: Int) -> Double
  ) throws(ImportError) -> CarriedValue? {
    let atoms = value.axes[axis]
    let times = atoms.filter { $0.role == .time }
    guard value.form == .sequence, times.count == 1, let time = times.first, !time.isOpen,
      atoms.count > 1, value.timeAtoms.count == 1, atoms.allSatisfy({ $0.role != .batch }),
      value.foreignOrder.allSatisfy(atoms.contains)
    else { return nil }
    let elements = atoms.filter { $0.role == .element }
    let arranged = Layout.arranged(&l, value, elements, node)
    // The convolution's weights are [outputs, elements, steps].
    let strides = RowMajor.strides(atoms.map(\.size))
    func stride(_ atom: Atom) -> Int { atoms.firstIndex(of: atom).map { strides[$0] } ?? 0 }
    let inputs = RowMajor.positions(
      shape: elements.map(\.size) + [time.size], strides: elements.map(stride) + [stride(time)])
    var weights: [Double] = []
    for output in 0..<outputs { weights += inputs.map { weight(output, $0) } }
    var result = Layout.map(
      &l, arranged, .conv(), node,
      tensors: [("weight", [outputs, value.size, time.size], weights)])
    result = Layout.map(&l, result, .last, node)
    ExampleLength.recordSideBySide(&l, time, node)
    let atom = l.newAtom(outputs)
    result.form = .vector
    result.axes[axis] = [atom]
    result.elements = [atom]
    result.kind = .float
    return result.withoutSingles
  }

  /// The sum over axes of elements, which the result does not have.
  static func summing(
    _ l: inout Lowering, _ value: CarriedValue, axes: [Int], _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    let atoms = axes.flatMap { value.axes[$0] }
    let count = atoms.reduce(1) { $0 * $1.size }
    let others = value.foreignOrder.filter { !atoms.contains($0) }
    var result = Layout.arranged(&l, value, others + atoms, node)
    if count > 1 {
      if others.isEmpty {
        result = Layout.map(
          &l,
          result, .linear, node,
          tensors: [("weight", [1, count], Array(repeating: 1, count: count))])
      } else {
        let channels = others.reduce(1) { $0 * $1.size }
        result = Layout.map(&l, result, .averagePool1D(channels: channels, kernel: count), node)
        result = Arithmetic.affine(&l, result, scale: [Double(count)], node)
      }
    }
    result.axes = value.axes.indices.filter { !axes.contains($0) }.map { value.axes[$0] }
    result.elements = others
    return result
  }
}
