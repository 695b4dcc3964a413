import ModelFormat

/// Values of the folder that are whole numbers, as they are made of such: of ids that are moved, shifted and added up, a table
/// chooses the rows that the framework's chooses.
struct WholeNumbers {
  private let lowering: Lowering

  /// The longest chain of nodes that is followed.
  private static let maxDepth = 64

  /// Ops whose elements are whole if those of all inputs are: they choose among them, put zeros beside them, or add them up.
  static let keeping: Set = [
    SliceOp.name, GatherOp.name, TransposeOp.name, ConcatOp.name, SliceStepsOp.name,
    ReverseOp.name, FirstOp.name, LastOp.name, ShiftOp.name, PadStepsOp.name, AddOp.name,
    SubtractOp.name, MultiplyOp.name, MaximumOp.name, MinimumOp.name,
  ]

  init(_ lowering: Lowering) { self.lowering = lowering }

  func contain(_ name: String, depth: Int = 0) -> Bool {
    let builder = lowering.builder
    if let input = lowering.input(named: name) {
      return lowering.assumptions.numbers.contains(input)
    }
    guard depth < Self.maxDepth, let node = builder.nodes.last(where: { $0.name == name }) else {
      return false
    }
    let isKeeping: Bool
    switch node.op.definition {
    case let affine as AffineOp:
      let parts = ["weight", "bias"].compactMap { builder.tensors["\(name).\($0)"]?.floats }
      isKeeping = (parts + [affine.scale, affine.shift].compactMap { $0 }).joined()
        .allSatisfy { $0 == $0.rounded() }
    case let pad as PadStepsOp: isKeeping = pad.value == pad.value.rounded()
    default: isKeeping = Self.keeping.contains(node.op.name)
    }
    return isKeeping
      && node.inputs.allSatisfy { $0.map { contain($0, depth: depth + 1) } ?? true }
  }
}
