import ModelFormat

extension RecurrentLowering {
  /// The tensors of a node, with gates in PyTorch's order.
  static func weights(_ cell: RecurrentCell) -> [(name: String, shape: [Int], elements: [Double])] {
    let size = cell.hiddenSize
    let rows = cell.kind.gates * size
    // i o f c → i f g o; z r h → r z n
    let order: [Int]
    switch cell.kind {
    case .lstm: order = [0, 2, 3, 1]
    case .gru: order = [1, 0, 2]
    case .rnn: order = [0]
    }
    func gates(_ matrix: ArraySlice<Double>, columns: Int) -> [Double] {
      order.flatMap { gate in
        let start = matrix.startIndex + gate * size * columns
        return matrix[start..<start + size * columns]
      }
    }
    var tensors: [(name: String, shape: [Int], elements: [Double])] = []
    for direction in 0..<cell.directions {
      let suffix = direction == 1 ? "_l0_reverse" : "_l0"
      tensors.append(
        (
          "weight_ih\(suffix)", [rows, cell.inputSize],
          gates(cell.inputWeights[direction][...], columns: cell.inputSize)
        ))
      tensors.append(
        (
          "weight_hh\(suffix)", [rows, cell.outputSize],
          gates(cell.recurrentWeights[direction][...], columns: cell.outputSize)
        ))
      if let projection = cell.projections?[direction] {
        tensors.append(("weight_hr\(suffix)", [cell.outputSize, size], projection))
      }
      if let biases = cell.biases?[direction] {
        tensors.append(("bias_ih\(suffix)", [rows], gates(biases[..<rows], columns: 1)))
        tensors.append(("bias_hh\(suffix)", [rows], gates(biases[rows...], columns: 1)))
      }
      // ONNX's peepholes are i o f.
      if let peepholes = cell.peepholes?[direction] {
        tensors.append(
          (
            "peephole\(suffix)", [3 * size],
            [0, 2, 1].flatMap { peepholes[$0 * size..<($0 + 1) * size] }
          ))
      }
    }
    return tensors
  }

  /// The op with its attributes.
  static func op(_ node: SourceNode, _ cell: RecurrentCell) throws(ImportError)
    -> ModelDescription.Op
  {
    let direction: ModelDescription.Direction? = cell.isReverse ? .reverse : nil
    let clip = cell.clip.map(Float.init)
    if let clip, !(clip > 0 && clip.isFinite) {
      throw node.refusal("a clip of \(clip)", because: "it is a number above 0")
    }
    switch cell.kind {
    case .lstm:
      var op = LSTMOp()
      op.direction = direction
      op.clip = clip
      op.couplesForgetGate = cell.couplesForgetGate
      op.gateActivation = try activation(node, cell, 0)
      op.activation = try activation(node, cell, 1)
      // The default is `activation`.
      if let output = try activation(node, cell, 2) {
        op.outputActivation = output
      } else if op.activation != nil {
        op.outputActivation = CellActivation(.tanh)
      }
      return .lstm(op)
    case .gru:
      var op = GRUOp()
      op.direction = direction
      op.clip = clip
      op.reset = cell.resetsAfter ? nil : .before
      op.gateActivation = try activation(node, cell, 0)
      op.activation = try activation(node, cell, 1)
      return .gru(op)
    case .rnn:
      var op = RNNOp()
      op.direction = direction
      op.clip = clip
      op.activation = try activation(node, cell, 0)
      return .rnn(op)
    }
  }

  /// An activation for both directions; nil if it is the default.
  private static func activation(
    _ node: SourceNode, _ cell: RecurrentCell, _ index: Int
  ) throws(ImportError) -> CellActivation? {
    var ops: [ModelDescription.Op] = []
    for direction in cell.activations { ops.append(try op(node, direction[index])) }
    let usual: ModelDescription.Op = cell.kind.activations[index] == "Sigmoid" ? .sigmoid : .tanh
    if ops.allSatisfy({ $0 == usual }) { return nil }
    return ops.count == 2 && ops[0] != ops[1]
      ? CellActivation(forward: ops[0], reverse: ops[1]) : CellActivation(ops[0])
  }

  private static func op(
    _ node: SourceNode, _ activation: RecurrentCell.Activation
  ) throws(ImportError) -> ModelDescription.Op {
    let (alpha, beta) = (activation.alpha.map(Float.init), activation.beta.map(Float.init))
    switch activation.name {
    case "sigmoid": return .sigmoid
    case "tanh": return .tanh
    case "relu": return .relu
    case "affine": return .affine(scale: [alpha ?? 1], shift: [beta ?? 0])
    case "leakyrelu": return .leakyReLU(slope: alpha ?? 0.01)
    case "thresholdedrelu": return .thresholdedReLU(alpha: alpha ?? 1)
    case "scaledtanh": return .scaledTanh(alpha: alpha ?? 1, beta: beta ?? 1)
    case "hardsigmoid": return .hardSigmoid(slope: alpha ?? 0.2, offset: beta ?? 0.5)
    case "elu": return .elu(alpha: alpha ?? 1)
    case "softsign": return .softsign
    case "softplus": return .softplus()
    default:
      throw node.refusal(
        "the activation \(activation.name)", because: "ONNX defines none of that name")
    }
  }
}
