import ModelFormat

/// Operators on ids, before they select rows of a table.
enum IdLowering {
  /// The outputs of a node; nil if it is not about ids.
  static func lower(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    switch node.op {
    case "Less", "GreaterOrEqual", "Equal", "Greater": return try compared(&l, node)
    case "Add", "Mul", "Sub": return try computed(&l, node)
    case "Cast": return try cast(&l, node)
    case "Where": return try chosen(&l, node)
    case "Gather": return try embedShifted(&l, node)
    case "OneHot": return [.carried(try oneHot(&l, node))]
    default: return nil
    }
  }

  /// Ids, and the number added to them; nil for other values.
  private static func ids(_ value: LoweredValue?) -> (ids: CarriedValue, shift: Int)? {
    switch value {
    case .carried(let ids) where ids.form == .tokens: (ids, 0)
    case .pending(.ids(let ids, let shift)): (ids, shift)
    default: nil
    }
  }

  /// Comparisons of ids with a constant. Exporters ask whether ids are negative (those of a request never are), whether they are
  /// padding, and which class they are.
  private static func compared(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    let values = (try l.value(node, 0), try l.value(node, 1))
    let isFirst = ids(values.0) != nil
    guard let (ids, shift) = ids(isFirst ? values.0 : values.1), shift == 0,
      case .constant(let constant)? = isFirst ? values.1 : values.0
    else { return nil }
    if node.op == "Equal", !constant.isUniform, constant.integers == Array(0..<constant.count) {
      return try classes(&l, node, ids, constant)
    }
    guard Set(constant.elements).count == 1,
      RowMajor.broadcast(constant.shape, ids.shape) == ids.shape
    else { return nil }
    let number = constant.elements[0]
    switch node.op {
    case "Less" where isFirst && number == 0, "GreaterOrEqual" where isFirst && number == 0:
      let answer: Double = node.op == "Less" ? 0 : 1
      return [.constant(SourceTensor(repeating: answer, shape: ids.shape, kind: .boolean))]
    case "Equal": return [.carried(mask(&l, node, ids, of: number, isInverted: true))]
    case "Greater" where isFirst && number == 0, "Less" where !isFirst && number == 0,
      "GreaterOrEqual" where isFirst && number == 1:
      return [.carried(mask(&l, node, ids, of: 0, isInverted: false))]
    default: return nil
    }
  }

  /// A mask that is 0 where ids are `id`; with `isInverted` it means that they are.
  private static func mask(
    _ l: inout Lowering, _ node: SourceNode, _ ids: CarriedValue, of id: Double, isInverted: Bool
  ) -> CarriedValue {
    let name = l.builder.emit(
      .mask(value: Float(id)), [ids.node], named: node.outputs.first ?? node.name)
    var result = CarriedValue(node: name, form: .sequence, axes: ids.axes, elements: [])
    result.kind = .boolean
    result.isInverted = isInverted
    return result
  }

  /// `ids[.., 1] == [0, 1, … classes - 1]`.
  private static func classes(
    _ l: inout Lowering, _ node: SourceNode, _ ids: CarriedValue, _ constant: SourceTensor
  ) throws(ImportError) -> [LoweredValue]? {
    guard ids.axes.last?.isEmpty == true, constant.shape.last == constant.count,
      constant.rank <= ids.axes.count
    else { return nil }
    var lone = ids
    lone.axes.removeLast()
    var result = try table(&l, node, lone, classes: constant.count, values: (0, 1))
    result.kind = .boolean
    return [.carried(result)]
  }

  /// Ids plus a number, or times 1 or 0, which is a choice written as arithmetic.
  private static func computed(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    let values = (try l.value(node, 0), try l.value(node, 1))
    let isFirst = ids(values.0) != nil
    let (value, other) = isFirst ? values : (values.1, values.0)
    guard let value, let (ids, shift) = ids(value), case .constant(let constant)? = other,
      Set(constant.elements).count == 1, RowMajor.broadcast(constant.shape, ids.shape) == ids.shape
    else { return nil }
    let number = SourceTensor.integer(constant.first)
    switch node.op {
    case "Mul" where number == 0:
      return [.constant(SourceTensor(repeating: 0, shape: ids.shape, kind: .integer))]
    case "Mul" where number == 1, "Add" where number == 0: return [value]
    case "Sub" where isFirst:
      return [.pending(.ids(ids, plus: SourceTensor.integer(shift - number)))]
    case "Add": return [.pending(.ids(ids, plus: SourceTensor.integer(shift + number)))]
    default: return nil
    }
  }

  private static func cast(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    guard let (ids, shift) = ids(try l.value(node, 0)),
      let kind = ONNXElementType(rawValue: node.integer("to", default: 1))?.kind
    else { return nil }
    if kind == .boolean {
      return shift == 0 ? [.carried(mask(&l, node, ids, of: 0, isInverted: false))] : nil
    }
    return kind == .integer && shift == 0 ? [.carried(ids)] : [.pending(.ids(ids, plus: shift))]
  }

  /// A choice between ids that is the same for all.
  private static func chosen(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> [LoweredValue]? {
    guard case .constant(let mask)? = try l.value(node, 0), Set(mask.elements).count == 1,
      let value = try l.value(node, mask.elements[0] != 0 ? 1 : 2), let (ids, _) = ids(value),
      RowMajor.broadcast(mask.shape, ids.shape) == ids.shape
    else { return nil }
    return [value]
  }

  /// Ids plus a number, which select rows at an offset.
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
    return [.carried(try embed(&l, node, rest, ids))]
  }

  /// An embedding: rows of a constant table. An id for the whole sequence makes a vector.
  static func embed(
    _ l: inout Lowering, _ node: SourceNode, _ table: SourceTensor, _ ids: CarriedValue
  ) throws(ImportError) -> CarriedValue {
    guard node.integer("axis", default: 0) == 0, table.rank >= 1 else {
      throw refusal(of: ids, node)
    }
    let size = table.shape[1...].reduce(1, *)
    guard ids.form == .tokens else { return try lookUp(&l, node, table, ids, size: size) }
    let name = l.builder.emit(
      .embedding, [ids.node], named: node.outputs.first ?? node.name,
      tensors: [("weight", [table.shape[0], size], table.dense)])
    let atoms = table.shape[1...].map { l.elementAxis($0) }
    var result = CarriedValue(
      node: name, form: .sequence, axes: ids.axes + atoms, elements: Array(atoms.joined()))
    if ids.timeAtoms.isEmpty, !l.assumptions.isStepwise {
      result.node = l.builder.emit(.last, [name], named: "\(name).one")
      result.form = .vector
    }
    return result
  }

  /// Rows of a constant table for numbers of a step: several ids, a category beside numbers, or what a comparison says.
  private static func lookUp(
    _ l: inout Lowering, _ node: SourceNode, _ table: SourceTensor, _ ids: CarriedValue, size: Int
  ) throws(ImportError) -> CarriedValue {
    // A model of one id alone has no sequence.
    let isAlone = l.input(named: ids.node) != nil && ids.elements.isEmpty && ids.timeAtoms.isEmpty
    guard ids.kind != .float || areWhole(ids, l), !isAlone else { throw asNumbers(&l, ids, node) }
    let numbers = ids.kind == .boolean ? ComparisonLowering.straight(&l, ids, node) : ids
    let atoms = table.shape[1...].map { l.elementAxis($0) }
    var result = CarriedValue(
      node: l.builder.emit(
        .lookup, [numbers.node], named: node.outputs.first ?? node.name,
        tensors: [("weight", [table.shape[0], size], table.dense)]),
      form: numbers.form, axes: numbers.axes + atoms, elements: numbers.elements)
    result.elements += Array(atoms.joined())
    return result
  }

  /// Whether a value is made of inputs of whole numbers that are taken for numbers.
  private static func areWhole(_ value: CarriedValue, _ l: Lowering) -> Bool {
    WholeNumbers(l).contain(value.node)
  }

  /// Asks that inputs of ids of which these are made are numbers; the refusal where there are none.
  private static func asNumbers(
    _ l: inout Lowering, _ ids: CarriedValue, _ node: SourceNode
  ) -> ImportError {
    let refusal = refusal(of: ids, node)
    let input = WholeNumbers(l).inputs(of: ids.node).first { input in
      guard case .carried(let value)? = l.values[input] else { return false }
      return value.form == .tokens
    }
    return input.map { l.require(.numbers(input: $0), or: refusal) } ?? refusal
  }

  private static func refusal(of ids: CarriedValue, _ node: SourceNode) -> ImportError {
    guard ids.kind == .integer else {
      return node.refusal(
        "indices that are computed", because: "only ids of an input choose rows of a table",
        instead: "let the model take the ids as an input of whole numbers")
    }
    if ids.elements.isEmpty, ids.timeAtoms.isEmpty {
      return node.refusal(
        "ids of \(ids.shape) without steps", because: "an input of ids is a sequence",
        instead:
          "export with an axis of any number of steps: an example of [1, 2] ids, with dynamic axes for the batch and the steps"
      )
    }
    return node.refusal(
      "several ids a step", because: "an input of ids has one id a step",
      instead: Remedy.severalIDs)
  }

  /// A one-hot encoding: a row of a table of zeros and ones.
  private static func oneHot(
    _ l: inout Lowering, _ node: SourceNode
  ) throws(ImportError) -> CarriedValue {
    let ids = try l.carried(node, 0)
    guard let depth = try l.constant(node, 1, "a depth"), depth.count == 1,
      let values = try l.constant(node, 2, "values"), values.count == 2
    else { throw node.refusal("no depth or values", because: "OneHot needs both") }
    let size = depth.integers[0]
    let axis = node.integer("axis", default: -1)
    guard axis == -1 || axis == ids.axes.count else {
      throw node.refusal("axis \(axis)", because: "the classes must be the last axis")
    }
    return try table(&l, node, ids, classes: size, values: (values[0], values[1]))
  }

  private static func table(
    _ l: inout Lowering, _ node: SourceNode, _ ids: CarriedValue, classes: Int,
    values: (Double, Double)
  ) throws(ImportError) -> CarriedValue {
    // Of numbers beyond the classes a row is zeros, which no row of the table is: there is no answer then.
    guard ids.form == .tokens || areWhole(ids, l) else { throw asNumbers(&l, ids, node) }
    guard (1...1 << 11).contains(classes) else {
      throw node.refusal("\(classes) classes", because: "at most \(1 << 11) are carried")
    }
    var table = SourceTensor(
      shape: [classes, classes],
      elements: Array(repeating: values.0, count: classes * classes))
    for row in 0..<classes { table.elements[row * classes + row] = values.1 }
    var gather = node
    gather.attributes = [:]
    return try embed(&l, gather, table, ids)
  }
}
