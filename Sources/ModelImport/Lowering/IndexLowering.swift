import ModelFormat

/// Operators that choose steps or elements by their indices.
enum IndexLowering {
  /// The outputs of a node; nil for an operator of another family.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case "Gather": return try gather(&l, node)
    case "GatherElements": return try gatherElements(&l, node)
    case "GatherND":
      // Rows of a table by ids, as PyTorch's newer exporter writes `table[ids]`.
      if case .constant(let table) = try l.required(node, 0),
        case .carried(let ids) = try l.required(node, 1), ids.axes.last == [],
        node.integer("batch_dims", default: 0) == 0
      {
        var rows = ids
        rows.axes.removeLast()
        return [.carried(try IdLowering.embed(&l, node, table, rows))]
      }
      return [.carried(try gatherPoints(&l, node))]
    case "ScatterElements": return [.carried(try scatterElements(&l, node))]
    default: return nil
    }
  }

  // MARK: Gather

  private static func gather(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    let (data, indices) = (try l.required(node, 0), try l.required(node, 1))
    switch (data, indices) {
    case (.constant(let table), .carried(let ids)):
      return [.carried(try IdLowering.embed(&l, node, table, ids))]
    case (.carried, .constant(let indices)):
      let value = try l.carried(node, 0)
      let axis = try axis(node, value)
      return [.carried(try gather(&l, node, value, axis: axis, indices))]
    case (.constant, .pending(.largest)):
      throw node.refusal(
        "a table whose rows are chosen by the place of the largest number",
        because: "no op chooses so: a decoder reads the tokens that are sent to it",
        instead: Remedy.decoderStep)
    default: throw indicesOfInputs(node)
    }
  }

  private static func indicesOfInputs(_ node: SourceNode) -> ImportError {
    node.refusal(
      "indices that depend on the model's inputs", because: "only ids of a table of weights may",
      instead: Remedy.lastStep)
  }

  /// Indices of steps or elements, which have to be constant.
  private static func constantIndices(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> SourceTensor {
    guard case .constant(let indices) = try l.required(node, 1) else { throw indicesOfInputs(node) }
    return indices
  }

  private static func isSame(_ tensor: SourceTensor) -> Bool {
    tensor.count > 0 && tensor.elements.allSatisfy { $0 == tensor.elements[0] }
  }

  /// Whether there is an index for each element of the other axes.
  private static func isWhole(
    _ indices: SourceTensor, of data: LoweredValue, along axis: Int
  ) -> Bool {
    let (shape, own) = (data.shape, indices.shape)
    // The exporter's example may be a batch of one sequence.
    return own.count == shape.count && own[axis] == 1
      && shape.indices.allSatisfy {
        $0 == axis || shape[$0] == own[$0] || own[$0] == 1 && data.hasSequences(axis: $0)
      }
  }

  private static func axis(_ node: SourceNode, _ value: CarriedValue) throws(ImportError) -> Int {
    let given = node.integer("axis", default: 0)
    let axis = given < 0 ? given + value.axes.count : given
    guard value.axes.indices.contains(axis) else {
      throw node.refusal("axis \(given)", because: "the value has \(value.axes.count) axes")
    }
    return axis
  }

  /// The value with the axes of `indices` in the place of an axis.
  private static func gather(
    _ l: inout Lowering, _ node: SourceNode, _ value: CarriedValue, axis: Int,
    _ indices: SourceTensor
  ) throws(ImportError) -> CarriedValue {
    let (size, given) = (value.shape[axis], indices.integers)
    let chosen = given.map { $0 < 0 ? $0 + size : $0 }
    guard chosen.allSatisfy({ (0..<size).contains($0) }), !chosen.isEmpty else {
      throw node.refusal(
        "the indices \(given.prefix(8))", because: "the axis has \(size) elements")
    }
    var result: CarriedValue
    if let steps = try ChosenSteps.lower(&l, node, value, axis: axis, given) {
      result = steps
    } else {
      result = try SelectionLowering.select(
        &l, node, value, axis: axis, chosen, isFromEnd: given.count == 1 && given[0] < 0,
        bounds: StepLowering.Bounds(
          start: .either, end: .either, behindLast: chosen[chosen.count - 1] + 1))
    }
    if indices.rank == 0 {
      result.axes.remove(at: axis)
    } else if indices.rank > 1 {
      var shape = result.shape
      shape.replaceSubrange(axis...axis, with: indices.shape)
      result = try ShapeLowering.reshaped(&l, result, to: shape, node)
    }
    return result
  }

  private static func gatherElements(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> [LoweredValue]
  {
    let value = try l.carried(node, 0)
    let axis = try axis(node, value)
    if case .carried(let index) = try l.required(node, 1),
      let step = try ChosenSteps.computed(&l, node, value, axis: axis, index)
    {
      return [.carried(step)]
    }
    let indices = try constantIndices(&l, node)
    guard isSame(indices), isWhole(indices, of: .carried(value), along: axis) else {
      throw node.refusal(
        "indices that differ, or of some elements alone",
        because: "only one index for all can be carried")
    }
    let index = try index(indices, of: value.shape[axis], node)
    return [
      .carried(
        try SelectionLowering.select(
          &l, node, value, axis: axis, [index], isFromEnd: indices.first < 0))
    ]
  }

  /// The one index that all of `indices` are, counted from the start of an axis.
  private static func index(
    _ indices: SourceTensor, of size: Int, _ node: SourceNode
  ) throws(ImportError) -> Int {
    let given = SourceTensor.integer(indices.first)
    let index = given < 0 ? given + size : given
    guard (0..<size).contains(index) else {
      throw node.refusal("the index \(given)", because: "the axis has \(size) elements")
    }
    return index
  }

  // MARK: GatherND

  /// Indices of several axes at once, as PyTorch's exporter writes `x[:, [0, 2]]` and `x[arange(batch), step]`: all but one of
  /// them have to be the only index of their axis, or each sequence of the batch in turn.
  private static func gatherPoints(_ l: inout Lowering, _ node: SourceNode) throws(ImportError)
    -> CarriedValue
  {
    var value = try l.carried(node, 0)
    let indices = try constantIndices(&l, node)
    guard let width = indices.shape.last,
      node.integer("batch_dims", default: 0) == 0, (1...value.axes.count).contains(width),
      indices.count > 0
    else {
      throw node.refusal("indices of other axes", because: "those of the first axes are carried")
    }
    let count = indices.count / width
    let columns = (0..<width).map { column in
      (0..<count).map { SourceTensor.integer(indices[$0 * width + column]) }
    }
    var places = Array(0..<width)
    let shape = value.shape
    places.removeAll { shape[$0] == 1 && columns[$0].allSatisfy { $0 == 0 || $0 == -1 } }
    // The batch by each of its sequences, and a step that is the same for all.
    if places.count == 2, value.axes[places[0]].map(\.role) == [.batch],
      columns[places[0]] == Array(0..<shape[places[0]]), indices.rank == 2, width == 2,
      let step = columns[1].first, columns[1].allSatisfy({ $0 == step })
    {
      let single = SourceTensor(shape: [], kind: .integer, elements: [Double(step)])
      return try gather(&l, node, value, axis: 1, single)
    }
    guard places.count <= 1 else {
      throw node.refusal(
        "indices of \(places.count) axes at once", because: "those of one axis can be carried",
        instead: "choose from one axis after the other: x[:, steps][:, :, elements]")
    }
    let kept = places.first ?? 0
    let lost = (0..<width).filter { $0 != kept }.flatMap { value.axes[$0] }
    value.axes = [value.axes[kept]] + value.axes[width...]
    let column = SourceTensor(
      shape: Array(indices.shape.dropLast()), kind: .integer,
      elements: columns[kept].map(Double.init))
    var result = try gather(&l, node, value, axis: 0, column)
    // A batch of one sequence is not lost.
    if !lost.isEmpty, !result.axes.isEmpty { result.axes[0] = lost + result.axes[0] }
    return result
  }

  // MARK: Scatter

  /// One index of an axis that is written over, as PyTorch's exporter writes `z[:, :, 0] = …`.
  private static func scatterElements(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    var data = try l.required(node, 0)
    let (given, rank) = (node.integer("axis", default: 0), data.shape.count)
    let axis = given < 0 ? given + rank : given
    guard let indices = try l.constant(node, 1, "indices"), isSame(indices),
      (0..<rank).contains(axis), indices.rank == rank, indices.shape[axis] == 1,
      node.text("reduction", default: "none") == "none"
    else {
      throw node.refusal(
        "indices that differ", because: "what is written over must be one index for all",
        instead: Remedy.writing)
    }
    guard isWhole(indices, of: data, along: axis) else {
      throw node.refusal(
        "indices of \(indices.shape) for \(data.shape)",
        because: "what is written over must be all of an index", instead: Remedy.writing)
    }
    var size = data.shape[axis]
    let index = try index(indices, of: size, node)
    var parts: [LoweredValue] = []
    // The step may be the last of some sequences: with one more, there is always something behind it.
    let isOpen = data.isOpenStep(index, axis: axis)
    if isOpen, case .carried(let value) = data {
      data = .carried(try StepLowering.pad(&l, node, value, axis: axis, (0, 1), "constant", 0))
      size += 1
    }
    if index > 0 { parts.append(try part(&l, node, data, axis: axis, 0..<index)) }
    switch (try l.required(node, 2), data) {
    case (.constant(let constant), .carried(let value)):
      // The value there times 0, plus the constant.
      let old = try SelectionLowering.select(&l, node, value, axis: axis, [index])
      let numbers = try Layout.elements(of: constant, along: old, node)
      parts.append(.carried(Arithmetic.constant(&l, numbers, like: old, node)))
    case (let updates, _): parts.append(updates)
    }
    if index + 1 < size { parts.append(try part(&l, node, data, axis: axis, index + 1..<size)) }
    let result = try ConcatLowering.concat(&l, node, parts, axis: axis)
    guard isOpen else { return result }
    if index > 2 {
      l.builder.note(
        "\(node.place) writes step \(index) of any sequence, as the file does: if the number was made of the length, as of "
          + "x.size(1) - 1, \(Remedy.writingLast)")
    }
    return try StepLowering.pad(&l, node, result, axis: axis, (0, -1), "constant", 0)
  }

  /// A range of what is not written over; it may be a constant, such as the zeros that a loop fills.
  private static func part(
    _ l: inout Lowering, _ node: SourceNode, _ data: LoweredValue, axis: Int, _ range: Range<Int>
  ) throws(ImportError) -> LoweredValue {
    switch data {
    case .carried(let value):
      return .carried(try SelectionLowering.select(&l, node, value, axis: axis, Array(range)))
    case .pending(let pending): throw PatternLowering.refusal(node, pending)
    case .constant(let tensor):
      var shape = tensor.shape
      shape[axis] = range.count
      guard RowMajor.count(shape, limit: Lowering.maxElements) != nil else {
        throw node.refusal(
          "an array of \(tensor.shape) that is written over",
          because: "a step may have \(Lowering.maxElements) elements")
      }
      return .constant(tensor.part(range, along: axis))
    }
  }
}

extension LoweredValue {
  /// Whether an index is that of one of any number of steps, counted from the first, and not the first itself.
  fileprivate func isOpenStep(_ index: Int, axis: Int) -> Bool {
    guard case .carried(let value) = self, value.form == .sequence, value.axes[axis].count == 1,
      let atom = value.axes[axis].first, atom.role == .time, atom.isOpen
    else { return false }
    return index > 0 && index <= atom.size / 2
  }

  /// Whether an axis is that of the sequences of a batch.
  fileprivate func hasSequences(axis: Int) -> Bool {
    guard case .carried(let value) = self else { return false }
    return value.axes[axis].allSatisfy { $0.role == .batch }
  }
}
