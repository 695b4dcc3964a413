/// How many inputs ONNX's operators require.
enum ONNXInputCounts {
  /// Checks that a node has those that its operator requires, so that whoever reads the graph finds them.
  static func check(_ node: SourceNode) throws(ImportError) {
    let fewest = fewest[node.op] ?? 0
    guard node.inputs.count >= fewest else {
      throw node.refusal(
        "\(node.inputs.count) inputs", because: "\(node.op) has \(fewest) at least")
    }
  }

  /// The required inputs of ONNX's operators, those with none left out.
  private static let fewest = Dictionary(
    [
      1: [
        "Abs", "ArgMax", "ArgMin", "AveragePool", "Cast", "Ceil", "Clip", "Concat",
        "ConstantOfShape", "Dropout", "DynamicQuantizeLinear", "Einsum", "Elu", "Erf", "Exp",
        "Flatten", "Floor", "Gelu", "GlobalAveragePool", "GlobalMaxPool", "HardSigmoid",
        "HardSwish", "Identity", "If", "LeakyRelu", "Log", "LogSoftmax", "Max", "MaxPool", "Mean",
        "Min", "Mish", "Neg", "Not", "Pad", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSumExp",
        "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare",
        "Relu", "Resize", "Round", "Scan", "Selu", "Shape", "Sigmoid", "Sign", "Sin", "Size",
        "Slice", "Softmax", "Softplus", "Softsign", "Split", "Sqrt", "Squeeze", "Sum", "Swish",
        "Tanh", "ThresholdedRelu", "TopK", "Transpose", "Trilu", "Unsqueeze", "Upsample",
      ],
      2: [
        "Add", "And", "CastLike", "Conv", "ConvInteger", "ConvTranspose", "CumSum",
        "DequantizeLinear", "Div", "Equal", "Expand", "Gather", "GatherElements", "GatherND",
        "Gemm", "Greater", "GreaterOrEqual", "LayerNormalization", "Less", "LessOrEqual", "Loop",
        "MatMul", "MatMulInteger", "Mod", "Mul", "Or", "PRelu", "Pow", "QuantizeLinear",
        "ReverseSequence", "Sub", "Tile", "Xor",
      ],
      3: [
        "GRU", "InstanceNormalization", "LSTM", "OneHot", "RNN", "Range", "ScatterElements",
        "ScatterND", "Where",
      ],
      5: ["BatchNormalization"],
    ].flatMap { count, ops in ops.map { ($0, count) } }, uniquingKeysWith: { $1 })
}
