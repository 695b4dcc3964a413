import JSON

/// A call of a layer, with its arguments and weights.
struct KerasCall {
  let layer: KerasLayer
  /// The name of the node with the layer's result.
  var name: String
  var weights: KerasWeights
  /// The positional arguments, tensors and constants.
  var arguments: [Operand] = []
  var named: [(key: String, value: Operand)] = []

  enum Operand {
    case value(KerasValue)
    case list([Operand])
    // Not pairs, which the compiler may take for a circle.
    case dictionary(keys: [String], [Operand])
    case constant(JSONValue)

    var values: [KerasValue] {
      switch self {
      case .value(let value): [value]
      case .list(let operands): operands.flatMap(\.values)
      case .dictionary(_, let operands): operands.flatMap(\.values)
      case .constant: []
      }
    }
  }

  init(
    layer: KerasLayer, name: String, weights: KerasWeights, arguments: [Operand] = [],
    named: [(key: String, value: Operand)] = []
  ) {
    self.layer = layer
    self.name = name
    self.weights = weights
    self.arguments = arguments
    self.named = named
  }

  /// A call without weights.
  init(layer: KerasLayer, name: String, file: HDF5File) {
    self.init(layer: layer, name: name, weights: KerasWeights(file: file, place: .list([])))
  }

  /// The same arguments for a layer inside this one.
  func inside(
    _ layer: KerasLayer, weights: KerasWeights, name: String? = nil, arguments: [Operand]? = nil
  ) -> KerasCall {
    KerasCall(
      layer: layer, name: name ?? self.name, weights: weights,
      arguments: arguments ?? self.arguments, named: named)
  }

  /// The tensors among the positional arguments.
  var inputs: [KerasValue] { arguments.flatMap(\.values) }

  subscript(key: String) -> Operand? { named.first { $0.key == key }?.value }

  /// The layer's only input.
  func input() throws(ImportError) -> KerasValue {
    let inputs = inputs
    guard inputs.count == 1 else {
      throw layer.refusal("found \(inputs.count) inputs, expected one")
    }
    return inputs[0]
  }

  /// An input that has to be a sequence of vectors.
  func sequence(_ value: KerasValue) throws(ImportError) -> (size: Int, steps: Int?) {
    guard value.axes.count == 2, case .steps(let steps) = value.axes[0],
      case .size(let size) = value.axes[1]
    else {
      guard !value.isStepped else {
        throw layer.refusal(
          "found sequences of the sizes \(value.shape) within each step, as TimeDistributed gives them, expected the steps "
            + "of the model's own sequences",
          remedy: KerasModel.remedyInParts)
      }
      throw refusal(of: value, expected: "a sequence: (steps, size)")
    }
    return (size, steps)
  }

  func refusal(of value: KerasValue, expected: String) -> ImportError {
    layer.refusal(
      "found an input of the sizes \(value.shape), expected \(expected)",
      remedy: value.axes.dropFirst().contains { if case .steps = $0 { true } else { false } }
        ? "the steps are behind the elements, as Permute puts them; a network that reads the elements as its steps takes the array "
          + "the other way round, without the Permute, and attention over the steps is Dense(1) with a softmax over them, or Attention"
        : nil)
  }

  /// Throws for an input with a mask.
  func refuseMask(of value: KerasValue) throws(ImportError) {
    guard let mask = value.mask else { return }
    throw layer.refusal(
      "\(mask.text), and this layer would pass over masked steps, which the graph can't",
      remedy: "send sequences without padding, and save the model without the mask")
  }
}
