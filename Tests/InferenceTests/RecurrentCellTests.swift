import TestSupport
import Testing

@testable import Inference
@testable import ModelFormat

/// What cells are made of. That they compute what frameworks do is in `FrameworkTests`.
@Suite struct RecurrentCellTests {
  /// Every activation, with numbers of its own.
  static let activations: [ModelDescription.Op] =
    CellActivation.known.filter { $0 != .affine(scale: nil, shift: nil) } + [
      .hardSigmoid(slope: 0.2, offset: 0.4), .leakyReLU(slope: 0.3), .elu(alpha: 2),
      .thresholdedReLU(alpha: -0.5), .scaledTanh(alpha: 1.7159, beta: 0.6667),
      .affine(scale: [2], shift: [-1]), .affine(scale: [-0.5], shift: nil),
      .affine(scale: nil, shift: [3]),
    ]

  /// In a cell each is what the op of its name is in a graph: of a rnn without R, at every step.
  @Test(arguments: activations, Precision.allCases)
  func activationsAreTheOps(op: ModelDescription.Op, precision: Precision) throws {
    var cell = RNNOp()
    cell.activation = CellActivation(op)
    let model = try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))],
        nodes: [
          .init(name: "h", op: .rnn(cell), inputs: ["x"]), .init(name: "y", op: op, inputs: ["x"]),
        ], outputs: [.init(name: "h"), .init(name: "y")]),
      tensors: TensorFile(
        bytes: TensorFile.serialize([
          ("h.weight_ih_l0", [5, 1], [1, 1, 1, 1, 1]),
          ("h.weight_hh_l0", [5, 5], Array(repeating: 0, count: 25)),
        ])))
    let values = (-80...80).map { Float($0) * 0.0625 }
    let sequence = try InputSequence([.features(values)], for: model)
    let found = try Runner.run(
      ModelGraph(model, precision: precision), [sequence], selections: [.all])[0]
    try #require(found[0].count == 5 * values.count && found[1].count == values.count)
    for (index, expected) in found[1].enumerated() {
      for value in found[0][5 * index..<5 * index + 5] {
        #expect(
          abs(value - expected) <= 1e-6 * max(1, abs(expected)), "\(op.name)(\(values[index]))")
      }
    }
  }

  /// Whether h needs a scale of its own in int8.
  @Test func bounds() throws {
    func bound(_ op: ModelDescription.Op) throws -> Bool {
      try #require(OpTable.cell(of: op)).isHiddenBounded
    }
    #expect(try bound(.lstm) && bound(.rnn))
    #expect(try !bound(.gru))
    var lstm = LSTMOp()
    lstm.activation = CellActivation(.relu)
    #expect(try !bound(.lstm(lstm)))
    lstm.outputActivation = CellActivation(.softsign)
    lstm.gateActivation = CellActivation(.hardSigmoid())
    #expect(try bound(.lstm(lstm)))
    lstm.gateActivation = CellActivation(.softplus())
    #expect(try !bound(.lstm(lstm)))
    var rnn = RNNOp()
    rnn.activation = CellActivation(forward: .tanh, reverse: .relu)
    #expect(try bound(.rnn(rnn)))
    #expect(try #require(OpTable.cell(of: .rnn(rnn), direction: 1)).isHiddenBounded == false)
    #expect(OpTable.cell(of: .tanh) == nil)
  }
}
