import Inference
import ModelFormat

extension SmallModels {
  /// Kernels over the steps before each, under a mask: about half of the steps count.
  package static func maskedKernels() throws -> Model {
    var noise = Noise(seed: 17)
    let pooling: [ModelDescription.Op] = [
      .maxPool(kernel: 3, stride: 1, padding: .causal),
      .averagePool(kernel: 4, stride: 1, padding: .causal),
      .averagePool(kernel: 2, stride: 1, padding: .explicit(before: 1, after: 0)),
    ]
    let pools = pooling.enumerated().map { index, op in
      ModelDescription.Node(name: "pool\(index)", op: op, inputs: ["conv"], mask: "m")
    }
    return try Model(
      description: ModelDescription(
        name: "kernels", version: "1",
        inputs: [
          .init(name: "x", kind: .features(size: 3, mean: nil, scale: nil)),
          .init(name: "given", kind: .features(size: 1, mean: nil, scale: nil)),
        ],
        nodes: [
          .init(name: "m", op: .relu, inputs: ["given"]),
          .init(name: "conv", op: .conv(dilation: 2), inputs: ["x"], mask: "m"),
        ] + pools,
        outputs: pools.map { .init(name: $0.name) }),
      tensors: TensorFile(
        bytes: TensorFile.serialize([
          ("conv.weight", [5, 3, 3], noise.floats(45)), ("conv.bias", [5], noise.floats(5)),
        ])))
  }
}
