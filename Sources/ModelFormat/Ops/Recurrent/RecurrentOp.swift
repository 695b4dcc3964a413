/// An op that is a recurrent network of layers, in one direction or two. Its tensors have PyTorch's names; how it is
/// computed is a `RecurrentCell` in `Inference`.
package protocol RecurrentOp: OpDefinition {
  /// Rows of W, R and each bias for a hidden unit, as PyTorch stores them.
  static var gates: Int { get }
  /// Whether a state vector c goes from step to step beside h: the node then takes an initial one and offers the final one.
  static var hasCell: Bool { get }
  /// Which way a network of one direction reads; nil is forward.
  var direction: ModelDescription.Direction? { get set }
}

extension RecurrentOp {
  /// The sequence, h₀ and c₀.
  package static var inputCount: ClosedRange<Int> { hasCell ? 1...3 : 1...2 }
  package static var tensors: [String] { Model.RecurrentShape.kinds }
  package static var attributes: [OpAttribute<Self>] { [directionAttribute] }

  package static var directionAttribute: OpAttribute<Self> {
    .word(
      "direction", \.direction,
      expected: "\"forward\" or \"reverse\" "
        + "(both directions are there where the tensors of both are)")
  }

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let inputSize = try node.sequenceSize(of: node.arguments[0])
    let shape = try Model.RecurrentShape(
      node: node.node.name, prefix: node.prefix, gates: Self.gates, inputSize: inputSize,
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
    node.recurrent = shape
    return .sequence(size: shape.directions * shape.outputSize)
  }
}

extension ModelDescription.Op {
  /// What the op is as a recurrent network; nil for other ops.
  var recurrent: (any RecurrentOp.Type)? { (definition as? any RecurrentOp).map { type(of: $0) } }
}
