/// Constants that are one number, over as many elements as the numbers that stand in for a batch and steps come to: they are never
/// written out.
enum UniformConstants {
  /// The operators that take such an array for one number, or are refused for another reason.
  private static let takingUniform: Set<String> = [
    "Add", "Sub", "Mul", "Div", "Pow", "Mod", "Min", "Max", "Sum", "Mean", "Where", "Equal", "Less",
    "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor", "PRelu", "CastLike",
    "ScatterND", "Concat",
  ]

  /// Refuses weights that are one number without end.
  static func check(_ l: inout Lowering, _ node: SourceNode) throws(ImportError) {
    guard !takingUniform.contains(node.op) else { return }
    // What a recurrent network reads may be one number at every step, and states of zeros are left out.
    let first = ["LSTM", "GRU", "RNN"].contains(node.op) ? 1 : 0
    for index in node.inputs.indices.dropFirst(first) {
      guard case .constant(let tensor)? = try l.value(node, index), tensor.isTooLargeToBeDense,
        first == 0 || !(5...6).contains(index) || tensor.first != 0
      else { continue }
      throw node.refusal(
        "an array of \(tensor.shape) as input \(index)",
        because: "arrays that are computed may have \(SourceTensor.maxElements) elements",
        instead: Remedy.operators[node.op])
    }
  }
}
