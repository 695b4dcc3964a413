import ModelFormat

/// Steps that are padded with zeros to one number of them, as of `F.pad(x, (0, 0, 0, 100 - x.size(1)))`.
enum PaddedSteps {
  /// More steps of zeros before the first than a model begins with by itself.
  private static let maxStart = 2

  /// Ops that read a step by itself.
  private static let stepwise: Set<String> = [
    "affine", "linear", "layer_norm", "relu", "sigmoid", "tanh",
  ]

  /// Records that sequences have the example's number of steps where a recurrent network reads padding. To a convolution or a pool it
  /// is that of their windows, for any number of steps.
  static func check(_ l: inout Lowering, _ value: CarriedValue, readBy node: SourceNode) {
    guard let atom = value.timeAtoms.first, !(atom.isOpen && l.computesLengths) else { return }
    var name = value.node
    for _ in 0..<16 {
      guard let reader = l.builder.nodes.last(where: { $0.name == name }) else { return }
      if let (_, padding) = l.builder.zeroPadding(name) {
        guard padding.after > 0 || padding.before > maxStart else { return }
        return ExampleLength.record(
          &l, atom, "\(node.place) reads \(padding.before + padding.after) steps of zeros")
      }
      guard stepwise.contains(reader.op.name), reader.inputs.count == 1,
        let source = reader.inputs[0]
      else { return }
      name = source
    }
  }
}
