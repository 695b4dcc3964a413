extension GraphResolver {
  /// Checks the forms of a node's inputs and the shapes of its tensors, and infers its value's form.
  mutating func resolve(
    _ node: ModelDescription.Node, path: String, arguments: [Argument]
  ) throws(ModelError) -> Model.ResolvedNode {
    let prefix = node.weights ?? node.name
    let first = arguments[0]
    var op = node.op
    var shape: Model.LSTMShape?
    nodeTensors = []
    let form: Model.ValueForm
    switch node.op {
    case .embedding:
      form = .sequence(size: try embeddingSize(first, prefix: prefix, node: node.name))
    case .lstm:
      let network = try lstmShape(
        arguments, prefix: prefix, node: node.name, isReverse: node.direction == .reverse)
      shape = network
      form = .sequence(size: network.directions * network.outputSize)
    case .linear:
      let size = try size(of: first, for: node.op)
      form = first.form.with(size: try linearSize(size, prefix: prefix, node: node.name))
    case .sigmoid, .tanh, .relu, .softmax, .logSoftmax, .l2Norm:
      form = first.form.with(size: try size(of: first, for: node.op))
    case .layerNorm:
      let size = try size(of: first, for: node.op)
      for name in ["weight", "bias"].map({ tensorName($0, under: prefix) })
      where tensors.contains(name) {
        try use(name, shape: [size], node: node.name)
      }
      form = first.form.with(size: size)
    case .affine(let scale, let shift):
      let size = try size(of: first, for: node.op)
      op = try affine(
        scale: scale, shift: shift, size: size, path: path, prefix: prefix, node: node.name)
      form = first.form.with(size: size)
    case .last, .first, .mean, .max, .sum:
      form = .vector(size: try sequenceSize(first, for: node.op))
    case .concat, .add, .multiply:
      form = try combinedForm(arguments, op: node.op, path: path)
    case .softmaxSum:
      guard first.form == .sequence(size: 1) else {
        throw first.refused(by: node.op, expected: "a sequence of size 1 (the scores) first")
      }
      form = .vector(size: try sequenceSize(arguments[1], for: node.op))
    }
    if let size = form.size, size > ModelLimits.size {
      throw .tooMany("\(path): the size of its value", found: size, limit: ModelLimits.size)
    }
    func initial(_ position: Int) -> Model.ValueReference? {
      guard node.op == .lstm else { return nil }
      return arguments.first { $0.position == position }?.value
    }
    return Model.ResolvedNode(
      name: node.name, op: op, weights: node.op.hasTensors ? prefix : nil, tensors: nodeTensors,
      inputs: arguments.map(\.value), initialHidden: initial(1), initialCell: initial(2),
      form: form, lstm: shape)
  }

  private func size(
    of argument: Argument, for op: ModelDescription.Op
  ) throws(ModelError) -> Int {
    guard let size = argument.form.size else {
      throw argument.refused(by: op, expected: "a sequence or a vector")
    }
    return size
  }

  private func sequenceSize(
    _ argument: Argument, for op: ModelDescription.Op
  ) throws(ModelError) -> Int {
    guard case .sequence(let size) = argument.form else {
      throw argument.refused(by: op, expected: "a sequence")
    }
    return size
  }

  private mutating func embeddingSize(
    _ argument: Argument, prefix: String, node: String
  ) throws(ModelError) -> Int {
    guard case .input(let index) = argument.value,
      case .tokens(let vocabularySize, _) = description.inputs[index].kind
    else { throw argument.refused(by: .embedding, expected: "tokens") }
    let weight = tensorName("weight", under: prefix)
    let size = try secondSize(
      weight, node: node, pattern: "[\(vocabularySize), size]"
    ) { $0[0] == vocabularySize ? $0[1] : nil }
    try use(weight, shape: [vocabularySize, size], node: node)
    return size
  }

  private mutating func linearSize(
    _ inputSize: Int, prefix: String, node: String
  ) throws(ModelError) -> Int {
    let weight = tensorName("weight", under: prefix)
    let bias = tensorName("bias", under: prefix)
    let size = try secondSize(
      weight, node: node, pattern: "[out, \(inputSize)]",
      hint: tie(bias: bias, inputSize: inputSize)
    ) { $0[1] == inputSize ? $0[0] : nil }
    try use(weight, shape: [size, inputSize], node: node)
    if tensors.contains(bias) { try use(bias, shape: [size], node: node) }
    return size
  }

  /// The matrix that a linear map's may be tied to, where only its bias was saved.
  private func tie(bias: String, inputSize: Int) -> TensorHint? {
    guard let shape = tensors.shape(of: bias), shape.count == 1 else { return nil }
    return tensors.names.first { tensors.shape(of: $0) == [shape[0], inputSize] }
      .map { .tied(to: $0, bias: bias) }
  }

  /// The size that a matrix leaves open, where `read` finds its other size to be right.
  private func secondSize(
    _ tensor: String, node: String, pattern: String, hint: TensorHint? = nil,
    read: ([Int]) -> Int?
  ) throws(ModelError) -> Int {
    guard let shape = tensors.shape(of: tensor) else {
      throw tensors.missing(tensor, node: node, hint: hint)
    }
    guard shape.count == 2, let size = read(shape), size > 0 else {
      throw .shapeMismatch(tensor: tensor, expected: pattern, found: shape)
    }
    return size
  }

  private mutating func lstmShape(
    _ arguments: [Argument], prefix: String, node: String, isReverse: Bool
  ) throws(ModelError) -> Model.LSTMShape {
    let inputSize = try sequenceSize(arguments[0], for: .lstm)
    let shape = try Model.LSTMShape(
      node: node, prefix: prefix, inputSize: inputSize, isReverse: isReverse, tensors: tensors)
    for (name, tensorShape) in shape.tensors(at: prefix) {
      try use(name, shape: tensorShape, node: node)
    }
    let states = shape.layers * shape.directions
    let sizes = [states * shape.outputSize, states * shape.hiddenSize]
    for argument in arguments.dropFirst() {
      let size = sizes[argument.position - 1]
      guard argument.form != .vector(size: size) else { continue }
      throw argument.refused(
        by: .lstm,
        expected: "a vector of size \(size) here (an initial state of "
          + "\(shape.layers) layers and \(shape.directions) directions)")
    }
    return shape
  }

  /// The op with both attributes filled, one float an element: from the description, else from the tensors, else 1 and 0.
  private mutating func affine(
    scale: [Float]?, shift: [Float]?, size: Int, path: String, prefix: String, node: String
  ) throws(ModelError) -> ModelDescription.Op {
    let weight = tensorName("weight", under: prefix)
    let bias = tensorName("bias", under: prefix)
    guard scale != nil || shift != nil || tensors.contains(weight) || tensors.contains(bias) else {
      throw tensors.missing(weight, node: node)
    }
    func floats(
      _ attribute: [Float]?, key: String, tensor: String, absent: Float
    ) throws(ModelError) -> [Float] {
      if let attribute {
        guard attribute.count == size || attribute.count == 1 else {
          throw .unexpected(
            path: "\(path).\(key)", found: "\(attribute.count)", expected: "1 or \(size) numbers")
        }
        return attribute.count == size ? attribute : Array(repeating: attribute[0], count: size)
      }
      guard tensors.contains(tensor) else { return Array(repeating: absent, count: size) }
      try use(tensor, shape: [size], node: node)
      return try tensors.floats(tensor)
    }
    return .affine(
      scale: try floats(scale, key: "scale", tensor: weight, absent: 1),
      shift: try floats(shift, key: "shift", tensor: bias, absent: 0))
  }

  /// The form of concat, add and multiply: all sequences or all vectors, for the latter two of one size.
  private func combinedForm(
    _ arguments: [Argument], op: ModelDescription.Op, path: String
  ) throws(ModelError) -> Model.ValueForm {
    let first = arguments[0]
    var total = try size(of: first, for: op)
    for argument in arguments.dropFirst() {
      let size = try size(of: argument, for: op)
      if op == .concat {
        guard argument.form == first.form.with(size: size) else {
          throw argument.refused(
            by: op,
            expected: "all sequences or all vectors, and \(ModelError.quoted(first.name)) is "
              + "\(first.form)")
        }
        total += size
      } else if argument.form != first.form {
        throw argument.refused(
          by: op,
          expected: "values of one form, and \(ModelError.quoted(first.name)) is \(first.form)")
      }
    }
    return first.form.with(size: total)
  }
}

extension GraphResolver.Argument {
  fileprivate func refused(by op: ModelDescription.Op, expected: String) -> ModelError {
    .inputForm(path: path, op: op.name, name: name, found: form, expected: expected)
  }
}

extension Model.ValueForm {
  /// The elements a step or a sequence; nil for tokens.
  package var size: Int? {
    switch self {
    case .tokens: nil
    case .sequence(let size), .vector(let size): size
    }
  }

  /// What the form is called where a model is described: the `kind` of an input that has it.
  package var kind: String {
    switch self {
    case .tokens: "tokens"
    case .sequence: "features"
    case .vector: "vector"
    }
  }

  /// The form with another size.
  fileprivate func with(size: Int) -> Model.ValueForm {
    switch self {
    case .tokens: .tokens
    case .sequence: .sequence(size: size)
    case .vector: .vector(size: size)
    }
  }
}
