/// A layer of a madmom network, in one direction.
struct MadmomLayer {
  /// The weights of a gate or cell, or those of a layer without gates; matrices as madmom has them.
  struct Gate {
    /// [inputs, units]
    var weights: SourceTensor
    /// [units]
    var bias: SourceTensor
    /// [units, units]
    var recurrent: SourceTensor?
    /// [units]
    var peephole: SourceTensor?
    var activation: Activation
  }

  /// The functions of `madmom.ml.nn.activations`.
  enum Activation: String, CaseIterable {
    case linear, tanh, sigmoid, relu, elu, softmax

    /// ONNX's operator; nil for none.
    var op: String? {
      switch self {
      case .linear: nil
      case .tanh: "Tanh"
      case .sigmoid: "Sigmoid"
      case .relu: "Relu"
      case .elu: "Elu"
      case .softmax: "Softmax"
      }
    }

    /// ONNX's name of the function in a recurrent layer, with its alpha and beta.
    var cellFunction: (name: String, alpha: [Double], beta: [Double]) {
      switch self {
      case .linear: ("Affine", [1], [0])
      case .elu: ("Elu", [1], [])
      case .tanh, .sigmoid, .relu, .softmax: (op ?? "", [], [])
      }
    }
  }

  /// ONNX's operator of a recurrent layer; nil for a FeedForwardLayer.
  let op: String?
  /// In ONNX's order: of an LSTM i o f c, of a GRU z r h.
  let gates: [Gate]
  /// h and c before the first step; nil for zeros.
  let states: [SourceTensor?]
  /// The function of an LSTM's cell state.
  let outputActivation: Activation?

  var inputs: Int { gates[0].weights.shape[0] }
  var units: Int { gates[0].weights.shape[1] }

  private static let ops = ["RecurrentLayer": "RNN", "LSTMLayer": "LSTM", "GRULayer": "GRU"]

  /// - Throws: if ONNX has no such layer, as where gates differ in their functions; the place is an attribute of the layer.
  init(
    kind: String, gates: [Gate], states: [SourceTensor?], outputActivation: Activation?
  ) throws(ImportError) {
    op = Self.ops[kind]
    self.gates = gates
    self.states = kind == "LSTMLayer" ? states : Array(states.prefix(1))
    self.outputActivation = outputActivation
    guard op != nil else { return }
    guard gates.allSatisfy({ $0.recurrent != nil && $0.weights.shape == gates[0].weights.shape })
    else {
      throw ImportError(
        file: "",
        problem:
          "found gates of different sizes, expected each with weights, recurrent_weights and bias of one size"
      )
    }
    for gate in gates.dropLast() where gate.activation != gates[0].activation {
      throw ImportError(
        file: "", place: "activation_fn",
        problem:
          "found \(gates[0].activation) and \(gate.activation), expected one function of all gates")
    }
    for activation in gates.map(\.activation) + [outputActivation ?? .tanh]
    where activation == .softmax {
      throw ImportError(
        file: "", place: "activation_fn",
        problem: "found softmax, expected a function of each unit by itself")
    }
    // madmom gives the gates of an LSTM the cell's state, and nothing else.
    guard kind == "LSTMLayer" ? gates[3].peephole == nil : gates.allSatisfy({ $0.peephole == nil })
    else {
      throw ImportError(
        file: "", place: "peephole_weights",
        problem: "found some beside no state, expected them of an LSTM's gates alone")
    }
    guard kind != "GRULayer" || gates[0].activation == .sigmoid else {
      throw ImportError(
        file: "", place: "update_gate.activation_fn",
        problem: "found \(gates[0].activation), expected sigmoid")
    }
  }
}
