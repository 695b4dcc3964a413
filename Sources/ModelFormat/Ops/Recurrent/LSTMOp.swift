/// Layers of LSTMs, in one direction or two.
package struct LSTMOp: OpDefinition {
  package static let name = "lstm"
  package static let documentation = OpDocumentation(
    inputs: "sequence of D, [h₀], [c₀]",
    parameters: "see below; `direction`: `\"forward\"` (the default) or `\"reverse\"`, for an lstm "
      + "of one direction",
    result: "sequence of directions · output size")
  package static let inputCount = 1...3
  package static let tensors = Model.LSTMShape.kinds
  package static let attributes: [OpAttribute<Self>] = [
    .word(
      "direction", \.direction,
      expected: "\"forward\" or \"reverse\" "
        + "(both directions are there where the tensors of both are)")
  ]

  /// Which way an lstm of one direction reads; nil is forward.
  package var direction: ModelDescription.Direction?

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let inputSize = try node.sequenceSize(of: node.arguments[0])
    let shape = try Model.LSTMShape(
      node: node.node.name, prefix: node.prefix, inputSize: inputSize,
      isReverse: direction == .reverse, tensors: node.tensors)
    for (name, tensorShape) in shape.tensors(at: node.prefix) {
      try node.use(name, shape: tensorShape)
    }
    let states = shape.layers * shape.directions
    let sizes = [states * shape.outputSize, states * shape.hiddenSize]
    for argument in node.arguments.dropFirst() {
      let size = sizes[argument.position - 1]
      guard argument.form != .vector(size: size) else { continue }
      throw node.refusal(
        of: argument,
        expected: "a vector of size \(size) here (an initial state of "
          + "\(shape.layers) layers and \(shape.directions) directions)")
    }
    node.lstm = shape
    return .sequence(size: shape.directions * shape.outputSize)
  }
}

extension ModelDescription.Op {
  package static let lstm = lstm(direction: nil)

  package static func lstm(direction: ModelDescription.Direction?) -> Self {
    var op = LSTMOp()
    op.direction = direction
    return Self(op)
  }

  /// Whether the op is a recurrent network, which has final states and takes initial ones.
  var isRecurrent: Bool { definition is LSTMOp }
}
