/// Operators that return or change shapes.
enum ShapeOperators {
  /// The outputs of a node; nil for an operator of another family.
  static func evaluate(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor]? {
    switch a.node.op {
    case "Constant": return try constant(a)
    case "Shape": return try shape(a)
    case "Size": return try size(a)
    case "ConstantOfShape": return try constantOfShape(a)
    case "Reshape": return try reshape(a)
    case "Flatten": return try flatten(a)
    case "Squeeze": return try squeeze(a)
    case "Unsqueeze": return try unsqueeze(a)
    case "Transpose": return try transpose(a)
    case "Expand": return try expand(a)
    case "Tile": return try tile(a)
    case "Range": return try range(a)
    case "Trilu": return try triangle(a)
    case "EyeLike": return try eye(a)
    default: return nil
    }
  }

  private static func constant(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    guard let tensor = try a.node.constantValue() else {
      throw a.node.refusal(
        "the attributes \(a.node.attributes.keys.sorted())", because: "none is a value of numbers")
    }
    return [tensor]
  }

  private static func shape(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    [SourceTensor(integers: shapeRange(a.node, try a.required(0).shape))]
  }

  /// The result of `Shape`: a whole shape, or its part from `start` to `end`.
  static func shapeRange(_ node: SourceNode, _ shape: [Int]) -> [Int] {
    func bound(_ key: String, _ value: Int) -> Int {
      let at = node.integer(key, default: value)
      return min(max(at < 0 ? at + shape.count : at, 0), shape.count)
    }
    let (start, end) = (bound("start", 0), bound("end", shape.count))
    return start < end ? Array(shape[start..<end]) : []
  }

  private static func size(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    [SourceTensor(shape: [], kind: .integer, elements: [Double(try a.required(0).count)])]
  }

  private static func constantOfShape(_ a: Interpreter.Arguments) throws(ImportError)
    -> [SourceTensor]
  {
    var value = SourceTensor(shape: [1], elements: [0])
    if case .tensor(let constant)? = a.node.attributes["value"] { value = try constant.tensor() }
    let shape = try a.required(0).integers
    return [SourceTensor(repeating: value.elements.first ?? 0, shape: shape, kind: value.kind)]
  }

  private static func reshape(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    let wanted = try a.integers("shape", input: 1)
    guard
      let shape = reshapedShape(
        value.shape, to: wanted, zeroIsSize: a.node.integer("allowzero") == 1)
    else {
      throw a.node.refusal(
        "\(value.shape) as \(wanted)", because: "they differ in their number of elements")
    }
    return [value.reshaped(shape)]
  }

  /// The shape of Reshape's result; nil if the number of elements differs.
  static func reshapedShape(_ shape: [Int], to wanted: [Int], zeroIsSize: Bool) -> [Int]? {
    guard let count = RowMajor.count(shape, limit: Lowering.maxOpenExtent) else { return nil }
    var result = wanted
    for (axis, size) in wanted.enumerated() where size == 0 && !zeroIsSize {
      guard axis < shape.count else { return nil }
      result[axis] = shape[axis]
    }
    guard result.allSatisfy({ (-1...SourceTensor.maxExtent).contains($0) }) else { return nil }
    var known = 1
    for size in result where size >= 0 {
      let (product, overflows) = known.multipliedReportingOverflow(by: size)
      guard !overflows else { return nil }
      known = product
    }
    let open = result.indices.filter { result[$0] == -1 }
    if open.count > 1 { return nil }
    if let axis = open.first {
      guard known > 0, count % known == 0 else { return nil }
      result[axis] = count / known
    } else if known != count {
      return nil
    }
    return result
  }

  private static func flatten(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    let given = a.node.integer("axis", default: 1)
    let axis = given < 0 ? given + value.rank : given
    guard (0...value.rank).contains(axis) else {
      throw a.node.refusal("axis \(given)", because: "the value has \(value.rank) axes")
    }
    return [
      value.reshaped([value.shape[..<axis].reduce(1, *), value.shape[axis...].reduce(1, *)])
    ]
  }

  private static func squeeze(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    let dropped = try squeezedAxes(a.node, value.shape, a.axes(input: 1))
    return [
      value.reshaped(value.shape.indices.filter { !dropped.contains($0) }.map { value.shape[$0] })
    ]
  }

  /// The axes that Squeeze removes.
  static func squeezedAxes(
    _ node: SourceNode, _ shape: [Int], _ axes: [Int]?
  ) throws(ImportError) -> Set<Int> {
    guard let axes else { return Set(shape.indices.filter { shape[$0] == 1 }) }
    var dropped: Set<Int> = []
    for axis in axes {
      let counted = axis < 0 ? axis + shape.count : axis
      guard shape.indices.contains(counted), shape[counted] == 1 else {
        throw node.refusal(
          "axis \(axis) of \(shape)", because: "only an axis of size 1 can be dropped")
      }
      dropped.insert(counted)
    }
    return dropped
  }

  private static func unsqueeze(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    let axes = a.axes(input: 1) ?? []
    let added = try unsqueezedAxes(a.node, rank: value.rank, axes)
    var rest = value.shape[...]
    let shape = (0..<value.rank + added.count).map { added.contains($0) ? 1 : rest.removeFirst() }
    return [value.reshaped(shape)]
  }

  /// The axes of the result that Unsqueeze adds.
  static func unsqueezedAxes(
    _ node: SourceNode, rank: Int, _ axes: [Int]
  ) throws(ImportError) -> Set<Int> {
    let wide = rank + axes.count
    let added = Set(axes.map { $0 < 0 ? $0 + wide : $0 })
    guard added.count == axes.count, added.allSatisfy({ (0..<wide).contains($0) }) else {
      throw node.refusal("the axes \(axes)", because: "the value has \(rank) axes")
    }
    return added
  }

  private static func transpose(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    let order = a.node.integers("perm") ?? Array((0..<value.rank).reversed())
    guard order.sorted() == Array(0..<value.rank) else {
      throw a.node.refusal("perm \(order)", because: "the value has \(value.rank) axes")
    }
    return [value.permuted(order)]
  }

  private static func expand(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    let wanted = try a.required(1).integers
    guard let shape = RowMajor.broadcast(value.shape, wanted) else {
      throw a.node.refusal(
        "\(value.shape) to \(wanted)", because: "these shapes don't fit each other")
    }
    if value.isUniform { return [value.reshaped(shape)] }
    try a.checkCount(shape)
    return [
      value.picking(shape: shape, strides: RowMajor.broadcastStrides(value.shape, to: shape))
    ]
  }

  private static func tile(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    let repeats = try a.required(1).integers
    guard repeats.count == value.rank, repeats.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }) else {
      throw a.node.refusal("repeats \(repeats)", because: "the value has \(value.rank) axes")
    }
    let shape = zip(value.shape, repeats).map { size, count in
      RowMajor.count([size, count]) ?? SourceTensor.maxExtent
    }
    if value.isUniform { return [value.reshaped(shape)] }
    try a.checkCount(shape)
    let strides = RowMajor.strides(value.shape)
    let tiled = value.picking(
      shape: zip(repeats, value.shape).flatMap { [$0, $1] }, strides: strides.flatMap { [0, $0] })
    return [tiled.reshaped(shape)]
  }

  private static func range(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let (start, limit, step) = (try a.number(0), try a.number(1), try a.number(2))
    let kind = try a.required(0).kind
    guard step != 0 else { throw a.node.refusal("a step of 0", because: "such a range never ends") }
    let count = max(((limit - start) / step).rounded(.up), 0)
    // Not where it is no number.
    guard count <= Double(SourceTensor.maxElements) else {
      throw a.node.refusal(
        "\(count) elements", because: "arrays may have \(SourceTensor.maxElements)")
    }
    return [
      SourceTensor(
        shape: [Int(count)], kind: kind,
        elements: (0..<Int(count)).map { start + Double($0) * step })
    ]
  }

  private static func triangle(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    guard value.rank >= 2 else {
      throw a.node.refusal("\(value.shape)", because: "Trilu is of matrices")
    }
    try a.checkCount(value.shape)
    let diagonal = a.optional(1)?.integers.first ?? 0
    let isUpper = a.node.integer("upper", default: 1) == 1
    let (rows, columns) = (value.shape[value.rank - 2], value.shape[value.rank - 1])
    let elements = value.dense.enumerated().map { position, element in
      let column = position % columns
      let row = position / columns % rows
      let isKept = isUpper ? column - row >= diagonal : column - row <= diagonal
      return isKept ? element : 0
    }
    return [SourceTensor(shape: value.shape, kind: value.kind, elements: elements)]
  }

  private static func eye(_ a: Interpreter.Arguments) throws(ImportError) -> [SourceTensor] {
    let value = try a.required(0)
    guard value.rank == 2 else {
      throw a.node.refusal("\(value.shape)", because: "EyeLike is of matrices")
    }
    try a.checkCount(value.shape)
    let shift = a.node.integer("k", default: 0)
    let columns = value.shape[1]
    return [
      SourceTensor(
        shape: value.shape, kind: value.kind,
        elements: (0..<value.count).map { $0 % columns - $0 / columns == shift ? 1 : 0 })
    ]
  }
}

extension SourceNode {
  /// The value of a Constant node; nil if it has no numbers.
  func constantValue() throws(ImportError) -> SourceTensor? {
    if case .tensor(let constant)? = attributes["value"] { return try constant.tensor() }
    if let value = float("value_float") { return SourceTensor(shape: [], elements: [value]) }
    if let value = integer("value_int") {
      return SourceTensor(shape: [], kind: .integer, elements: [Double(value)])
    }
    if let values = floats("value_floats") {
      return SourceTensor(shape: [values.count], elements: values)
    }
    if let values = integers("value_ints") { return SourceTensor(integers: values) }
    return nil
  }
}
