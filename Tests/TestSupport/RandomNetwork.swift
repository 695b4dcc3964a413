import Inference
import ModelFormat

/// A recurrent network of random tensors: what a node is, and what it reads.
package struct RandomNetwork {
  package let op: ModelDescription.Op
  package let layers: Int
  package let directions: Int
  package let hiddenSize: Int
  package let projectionSize: Int?
  /// The names behind the node's prefix.
  package let tensors: [(name: String, shape: [Int])]

  /// The size of h, of one direction.
  package var outputSize: Int { projectionSize ?? hiddenSize }
  /// Whether it takes and offers a c.
  package var hasCell: Bool { op.recurrent?.hasCell == true }

  /// - Parameters:
  ///   - projectionSize: of an lstm; others have none.
  ///   - hasPeepholes: likewise.
  ///   - hasInitialState: whether its initial states are weights.
  ///   - biases: the kinds of bias.
  package init(
    _ op: ModelDescription.Op, inputSize: Int, hiddenSize: Int, layers: Int = 1,
    directions: Int = 1, projectionSize: Int? = nil, hasPeepholes: Bool = false,
    hasInitialState: Bool = false, biases: [String] = ["bias_ih", "bias_hh"]
  ) {
    guard let network = op.recurrent else { preconditionFailure("\(op.name) is not recurrent") }
    let projectionSize = network.kinds.contains("weight_hr") ? projectionSize : nil
    let output = projectionSize ?? hiddenSize
    let rows = network.gates * hiddenSize
    var tensors: [(name: String, shape: [Int])] = []
    for layer in 0..<layers {
      for suffix in ["_l\(layer)", "_l\(layer)_reverse"].prefix(directions) {
        tensors.append(
          ("weight_ih\(suffix)", [rows, layer == 0 ? inputSize : directions * output]))
        tensors.append(("weight_hh\(suffix)", [rows, output]))
        tensors += biases.map { ("\($0)\(suffix)", [rows]) }
        if network.kinds.contains("weight_mx") {
          tensors.append(
            ("weight_mx\(suffix)", [hiddenSize, layer == 0 ? inputSize : directions * output]))
          tensors.append(("weight_mh\(suffix)", [hiddenSize, hiddenSize]))
        }
        if hasPeepholes, network.kinds.contains("peephole") {
          tensors.append(("peephole\(suffix)", [3 * hiddenSize]))
        }
        if hasInitialState {
          tensors.append(("initial_hidden\(suffix)", [output]))
          if network.hasCell { tensors.append(("initial_cell\(suffix)", [hiddenSize])) }
        }
        if let projectionSize {
          tensors.append(("weight_hr\(suffix)", [projectionSize, hiddenSize]))
        }
      }
    }
    self.op = op
    self.layers = layers
    self.directions = directions
    self.hiddenSize = hiddenSize
    self.projectionSize = projectionSize
    self.tensors = tensors
  }
}

extension Noise {
  /// An lstm, a gru, a rnn or a mlstm, half of the time with other activations than its own, a clip, and what else it has. What it
  /// computes stays finite over any number of steps.
  package mutating func recurrentOp(directions: Int) -> ModelDescription.Op {
    let direction: ModelDescription.Direction? =
      directions == 1 && Int.random(in: 0..<5, using: &self) == 0 ? .reverse : nil
    let isRare = Bool.random(using: &self)
    // What is not bounded by itself is by the clip.
    let clip = isRare && Bool.random(using: &self) ? Float.random(in: 0.3...2, using: &self) : nil
    func drawn(
      _ choices: [ModelDescription.Op], _ noise: inout Noise
    ) -> CellActivation? {
      guard isRare, Bool.random(using: &noise) else { return nil }
      let first = choices.randomElement(using: &noise)!
      guard directions == 2, Bool.random(using: &noise) else { return CellActivation(first) }
      return CellActivation(forward: first, reverse: choices.randomElement(using: &noise)!)
    }
    let candidates = clip == nil ? Self.bounded : Self.bounded + Self.unbounded
    switch Int.random(in: 0..<5, using: &self) {
    case 4:
      var op = MLSTMOp()
      op.direction = direction
      return .mlstm(op)
    case 0, 1:
      var op = LSTMOp()
      op.direction = direction
      op.clip = clip
      op.gateActivation = drawn(Self.bounded, &self)
      op.activation = drawn(candidates, &self)
      op.outputActivation =
        op.activation == nil ? drawn(Self.bounded, &self) : CellActivation(.tanh)
      op.couplesForgetGate = isRare && Bool.random(using: &self)
      return .lstm(op)
    case 2:
      var op = GRUOp()
      op.direction = direction
      op.clip = clip
      op.gateActivation = drawn([.sigmoid, .hardSigmoid(), .hardSigmoid(slope: 0.2)], &self)
      op.activation = drawn(candidates, &self)
      op.reset = [nil, .after, .before, .before].randomElement(using: &self)!
      return .gru(op)
    default:
      var op = RNNOp()
      op.direction = direction
      op.clip = clip
      op.activation = drawn(candidates, &self)
      return .rnn(op)
    }
  }

  private static let bounded: [ModelDescription.Op] = [
    .sigmoid, .tanh, .hardSigmoid(), .hardSigmoid(slope: 0.2), .hardTanh, .softsign,
  ]
  private static let unbounded: [ModelDescription.Op] = [
    .relu, .silu, .leakyReLU(), .thresholdedReLU(alpha: 0.1), .elu(alpha: 0.7), .selu, .softplus(),
    .scaledTanh(alpha: 1.7, beta: 0.6), .exp, .affine(scale: [0.5], shift: [0.1]),
    .affine(scale: nil, shift: nil),
  ]
}
