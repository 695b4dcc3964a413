/// Computes ONNX's operators in double precision: constants while a graph is translated, and whole graphs to check a translation.
struct Interpreter {
  let opset: Int

  /// A node with the values of its inputs.
  struct Arguments {
    let node: SourceNode
    let opset: Int
    let values: [SourceTensor?]

    /// An input that must be there.
    func required(_ index: Int) throws(ImportError) -> SourceTensor {
      guard let value = optional(index) else {
        throw node.refusal("no input \(index)", because: "\(node.op) needs it")
      }
      return value
    }

    func optional(_ index: Int) -> SourceTensor? { index < values.count ? values[index] : nil }

    /// An axis that may be counted from the end.
    func axis(_ axis: Int, rank: Int) throws(ImportError) -> Int {
      let counted = axis < 0 ? axis + rank : axis
      guard (0..<rank).contains(counted) else {
        throw node.refusal("axis \(axis)", because: "the value has \(rank) axes")
      }
      return counted
    }

    /// Whole numbers as an attribute, as in old operators, or as an input.
    func integers(_ key: String, input: Int) throws(ImportError) -> [Int] {
      if let values = node.integers(key) { return values }
      return try required(input).integers
    }

    /// Axes as an attribute, as in old operators, or as an input; nil where neither is there.
    func axes(input: Int) -> [Int]? { node.integers("axes") ?? optional(input)?.integers }

    func checkCount(_ shape: [Int]) throws(ImportError) {
      var count = 1
      for size in shape {
        let (product, overflows) = count.multipliedReportingOverflow(by: size)
        guard size >= 0, !overflows, product <= SourceTensor.maxElements else {
          throw node.refusal(
            "an array of \(shape)",
            because: "arrays that are computed may have \(SourceTensor.maxElements) elements")
        }
        count = product
      }
    }
  }

  /// The node's outputs; nil for an operator that isn't known.
  func evaluate(_ node: SourceNode, _ values: [SourceTensor?]) throws(ImportError)
    -> [SourceTensor]?
  {
    let a = Arguments(node: node, opset: opset, values: values)
    if let results = try ElementwiseOperators.evaluate(a) { return results }
    if let results = try ShapeOperators.evaluate(a) { return results }
    if let results = try SelectionOperators.evaluate(a) { return results }
    if let results = try ReductionOperators.evaluate(a) { return results }
    if let results = try MatrixOperators.evaluate(a) { return results }
    if let results = try ConvolutionOperators.evaluate(a) { return results }
    if let results = try RecurrentOperators.evaluate(a) { return results }
    return try QuantizedOperators.evaluate(a)
  }
}
