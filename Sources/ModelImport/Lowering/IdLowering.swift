/// Ids: what exporters do with them before they choose rows of a table.
enum IdLowering {
  /// The outputs of a node; nil for one that is not about ids.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case "Less", "GreaterOrEqual": return try compared(&l, node)
    case "Add", "Mul": return try computed(&l, node)
    case "Cast": return try cast(&l, node)
    case "Where": return try chosen(&l, node)
    case "Gather": return try embedShifted(&l, node)
    case "OneHot": return [.carried(try oneHot(&l, node))]
    default: return nil
    }
  }

  /// Ids, and what is added to them; nil of another value.
  private static func ids(_ value: LoweredValue?) -> (ids: CarriedValue, shift: Int)? {
    switch value {
    case .carried(let ids) where ids.form == .tokens: (ids, 0)
    case .pending(.ids(let ids, let shift)): (ids, shift)
    default: nil
    }
  }

  /// Whether ids are below 0, as exporters ask to count them from the end: those of a request never are.
  private static func compared(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    guard let (ids, shift) = ids(try l.value(node, 0)), shift == 0,
      case .constant(let constant)? = try l.value(node, 1), constant.count == 1, constant[0] == 0
    else { return nil }
    let answer: Double = node.op == "Less" ? 0 : 1
    return [.constant(SourceTensor(repeating: answer, shape: ids.shape, kind: .boolean))]
  }

  /// Ids plus a number, or times 1 or 0, as a choice is written in arithmetic.
  private static func computed(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    let values = (try l.value(node, 0), try l.value(node, 1))
    let (value, other) = ids(values.0) == nil ? (values.1, values.0) : values
    guard let value, let (ids, shift) = ids(value), case .constant(let constant)? = other,
      Set(constant.elements).count == 1, RowMajor.broadcast(constant.shape, ids.shape) == ids.shape
    else { return nil }
    switch (node.op, constant.integers[0]) {
    case ("Mul", 0):
      return [.constant(SourceTensor(repeating: 0, shape: ids.shape, kind: .integer))]
    case ("Mul", 1), ("Add", 0): return [value]
    case ("Add", let addend): return [.pending(.ids(ids, plus: shift + addend))]
    default: return nil
    }
  }

  private static func cast(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    guard let (ids, shift) = ids(try l.value(node, 0)),
      let kind = ONNXElementType(rawValue: node.integer("to", default: 1))?.kind, kind != .boolean
    else { return nil }
    return kind == .integer && shift == 0 ? [.carried(ids)] : [.pending(.ids(ids, plus: shift))]
  }

  /// A choice that is the same for all, of ids.
  private static func chosen(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    guard case .constant(let mask)? = try l.value(node, 0), Set(mask.elements).count == 1,
      let value = try l.value(node, mask.elements[0] != 0 ? 1 : 2), let (ids, _) = ids(value),
      RowMajor.broadcast(mask.shape, ids.shape) == ids.shape
    else { return nil }
    return [value]
  }

  /// Ids with the same number added to each, which choose rows that lie so much further on.
  private static func embedShifted(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    guard case .constant(let table)? = try l.value(node, 0),
      case .pending(.ids(let ids, let shift))? = try l.value(node, 1)
    else { return nil }
    let rows = table.shape.first ?? 0
    guard shift >= 0, shift < rows, node.integer("axis", default: 0) == 0 else {
      throw node.refusal(
        "ids to which \(shift) is added", because: "the table has the rows 0 to \(rows - 1)")
    }
    let size = table.shape[1...].reduce(1, *)
    let rest = SourceTensor(
      shape: [rows - shift] + table.shape[1...], elements: Array(table.dense[(shift * size)...]))
    return [.carried(try SelectionLowering.embed(&l, node, rest, ids))]
  }

  /// One element a class, which is a row of a table of zeros and ones.
  private static func oneHot(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    let ids = try l.carried(node, 0)
    guard let depth = try l.constant(node, 1, "a depth"), depth.count == 1,
      let values = try l.constant(node, 2, "values"), values.count == 2
    else { throw node.refusal("no depth or values", because: "OneHot needs both") }
    let size = depth.integers[0]
    let axis = node.integer("axis", default: -1)
    guard axis == -1 || axis == ids.axes.count, size > 0, size <= 1 << 11 else {
      throw node.refusal(
        "axis \(axis), \(size) classes",
        because: "the classes must be the last axis, and at most \(1 << 11)")
    }
    var table = SourceTensor(
      shape: [size, size], elements: Array(repeating: values[0], count: size * size))
    for row in 0..<size { table.elements[row * size + row] = values[1] }
    var gather = node
    gather.attributes = [:]
    return try SelectionLowering.embed(&l, gather, table, ids)
  }
}
