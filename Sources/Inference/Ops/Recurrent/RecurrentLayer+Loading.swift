import ModelFormat

extension RecurrentLayer {
  /// The layers of a node, layer by layer, forward then reverse, from PyTorch's tensors under `prefix`.
  static func load(
    _ cell: Cell, prefix: String, shape: Model.RecurrentShape, precision: Precision,
    kernels: Kernels, from tensors: TensorFile
  ) throws(ModelError) -> [RecurrentLayer] {
    func matrix(_ name: String) throws(ModelError) -> [Float] {
      let values = try tensors.floats(name)
      if precision == .f16 { try checkHalf(values, of: name) }
      return values
    }
    if precision == .int8 { try checkDepth(shape, prefix: prefix) }
    var layers: [RecurrentLayer] = []
    for layer in 0..<shape.layers {
      for direction in 0..<shape.directions {
        func name(_ kind: String) -> String {
          Model.RecurrentShape.tensorName(kind, layer: layer, direction: direction, under: prefix)
        }
        let biases = try Self.biases(cell, shape, from: tensors, named: name)
        var projection: [Float]?
        if shape.projectionSize != nil {
          projection = try tensors.floats(name("weight_hr"))
        }
        layers.append(
          RecurrentLayer(
            cell, precision: precision,
            inputSize: layer == 0 ? shape.inputSize : shape.directions * shape.outputSize,
            hiddenSize: shape.hiddenSize, isReverse: shape.isReverse || direction == 1,
            inputWeights: try matrix(name("weight_ih")),
            recurrentWeights: try matrix(name("weight_hh")),
            bias: biases.input, recurrentBias: biases.recurrent, projection: projection,
            kernels: kernels))
      }
    }
    return layers
  }

  /// The bias that is added to W x, and that of R h where the cell keeps it apart.
  private static func biases(
    _ cell: Cell, _ shape: Model.RecurrentShape, from tensors: TensorFile,
    named name: (String) -> String
  ) throws(ModelError) -> (input: [Float], recurrent: [Float]?) {
    let zeros = [Float](repeating: 0, count: Cell.gates * shape.hiddenSize)
    switch shape.bias {
    case .none: return (zeros, cell.addsBiases ? nil : zeros)
    case .one: return (try tensors.floats(name("bias")), cell.addsBiases ? nil : zeros)
    case .two:
      let input = try tensors.floats(name("bias_ih"))
      let recurrent = try tensors.floats(name("bias_hh"))
      return cell.addsBiases ? (zip(input, recurrent).map { $0 + $1 }, nil) : (input, recurrent)
    }
  }

  /// The largest number that half precision has.
  private static var largestHalf: Float { 65504 }

  private static func checkHalf(_ values: [Float], of tensor: String) throws(ModelError) {
    guard let index = values.firstIndex(where: { abs($0) > largestHalf }) else { return }
    throw .outOfRange(
      tensor: tensor, index: index, value: Double(values[index]), limit: Double(largestHalf),
      precision: .f16)
  }

  private static func checkDepth(
    _ shape: Model.RecurrentShape, prefix: String
  ) throws(ModelError) {
    let widest = Swift.max(
      shape.inputSize, shape.layers > 1 ? shape.directions * shape.outputSize : 0, shape.outputSize)
    guard widest > PackedWeights.int8MaxDepth else { return }
    throw .tooMany(
      "inputs of an int8 layer of \"\(prefix)\"", found: widest, limit: PackedWeights.int8MaxDepth)
  }
}
