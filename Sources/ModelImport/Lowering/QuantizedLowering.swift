/// Products with weights of 8 bits. The values are kept in single precision: what was rounded to 8 bits on the way isn't.
enum QuantizedLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case "DynamicQuantizeLinear": return try round(&l, node)
    case "MatMulInteger": return try multiply(&l, node)
    case "QuantizeLinear", "DequantizeLinear": return try pass(&l, node)
    case "com.microsoft.DynamicQuantizeMatMul": return try dynamicProduct(&l, node)
    case "com.microsoft.MatMulIntegerToFloat": return try integerProduct(&l, node)
    default: return nil
    }
  }

  private static func round(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    let value = try l.carried(node, 0)
    l.builder.note(Note.roundedActivations)
    return [
      .pending(.quantized(.rounded(value))), .pending(.quantized(.scale(value))),
      .pending(.quantized(.zeroPoint(value))),
    ]
  }

  /// Values that are rounded on the way, and stand as they were.
  private static func pass(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    l.builder.note(Note.roundedActivations)
    return [.carried(try l.carried(node, 0))]
  }

  private static func multiply(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    guard case .pending(.quantized(.rounded(let value))) = try l.required(node, 0),
      let weights = try l.constant(node, 1, "weights"), weights.rank == 2
    else {
      throw node.refusal(
        "a product of integers",
        because: "it is carried with values that DynamicQuantizeLinear made and constant weights")
    }
    let shifted = try difference(node, weights, try l.constant(node, 3, "a zero point"), l.opset)
    return [.pending(.quantized(.product(value, weights: shifted)))]
  }

  private static func difference(
    _ node: SourceNode, _ weights: SourceTensor, _ zero: SourceTensor?, _ opset: Int
  ) throws(ImportError) -> SourceTensor {
    guard let zero else { return weights }
    return try evaluate(node, "Sub", weights, zero, opset)
  }

  private static func evaluate(
    _ node: SourceNode, _ op: String, _ first: SourceTensor, _ second: SourceTensor, _ opset: Int
  ) throws(ImportError) -> SourceTensor {
    var pair = node
    pair.op = op
    guard let result = try Interpreter(opset: opset).evaluate(pair, [first, second]) else {
      preconditionFailure(op)
    }
    return result[0]
  }

  /// Scales that are multiplied, and the product of integers times them.
  static func binary(
    _ l: inout Lowering, _ node: SourceNode, _ op: String, _ value: PendingValue.QuantizedValue,
    _ other: LoweredValue
  ) throws(ImportError) -> LoweredValue {
    guard op == "Mul" else { throw PatternLowering.refusal(node, .quantized(value)) }
    switch (value, other) {
    case (.scale(let source), .constant(let scale)):
      return .pending(.quantized(.scaleProduct(source, weights: scale)))
    case (.product(let source, let weights), .pending(.quantized(.scaleProduct(_, let scale)))),
      (.scaleProduct(_, let scale), .pending(.quantized(.product(let source, let weights)))):
      let scaled = try evaluate(node, "Mul", weights, scale, l.opset)
      return try MatrixLowering.product(&l, node, .carried(source), .constant(scaled))
    default: throw PatternLowering.refusal(node, .quantized(value))
    }
  }

  /// A, B of 8 bits, its scale and zero point, a bias.
  private static func dynamicProduct(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    let value = try l.carried(node, 0)
    guard let weights = try l.constant(node, 1, "weights"),
      let scale = try l.constant(node, 2, "a scale")
    else {
      throw node.refusal("no weights", because: "they are needed")
    }
    l.builder.note(Note.roundedActivations)
    let shifted = try difference(node, weights, try l.constant(node, 3, "a zero point"), l.opset)
    let scaled = try evaluate(node, "Mul", shifted, scale, l.opset)
    let result = try MatrixLowering.product(&l, node, .carried(value), .constant(scaled))
    guard let bias = try l.value(node, 4) else { return [result] }
    return [try ElementwiseLowering.binary(&l, node, "Add", result, bias)]
  }

  /// A and B of 8 bits, their scales and zero points, a bias.
  private static func integerProduct(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    guard case .pending(.quantized(.rounded(let value))) = try l.required(node, 0),
      let weights = try l.constant(node, 1, "weights"),
      let scale = try l.constant(node, 3, "a scale")
    else {
      throw node.refusal(
        "a product of integers",
        because: "it is carried with values that DynamicQuantizeLinear made and constant weights")
    }
    let shifted = try difference(node, weights, try l.constant(node, 5, "a zero point"), l.opset)
    let scaled = try evaluate(node, "Mul", shifted, scale, l.opset)
    let result = try MatrixLowering.product(&l, node, .carried(value), .constant(scaled))
    guard let bias = try l.value(node, 6) else { return [result] }
    return [try ElementwiseLowering.binary(&l, node, "Add", result, bias)]
  }
}

/// What a person is told beside the folder.
enum Note {
  static let roundedActivations =
    "the file rounds what goes into products to 8 bits; the folder doesn't, so that its answers are nearer to those of the model before it was quantised"
}
