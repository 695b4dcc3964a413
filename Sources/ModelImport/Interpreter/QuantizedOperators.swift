/// Operators on 8-bit numbers with a scale.
enum QuantizedOperators {
  /// The outputs of a node; nil for an operator of another family.
  static func evaluate(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor]? {
    switch a.node.op {
    case "DynamicQuantizeLinear": return try quantizeDynamically(a)
    case "DequantizeLinear": return try dequantize(a)
    case "QuantizeLinear": return try quantize(a)
    case "MatMulInteger": return try multiply(a)
    case "ConvInteger": return try convolve(a)
    case "com.microsoft.DynamicQuantizeMatMul": return try multiplyDynamically(a)
    case "com.microsoft.MatMulIntegerToFloat": return try multiplyToFloats(a)
    case "com.microsoft.DynamicQuantizeLSTM": return try lstm(a)
    default: return nil
    }
  }

  private static func quantizeDynamically(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    let value = try a.required(0)
    let low = min(value.elements.min() ?? 0, 0)
    let high = max(value.elements.max() ?? 0, 0)
    let scale = Double(Float((high - low) / 255))
    let zero = scale == 0 ? 0 : min(max((-low / scale).rounded(.toNearestOrEven), 0), 255)
    let quantized = value.map(.integer) {
      scale == 0 ? 0 : min(max(($0 / scale).rounded(.toNearestOrEven) + zero, 0), 255)
    }
    return [
      quantized, SourceTensor(shape: [], elements: [scale]),
      SourceTensor(shape: [], kind: .integer, elements: [zero]),
    ]
  }

  /// For each element of `value`, the index in a scale or zero point, which has one number or one for each index of an axis.
  static func channelPositions(
    _ a: Interpreter.Arguments, _ value: SourceTensor, _ scale: SourceTensor
  ) throws(ImportError) -> [Int] {
    if let zeros = a.optional(2), zeros.count != scale.count {
      throw a.node.refusal(
        "zero points of \(zeros.shape)", because: "the scale is of \(scale.shape)")
    }
    if scale.count == 1 { return Array(repeating: 0, count: value.count) }
    let axis = try a.axis(a.node.integer("axis", default: 1), rank: value.rank)
    guard scale.count == value.shape[axis], scale.rank == 1 else {
      throw a.node.refusal("a scale of \(scale.shape)", because: "the value is of \(value.shape)")
    }
    let stride = RowMajor.strides(value.shape)[axis]
    return (0..<value.count).map { $0 / stride % scale.count }
  }

  private static func dequantize(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let (value, scale) = (try a.required(0), try a.required(1))
    try a.checkCount(value.shape)
    let channels = try channelPositions(a, value, scale)
    let elements = channels.indices.map { index in
      (value[index] - (a.optional(2)?[channels[index]] ?? 0)) * scale[channels[index]]
    }
    return [SourceTensor(shape: value.shape, elements: elements)]
  }

  private static func quantize(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let (value, scale) = (try a.required(0), try a.required(1))
    guard a.optional(2)?.kind != .float, scale.elements.allSatisfy({ $0 > 0 }) else {
      throw a.node.refusal("a scale of \(scale.elements.prefix(4))", because: "a scale is above 0")
    }
    try a.checkCount(value.shape)
    let channels = try channelPositions(a, value, scale)
    let limits = a.node.integers(ONNXGraphParser.limits) ?? []
    let (low, high) = (Double(limits.first ?? .min), Double(limits.last ?? .max))
    let elements = channels.indices.map { index in
      let number =
        (value[index] / scale[channels[index]]).rounded(.toNearestOrEven)
        + (a.optional(2)?[channels[index]] ?? 0)
      return min(max(number, low), high)
    }
    return [SourceTensor(shape: value.shape, kind: .integer, elements: elements)]
  }

  private static func multiply(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let first = try a.required(0)
    let zero = a.optional(2)?.elements.first ?? 0
    var second = try a.required(1)
    if let zeros = a.optional(3) {
      try a.checkCount(second.shape)
      guard zeros.count == 1 || zeros.count == second.shape.last else {
        throw a.node.refusal(
          "zero points of \(zeros.shape)", because: "the weights are of \(second.shape)")
      }
      let columns = second.shape.last ?? 1
      let elements = (0..<second.count).map {
        second[$0] - zeros[zeros.count == 1 ? 0 : $0 % columns]
      }
      second = SourceTensor(shape: second.shape, kind: .integer, elements: elements)
    }
    return [try MatrixOperators.product(a, first.map { $0 - zero }, second)]
  }

  private static func convolve(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor]? {
    let zeros = [2, 3].map { a.optional($0)?.elements ?? [0] }
    guard zeros.allSatisfy({ $0.count == 1 }) else {
      throw a.node.refusal("several zero points", because: "one for all is computed")
    }
    let operands = [try a.required(0), try a.required(1)]
    for operand in operands { try a.checkCount(operand.shape) }
    var node = a.node
    node.op = "Conv"
    return try ConvolutionOperators.evaluate(
      Interpreter.Arguments(
        node: node, opset: a.opset,
        values: zip(operands, zeros).map { operand, zero in operand.map { $0 - zero[0] } },
        budget: a.budget))
  }
}

// MARK: ONNX Runtime's own operators

extension QuantizedOperators {
  /// An operator of another name, applied to some of the operands or to what came of them.
  private static func apply(
    _ op: String, _ values: [SourceTensor?], _ a: Interpreter.Arguments
  ) throws(ImportError) -> [SourceTensor] {
    var node = a.node
    node.op = op
    let own = Interpreter.Arguments(node: node, opset: a.opset, values: values, budget: a.budget)
    if let results = try evaluate(own) { return results }
    if let results = try ElementwiseOperators.evaluate(own) { return results }
    if let results = try RecurrentOperators.evaluate(own) { return results }
    preconditionFailure(op)
  }

  /// Inputs: A, the 8-bit B, its scale and zero point, a bias.
  private static func multiplyDynamically(
    _ a: Interpreter.Arguments
  ) throws(ImportError) -> [SourceTensor] {
    let rounded = try apply("DynamicQuantizeLinear", [try a.required(0)], a)
    return try apply(
      "com.microsoft.MatMulIntegerToFloat",
      [
        rounded[0], try a.required(1), rounded[1], try a.required(2), rounded[2], a.optional(3),
        a.optional(4),
      ], a)
  }

  /// Inputs: the 8-bit A and B, their scales and zero points, a bias.
  private static func multiplyToFloats(
    _ a: Interpreter.Arguments
  ) throws(ImportError) -> [SourceTensor] {
    let product = try apply(
      "MatMulInteger", [try a.required(0), try a.required(1), a.optional(4), a.optional(5)], a)
    let scale = try apply("Mul", [try a.required(2), try a.required(3)], a)
    let scaled = try apply("Mul", [product[0].map(.float) { $0 }, scale[0]], a)
    guard let bias = a.optional(6) else { return scaled }
    return try apply("Add", [scaled[0], bias], a)
  }

  /// The network with the weights that the 8 bits stand for. What goes into its products is not rounded, as in the folder.
  private static func lstm(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    var values = (0..<8).map { a.optional($0) }
    for (weights, scale) in [(1, 8), (2, 10)] {
      values[weights] = try cellWeights(
        a.node, a.optional(weights), scales: a.optional(scale), zeros: a.optional(scale + 1))
    }
    return try apply("LSTM", values, a)
  }

  /// 8-bit weights of an LSTM, [directions, inputs, gates · H], as those that ONNX's LSTM has, [directions, gates · H, inputs].
  static func cellWeights(
    _ node: SourceNode, _ weights: SourceTensor?, scales: SourceTensor?, zeros: SourceTensor?
  ) throws(ImportError) -> SourceTensor {
    guard let values = weights, let scales, values.rank == 3,
      scales.count == values.shape[0] || scales.count == values.shape[0] * values.shape[2]
    else {
      throw node.refusal("weights without a scale", because: "each direction, or column, has one")
    }
    if let zeros, ![1, scales.count, values.shape[0]].contains(zeros.count) {
      throw node.refusal(
        "zero points of \(zeros.shape)", because: "the scale is of \(scales.shape)")
    }
    let (directions, inputs, columns) = (values.shape[0], values.shape[1], values.shape[2])
    let isByColumn = scales.count != directions
    var elements: [Double] = []
    for direction in 0..<directions {
      for column in 0..<columns {
        let index = isByColumn ? direction * columns + column : direction
        for input in 0..<inputs {
          let value = values[(direction * inputs + input) * columns + column]
          let zero =
            zeros.map { $0.count == 1 ? $0[0] : $0[$0.count == scales.count ? index : direction] }
            ?? 0
          elements.append((value - zero) * scales[index])
        }
      }
    }
    return SourceTensor(shape: [directions, columns, inputs], elements: elements)
  }
}
