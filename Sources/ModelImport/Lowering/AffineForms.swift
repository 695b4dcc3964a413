/// Values of a graph as affine functions of others, over the last axis: Σ M x + b.
struct AffineForms {
  struct Form {
    /// For each value that is multiplied, its matrix: a row for each of its elements, of `size` numbers each.
    var matrices: [String: [[Double]]]
    var bias: [Double]
    var size: Int { bias.count }

    var negative: Form {
      Form(matrices: matrices.mapValues { $0.map { $0.map { -$0 } } }, bias: bias.map { -$0 })
    }
  }

  private let graph: SourceGraph
  private let producers: NodeProducers
  /// Inputs that are affine functions themselves where they are added to others.
  private let addends: Set<String>
  private static let maxDepth = 64
  /// How many numbers the matrices may have together, and the constants of a file that are read for them.
  private var (matrixRoom, constantRoom) = (1 << 24, 1 << 26)
  /// The most numbers of what is computed of several constants, as sizes are.
  private static let maxComputed = 1 << 12
  private var forms: [String: Form?] = [:]
  private var computed: [String: SourceTensor?] = [:]
  private var sizes: [String: Int?] = [:]

  init(_ graph: SourceGraph, addends: Set<String> = []) {
    (self.graph, self.addends) = (graph, addends)
    producers = NodeProducers(graph)
  }

  /// The node that makes a value, passing over nodes that change nothing.
  func producer(_ name: String) -> SourceNode? { producers[origin(name)] }

  /// A value's first name, before nodes that change nothing.
  func origin(_ name: String) -> String { producers.origin(name) }

  /// The value that another comes of, by selecting or moving its elements alone.
  func source(of name: String) -> String { producers.source(of: name) }

  /// A constant: one of the file, or what is computed of constants and of the sizes of affine functions.
  mutating func constant(_ name: String?) -> SourceTensor? { constant(name, depth: 0) }

  private mutating func constant(_ name: String?, depth: Int) -> SourceTensor? {
    guard let name, !name.isEmpty, depth < Self.maxDepth else { return nil }
    if let constant = graph.constants[origin(name)] {
      let room = min(constantRoom, matrixRoom)
      guard let count = RowMajor.count(constant.shape, limit: room) else { return nil }
      constantRoom -= count
      return try? constant.tensor()
    }
    guard let node = producer(name), node.outputs.count == 1 else { return nil }
    if Self.turning.contains(node.op), let source = constant(node.input(0), depth: depth + 1) {
      return (try? Interpreter(opset: graph.opset).evaluate(node, [source]))?.first
    }
    guard Self.folded.contains(node.op) else { return nil }
    if let known = computed[name] { return known }
    var found = computed(node, depth: depth)
    if found?.isTooLargeToBeDense ?? false { found = nil }
    computed[name] = .some(found)
    return found
  }

  /// What a node makes of a few constants, or of the size of an affine function.
  private mutating func computed(_ node: SourceNode, depth: Int) -> SourceTensor? {
    if node.op == "Gather", let shape = node.input(0).flatMap(producer), shape.op == "Shape" {
      guard let place = constant(node.input(1), depth: depth + 1), place.count == 1,
        [-1, 1].contains(place.first), let value = shape.input(0), let size = form(value)?.size
      else { return nil }
      return SourceTensor(shape: place.shape, kind: .integer, elements: [Double(size)])
    }
    var operands: [SourceTensor?] = []
    var count = 0
    for input in node.inputs {
      guard let operand = constant(input, depth: depth + 1) else { return nil }
      count += operand.count
      guard count <= Self.maxComputed else { return nil }
      operands.append(operand)
    }
    return (try? Interpreter(opset: graph.opset).evaluate(node, operands))?.first
  }

  private static let turning: Set<String> = ["Transpose", "Cast"]
  private static let folded: Set<String> = [
    "Constant", "Add", "Sub", "Mul", "Div", "Concat", "Gather", "Squeeze", "Unsqueeze",
  ]

  /// The value as an affine function of others; nil where it is none.
  mutating func form(_ name: String) -> Form? { form(name, depth: 0) }

  private mutating func form(_ name: String, depth: Int) -> Form? {
    guard depth < Self.maxDepth else { return nil }
    if addends.contains(origin(name)) { return identity(origin(name)) }
    guard let node = producer(name) else { return nil }
    if let known = forms[name] { return known }
    let found = form(name, of: node, depth: depth)
    forms[name] = .some(found)
    return found
  }

  private mutating func form(_ name: String, of node: SourceNode, depth: Int) -> Form? {
    switch node.op {
    case "Gemm":
      let beta = node.float("beta") ?? 1
      guard node.float("alpha") ?? 1 == 1, [0, 1].contains(beta),
        node.integer("transA", default: 0) == 0, let value = node.input(0),
        let matrix = constant(node.input(1)),
        var form = product(
          value, matrix, isTransposed: node.integer("transB", default: 0) != 0)
      else { return nil }
      guard beta == 1, let addend = node.input(2) else { return form }
      return add(constant(addend), to: &form) ? form : nil
    case "MatMul":
      guard node.inputs.count == 2, let matrix = constant(node.inputs[1]) else { return nil }
      return product(node.inputs[0], matrix, isTransposed: false)
    case "Add": return sum(node, depth: depth)
    case "Split", "Slice":
      guard let whole = node.input(0) else { return nil }
      return form(whole, depth: depth + 1).flatMap { part(name, of: node, $0) }
    default: return nil
    }
  }

  private mutating func identity(_ name: String) -> Form? {
    guard let size = size(name), size * size <= matrixRoom else { return nil }
    matrixRoom -= size * size
    let zeros = Array(repeating: 0.0, count: size)
    let rows = (0..<size).map { place in zeros.indices.map { $0 == place ? 1.0 : 0 } }
    return Form(matrices: [name: rows], bias: zeros)
  }

  /// The affine function of which an operator makes the value, element by element; nil where it is none. Its elements may be split
  /// before or behind the operator.
  mutating func form(before op: String, of name: String) -> Form? {
    guard let node = producer(name), let source = node.input(0) else { return nil }
    if node.op == op { return form(source) }
    guard ["Split", "Slice"].contains(node.op), producer(source)?.op == op else { return nil }
    return form(before: op, of: source).flatMap { part(name, of: node, $0) }
  }

  /// A value, or values side by side, times a constant matrix.
  private mutating func product(
    _ name: String, _ matrix: SourceTensor, isTransposed: Bool
  ) -> Form? {
    guard matrix.rank == 2 else { return nil }
    let matrix = isTransposed ? matrix.permuted([1, 0]) : matrix
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    guard rows > 0, columns > 0, rows * columns <= matrixRoom else { return nil }
    matrixRoom -= rows * columns
    let dense = matrix.dense
    var (start, matrices): (Int, [String: [[Double]]]) = (0, [:])
    guard let parts = sources(name, size: rows) else { return nil }
    for part in parts {
      let own = (start..<start + part.size).map { row in
        Array(dense[row * columns..<(row + 1) * columns])
      }
      guard matrices.updateValue(own, forKey: part.name) == nil else { return nil }
      start += part.size
    }
    return Form(matrices: matrices, bias: Array(repeating: 0, count: columns))
  }

  /// The values that stand side by side in one of `size` elements.
  private mutating func sources(_ name: String, size: Int) -> [(name: String, size: Int)]? {
    guard let node = producer(name), node.op == "Concat",
      [-1, 1].contains(node.integer("axis", default: 0)),
      node.inputs.allSatisfy({ self.rank(of: $0) ?? 2 == 2 })
    else { return [(origin(name), size)] }
    let sizes = node.inputs.map { self.size($0) }
    guard sizes.allSatisfy({ $0.map { (1...size).contains($0) } ?? true }) else { return nil }
    let missing = size - sizes.reduce(0) { $0 + ($1 ?? 0) }
    let unknown = sizes.count { $0 == nil }
    guard unknown == 0 ? missing == 0 : unknown == 1 && missing > 0 else { return nil }
    return zip(node.inputs, sizes).map { (origin($0), $1 ?? missing) }
  }

  private mutating func sum(_ node: SourceNode, depth: Int) -> Form? {
    guard node.inputs.count == 2 else { return nil }
    for (index, other) in [(0, 1), (1, 0)] {
      guard let given = constant(node.inputs[other]) else { continue }
      guard var form = form(node.inputs[index], depth: depth + 1) else { return nil }
      return add(given, to: &form) ? form : nil
    }
    guard var form = form(node.inputs[0], depth: depth + 1),
      let other = self.form(node.inputs[1], depth: depth + 1), form.size == other.size
    else { return nil }
    for (name, matrix) in other.matrices {
      guard let own = form.matrices[name] else {
        form.matrices[name] = matrix
        continue
      }
      guard own.count == matrix.count else { return nil }
      form.matrices[name] = zip(own, matrix).map { zip($0, $1).map(+) }
    }
    form.bias = zip(form.bias, other.bias).map(+)
    return form
  }

  private func add(_ constant: SourceTensor?, to form: inout Form) -> Bool {
    guard let constant, constant.count == constant.shape.last ?? 1,
      constant.count == form.size || constant.count == 1
    else { return false }
    form.bias = form.bias.indices.map { form.bias[$0] + constant[constant.count == 1 ? 0 : $0] }
    return true
  }

  /// A range of the elements of an affine function.
  private mutating func part(_ name: String, of node: SourceNode, _ whole: Form) -> Form? {
    let range: Range<Int>
    if node.op == "Split" {
      let given = node.integers("split") ?? constant(node.input(1))?.integers
      guard [-1, 1].contains(node.integer("axis", default: 0)),
        node.input(1) == nil || given != nil, let index = node.outputs.firstIndex(of: origin(name)),
        let sizes = try? SelectionOperators.splitSizes(node, size: whole.size, given: given),
        sizes.indices.contains(index)
      else { return nil }
      let start = sizes[..<index].reduce(0, +)
      range = start..<start + sizes[index]
    } else {
      func numbers(_ key: String, _ index: Int) -> [Int]? {
        node.integers(key) ?? constant(node.input(index))?.integers
      }
      let steps = constant(node.input(4))?.integers
      guard let starts = numbers("starts", 1), let ends = numbers("ends", 2),
        let axes = numbers("axes", 3), node.input(4) == nil || steps != nil,
        let ranges = try? SelectionOperators.sliceRanges(
          node, shape: [1, whole.size], starts: starts, ends: ends, axes: axes, steps: steps),
        ranges[0].isAll(of: 1),
        ranges[1].step == 1, ranges[1].count > 0
      else { return nil }
      range = ranges[1].start..<ranges[1].start + ranges[1].count
    }
    return Form(
      matrices: whole.matrices.mapValues { $0.map { Array($0[range]) } },
      bias: Array(whole.bias[range]))
  }

  // MARK: Sizes

  /// The sizes of a value that an input makes by moving its elements, nil for open ones; nil where they are not known.
  mutating func shape(of name: String) -> [Int?]? { shape(of: origin(name), depth: 0) }

  mutating func rank(of name: String) -> Int? { shape(of: name)?.count }

  private mutating func size(_ name: String, depth: Int = 0) -> Int? {
    if let known = sizes[name] { return known }
    var found = shape(of: name).map { $0.last ?? nil } ?? form(name)?.size ?? rowSize(name)
    if found == nil, depth < Self.maxDepth, let node = producer(name),
      Self.elementwise.contains(node.op)
    {
      for input in node.inputs {
        guard let size = size(input, depth: depth + 1) else { continue }
        found = max(found ?? 0, size)
      }
    }
    sizes[name] = .some(found)
    return found
  }

  /// The number of elements of a row that ids choose from a table.
  private func rowSize(_ name: String) -> Int? {
    guard let node = producer(name), node.op == "Gather", node.integer("axis", default: 0) == 0,
      let table = node.input(0).flatMap({ graph.constants[$0] }), table.shape.count == 2
    else { return nil }
    return table.shape[1]
  }

  private static let elementwise: Set<String> = ["Mul", "Add", "Sub", "Sigmoid", "Tanh", "Relu"]

  private mutating func shape(of name: String, depth: Int) -> [Int?]? {
    if let input = graph.inputs.first(where: { $0.name == name }) {
      return input.dimensions.map { if case .fixed(let size) = $0 { size } else { nil } }
    }
    guard depth < Self.maxDepth, let node = producers[name], let source = node.input(0),
      var shape = shape(of: source, depth: depth + 1)
    else { return nil }
    func axes(_ count: Int) -> [Int]? {
      (node.integers("axes") ?? constant(node.input(1))?.integers)?
        .map { $0 < 0 ? $0 + count : $0 }
    }
    switch node.op {
    case "Identity": return shape
    case "Transpose":
      guard let order = node.integers("perm"), order.count == shape.count,
        order.allSatisfy(shape.indices.contains)
      else { return nil }
      return order.map { shape[$0] }
    case "Gather":
      let axis = node.integer("axis", default: 0)
      guard let index = constant(node.input(1)), index.rank == 0,
        shape.indices.contains(axis < 0 ? axis + shape.count : axis)
      else { return nil }
      shape.remove(at: axis < 0 ? axis + shape.count : axis)
      return shape
    case "Squeeze":
      guard let axes = axes(shape.count), axes.allSatisfy(shape.indices.contains) else {
        return nil
      }
      return shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
    case "Unsqueeze":
      guard let given = self.axes(of: node), let axes = axes(shape.count + given) else {
        return nil
      }
      for axis in axes.sorted() {
        guard (0...shape.count).contains(axis) else { return nil }
        shape.insert(1, at: axis)
      }
      return shape
    default: return nil
    }
  }

  private mutating func axes(of node: SourceNode) -> Int? {
    (node.integers("axes") ?? constant(node.input(1))?.integers)?.count
  }
}
