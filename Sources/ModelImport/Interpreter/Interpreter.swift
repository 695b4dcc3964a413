/// Computes ONNX's operators in double precision: for constants while a graph is translated, and for whole graphs to check a
/// translation.
struct Interpreter {
  let opset: Int
  let budget: Budget

  /// - Parameters:
  ///   - budget: what may be computed; nil: as much as `operands` account for.
  init(opset: Int, budget: Budget? = nil, operands: [SourceTensor] = []) {
    self.opset = opset
    self.budget = budget ?? Budget(operands: operands)
  }

  /// What may still be computed: a small file could ask for arrays without end, one from the other.
  final class Budget {
    /// In elements of arrays.
    private(set) var room: Int

    /// Enough for masks, positions and shapes.
    static let base = 1 << 26
    /// For each element of a weight: it may be cast, scaled, transposed, split and put together again.
    static let perElement = 8
    /// What a node takes beside its result: nodes in loops within loops may be computed without end.
    static let perNode = 64
    /// Multiplications take so many times less of it than elements, which take memory too.
    static let multiplicationsPerElement = 64

    init(base: Int = Budget.base, operands: [SourceTensor] = []) {
      room = base
      for operand in operands { add(operand) }
    }

    /// An array that the file, or the person, gave.
    func add(_ operand: SourceTensor) { room += Budget.perElement * operand.elements.count }

    /// False where there isn't that much left.
    func take(_ elements: Int) -> Bool {
      guard elements <= room else { return false }
      room -= elements
      return true
    }
  }

  /// A node with the values of its inputs.
  struct Arguments {
    let node: SourceNode
    let opset: Int
    let values: [SourceTensor?]
    let budget: Budget

    /// A required input.
    func required(_ index: Int) throws(ImportError) -> SourceTensor {
      guard let value = optional(index) else {
        throw node.refusal("no input \(index)", because: "\(node.op) needs it")
      }
      return value
    }

    /// An input of one number.
    func number(_ index: Int) throws(ImportError) -> Double {
      guard let number = try optionalNumber(index) else {
        throw node.refusal("no input \(index)", because: "\(node.op) needs it")
      }
      return number
    }

    /// A number from an attribute (old operators) or an input.
    func number(
      _ key: String, input: Int, default value: Double
    ) throws(ImportError) -> Double {
      if let number = node.float(key) { return number }
      if let number = try optionalNumber(input) { return number }
      return value
    }

    private func optionalNumber(_ index: Int) throws(ImportError) -> Double? {
      guard let value = optional(index) else { return nil }
      guard value.count == 1 else {
        throw node.refusal(
          "\(value.count == 0 ? "no number" : "an array of \(value.shape)") as input \(index)",
          because: "\(node.op) needs one")
      }
      return value.first
    }

    func optional(_ index: Int) -> SourceTensor? { index < values.count ? values[index] : nil }

    /// An axis, which may be negative to count from the end.
    func axis(_ axis: Int, rank: Int) throws(ImportError) -> Int {
      let counted = axis < 0 ? axis + rank : axis
      guard (0..<rank).contains(counted) else {
        throw node.refusal("axis \(axis)", because: "the value has \(rank) axes")
      }
      return counted
    }

    /// Whole numbers from an attribute (old operators) or an input.
    func integers(_ key: String, input: Int) throws(ImportError) -> [Int] {
      if let values = node.integers(key) { return values }
      return try required(input).integers
    }

    /// Axes from an attribute (old operators) or an input; nil if there is neither.
    func axes(input: Int) -> [Int]? { node.integers("axes") ?? optional(input)?.integers }

    /// Checks that an array of `shape` may be computed: it has no more elements than one that it comes of, or few.
    func checkCount(_ shape: [Int]) throws(ImportError) {
      let largest = values.lazy.compactMap { $0?.elements.count }.max() ?? 0
      let limit = max(SourceTensor.maxElements, largest)
      guard RowMajor.count(shape, limit: limit) != nil else {
        throw node.refusal(
          "an array of \(shape)",
          because: "arrays that are computed may have \(limit) elements here")
      }
    }

    /// Takes so many multiplications from the budget, their number being the product of `factors`.
    func takeMultiplications(_ factors: Int...) throws(ImportError) {
      guard let count = RowMajor.count(factors),
        budget.take(count / Budget.multiplicationsPerElement)
      else {
        throw node.refusal(
          "\(factors.map(String.init).joined(separator: " · ")) multiplications",
          because: "that is more than the file's weights account for")
      }
    }
  }

  /// The node's outputs; nil for an unknown operator.
  func evaluate(_ node: SourceNode, _ values: [SourceTensor?]) throws(ImportError)
    -> [SourceTensor]?
  {
    let results = try results(Arguments(node: node, opset: opset, values: values, budget: budget))
    for result in results ?? [] {
      guard RowMajor.count(result.shape) != nil else {
        throw node.refusal("an array of \(result.shape)", because: "no array can be that large")
      }
      let count = Self.sharing.contains(node.op) ? 0 : result.elements.count
      guard budget.take(count + Budget.perNode) else {
        throw node.refusal(
          "an array of \(result.shape) behind many others",
          because: "together they have more elements than the file's weights account for")
      }
    }
    return results
  }

  /// What a known operator gives of two constants, as a part of `node`.
  static func result(
    of op: String, in node: SourceNode, _ first: SourceTensor, _ second: SourceTensor, opset: Int
  ) throws(ImportError) -> SourceTensor {
    var pair = node
    pair.op = op
    let operands = [first, second]
    guard let results = try Interpreter(opset: opset, operands: operands).evaluate(pair, operands)
    else { preconditionFailure(op) }
    return results[0]
  }

  /// Operators whose result is the memory of an operand.
  private static let sharing: Set<String> = [
    "Identity", "Dropout", "StopGradient", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Constant",
  ]

  /// Operators that leave an array whose elements are all equal as it is, and look at no element by itself.
  private static let keepingUniform: Set<String> = [
    "Shape", "Size", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Expand", "Tile",
    "Slice", "Split", "Concat", "Gather",
  ]

  private func results(_ a: Arguments) throws(ImportError) -> [SourceTensor]? {
    if let results = try ElementwiseOperators.evaluate(a) { return results }
    for (index, value) in a.values.enumerated() {
      guard let value, value.isTooLargeToBeDense,
        !(Self.keepingUniform.contains(a.node.op) && (index == 0 || a.node.op == "Concat"))
      else { continue }
      throw a.node.refusal(
        "an array of \(value.shape) as input \(index)",
        because: "arrays that are computed may have \(SourceTensor.maxElements) elements")
    }
    if let results = try ShapeOperators.evaluate(a) { return results }
    if let results = try SelectionOperators.evaluate(a) { return results }
    if let results = try ResizeOperators.evaluate(a) { return results }
    if let results = try ReductionOperators.evaluate(a) { return results }
    if let results = try MatrixOperators.evaluate(a) { return results }
    if let results = try ConvolutionOperators.evaluate(a) { return results }
    if let results = try RecurrentOperators.evaluate(a) { return results }
    return try QuantizedOperators.evaluate(a)
  }
}
