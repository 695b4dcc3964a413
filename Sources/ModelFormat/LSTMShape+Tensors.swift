extension Model.LSTMShape {
  /// The kinds of tensor that a layer and direction of `torch.nn.LSTM` may have.
  private static let kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"]

  /// Reads the network's shape from the tensors at `prefix` and checks every one of them.
  init(
    node: String, prefix: String, inputSize: Int, tensors: TensorFile
  ) throws(ModelError) {
    let first = "\(prefix).weight_ih_l0"
    guard let firstShape = tensors.shape(of: first) else { throw .missingTensor(first, node: node) }
    guard firstShape.count == 2, firstShape[0] > 0, firstShape[0] % 4 == 0,
      firstShape[1] == inputSize
    else {
      throw .shapeMismatch(tensor: first, expected: "[4·hidden, \(inputSize)]", found: firstShape)
    }
    let hiddenSize = firstShape[0] / 4
    guard hiddenSize <= ModelLimits.size else {
      throw .tooMany("hidden units of \(node)", found: hiddenSize, limit: ModelLimits.size)
    }
    let projection = "\(prefix).weight_hr_l0"
    var projectionSize: Int?
    if let shape = tensors.shape(of: projection) {
      guard shape.count == 2, shape[1] == hiddenSize, (1...ModelLimits.size).contains(shape[0])
      else {
        throw .shapeMismatch(
          tensor: projection, expected: "[projection, \(hiddenSize)]", found: shape)
      }
      projectionSize = shape[0]
    }
    var layers = 1
    while tensors.contains("\(prefix).weight_ih_l\(layers)") { layers += 1 }
    self.init(
      layers: layers, bidirectional: tensors.contains("\(first)_reverse"), inputSize: inputSize,
      hiddenSize: hiddenSize, projectionSize: projectionSize,
      hasBias: tensors.contains("\(prefix).bias_ih_l0"))

    let expected = self.tensors(at: prefix)
    for (name, shape) in expected { try tensors.check(name, hasShape: shape, node: node) }
    let names = Set(expected.map(\.name))
    for name in tensors.names where !names.contains(name) {
      guard !Self.kinds.contains(where: { name.hasPrefix("\(prefix).\($0)_l") }) else {
        throw .inconsistentTensor(name, node: node)
      }
    }
  }

  /// The names and shapes of the network's tensors, layer by layer, forward before reverse.
  package func tensors(at prefix: String) -> [(name: String, shape: [Int])] {
    var tensors: [(name: String, shape: [Int])] = []
    for layer in 0..<layers {
      let layerInput = layer == 0 ? inputSize : directions * outputSize
      for direction in bidirectional ? ["", "_reverse"] : [""] {
        var shapes = [
          ("weight_ih", [4 * hiddenSize, layerInput]), ("weight_hh", [4 * hiddenSize, outputSize]),
        ]
        if hasBias { shapes += [("bias_ih", [4 * hiddenSize]), ("bias_hh", [4 * hiddenSize])] }
        if let projectionSize { shapes.append(("weight_hr", [projectionSize, hiddenSize])) }
        tensors += shapes.map { ("\(prefix).\($0.0)_l\(layer)\(direction)", $0.1) }
      }
    }
    return tensors
  }
}

extension TensorFile {
  /// Checks that `node`'s tensor `name` is there, in that shape, and of a type that converts to floats.
  func check(_ name: String, hasShape expected: [Int], node: String) throws(ModelError) {
    guard let found = shape(of: name), let type = dtype(of: name) else {
      throw .missingTensor(name, node: node)
    }
    guard found == expected else {
      throw .shapeMismatch(tensor: name, expected: "\(expected)", found: found)
    }
    guard type.isConvertible else { throw .notConvertible(tensor: name, type: type) }
  }
}
