extension Model.RecurrentShape {
  /// The name of the tensor of this kind, layer and direction.
  package static func tensorName(
    _ kind: String, layer: Int, direction: Int, under prefix: String
  ) -> String {
    ModelFormat.tensorName(
      "\(kind)_l\(layer)" + (direction == 1 ? "_reverse" : ""), under: prefix)
  }

  /// Reads the network's shape from its tensors under the prefix, and checks all of them.
  ///
  /// - Parameters:
  ///   - op: the op of the network's node.
  ///   - isReverse: whether the network's only direction reads from the end.
  init(
    _ op: any RecurrentOp.Type, node: String, prefix: String, inputSize: Int, isReverse: Bool,
    tensors: TensorFile
  ) throws(ModelError) {
    let gates = op.gates
    func name(_ kind: String, direction: Int = 0) -> String {
      Self.tensorName(kind, layer: 0, direction: direction, under: prefix)
    }
    let projection = name("weight_hr")
    guard op.kinds.contains("weight_hr") || !tensors.contains(projection) else {
      throw .projection(projection, node: node, op: op.name)
    }
    try Self.checkGates(op, node: node, prefix: prefix, tensors: tensors)
    let first = name("weight_ih")
    guard let firstShape = tensors.shape(of: first) else {
      let hints: [(name: String, hint: TensorHint)] = [
        ("weight_ih", .cell(of: op.module)), ("kernel", .keras), ("recurrent_kernel", .keras),
      ]
      let found = hints.first {
        tensors.contains(ModelFormat.tensorName($0.name, under: prefix))
      }
      throw tensors.missing(first, node: node, hint: found?.hint)
    }
    guard firstShape.count == 2, firstShape[0] > 0, firstShape[0] % gates == 0,
      firstShape[1] == inputSize
    else {
      throw .shapeMismatch(
        tensor: first, expected: "[\(RecurrentKind(op).rows), \(inputSize)]", found: firstShape)
    }
    let hiddenSize = firstShape[0] / gates
    guard hiddenSize <= ModelLimits.size else {
      throw .tooMany("hidden units of \(node)", found: hiddenSize, limit: ModelLimits.size)
    }
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
    while tensors.contains(
      Self.tensorName("weight_ih", layer: layers, direction: 0, under: prefix))
    { layers += 1 }
    let hasTwo = tensors.contains(name("bias_ih")) || tensors.contains(name("bias_hh"))
    let second = name("weight_ih", direction: 1)
    self.init(
      layers: layers, bidirectional: tensors.contains(second), inputSize: inputSize,
      hiddenSize: hiddenSize, projectionSize: projectionSize,
      bias: hasTwo ? .two : tensors.contains(name("bias")) ? .one : .none, isReverse: isReverse,
      gates: gates,
      hasPeepholes: op.kinds.contains("peephole") && tensors.contains(name("peephole")),
      isMultiplicative: op.kinds.contains("weight_mx"), hasCell: op.hasCell,
      hasInitialState: ["initial_hidden", "initial_cell"].contains {
        op.kinds.contains($0) && tensors.contains(name($0))
      })
    guard !(isReverse && bidirectional) else {
      throw .secondDirection(second, node: node)
    }

    let expected = self.tensors(at: prefix)
    for (name, shape) in expected { try tensors.check(name, hasShape: shape, node: node) }
    let names = Set(expected.map(\.name))
    for name in tensors.names where !names.contains(name) {
      guard let own = nameOfTensor(name, under: prefix) else { continue }
      guard !op.kinds.contains(where: { own.hasPrefix("\($0)_l") }) else {
        throw .inconsistentTensor(
          name, node: node, missing: missingPartner(of: own, under: prefix))
      }
    }
  }

  /// The missing tensor without which `own` has no place in the network: of the reverse direction, or of the layer
  /// after the last one that is complete. Nil if none is missing.
  private func missingPartner(of own: String, under prefix: String) -> String? {
    if own.hasSuffix("_reverse"), !bidirectional {
      return Self.tensorName("weight_ih", layer: 0, direction: 1, under: prefix)
    }
    let digits = own[own.index(after: own.lastIndex(of: "l")!)...].prefix { $0.isNumber }
    guard let layer = Int(digits), layer >= layers else { return nil }
    return Self.tensorName("weight_ih", layer: layers, direction: 0, under: prefix)
  }

  /// Throws if the recurrent matrix has the number of rows of another kind of network.
  private static func checkGates(
    _ op: any RecurrentOp.Type, node: String, prefix: String, tensors: TensorFile
  ) throws(ModelError) {
    for suffix in ["_l0", ""] {
      let name = ModelFormat.tensorName("weight_hh\(suffix)", under: prefix)
      let projection = ModelFormat.tensorName("weight_hr\(suffix)", under: prefix)
      guard let shape = tensors.shape(of: name), shape.count == 2, shape[1] > 0,
        shape[0].isMultiple(of: shape[1]), !tensors.contains(projection),
        shape[0] / shape[1] != op.gates,
        let other = ModelDescription.Op.recurrentNetworks.first(where: {
          $0.gates == shape[0] / shape[1]
        })
      else { continue }
      throw .otherNetwork(
        RecurrentKind(other), tensor: name, shape: shape, node: node, RecurrentKind(op))
    }
  }

  /// The names and shapes of the network's tensors, layer by layer, forward before reverse.
  package func tensors(at prefix: String) -> [(name: String, shape: [Int])] {
    var tensors: [(name: String, shape: [Int])] = []
    for layer in 0..<layers {
      let layerInput = layer == 0 ? inputSize : directions * outputSize
      for direction in 0..<directions {
        var shapes = [
          ("weight_ih", [gates * hiddenSize, layerInput]),
          ("weight_hh", [gates * hiddenSize, outputSize]),
        ]
        if isMultiplicative {
          shapes += [
            ("weight_mx", [hiddenSize, layerInput]), ("weight_mh", [hiddenSize, hiddenSize]),
          ]
        }
        switch bias {
        case .none: break
        case .one: shapes.append(("bias", [gates * hiddenSize]))
        case .two: shapes += [("bias_ih", [gates * hiddenSize]), ("bias_hh", [gates * hiddenSize])]
        }
        if hasPeepholes { shapes.append(("peephole", [3 * hiddenSize])) }
        if let projectionSize { shapes.append(("weight_hr", [projectionSize, hiddenSize])) }
        if hasInitialState {
          shapes.append(("initial_hidden", [outputSize]))
          if hasCell { shapes.append(("initial_cell", [hiddenSize])) }
        }
        tensors += shapes.map {
          (Self.tensorName($0.0, layer: layer, direction: direction, under: prefix), $0.1)
        }
      }
    }
    return tensors
  }
}

extension TensorFile {
  /// Checks that `node`'s tensor `name` is there, has the shape, and has a type that converts to floats.
  func check(_ name: String, hasShape expected: [Int], node: String) throws(ModelError) {
    guard let found = shape(of: name), let type = dtype(of: name) else {
      throw missing(name, node: node)
    }
    guard found == expected else {
      throw .shapeMismatch(tensor: name, expected: "\(expected)", found: found)
    }
    guard type.isConvertible else { throw .notConvertible(tensor: name, type: type) }
  }
}
