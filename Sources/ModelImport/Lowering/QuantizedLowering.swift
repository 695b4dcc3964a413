import ModelFormat

/// Products with 8-bit weights. Values stay in single precision: the source's rounding of values to 8 bits is left out.
enum QuantizedLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case "DynamicQuantizeLinear": return try round(&l, node)
    case "MatMulInteger": return try multiply(&l, node)
    case "ConvInteger": return try convolve(&l, node)
    case "QuantizeLinear":
      var value = try limited(&l, node)
      l.builder.note(Note.roundedActivations)
      value.isRounded = true
      return [.carried(value)]
    case "DequantizeLinear": return [.carried(try dequantize(&l, node))]
    case "com.microsoft.DynamicQuantizeMatMul": return try dynamicProduct(&l, node)
    case "com.microsoft.MatMulIntegerToFloat": return try integerProduct(&l, node)
    default: return nil
    }
  }

  /// Nodes behind which ONNX Runtime leaves out the activation, such as ReLU, whose limits are those of the 8 bits.
  private static let activated: Set<String> = ["linear", "conv", "conv1d", "conv2d", "add"]

  /// The value within the limits of QuantizeLinear, where these may stand for an activation.
  private static func limited(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    let value = try l.carried(node, 0)
    guard let scale = try l.constant(node, 1, "a scale"), scale.count == 1,
      scale[0] > 0, scale[0].isFinite, let limits = node.integers(ONNXGraphParser.limits),
      limits.count == 2,
      let source = l.builder.nodes.last(where: { $0.name == value.node })
    else { return value }
    let zero = try l.constant(node, 2, "a zero point")?.first ?? 0
    // A bias is added last; a factor alone may be part of a pattern, such as GELU's.
    let affine = source.op.definition as? AffineOp
    let isShifted = affine?.shift != nil || l.builder.floats("\(source.name).bias") != nil
    let isAtLimit = affine != nil && limits.contains(SourceTensor.integer(zero))
    guard activated.contains(source.op.name) || affine != nil && isShifted || isAtLimit else {
      return value
    }
    let bounds = limits.map { Float((Double($0) - zero) * scale[0]) }
    return Layout.map(&l, value, .clip(min: bounds[0], max: bounds[1]), node)
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

  /// Dequantises: a rounded value is replaced by the one before rounding; a value from an 8-bit table is shifted and scaled.
  private static func dequantize(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    var value = try l.carried(node, 0)
    if value.isRounded {
      value.isRounded = false
      return value
    }
    guard let scale = try l.constant(node, 1, "a scale") else {
      throw node.refusal("no scale", because: "DequantizeLinear needs one")
    }
    let zero = try l.constant(node, 2, "a zero point")
    if let zero {
      let shifts = try numbers(zero, along: value, &l, node).map { -$0 }
      value = Arithmetic.affine(&l, value, shift: shifts, node)
    }
    value = Arithmetic.affine(
      &l, value, scale: try numbers(scale, along: value, &l, node), node)
    value.kind = .float
    return value
  }

  /// A number for each of the value's elements, from one for all or one for each index of `axis`.
  private static func numbers(
    _ constant: SourceTensor, along value: CarriedValue, _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [Double] {
    let given = node.integer("axis", default: 1)
    let axis = given < 0 ? given + value.axes.count : given
    var wide = constant
    if constant.count > 1 {
      guard value.axes.indices.contains(axis), constant.count == value.shape[axis] else {
        throw node.refusal(
          "\(constant.count) scales along axis \(given) of \(value.shape)",
          because: "there is one for each place along the axis, or one for all")
      }
      wide.shape = Array(repeating: 1, count: value.axes.count)
      wide.shape[axis] = constant.count
    }
    return try Layout.elements(of: wide, along: value, node)
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

  private static func convolve(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue] {
    guard case .pending(.quantized(.rounded(let value))) = try l.required(node, 0),
      let weights = try l.constant(node, 1, "weights"), weights.rank >= 3,
      weights.rank == value.axes.count
    else {
      throw node.refusal(
        "a convolution of integers",
        because: "it is carried with values that DynamicQuantizeLinear made and constant weights")
    }
    let zero = try l.constant(node, 3, "a zero point")
    if let zero, zero.count > 1 {
      throw node.refusal(
        "\(zero.count) zero points of weights", because: "one for all is carried",
        instead: "quantise convolutions with per_channel=False")
    }
    let windows = try ConvolutionLowering.windows(
      &l, node, value, kernel: Array(weights.shape[2...]))
    let shape = [value.shape[0], weights.shape[0]] + windows.map(\.count)
    let shifted = try difference(
      node, weights, zero.map { SourceTensor(shape: [], elements: [$0[0]]) }, l.opset)
    return [.pending(.quantized(.convolution(value, weights: shifted, node, shape: shape)))]
  }

  private static func difference(
    _ node: SourceNode, _ weights: SourceTensor, _ zero: SourceTensor?, _ opset: Int
  ) throws(ImportError) -> SourceTensor {
    guard let zero else { return weights }
    return try Interpreter.result(of: "Sub", in: node, weights, zero, opset: opset)
  }

  /// Products of scales, and of an integer product with them.
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
      let scaled = try Interpreter.result(of: "Mul", in: node, weights, scale, opset: l.opset)
      return try MatrixLowering.product(&l, node, .carried(source), .constant(scaled))
    case (
      .convolution(let source, let weights, let convolution, _),
      .pending(.quantized(.scaleProduct(_, let scale)))
    ) where scale.count == 1,
      (
        .scaleProduct(_, let scale),
        .pending(.quantized(.convolution(let source, let weights, let convolution, _)))
      ) where scale.count == 1:
      let scaled = try Interpreter.result(
        of: "Mul", in: node, weights, SourceTensor(shape: [], elements: [scale[0]]), opset: l.opset)
      var plain = convolution
      (plain.op, plain.outputs) = ("Conv", node.outputs)
      let name = node.outputs.first ?? node.name
      plain.inputs = ["\(name).unrounded", "\(name).scaled"]
      l.define(plain.inputs[0], .carried(source))
      l.define(plain.inputs[1], .constant(scaled))
      guard let result = try ConvolutionLowering.lower(&l, plain)?.first else {
        preconditionFailure("a convolution")
      }
      return result
    default: throw PatternLowering.refusal(node, .quantized(value))
    }
  }

  /// Inputs: A, the 8-bit B, its scale and zero point, a bias.
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
    let scaled = try Interpreter.result(of: "Mul", in: node, shifted, scale, opset: l.opset)
    let result = try MatrixLowering.product(&l, node, .carried(value), .constant(scaled))
    guard let bias = try l.value(node, 4) else { return [result] }
    return [try ElementwiseLowering.binary(&l, node, "Add", result, bias)]
  }

  /// Inputs: the 8-bit A and B, their scales and zero points, a bias.
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
    let scaled = try Interpreter.result(of: "Mul", in: node, shifted, scale, opset: l.opset)
    let result = try MatrixLowering.product(&l, node, .carried(value), .constant(scaled))
    guard let bias = try l.value(node, 6) else { return [result] }
    return [try ElementwiseLowering.binary(&l, node, "Add", result, bias)]
  }
}

extension QuantizedLowering {
  /// 8-bit weights of ONNX Runtime, [directions, inputs, gates · H], in the layout of LSTM.
  static func cellWeights(
    _ l: inout Lowering, _ node: SourceNode, weights: Int, scale: Int, zero: Int
  ) throws(ImportError) -> SourceTensor {
    try QuantizedOperators.cellWeights(
      node, try l.constant(node, weights, "weights"),
      scales: try l.constant(node, scale, "a scale"),
      zeros: try l.constant(node, zero, "a zero point"))
  }
}
