/// What operators that can't read an input as it is require it to be.
enum InputRequirements {
  /// Asks for the size of an open batch, or of open steps, that an exporter has baked into a shape.
  static func length(
    _ l: inout Lowering, of value: CarriedValue, as shape: [Int], or refusal: ImportError
  ) -> ImportError {
    if let known = exampleSize(of: value, in: shape) {
      return l.require(.size(known.axis, known.size), or: refusal)
    }
    guard shape.allSatisfy({ $0 > 0 }),
      let wanted = RowMajor.count(shape, limit: Lowering.maxOpenExtent)
    else { return refusal }
    for atom in value.axes.joined() where atom.isOpen && atom.role != .element && !atom.isDerived {
      let others = value.shape.reduce(1, *) / atom.size
      guard others > 0, wanted % others == 0, (1...1024).contains(wanted / others),
        let origin = atom.origin
      else { continue }
      return l.require(.size(origin, wanted / others), or: refusal)
    }
    // Several open axes, all as in the exporter's example: the first, and then the others.
    let atoms = value.axes.joined()
    let example = atoms.reduce(1) { $0 &* (l.exampleSteps[$1] ?? $1.size) }
    if example == wanted, let atom = atoms.first(where: { $0.isOpen && !$0.isDerived }),
      let origin = atom.origin, let count = l.exampleSteps[atom]
    {
      return l.require(.size(origin, count), or: refusal)
    }
    return refusal
  }

  /// The size that the exporter's example had on an open axis, where the first axes of a value are open ones and the shape has
  /// them as its first too, one as a number: [steps, batch, 2, 6] as [12, -1, 12].
  private static func exampleSize(
    of value: CarriedValue, in shape: [Int]
  ) -> (axis: Atom.Origin, size: Int)? {
    let open = value.axes.prefix {
      $0.count == 1 && $0[0].isOpen && $0[0].role != .element && !$0[0].isDerived
    }.map { $0[0] }
    let rest = shape.dropFirst(open.count)
    guard open.count > 1, !rest.isEmpty, rest.allSatisfy({ $0 > 0 }),
      RowMajor.count(Array(rest), limit: Lowering.maxElements)
        == value.shape.dropFirst(open.count).reduce(1, *),
      let (atom, size) = zip(open, shape).first(where: { (1...1024).contains($1) }),
      let origin = atom.origin
    else { return nil }
    return (origin, size)
  }

  /// Asks that open steps beside elements are as many as these, as the graph computes with no others, where nothing else is asked.
  static func asManySteps(
    _ l: inout Lowering, _ axes: [[Atom]], sizes: [Int], or refusal: ImportError
  ) -> ImportError {
    let open = axes.first { $0.count == 1 && $0[0].role == .time && $0[0].isOpen }?.first
    guard l.requirement == nil, !l.assumptions.areSizesGuessed, let open, let origin = open.origin,
      !open.isDerived,
      axes.contains(where: { $0.allSatisfy { $0.role == .element } }),
      let count = sizes.first(where: { $0 != open.size })
    else { return refusal }
    return l.require(.size(origin, count), or: refusal)
  }

  /// Asks that an open batch has as many sequences as the exporter's example; nil if the atoms are no such batch.
  static func batch(
    _ l: inout Lowering, _ atoms: [Atom], count: Int, or refusal: ImportError
  ) -> ImportError? {
    guard atoms.count == 1, atoms[0].role == .batch, atoms[0].isOpen, let origin = atoms[0].origin
    else { return nil }
    return l.require(.size(origin, count), or: refusal)
  }

  /// Asks that an open batch is one sequence, where the exporter's example was one and its shapes put it before the steps; of an
  /// example of several, that they are the steps.
  static func oneSequence(
    _ l: inout Lowering, _ node: SourceNode, _ x: CarriedValue, time: Int, batch: Int
  ) throws(ImportError) {
    guard x.axes[batch].isEmpty, x.axes[time].contains(where: { $0.role == .time }),
      let atom = x.axes[time].first(where: { $0.role == .batch && $0.isOpen }),
      let origin = atom.origin
    else { return }
    let refusal = node.refusal(
      "X of \(x.shape), whose axis \(time) holds all sequences of a batch",
      because: "\(node.op) reads that axis step by step", instead: Remedy.batchOfOne)
    guard l.exampleSteps[atom] ?? 1 == 1 else { throw l.requiring(atom, .time, or: refusal) }
    throw l.require(.size(origin, 1), or: refusal)
  }

  /// Operators that choose a step by its index, or change the shape of indices before.
  private static let choosers: Set<String> = [
    "Gather", "GatherElements", "GatherND", "Reshape", "Unsqueeze", "Expand", "Concat", "Cast",
    "Add", "Mul", "Less", "Where",
  ]

  /// For a node that is refused because an input is ids: if the input may be sequence lengths instead, asks for that.
  static func lengths(
    _ l: inout Lowering, _ node: SourceNode, or refusal: ImportError
  ) throws(ImportError) {
    for index in node.inputs.indices {
      let value: CarriedValue
      var isLone = false
      switch try l.value(node, index) {
      case .carried(let carried)?:
        // What is added to scores of attention is a mask.
        if node.op == "Add", try hasScores(&l, node) { continue }
        let isOfPositions = try comparesPositions(&l, node)
        (value, isLone) = (carried, node.op == "TopK" || isOfPositions)
      // lengths - 1, by which a step is chosen
      case .pending(.ids(let ids, plus: -1))? where choosers.contains(node.op):
        (value, isLone) = (ids, true)
      default: continue
      }
      let axes = value.axes.count { !$0.isEmpty }
      guard value.form == .tokens, axes == 1 || axes == 0 && isLone,
        let input = l.origins(of: value.node).first,
        l.values[input]?.shape.count == 1,
        let steps = l.lengths.values.filter({ $0.role == .time && $0.origin?.input != input })
          .min(by: { $0.id < $1.id })
      else { continue }
      throw l.require(.lengths(input: input, steps: steps.size), or: refusal)
    }
  }

  /// Whether an operand is the numbers of the steps, which are compared with lengths: a mask of padding.
  private static func comparesPositions(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> Bool {
    guard ["Less", "LessOrEqual", "Greater", "GreaterOrEqual"].contains(node.op) else {
      return false
    }
    for index in node.inputs.indices {
      if case .constant(let numbers)? = try l.value(node, index), numbers.count > 1,
        l.lengths[numbers.count]?.role == .time, numbers.integers == Array(0..<numbers.count)
      {
        return true
      }
    }
    return false
  }

  /// Whether one of two operands is a product of steps with steps, as attention has it.
  private static func hasScores(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> Bool {
    for index in node.inputs.indices {
      if case .pending(.pairScores)? = try l.value(node, index) { return true }
    }
    return false
  }

  /// For a node that is refused because an input is ids cast to floats: asks that it is an input of numbers, such as a mask.
  static func numbers(
    _ l: inout Lowering, _ node: SourceNode, or refusal: ImportError
  ) throws(ImportError) {
    guard
      ["Mul", "Add", "Sub", "Div", "ReduceSum", "MatMul", "Clip", "Max", "Slice", "Pad", "Concat"]
        .contains(node.op)
    else { return }
    for index in node.inputs.indices {
      let ids: CarriedValue
      switch try l.value(node, index) {
      case .pending(.ids(let value, plus: 0)): ids = value
      case .carried(let value) where value.form == .tokens: ids = value
      default: continue
      }
      guard let input = l.origins(of: ids.node).first else { continue }
      throw l.require(.numbers(input: input), or: refusal)
    }
  }
}
