/// Products of matrices, and normalisations.
enum MatrixOperators {
  /// The outputs of a node; nil for an operator of another family.
  static func evaluate(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor]? {
    switch a.node.op {
    case "MatMul": return try matMul(a)
    case "Gemm": return try gemm(a)
    case "LayerNormalization": return try layerNormalization(a)
    case "BatchNormalization": return try batchNormalization(a)
    case "InstanceNormalization": return try instanceNormalization(a)
    case "LpNormalization": return try lpNormalization(a)
    case "RMSNormalization", "SimplifiedLayerNormalization": return try rmsNormalization(a)
    case "GroupNormalization": return try groupNormalization(a)
    default: return nil
    }
  }

  private static func matMul(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    [try product(a, try a.required(0), try a.required(1))]
  }

  /// The product of matrices or of stacks of matrices, as in NumPy's `matmul`.
  static func product(
    _ a: Interpreter.Arguments, _ first: SourceTensor, _ second: SourceTensor
  ) throws(ImportError) -> SourceTensor {
    guard first.rank > 0, second.rank > 0 else {
      throw a.node.refusal("\(first.shape) and \(second.shape)", because: "a number is no matrix")
    }
    let left = first.rank == 1 ? [1] + first.shape : first.shape
    let right = second.rank == 1 ? second.shape + [1] : second.shape
    let (rows, inner) = (left[left.count - 2], left[left.count - 1])
    let columns = right[right.count - 1]
    guard right[right.count - 2] == inner,
      let stack = RowMajor.broadcast(Array(left.dropLast(2)), Array(right.dropLast(2)))
    else {
      throw a.node.refusal(
        "\(first.shape) and \(second.shape)", because: "these shapes don't fit each other")
    }
    let shape = stack + (first.rank == 1 ? [] : [rows]) + (second.rank == 1 ? [] : [columns])
    // A state of zeros, of each of the batch's sequences.
    if [first, second].contains(where: { $0.isUniform && $0.first == 0 }) {
      return SourceTensor(repeating: 0, shape: shape, kind: first.kind)
    }
    try a.checkCount(shape)
    try a.takeMultiplications(stack.reduce(1, *), rows, inner, columns)
    let bases = (
      RowMajor.positions(
        shape: stack, strides: RowMajor.broadcastStrides(Array(left.dropLast(2)), to: stack)),
      RowMajor.positions(
        shape: stack, strides: RowMajor.broadcastStrides(Array(right.dropLast(2)), to: stack))
    )
    let (x, y) = (first.dense, second.dense)
    var elements = Array(repeating: 0.0, count: stack.reduce(1, *) * rows * columns)
    for index in bases.0.indices {
      let (from, into) = (bases.0[index] * rows * inner, index * rows * columns)
      let weights = bases.1[index] * inner * columns
      for row in 0..<rows {
        for k in 0..<inner {
          let factor = x[from + row * inner + k]
          if factor == 0 { continue }
          for column in 0..<columns {
            elements[into + row * columns + column] += factor * y[weights + k * columns + column]
          }
        }
      }
    }
    return SourceTensor(shape: shape, kind: first.kind, elements: elements)
  }

  private static func gemm(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    var (first, second) = (try a.required(0), try a.required(1))
    guard first.rank == 2, second.rank == 2 else {
      throw a.node.refusal("\(first.shape) and \(second.shape)", because: "Gemm is of two matrices")
    }
    if a.node.integer("transA") == 1 { first = first.permuted([1, 0]) }
    if a.node.integer("transB") == 1 { second = second.permuted([1, 0]) }
    let (alpha, beta) = (a.node.float("alpha") ?? 1, a.node.float("beta") ?? 1)
    let result = try product(a, first, second).map { alpha * $0 }
    guard let bias = a.optional(2) else { return [result] }
    guard RowMajor.broadcast(bias.shape, result.shape) == result.shape else {
      throw a.node.refusal("C of \(bias.shape)", because: "the product is of \(result.shape)")
    }
    let positions = RowMajor.positions(
      shape: result.shape, strides: RowMajor.broadcastStrides(bias.shape, to: result.shape))
    let elements = positions.indices.map { result[$0] + beta * bias[positions[$0]] }
    return [SourceTensor(shape: result.shape, elements: elements)]
  }

  /// Normalises each group of `size` consecutive elements by its mean and standard deviation.
  private static func normalised(_ values: [Double], size: Int, epsilon: Double) -> [Double] {
    var result = values
    for start in stride(from: 0, to: values.count, by: max(size, 1)) {
      let run = values[start..<start + size]
      let mean = run.reduce(0, +) / Double(size)
      let variance = run.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(size)
      for index in run.indices {
        result[index] = (values[index] - mean) / (variance + epsilon).squareRoot()
      }
    }
    return result
  }

  private static func layerNormalization(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    let (value, scale) = (try a.required(0), try a.required(1))
    let axis = try a.axis(a.node.integer("axis", default: -1), rank: value.rank)
    let size = value.shape[axis...].reduce(1, *)
    guard size > 0, scale.count == size, a.optional(2).map({ $0.count == size }) ?? true else {
      throw a.node.refusal("a scale of \(scale.shape)", because: "\(size) elements are normalised")
    }
    var elements = normalised(value.dense, size: size, epsilon: a.node.float("epsilon") ?? 1e-5)
    for index in elements.indices {
      elements[index] = elements[index] * scale[index % size] + (a.optional(2)?[index % size] ?? 0)
    }
    return [SourceTensor(shape: value.shape, elements: elements)]
  }

  private static func rmsNormalization(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    let (value, scale) = (try a.required(0), try a.required(1))
    let axis = try a.axis(a.node.integer("axis", default: -1), rank: value.rank)
    let size = value.shape[axis...].reduce(1, *)
    guard size > 0, scale.count == size else {
      throw a.node.refusal("a scale of \(scale.shape)", because: "\(size) elements are normalised")
    }
    let epsilon = a.node.float("epsilon") ?? 1e-5
    var elements = value.dense
    for start in stride(from: 0, to: elements.count, by: size) {
      let mean = elements[start..<start + size].reduce(0) { $0 + $1 * $1 } / Double(size)
      for index in 0..<size {
        elements[start + index] *= scale[index] / (mean + epsilon).squareRoot()
      }
    }
    return [SourceTensor(shape: value.shape, elements: elements)]
  }

  /// Scale and shift of each channel, axis 1.
  private static func scaled(
    _ a: Interpreter.Arguments, _ shape: [Int], _ elements: [Double], scale: (Int) -> Double,
    shift: (Int) -> Double
  ) -> SourceTensor {
    let inner = shape[2...].reduce(1, *)
    let result = elements.indices.map { index in
      let channel = index / inner % shape[1]
      return elements[index] * scale(channel) + shift(channel)
    }
    return SourceTensor(shape: shape, elements: result)
  }

  private static func batchNormalization(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    let value = try a.required(0)
    let (scale, bias) = (try a.required(1), try a.required(2))
    let (mean, variance) = (try a.required(3), try a.required(4))
    guard value.rank >= 2, [scale, bias, mean, variance].allSatisfy({ $0.count == value.shape[1] })
    else {
      throw a.node.refusal("\(value.shape)", because: "there are \(scale.count) channels")
    }
    let epsilon = a.node.float("epsilon") ?? 1e-5
    let factors = (0..<scale.count).map { scale[$0] / (variance[$0] + epsilon).squareRoot() }
    return [
      scaled(
        a, value.shape, value.dense, scale: { factors[$0] },
        shift: { bias[$0] - mean[$0] * factors[$0] })
    ]
  }

  private static func instanceNormalization(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    let value = try a.required(0)
    guard value.rank >= 3 else {
      throw a.node.refusal("\(value.shape)", because: "there is no axis behind the channels")
    }
    return try normalised(a, value, size: value.shape[2...].reduce(1, *))
  }

  private static func groupNormalization(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    let (value, groups) = (try a.required(0), a.node.integer("num_groups", default: 1))
    guard value.rank >= 2, groups > 0, value.shape[1] % groups == 0 else {
      throw a.node.refusal(
        "\(value.shape), \(groups) groups", because: "each group has as many channels")
    }
    return try normalised(a, value, size: value.shape[1...].reduce(1, *) / groups)
  }

  /// Each `size` elements normalised, with a scale and a bias for each channel, which PyTorch may leave out.
  private static func normalised(
    _ a: Interpreter.Arguments, _ value: SourceTensor, size: Int
  ) throws(ImportError) -> [SourceTensor] {
    let (scale, bias, channels) = (a.optional(1), a.optional(2), value.shape[1])
    guard scale?.count ?? channels == channels, bias?.count ?? channels == channels else {
      throw a.node.refusal(
        "weights of \(scale?.shape ?? []) and \(bias?.shape ?? [])",
        because: "there are \(channels) channels")
    }
    let elements = normalised(
      value.dense, size: size, epsilon: a.node.float("epsilon") ?? 1e-5)
    return [scaled(a, value.shape, elements, scale: { scale?[$0] ?? 1 }, shift: { bias?[$0] ?? 0 })]
  }

  private static func lpNormalization(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    let value = try a.required(0)
    let axis = try a.axis(a.node.integer("axis", default: -1), rank: value.rank)
    let power = a.node.integer("p", default: 2)
    let (stride, size) = (RowMajor.strides(value.shape)[axis], value.shape[axis])
    try a.checkCount(value.shape)
    var elements = value.dense
    for start in elements.indices where start / stride % size == 0 {
      let run = (0..<size).map { value[start + $0 * stride] }
      let norm =
        power == 1
        ? run.reduce(0) { $0 + Swift.abs($1) } : run.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for index in 0..<size where norm != 0 { elements[start + index * stride] = run[index] / norm }
    }
    return [SourceTensor(shape: value.shape, elements: elements)]
  }
}
