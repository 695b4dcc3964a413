import Glibc

/// Operators that reduce several numbers to one.
enum ReductionOperators {
  /// The outputs of a node; nil for an operator of another family.
  static func evaluate(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor]? {
    switch a.node.op {
    case _ where reductions[a.node.op] != nil: return try applyReduction(a)
    case "ArgMax", "ArgMin": return try argument(a)
    case "TopK": return try largest(a)
    case "Softmax", "LogSoftmax": return try softmax(a)
    case "GlobalAveragePool", "GlobalMaxPool": return try pool(a)
    default: return nil
    }
  }

  private static let reductions: [String: @Sendable ([Double]) -> Double] = [
    "ReduceMean": { $0.reduce(0, +) / Double($0.count) },
    "ReduceSum": { $0.reduce(0, +) },
    "ReduceMax": { $0.max() ?? -.infinity },
    "ReduceMin": { $0.min() ?? .infinity },
    "ReduceProd": { $0.reduce(1, *) },
    "ReduceL1": { $0.reduce(0) { $0 + Swift.abs($1) } },
    "ReduceL2": { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() },
    "ReduceSumSquare": { $0.reduce(0) { $0 + $1 * $1 } },
    "ReduceLogSumExp": { values in
      let largest = values.max() ?? 0
      return largest + log(values.reduce(0) { $0 + exp($1 - largest) })
    },
    "ReduceLogSum": { log($0.reduce(0, +)) },
  ]

  /// The axes of a reduction; if none are given, all axes or, for some nodes, none.
  static func reducedAxes(_ node: SourceNode, rank: Int, axes: [Int]?) throws(ImportError) -> [Int]
  {
    guard let axes, !axes.isEmpty else {
      return node.integer("noop_with_empty_axes") == 1 ? [] : Array(0..<rank)
    }
    let counted = axes.map { $0 < 0 ? $0 + rank : $0 }
    guard counted.allSatisfy({ (0..<rank).contains($0) }), Set(counted).count == counted.count
    else {
      throw node.refusal("the axes \(axes)", because: "the value has \(rank) axes")
    }
    return counted.sorted()
  }

  private static func applyReduction(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    guard let function = reductions[a.node.op] else { preconditionFailure(a.node.op) }
    let value = try a.required(0)
    let axes = try reducedAxes(a.node, rank: value.rank, axes: a.axes(input: 1))
    return [
      try reduce(a, value, axes: axes, keeps: a.node.integer("keepdims", default: 1) == 1, function)
    ]
  }

  private static func reduce(
    _ a: Interpreter.Arguments, _ value: SourceTensor, axes: [Int], keeps: Bool,
    _ function: ([Double]) -> Double
  ) throws(ImportError) -> SourceTensor {
    try a.checkCount(value.shape)
    let strides = RowMajor.strides(value.shape)
    let kept = value.shape.indices.filter { !axes.contains($0) }
    let bases = RowMajor.positions(
      shape: kept.map { value.shape[$0] }, strides: kept.map { strides[$0] })
    let within = RowMajor.positions(
      shape: axes.map { value.shape[$0] }, strides: axes.map { strides[$0] })
    let shape =
      keeps
      ? value.shape.indices.map { axes.contains($0) ? 1 : value.shape[$0] }
      : kept.map { value.shape[$0] }
    let elements = bases.map { base in function(within.map { value[base + $0] }) }
    return SourceTensor(shape: shape, kind: value.kind, elements: elements)
  }

  private static func pool(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let isMean = a.node.op == "GlobalAveragePool"
    let value = try a.required(0)
    guard value.rank >= 3 else {
      throw a.node.refusal("\(value.shape)", because: "it has no axes behind the channels")
    }
    return [
      try reduce(a, value, axes: Array(2..<value.rank), keeps: true) { values in
        isMean ? values.reduce(0, +) / Double(values.count) : values.max() ?? -.infinity
      }
    ]
  }

  private static func argument(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let sign: Double = a.node.op == "ArgMax" ? 1 : -1
    let value = try a.required(0)
    let axis = try a.axis(a.node.integer("axis", default: 0), rank: value.rank)
    let takesLast = a.node.integer("select_last_index") == 1
    var result = try reduce(
      a, value, axes: [axis], keeps: a.node.integer("keepdims", default: 1) == 1
    ) { values in
      var best = 0
      for index in values.indices
      where sign * values[index] > sign * values[best]
        || (takesLast && values[index] == values[best])
      {
        best = index
      }
      return Double(best)
    }
    result.kind = .integer
    return [result]
  }

  /// TopK: the largest or smallest elements along an axis, and their indices; of equals, the first comes first.
  private static func largest(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    let axis = try a.axis(a.node.integer("axis", default: -1), rank: value.rank)
    let count = a.node.integer("k") ?? a.optional(1)?.integers.first ?? 1
    guard (0...value.shape[axis]).contains(count) else {
      throw a.node.refusal("k of \(count)", because: "the axis has \(value.shape[axis]) elements")
    }
    try a.checkCount(value.shape)
    let sign: Double = a.node.integer("largest", default: 1) == 1 ? 1 : -1
    var shape = value.shape
    shape[axis] = count
    let (stride, size) = (RowMajor.strides(value.shape)[axis], value.shape[axis])
    let strides = RowMajor.strides(shape)
    var elements = Array(repeating: 0.0, count: shape.reduce(1, *))
    var places = elements
    for start in 0..<value.count where start / stride % size == 0 {
      let order = (0..<size).sorted {
        let (one, other) = (sign * value[start + $0 * stride], sign * value[start + $1 * stride])
        return one > other || (one == other && $0 < $1)
      }
      let base = start / (stride * size) * (stride * count) + start % stride
      for (place, index) in order.prefix(count).enumerated() {
        elements[base + place * strides[axis]] = value[start + index * stride]
        places[base + place * strides[axis]] = Double(index)
      }
    }
    return [
      SourceTensor(shape: shape, kind: value.kind, elements: elements),
      SourceTensor(shape: shape, kind: .integer, elements: places),
    ]
  }

  private static func softmax(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let isLog = a.node.op == "LogSoftmax"
    let value = try a.required(0)
    try a.checkCount(value.shape)
    let axes = try softmaxAxes(a.node, opset: a.opset, rank: value.rank)
    let strides = RowMajor.strides(value.shape)
    let kept = value.shape.indices.filter { !axes.contains($0) }
    let bases = RowMajor.positions(
      shape: kept.map { value.shape[$0] }, strides: kept.map { strides[$0] })
    let within = RowMajor.positions(
      shape: axes.map { value.shape[$0] }, strides: axes.map { strides[$0] })
    var elements = value.dense
    for base in bases {
      let largest = within.lazy.map { value[base + $0] }.max() ?? 0
      let sum = within.reduce(0.0) { $0 + exp(value[base + $1] - largest) }
      for offset in within {
        let x = value[base + offset] - largest
        elements[base + offset] = isLog ? x - log(sum) : exp(x) / sum
      }
    }
    return [SourceTensor(shape: value.shape, elements: elements)]
  }

  /// The axes over which the exponentials are summed: before version 13, all axes from the given one on.
  static func softmaxAxes(_ node: SourceNode, opset: Int, rank: Int) throws(ImportError) -> [Int] {
    let given = node.integer("axis", default: opset < 13 ? 1 : -1)
    let axis = given < 0 ? given + rank : given
    guard (0..<max(rank, 1)).contains(axis), rank > 0 else {
      throw node.refusal("axis \(given)", because: "the value has \(rank) axes")
    }
    return opset < 13 ? Array(axis..<rank) : [axis]
  }
}
