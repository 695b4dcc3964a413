/// A recurrent network: layers of one kind of cell, in one direction or two. Its tensors have PyTorch's names; its computation
/// is a `RecurrentCell` in `Inference`.
package protocol RecurrentOp: OpDefinition {
  /// The number of rows of W, R and each bias per hidden unit, as PyTorch stores them.
  static var gates: Int { get }
  /// Whether the cell has a state vector c beside h; the node then takes an initial c and has a final one.
  static var hasCell: Bool { get }
  /// The kinds of tensor that each layer has in each direction.
  static var kinds: [String] { get }
  /// The name of the class in `torch.nn`; with `Cell` appended, the class of the single cell.
  static var module: String { get }
  /// The direction in which the network reads; nil is forward.
  var direction: ModelDescription.Direction? { get set }
  /// What begins with the initial states that the node is given; nil is a sequence.
  var begins: NetworkBeginning? { get set }
  /// The output at a masked step; nil repeats the previous output.
  var maskedOutput: MaskedOutput? { get set }
  /// The activations, by the keys of their attributes.
  var activations: [(key: String, value: CellActivation?)] { get }
}

/// What begins with the initial states that a recurrent network is given.
package enum NetworkBeginning: String, Sendable {
  /// A sequence: the requests that continue it, with a state or a session, go on from the network's own state.
  case sequence
  /// Each request, as the caller keeps the network's state.
  case request
}

/// The output of a recurrent network at a masked step.
package enum MaskedOutput: String, Sendable {
  /// The previous output in the network's direction.
  case previous
  /// Zeros.
  case zero
}

extension RecurrentOp {
  package static var maskedInput: Int? { 0 }

  /// The inputs are the sequence, h₀ and c₀.
  package static var inputCount: ClosedRange<Int> { hasCell ? 1...3 : 1...2 }
  package static var tensors: [String] { kinds }
  package static var kinds: [String] {
    ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "bias", "initial_hidden"]
  }
  package static var module: String { name.uppercased() }

  package static var directionAttribute: OpAttribute<Self> {
    .word(
      "direction", \.direction,
      expected: "\"forward\" or \"reverse\" "
        + "(both directions are there where the tensors of both are)")
  }

  package static var beginsAttribute: OpAttribute<Self> {
    .word("begins", \.begins, expected: "\"sequence\" or \"request\"")
  }

  package static var maskedOutputAttribute: OpAttribute<Self> {
    .word("masked_output", \.maskedOutput, expected: "\"previous\" or \"zero\"")
  }

  /// An optional bound on the sums of gates and candidate before activation.
  static func clipAttribute(_ property: OpAttribute<Self>.Property<Float?>) -> OpAttribute<Self> {
    .optionalNumber("clip", property, .positive)
  }

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let inputSize = try node.sequenceSize(of: node.arguments[0])
    let shape = try Model.RecurrentShape(
      Self.self, node: node.node.name, prefix: node.prefix, inputSize: inputSize,
      isReverse: direction == .reverse, tensors: node.tensors)
    for (name, tensorShape) in shape.tensors(at: node.prefix) {
      try node.use(name, shape: tensorShape)
    }
    for (key, activation) in activations {
      guard let activation, activation.ops.count > shape.directions else { continue }
      throw .unexpected(
        path: "\(node.path).\(key)", found: "\(activation.ops.count) activations",
        expected: "one, as the network's tensors are those of one direction")
    }
    if let maskedOutput, node.node.mask == nil {
      throw .unexpected(
        path: "\(node.path).masked_output", found: maskedOutput.rawValue.jsonExcerpt,
        expected: "nothing, as the node has no \"mask\"")
    }
    if let begins, node.arguments.count == 1 {
      throw .unexpected(
        path: "\(node.path).begins", found: begins.rawValue.jsonExcerpt,
        expected: "nothing, as the node is given no initial state")
    }
    if shape.hasInitialState, let argument = node.arguments.dropFirst().first {
      let name = Model.RecurrentShape.tensorName(
        "initial_hidden", layer: 0, direction: 0, under: node.prefix)
      throw node.refusal(
        of: argument, expected: "no initial state here, as the tensor \(name.jsonExcerpt) is one")
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
  /// The op's type as a recurrent network; nil for other ops.
  package var recurrent: (any RecurrentOp.Type)? {
    (definition as? any RecurrentOp).map { type(of: $0) }
  }

  /// The op with `begins` set, if it is a recurrent network.
  package func beginning(with begins: NetworkBeginning) -> Self {
    guard var network = definition as? any RecurrentOp else { return self }
    network.begins = begins
    return Self(network)
  }

  /// All recurrent networks.
  static let recurrentNetworks: [any RecurrentOp.Type] = all.compactMap(\.recurrent)
}
