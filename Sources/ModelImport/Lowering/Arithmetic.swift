import ModelFormat

/// Ops on values, broadcast as in NumPy.
enum Arithmetic {
  /// The product of two values with the same arrangement of elements.
  static func product(
    _ l: inout Lowering, _ first: CarriedValue, _ second: CarriedValue, _ node: SourceNode
  )
    -> CarriedValue
  {
    var result = first
    result.node = l.builder.emit(
      .multiply, [first.node, second.node], named: node.outputs.first ?? node.name)
    return result
  }

  /// `x · scale + shift`, element by element; a single number applies to all elements.
  static func affine(
    _ l: inout Lowering, _ value: CarriedValue, scale: [Double]? = nil, shift: [Double]? = nil,
    _ node: SourceNode
  ) -> CarriedValue {
    func isSame(_ numbers: [Double]) -> Bool { numbers.dropFirst().allSatisfy { $0 == numbers[0] } }
    if let scale, isSame(scale), scale[0] == 1, shift == nil { return value }
    if let shift, isSame(shift), shift[0] == 0, scale == nil { return value }
    var tensors: [(name: String, shape: [Int], elements: [Double])] = []
    var (factor, addend): ([Float]?, [Float]?) = (nil, nil)
    if let scale {
      if isSame(scale) {
        factor = [Float(scale[0])]
      } else {
        tensors.append(("weight", [scale.count], scale))
      }
    }
    if let shift {
      if isSame(shift) {
        addend = [Float(shift[0])]
      } else {
        tensors.append(("bias", [shift.count], shift))
      }
    }
    return Layout.map(&l, value, .affine(scale: factor, shift: addend), node, tensors: tensors)
  }

  /// Constants as a value of the same form as `value`: its elements times 0, plus the constants.
  static func constant(
    _ l: inout Lowering, _ numbers: [Double], like value: CarriedValue, _ node: SourceNode
  )
    -> CarriedValue
  {
    let all = numbers.count == 1 ? Array(repeating: numbers[0], count: value.size) : numbers
    return Arithmetic.affine(&l, Arithmetic.affine(&l, value, scale: [0], node), shift: all, node)
  }

  /// Constants as a value that each sequence or step has beside `source`: its first element times 0, plus the constants.
  static func constant(
    _ l: inout Lowering, _ numbers: [Double], axes: [[Atom]], elements: [Atom],
    beside source: CarriedValue, _ node: SourceNode
  ) -> CarriedValue {
    var value = Layout.picking(&l, source, Array(repeating: 0, count: numbers.count), node)
    (value.axes, value.elements) = (axes, elements)
    return constant(&l, numbers, like: value, node)
  }

  /// Adds an op on values that are broadcast against each other as in NumPy.
  static func combining(
    _ l: inout Lowering, _ values: [CarriedValue], _ op: ModelDescription.Op, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    var aligned = try StepCropping.cropped(&l, values, node)
    let rank = values.reduce(0) { max($0, $1.axes.count) }
    aligned = aligned.map { Layout.padded($0, rank: rank) }
    for axis in 0..<rank {
      guard
        let widest = aligned.indices.max(by: { aligned[$0].shape[axis] < aligned[$1].shape[axis] })
      else { continue }
      for index in aligned.indices where index != widest {
        let size = aligned[index].shape[axis]
        guard size == aligned[widest].shape[axis] || size == 1 else {
          let axes = [aligned[index].axes[axis], aligned[widest].axes[axis]]
          let refusal = l.requiringSameSteps(
            axes,
            or: StepCropping.refusal(
              axes,
              node.refusal(
                "\(values.map(\.shape))", because: "these shapes don't fit each other",
                instead: areOfTwoInputs(axes[0] + axes[1]) ? Remedy.sequenceOfOwn : nil)))
          throw InputRequirements.asManySteps(
            &l, axes, sizes: [size, aligned[widest].shape[axis]], or: refusal)
        }
        if size != 1 || !aligned[index].axes[axis].isEmpty {
          try Arithmetic.unify(&l, &aligned, widest, index, axis: axis, node)
        }
      }
    }
    if op == .add { separateQueries(&l, &aligned, node) }
    var result = aligned[0]
    result.kind = aligned[aligned.count - 1].kind == .boolean ? .boolean : .float
    if aligned.allSatisfy({ $0.kind == .integer }) { result.kind = .integer }
    result.axes = (0..<rank).map { axis in
      aligned.map { $0.axes[axis] }.max {
        $0.reduce(1) { $0 * $1.size } < $1.reduce(1) { $0 * $1.size } || $0.isEmpty && !$1.isEmpty
      } ?? []
    }
    let flat = result.axes.joined().filter { $0.role == .time }
    guard Set(flat).count == flat.count else { throw pairsOfSteps(values, node) }
    let order = result.foreignOrder
    guard RowMajor.count(order.map(\.size), limit: Lowering.maxElements) != nil else {
      throw node.refusal(
        "\(values.map(\.shape)), each element of one with each of the other",
        because: "a step may have \(Lowering.maxElements) elements")
    }
    result.form = aligned.contains { $0.form == .sequence } ? .sequence : .vector
    var inputs: [String] = []
    for value in aligned {
      inputs.append(
        value.elements.isEmpty && !order.isEmpty
          ? value.node : Layout.arranged(&l, value, order, node).node)
    }
    // If all others are single numbers, the widest value must have all elements.
    if aligned.allSatisfy({ $0.elements.count < order.count }) {
      inputs[0] = Layout.arranged(&l, aligned[0], order, node).node
    }
    result.node = l.builder.emit(op, inputs, named: node.outputs.first ?? node.name)
    result.elements = order
    return result
  }

  /// The error where steps meet steps in another form than attention.
  static func pairsOfSteps(_ values: [CarriedValue], _ node: SourceNode) -> ImportError {
    node.refusal(
      "\(values.map(\.shape)), each step of one with each of the other",
      because: Remedy.whereStepsMeet,
      instead: Remedy.additive)
  }

  /// Gives the steps of one of two values an atom of their own, where a sum is of each step of one with each of the other: the scores
  /// of additive attention, whose queries have the axis before the keys'.
  private static func separateQueries(
    _ l: inout Lowering, _ values: inout [CarriedValue], _ node: SourceNode
  ) {
    let atoms = values.map(\.timeAtoms)
    guard values.count == 2, atoms.allSatisfy({ $0.count == 1 }), atoms[0] == atoms[1],
      values.allSatisfy({ $0.form == .sequence }),
      let first = values[0].axis(of: atoms[0][0]), let second = values[1].axis(of: atoms[0][0]),
      first != second
    else { return }
    let (index, axis) = first < second ? (0, first) : (1, second)
    values[index].axes[axis] = [l.queryAtom(of: atoms[0][0])]
    values[index].node = l.builder.emitQueries(
      values[index].node, named: node.outputs.first ?? node.name, or: pairsOfSteps(values, node))
  }

  /// Unifies the atoms of an axis that has the same size in two values, to those of the first; splits coarser atoms.
  private static func unify(
    _ l: inout Lowering, _ values: inout [CarriedValue], _ first: Int, _ second: Int, axis: Int,
    _ node: SourceNode
  ) throws(ImportError) {
    var place = 0
    while place < max(values[first].axes[axis].count, values[second].axes[axis].count) {
      guard place < values[first].axes[axis].count, place < values[second].axes[axis].count else {
        // Only batches or steps of size 1 are left.
        return
      }
      let (one, other) = (values[first].axes[axis][place], values[second].axes[axis][place])
      place += 1
      if one == other { continue }
      guard one.role == .element, other.role == .element else {
        throw Arithmetic.mismatch(&l, one, other, node)
      }
      let common = min(one.size, other.size)
      guard max(one.size, other.size) % common == 0 else {
        throw Arithmetic.mismatch(&l, one, other, node)
      }
      for atom in [one, other] where atom.size > common {
        let parts = [l.newAtom(common), l.newAtom(atom.size / common)]
        for other in values.indices {
          values[other] = Layout.splitting(values[other], atom, into: parts)
        }
      }
      let (kept, replaced) = (
        values[first].axes[axis][place - 1], values[second].axes[axis][place - 1]
      )
      values[second] = Layout.splitting(values[second], replaced, into: [kept])
    }
  }

  /// Whether one of these is an open axis of an input, and one an axis of another input with the size of the example.
  private static func areOfTwoInputs(_ atoms: [Atom]) -> Bool {
    let own = atoms.filter { !$0.isDerived && $0.origin != nil }
    return own.contains { open in
      open.isOpen && own.contains { !$0.isOpen && $0.origin?.input != open.origin?.input }
    }
  }

  private static func mismatch(_ l: inout Lowering, _ one: Atom, _ other: Atom, _ node: SourceNode)
    -> ImportError
  {
    let refusal = node.refusal(
      "\(one.role.rawValue) against \(other.role.rawValue)",
      because: "an axis of one value is one of another kind in the other",
      instead: one.role == .batch || other.role == .batch ? Remedy.sequenceOfOwn : nil)
    if one.role == .time, other.role == .time { return refusal }
    let inputs = Set([one, other].compactMap { $0.origin?.input })
    // An input with a fixed batch may have been a constant of the model.
    if one.role == .batch, other.role == .batch, inputs.count > 1,
      let input = [one, other].first(where: { !$0.isOpen })?.origin?.input
    {
      return node.refusal(
        "the batches of \(inputs.sorted().map { "\"\($0)\"" }.joined(separator: " and "))",
        because: "they are of different sizes",
        instead: "if \"\(input)\" is a constant of the model: --set '\(input)=values.npy'")
    }
    // Elements of an input against another's steps: a mask, a number a step.
    var pairs = [(one, other.role), (other, one.role)]
    if inputs.count > 1, other.role == .element, one.role == .time { pairs.reverse() }
    for (atom, role) in pairs
    where atom.origin != nil && atom.role != role {
      return l.requiring(atom, role, or: refusal)
    }
    return refusal
  }
}
