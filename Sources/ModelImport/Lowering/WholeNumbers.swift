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

  func contain(_ name: String) -> Bool {
    var heights: [String: Int] = [:]
    return height(of: name, depth: 0, &heights) != nil
  }

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

  /// The longest chain of nodes behind a value that is whole; nil if it is not, or the chain is too long.
  ///
  /// - Parameter heights: those that are known, so that a value is looked at once, however many ways lead to it.
  private func height(of name: String, depth: Int, _ heights: inout [String: Int]) -> Int? {
    if let isWhole = isWholeInput(name) { return isWhole ? 0 : nil }
    if let known = heights[name] { return depth + known <= Self.maxDepth ? known : nil }
    guard depth < Self.maxDepth, let node = node(name), let sources = wholeSources(of: node) else {
      return nil
    }
    var height = 1
    for source in sources {
      guard let behind = self.height(of: source, depth: depth + 1, &heights) else { return nil }
      height = max(height, behind + 1)
    }
    heights[name] = height
    return height
  }

  /// The inputs that have to be whole for a node's elements to be; nil if these are not in any case.
  private func wholeSources(of node: ModelDescription.Node) -> [String]? {
    let sources = node.inputs.compactMap { $0 }
    switch node.op.definition {
    case is MaskOp: return []
    case is WhereOp: return Array(sources.dropFirst())
    case let affine as AffineOp:
      let scale = floats("\(node.name).weight") ?? affine.scale ?? []
      let shift = floats("\(node.name).bias") ?? affine.shift ?? []
      guard (scale + shift).allSatisfy({ $0 == $0.rounded() }) else { return nil }
      return !scale.isEmpty && scale.allSatisfy { $0 == 0 } ? [] : sources
    case let pad as PadStepsOp: return pad.value == pad.value.rounded() ? sources : nil
    default: return Self.keeping.contains(node.op.name) ? sources : nil
    }
  }
}
