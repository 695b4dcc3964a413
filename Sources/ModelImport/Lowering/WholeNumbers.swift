import ModelFormat

/// Values of the folder that are whole numbers, as they are made of such: of ids that are moved, shifted and added up, a table
/// chooses the rows that the framework's chooses.
struct WholeNumbers {
  /// The node of a name.
  private let node: (String) -> ModelDescription.Node?
  /// A tensor of the folder.
  private let floats: (String) -> [Float]?
  /// Whether an input is of whole numbers; nil if the name is no input's.
  private let isWholeInput: (String) -> Bool?

  /// The source's name of an input; nil for a node.
  private let input: (String) -> String?

  private static let maxNodes = 256
  /// The longest chain of nodes that is followed.
  private static let maxDepth = 64

  /// Ops whose elements are whole if those of all inputs are: they choose among them, put zeros beside them, or add them up.
  static let keeping: Set = [
    SliceOp.name, GatherOp.name, TransposeOp.name, ConcatOp.name, SliceStepsOp.name,
    ReverseOp.name, FirstOp.name, LastOp.name, ShiftOp.name, PadStepsOp.name, AddOp.name,
    SubtractOp.name, MultiplyOp.name, MaximumOp.name, MinimumOp.name, RepeatOp.name,
    RepeatStepsOp.name, CropOrPadOp.name,
  ]

  init(_ lowering: Lowering) {
    input = { lowering.input(named: $0) }
    node = { name in lowering.builder.nodes.last { $0.name == name } }
    floats = { lowering.builder.tensors[$0]?.floats }
    isWholeInput = { name in
      lowering.input(named: name).map { lowering.assumptions.numbers.contains($0) }
    }
  }

  init(_ translation: KerasTranslation) {
    input = { name in translation.inputs.contains { $0.name == name } ? name : nil }
    node = { name in translation.draft.description.nodes.last { $0.name == name } }
    floats = { name in translation.draft.tensors.first { $0.name == name }?.floats }
    isWholeInput = { name in translation.inputs.first { $0.name == name }?.isWhole }
  }

  func contain(_ name: String) -> Bool { contain(name, depth: 0) }

  /// The source's names of the inputs from which a value is made, the nearest first.
  func inputs(of name: String) -> [String] {
    var (names, place) = ([name], 0)
    var found: [String] = []
    while place < names.count, names.count < Self.maxNodes {
      if let input = input(names[place]) {
        found.append(input)
      } else {
        names += (node(names[place])?.inputs ?? []).compactMap { $0 }.filter { !names.contains($0) }
      }
      place += 1
    }
    return found
  }

  private func contain(_ name: String, depth: Int) -> Bool {
    if let isWhole = isWholeInput(name) { return isWhole }
    guard depth < Self.maxDepth, let node = node(name) else { return false }
    var sources = node.inputs.compactMap { $0 }
    switch node.op.definition {
    case is MaskOp: return true
    case is WhereOp: sources.removeFirst()
    case let affine as AffineOp:
      let scale = floats("\(name).weight") ?? affine.scale ?? []
      let shift = floats("\(name).bias") ?? affine.shift ?? []
      guard (scale + shift).allSatisfy({ $0 == $0.rounded() }) else { return false }
      if !scale.isEmpty, scale.allSatisfy({ $0 == 0 }) { return true }
    case let pad as PadStepsOp:
      guard pad.value == pad.value.rounded() else { return false }
    default:
      guard Self.keeping.contains(node.op.name) else { return false }
    }
    return sources.allSatisfy { contain($0, depth: depth + 1) }
  }
}
