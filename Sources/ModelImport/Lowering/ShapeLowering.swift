/// Operators that change shapes only: they move atoms between axes.
enum ShapeLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case "Shape": return try shape(&l, node)
    case "Size": return try size(&l, node)
    case "Reshape": return try reshape(&l, node)
    case "Flatten": return try flatten(&l, node)
    case "Squeeze": return try squeeze(&l, node)
    case "Unsqueeze": return try unsqueeze(&l, node)
    case "Transpose": return try transpose(&l, node)
    case "Expand": return try expand(&l, node)
    case "Identity", "Dropout", "StopGradient", "CastLike": return try same(&l, node)
    case "Cast": return try cast(&l, node)
    case "Tile": return try tile(&l, node)
    case "ConstantOfShape": return try constantOfShape(&l, node)
    default: return nil
    }
  }

  private static func shape(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    let value = try l.required(node, 0)
    return [.constant(SourceTensor(integers: ShapeOperators.shapeRange(node, value.shape)))]
  }

  private static func size(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    let shape = try l.required(node, 0).shape
    guard let count = RowMajor.count(shape, limit: Lowering.maxOpenExtent) else {
      throw node.refusal("an array of \(shape)", because: "no array can be that large")
    }
    return [.constant(SourceTensor(shape: [], kind: .integer, elements: [Double(count)]))]
  }

  private static func constantOfShape(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    _ = try l.constant(node, 0, "a shape")
    throw node.refusal("a shape that isn't known", because: "shapes depend on lengths alone")
  }

  private static func same(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    if node.op == "Dropout", case .constant(let isTraining)? = try l.value(node, 2),
      isTraining.first != 0
    {
      let ratio = try l.number(node, "ratio", input: 1, default: 0.5)
      if ratio > 0 { l.builder.note(Note.dropout(node.place, ratio)) }
    }
    return [try l.required(node, 0)]
  }

  private static func cast(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    guard case .carried(var value) = try l.required(node, 0) else { return try same(&l, node) }
    let type = node.integer("to", default: 1)
    guard let kind = ONNXElementType(rawValue: type)?.kind else {
      throw node.refusal("a cast to type \(type)", because: "numbers of that type aren't known")
    }
    if value.kind == .boolean, kind != .boolean {
      value = ComparisonLowering.straight(&l, value, node)
    }
    if value.kind == .float, kind == .integer {
      let refusal = node.refusal(
        "a cast of floats to whole numbers", because: "no op rounds",
        instead: Remedy.rounding)
      if let input = l.input(named: value.node) {
        throw l.require(.wholeNumbers(input: input), or: refusal)
      }
      // Of numbers that are computed, the source's and the folder's may lie on either side of a whole one.
      guard !l.origins(of: value.node).isEmpty,
        l.tableIndices.contains(node.outputs.first ?? "")
      else { throw refusal }
    }
    if value.kind == .float, kind == .boolean {
      value = Layout.map(&l, value, .abs, node)
    }
    value.kind = kind
    return [.carried(value)]
  }

  private static func transpose(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    var value = try l.carried(node, 0)
    let order = node.integers("perm") ?? Array(value.axes.indices.reversed())
    guard order.sorted() == Array(value.axes.indices) else {
      throw node.refusal("perm \(order)", because: "the value has \(value.axes.count) axes")
    }
    value.axes = order.map { value.axes[$0] }
    return [.carried(value)]
  }

  private static func squeeze(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    var value = try l.carried(node, 0)
    let axes = try l.integers(node, "axes", input: 1)
    let dropped: Set<Int>
    do throws(ImportError) {
      dropped = try ShapeOperators.squeezedAxes(node, value.shape, axes)
    } catch {
      var error = error
      // What is left of the example's steps by a pool over all of them.
      let isOfPool = value.timeAtoms.contains { $0.isOpen && $0.isDerived }
      error.remedy = isOfPool ? Remedy.stepsOfTheExample : Remedy.squeezed
      throw error
    }
    // Moves steps or a batch of size 1 to a neighbour, so that they are not lost.
    let lost = dropped.sorted().flatMap { value.axes[$0] }
    value.axes = value.axes.indices.filter { !dropped.contains($0) }.map { value.axes[$0] }
    if !lost.isEmpty, !value.axes.isEmpty { value.axes[0] = lost + value.axes[0] }
    return [.carried(value)]
  }

  private static func unsqueeze(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    var value = try l.carried(node, 0)
    let axes = try l.integers(node, "axes", input: 1) ?? []
    let added = try ShapeOperators.unsqueezedAxes(node, rank: value.axes.count, axes)
    var rest = value.axes[...]
    value.axes = (0..<value.axes.count + added.count).map {
      added.contains($0) ? [] : rest.removeFirst()
    }
    return [.carried(value)]
  }

  private static func flatten(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    var value = try l.carried(node, 0)
    let given = node.integer("axis", default: 1)
    let axis = given < 0 ? given + value.axes.count : given
    guard (0...value.axes.count).contains(axis) else {
      throw node.refusal("axis \(given)", because: "the value has \(value.axes.count) axes")
    }
    value.axes = [Array(value.axes[..<axis].joined()), Array(value.axes[axis...].joined())]
    return [.carried(value)]
  }

  private static func reshape(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    let value = try l.carried(node, 0)
    guard let wanted = try l.integers(node, "shape", input: 1),
      let shape = ShapeOperators.reshapedShape(
        value.shape, to: wanted, zeroIsSize: node.integer("allowzero") == 1)
    else {
      throw try InputRequirements.length(
        &l, of: value, as: l.integers(node, "shape", input: 1) ?? [],
        or: node.refusal(
          "\(value.shape) as another shape", because: "they differ in their number of elements",
          instead: Remedy.parts(of: l)
        ))
    }
    return [.carried(try reshaped(&l, value, to: shape, node))]
  }

  /// The value with its atoms distributed in order to axes of the given sizes.
  static func reshaped(
    _ l: inout Lowering, _ value: CarriedValue, to shape: [Int], _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    var result = value
    var rest = Array(value.axes.joined())
    var axes: [[Atom]] = []
    for size in shape {
      var axis: [Atom] = []
      var left = size
      if size == 1 {
        // A batch or steps of size 1 may be an axis by themselves, the one that they were before if it is there.
        if let first = rest.first, first.size == 1,
          !isLater(first, in: value, than: axes.count, of: shape)
        {
          axis.append(rest.removeFirst())
        }
        axes.append(axis)
        continue
      }
      while left > 1 {
        guard let atom = rest.first else { break }
        if atom.size <= left, left % atom.size == 0 {
          axis.append(rest.removeFirst())
          left /= atom.size
          continue
        }
        guard atom.role == .element, atom.size % left == 0 || atom.size > 1 else {
          if atom.role == .time,
            let vector = FixedSteps.elements(
              &l, value, areSure: l.assumptions.makesStepsOfVectors, node)
          {
            return try reshaped(&l, vector, to: shape, node)
          }
          throw refusal(l, node, value, shape, atom)
        }
        let common = gcd(atom.size, left)
        guard common > 1, common == left || atom.size % common == 0, common == left else {
          throw refusal(l, node, value, shape, atom)
        }
        let parts = [l.newAtom(left), l.newAtom(atom.size / left)]
        result = Layout.splitting(result, atom, into: parts)
        axes = axes.map { axis in axis.flatMap { $0 == atom ? parts : [$0] } }
        axis.append(parts[0])
        rest[0] = parts[1]
        left = 1
      }
      axes.append(axis)
    }
    if !rest.isEmpty, !axes.isEmpty { axes[axes.count - 1] += rest }
    result.axes = axes
    return result.withoutSingles
  }

  /// Whether an atom of size 1 has its axis behind this one, and the new shape has an axis of size 1 there too.
  private static func isLater(
    _ atom: Atom, in value: CarriedValue, than place: Int, of shape: [Int]
  ) -> Bool {
    guard let axis = value.axis(of: atom), axis > place, shape.indices.contains(axis) else {
      return false
    }
    return shape[axis] == 1
  }

  private static func gcd(_ a: Int, _ b: Int) -> Int { b == 0 ? a : gcd(b, a % b) }

  private static func refusal(
    _ l: Lowering, _ node: SourceNode, _ value: CarriedValue, _ shape: [Int], _ atom: Atom
  ) -> ImportError {
    node.refusal(
      "\(value.shape) as \(shape)",
      because: "this puts together parts of \(atom.role.rawValue) with others",
      instead: atom.role != .time
        ? nil : value.shape.first == shape.first ? Remedy.windows : Remedy.parts(of: l)
    )
  }

  private static func expand(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    let value = try l.carried(node, 0)
    guard let shape = try l.constant(node, 1, "a shape")?.integers else {
      throw node.refusal("no shape", because: "Expand needs one")
    }
    return [.carried(try Layout.expanded(&l, value, to: shape, node))]
  }

  private static func tile(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    let value = try l.carried(node, 0)
    let repeats = try l.constant(node, 1, "repeats")?.integers ?? []
    guard repeats.count == value.axes.count, repeats.allSatisfy({ $0 > 0 }) else {
      throw node.refusal(
        "repeats \(repeats) of \(value.shape)", because: "each axis is repeated once at least")
    }
    var result = value
    for (axis, count) in repeats.enumerated() where count > 1 && value.shape[axis] > 1 {
      guard value.axes[axis].allSatisfy({ $0.role == .element }) else {
        throw node.refusal(
          "repeats \(repeats) of \(value.shape)",
          because: "no op puts steps, or sequences, behind others: elements can be repeated",
          instead: "let the caller send the steps as often")
      }
      let size = value.shape[axis]
      guard
        RowMajor.count(result.elements.map(\.size) + [count], limit: Lowering.maxElements) != nil
      else {
        throw node.refusal(
          "repeats \(repeats) of \(value.shape)",
          because: "a step may have \(Lowering.maxElements) elements")
      }
      result = Layout.selecting(
        &l, result, axis: axis, (0..<size &* count).map { $0 % size }, node)
    }
    let shape = zip(value.shape, repeats).map { $0 &* $1 }
    return [.carried(try Layout.expanded(&l, result, to: shape, node))]
  }
}
