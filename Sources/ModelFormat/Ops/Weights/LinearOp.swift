/// A linear map of each row.
package struct LinearOp: OpDefinition {
  package static let name = "linear"
  package static let documentation = OpDocumentation(
    inputs: "any of D", parameters: "`.weight` [N, D], [`.bias` [N]]",
    result: "N elements: `W x + b`"
  )
  package static let tensors = ["weight", "bias"]

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let inputSize = try node.size(of: node.arguments[0])
    let (weight, bias) = (node.fullName("weight"), node.fullName("bias"))
    let size = try node.inferSize(
      of: weight, pattern: "[out, \(inputSize)]",
      hint: Self.tie(bias: bias, inputSize: inputSize, in: node.tensors)
    ) { $0[1] == inputSize ? $0[0] : nil }
    try node.use(weight, shape: [size, inputSize])
    try node.useIfPresent(bias, shape: [size])
    return node.arguments[0].form.with(size: size)
  }

  /// The hint that the map's matrix may be tied to another of the same shape; nil if not even its bias was saved.
  private static func tie(bias: String, inputSize: Int, in tensors: TensorFile) -> TensorHint? {
    guard let shape = tensors.shape(of: bias), shape.count == 1 else { return nil }
    return tensors.names.first { tensors.shape(of: $0) == [shape[0], inputSize] }
      .map { .tied(to: $0, bias: bias) }
  }
}

extension ModelDescription.Op {
  package static let linear = Self(LinearOp())
}
