import ModelFormat

extension RecurrentLayer {
  /// The layers of a node, layer by layer, forward then reverse, from PyTorch's tensors under `prefix`.
  ///
  /// - Parameter cells: the cell of each direction.
  static func load(
    _ cells: [RecurrentCell], prefix: String, shape: Model.RecurrentShape, precision: Precision,
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
        let cell = cells[direction]
        let biases = try Self.biases(cell, shape, from: tensors, named: name)
        var projection: [Float]?
        if shape.projectionSize != nil {
          projection = try tensors.floats(name("weight_hr"))
        }
        var multiplier: (input: [Float], recurrent: [Float])?
        if shape.isMultiplicative {
          multiplier = (try matrix(name("weight_mx")), try matrix(name("weight_mh")))
        }
        let peepholes = shape.hasPeepholes ? try tensors.floats(name("peephole")) : nil
        let initialState =
          shape.hasInitialState
          ? try tensors.floats(name("initial_hidden"))
            + (shape.hasCell ? try tensors.floats(name("initial_cell")) : []) : nil
        layers.append(
          RecurrentLayer(
            cell, precision: precision,
            inputSize: layer == 0 ? shape.inputSize : shape.directions * shape.outputSize,
            hiddenSize: shape.hiddenSize, isReverse: shape.isReverse || direction == 1,
            inputWeights: try matrix(name("weight_ih")),
            recurrentWeights: try matrix(name("weight_hh")),
            bias: biases.input, recurrentBias: biases.recurrent, peepholes: peepholes,
            multiplier: multiplier, projection: projection, initialState: initialState,
            kernels: kernels))
      }
    }
    return layers
  }

  /// The bias that is added to W x, and the separate one of R h for the gates that need it.
  private static func biases(
    _ cell: RecurrentCell, _ shape: Model.RecurrentShape, from tensors: TensorFile,
    named name: (String) -> String
  ) throws(ModelError) -> (input: [Float], recurrent: [Float]?) {
    let zeros = [Float](repeating: 0, count: cell.gates * shape.hiddenSize)
    var (input, recurrent) = (zeros, zeros)
    switch shape.bias {
    case .none: break
    case .one: input = try tensors.floats(name("bias"))
    case .two:
      input = try tensors.floats(name("bias_ih"))
      recurrent = try tensors.floats(name("bias_hh"))
    }
    for gate in 0..<cell.gates where !cell.separateBiases.contains(gate) {
      for row in gate * shape.hiddenSize..<(gate + 1) * shape.hiddenSize {
        input[row] += recurrent[row]
      }
    }
    return (input, cell.separateBiases.isEmpty ? nil : recurrent)
  }

  /// The largest finite number of half precision.
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
