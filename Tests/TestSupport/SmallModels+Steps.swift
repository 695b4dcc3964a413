import Inference
import ModelFormat

extension SmallModels {
  /// Half as many steps, an LSTM over them, each three times, half of these, and a GRU: outputs with as many steps as each
  /// of them, and their ends.
  package static func changingSteps(
    convolution: StepKernel.Padding = .causal, pool: StepKernel.Padding = .causal
  ) throws -> Model {
    var noise = Noise(seed: 23)
    let lstm = RandomNetwork(.lstm(LSTMOp()), inputSize: 5, hiddenSize: 6)
    let gru = RandomNetwork(.gru(GRUOp()), inputSize: 6, hiddenSize: 3)
    var tensors: [(name: String, shape: [Int], floats: [Float])] = [
      ("conv.weight", [5, 2, 4], noise.floats(40))
    ]
    for (name, network) in [("lstm", lstm), ("gru", gru)] {
      tensors += network.tensors.map {
        ("\(name).\($0.name)", $0.shape, noise.floats($0.shape.reduce(1, *), scale: 0.5))
      }
    }
    let ends: [(String, ModelDescription.Op, String)] = [
      ("last", .last, "lstm"), ("lastPooled", .last, "pool"), ("mean", .mean, "gru"),
      ("first", .first, "pool"), ("now", .last, "x"),
    ]
    return try Model(
      description: ModelDescription(
        name: "steps", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 2, mean: nil, scale: nil))],
        nodes: [
          .init(name: "conv", op: .conv(padding: convolution, stride: 2), inputs: ["x"]),
          .init(name: "lstm", op: lstm.op, inputs: ["conv"]),
          .init(name: "each", op: .repeatSteps(times: 3), inputs: ["lstm"]),
          .init(
            name: "pool", op: .averagePool(kernel: 3, stride: 2, padding: pool),
            inputs: ["each"]),
          .init(name: "gru", op: gru.op, inputs: ["pool"]),
        ] + ends.map { .init(name: $0, op: $1, inputs: [$2]) },
        outputs: (["lstm", "each", "gru", "gru.hidden"] + ends.map(\.0)).map { .init(name: $0) }),
      tensors: TensorFile(bytes: TensorFile.serialize(tensors)))
  }
}
