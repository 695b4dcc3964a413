import ModelFormat

/// The arrangement of values' elements, and ops that rearrange them.
enum Layout {
  /// Adds an elementwise node: the result has the arrangement of `value`.
  static func map(
    _ l: inout Lowering, _ value: CarriedValue, _ op: ModelDescription.Op, _ node: SourceNode,
    tensors: [(name: String, shape: [Int], elements: [Double])] = []
  ) -> CarriedValue {
    var result = value
    result.node = l.builder.emit(
      op, [value.node], named: node.outputs.first ?? node.name, tensors: tensors)
    return result
  }

  /// The value with its elements in another order: the same atoms, or additional ones over which it is repeated.
  static func arranged(
    _ l: inout Lowering, _ value: CarriedValue, _ order: [Atom], _ node: SourceNode
  ) -> CarriedValue {
    if value.elements == order { return value }
    let strides = RowMajor.strides(value.elements.map(\.size))
    let positions = RowMajor.positions(
      shape: order.map(\.size),
      strides: order.map { atom in value.elements.firstIndex(of: atom).map { strides[$0] } ?? 0 })
    var result = Layout.picking(&l, value, positions, node)
    result.elements = order
    return result
  }

  /// The value with its elements in the source array's order.
  static func inForeignOrder(_ l: inout Lowering, _ value: CarriedValue, _ node: SourceNode)
    -> CarriedValue
  {
    Layout.arranged(&l, value, value.foreignOrder, node)
  }

  /// Adds a node that selects the elements at these positions; axes and atoms are still those of `value`.
  static func picking(
    _ l: inout Lowering, _ value: CarriedValue, _ positions: [Int], _ node: SourceNode
  )
    -> CarriedValue
  {
    var result = value
    if positions == Array(0..<value.size) { return value }
    let op: ModelDescription.Op
    if let stride = Self.stride(positions) {
      op = .slice(
        start: positions[0], end: Self.end(positions, stride, size: value.size), stride: stride)
    } else if positions.count == value.size, let rows = Self.transposedRows(positions) {
      op = .transpose(rows: rows)
    } else {
      op = .gather(positions)
    }
    result.node = l.builder.emit(
      op, [value.node], named: "\(node.outputs.first ?? node.name).elements")
    l.setOrigins(of: result.node, l.origins(of: value.node))
    return result
  }

  /// The distance between positions, if it is positive and the same everywhere.
  private static func stride(_ positions: [Int]) -> Int? {
    if positions.count == 1 { return 1 }
    let stride = positions[1] - positions[0]
    guard stride > 0 else { return nil }
    return zip(positions, positions.dropFirst()).allSatisfy { $1 - $0 == stride } ? stride : nil
  }

  private static func end(_ positions: [Int], _ stride: Int, size: Int) -> Int? {
    let end = positions[positions.count - 1] + 1
    return end + stride > size && end == size ? nil : end
  }

  /// The number of rows, if the positions are the transpose of a row-major matrix.
  private static func transposedRows(_ positions: [Int]) -> Int? {
    let count = positions.count
    guard count > 3, positions[0] == 0, positions[1] > 1, count % positions[1] == 0 else {
      return nil
    }
    let columns = positions[1]
    let rows = count / columns
    return positions.indices.allSatisfy { positions[$0] == $0 % rows * columns + $0 / rows }
      ? rows : nil
  }

  /// The value with an atom split into `parts`, in axes and elements.
  static func splitting(_ value: CarriedValue, _ atom: Atom, into parts: [Atom]) -> CarriedValue {
    var result = value
    result.elements = value.elements.flatMap { $0 == atom ? parts : [$0] }
    result.axes = value.axes.map { axis in axis.flatMap { $0 == atom ? parts : [$0] } }
    return result
  }

  /// A constant broadcast against a value: a number for each of the value's elements, in their order.
  ///
  /// - Throws: where the value has fewer axes than the constant, or one of the constant's sizes is neither the value's nor 1.
  static func elements(
    of constant: SourceTensor, along value: CarriedValue, _ node: SourceNode
  ) throws(ImportError) -> [Double] {
    guard RowMajor.broadcast(constant.shape, value.shape) == value.shape else {
      throw node.refusal(
        "a constant of \(constant.shape) for \(value.shape)",
        because: "these shapes don't fit each other")
    }
    if constant.isUniform { return Array(repeating: constant.elements[0], count: value.size) }
    let strides = RowMajor.broadcastStrides(constant.shape, to: value.shape)
    var steps: [Atom: Int] = [:]
    for (axis, atoms) in value.axes.enumerated() where strides[axis] != 0 {
      var step = strides[axis]
      for atom in atoms.reversed() {
        steps[atom] = step
        step *= atom.size
      }
    }
    // A constant with a row for each sequence or step must have equal rows.
    for atom in steps.keys where atom.role != .element && atom.size > 1 {
      guard let step = steps[atom], constant.isSame(along: step, count: atom.size) else {
        throw node.refusal(
          "a constant of \(constant.shape) that differs along \(atom.role.rawValue)",
          because: "constants of a model folder are the same for every sequence and step",
          instead: atom.role == .batch
            ? Remedy.rowsOfBatch : atom.isOpen && atom.role == .time ? Remedy.stepNumbers : nil
        )
      }
    }
    return RowMajor.positions(
      shape: value.elements.map(\.size), strides: value.elements.map { steps[$0] ?? 0 }
    ).map { constant[$0] }
  }

  /// A constant that is repeated for each sequence of the batch, also of the example's, for one of them.
  ///
  /// - Parameter keeping: how many of its last axes are a matrix's.
  static func withoutBatch(
    _ constant: SourceTensor, along value: CarriedValue, keeping last: Int = 0
  ) -> SourceTensor {
    var constant = constant
    let missing = value.axes.count - constant.rank
    for axis in constant.shape.indices.dropLast(last)
    where constant.shape[axis] > 1 && axis + missing >= 0 {
      guard value.axes[axis + missing].map(\.role) == [.batch] else { continue }
      constant = constant.common(along: axis) ?? constant
    }
    return constant
  }

  /// The value with axes of size 1 inserted first, up to `rank` axes.
  static func padded(_ value: CarriedValue, rank: Int) -> CarriedValue {
    var result = value
    result.axes = Array(repeating: [], count: max(rank - value.axes.count, 0)) + value.axes
    return result
  }

  /// The value broadcast to a shape: axes of size 1 get new atoms over which elements are repeated, or the batch or steps of
  /// that size.
  static func expanded(
    _ l: inout Lowering, _ value: CarriedValue, to shape: [Int], _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    var result = Layout.padded(value, rank: shape.count)
    guard let wide = RowMajor.broadcast(result.shape, shape) else {
      var refusal = node.refusal(
        "\(value.shape) and \(shape)", because: "these shapes don't fit each other")
      // Steps stand before the elements of each.
      for (place, (atoms, size)) in zip(result.axes.reversed(), shape.reversed()).enumerated()
      where size > 1 {
        refusal =
          ExampleLength.require(&l, place > 0 ? atoms : [], count: size, or: refusal)
          ?? InputRequirements.batch(&l, atoms, count: size, or: refusal)
          ?? l.requiring(atoms, ofSize: size, or: refusal)
      }
      throw refusal
    }
    guard !wide.contains(0) else {
      throw node.refusal("\(wide), with nothing in it", because: "values have one element at least")
    }
    var order = result.elements
    for (axis, size) in wide.enumerated()
    where size != 1 && result.axes[axis].allSatisfy({ $0.size == 1 }) {
      // As many heads as the example has sequences are no second batch.
      if let atom = l.lengths[size] ?? l.exampleSteps.open(size, of: l.lengths.values),
        atom.role != .batch || !result.axes.joined().contains(atom)
      {
        result.axes[axis] = [atom]
      } else {
        let atom = l.newAtom(size)
        result.axes[axis] = [atom]
        order.append(atom)
      }
    }
    guard order.count > result.elements.count else { return result }
    guard RowMajor.count(order.map(\.size), limit: Lowering.maxElements) != nil else {
      throw node.refusal("\(wide)", because: "a step may have \(Lowering.maxElements) elements")
    }
    return Layout.arranged(&l, result, order, node)
  }

  /// Selects `indices` of one axis of elements, which become a new axis of elements.
  static func selecting(
    _ l: inout Lowering, _ value: CarriedValue, axis: Int, _ indices: [Int], _ node: SourceNode
  ) -> CarriedValue {
    let others = value.elements.filter { !value.axes[axis].contains($0) }
    let chosen = value.axes[axis].filter { $0.role == .element }
    let atom = l.places(indices.count, along: value.axes[axis])
    // If the axis is first or last among the elements, it stays there; otherwise the source array's order is used.
    var wide = value
    wide.axes[axis] = [atom]
    let before = value.foreignOrder.prefix { !chosen.contains($0) }
    let order = value.foreignOrder.filter { !chosen.contains($0) }
    var elements = order
    elements.insert(atom, at: before.count)
    precondition(Set(others) == Set(order))
    let strides = RowMajor.strides(value.elements.map(\.size))
    let bases = RowMajor.positions(
      shape: chosen.map(\.size),
      strides: chosen.map { atom in strides[value.elements.firstIndex(of: atom) ?? 0] })
    let outer = elements[..<before.count].map { strides[value.elements.firstIndex(of: $0) ?? 0] }
    let inner = elements[(before.count + 1)...].map {
      strides[value.elements.firstIndex(of: $0) ?? 0]
    }
    let starts = RowMajor.positions(shape: elements[..<before.count].map(\.size), strides: outer)
    let ends = RowMajor.positions(
      shape: elements[(before.count + 1)...].map(\.size), strides: inner)
    var positions: [Int] = []
    for start in starts {
      for index in indices {
        for end in ends { positions.append(start + bases[index] + end) }
      }
    }
    var result = Layout.picking(&l, value, positions, node)
    result.axes = wide.axes
    result.elements = elements
    return result.withoutSingles
  }
}

extension CarriedValue {
  /// The value without atoms of size 1.
  var withoutSingles: CarriedValue {
    var result = self
    result.axes = axes.map { $0.filter { $0.role != .element || $0.size != 1 } }
    result.elements = elements.filter { $0.size != 1 }
    return result
  }
}

extension SourceTensor {
  /// Whether each group of `count` elements, `stride` apart, has equal elements.
  func isSame(along stride: Int, count: Int) -> Bool {
    let block = stride * count
    // No elements differ where there are none.
    guard block > 0 else { return true }
    return elements.indices.allSatisfy { index in
      let first = index - index % block + index % stride
      return elements[index] == elements[first]
    }
  }

  /// The first place of an axis, if all places hold the same; nil if they differ, or if there is none.
  func common(along axis: Int) -> SourceTensor? {
    guard shape[axis] > 0, isSame(along: RowMajor.strides(shape)[axis], count: shape[axis]) else {
      return nil
    }
    return part(0..<1, along: axis)
  }
}
