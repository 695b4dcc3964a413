/// Products of two tensors with labelled axes, `bth,bsh->bts`, as ONNX's Einsum and PyTorch's einsum have them.
enum Einsum {
  /// The labels of each operand's axes, and of the result's; nil for other equations than those of letters.
  static func labels(_ equation: String) -> (operands: [[Character]], result: [Character])? {
    let plain = equation.filter { $0 != " " }
    let sides = plain.split(separator: ">", omittingEmptySubsequences: false)
    guard sides.count <= 2, sides.count == 1 || sides[0].hasSuffix("-") else { return nil }
    let left = sides.count == 2 ? sides[0].dropLast() : sides[0]
    let operands = left.split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
    let all = operands.joined()
    guard all.allSatisfy(\.isLetter) else { return nil }
    // Without an arrow the result has the labels that stand once, in the order of the alphabet.
    let result =
      sides.count == 2
      ? Array(sides[1]) : Set(all).filter { label in all.count { $0 == label } == 1 }.sorted()
    guard Set(result).count == result.count, Set(result).isSubset(of: Set(all)) else { return nil }
    return (operands, result)
  }

  /// The graph with its products of two tensors as matrix products; those that are none stay.
  static func expanded(_ graph: SourceGraph) -> SourceGraph {
    guard graph.nodes.contains(where: { $0.op == "Einsum" }) else { return graph }
    var graph = graph
    graph.nodes = graph.nodes.flatMap { node in
      node.op == "Einsum" ? Expansion(node)?.nodes ?? [node] : [node]
    }
    return graph
  }

  /// The nodes of one product.
  private struct Expansion {
    let node: SourceNode
    private(set) var nodes: [SourceNode] = []

    init?(_ node: SourceNode) {
      self.node = node
      guard node.inputs.count == 2, let output = node.output(0),
        let (operands, result) = Einsum.labels(node.text("equation", default: "")),
        operands.count == 2, operands.allSatisfy({ Set($0).count == $0.count })
      else { return nil }
      var (first, second) = (operands[0], operands[1])
      var (left, right) = (node.inputs[0], node.inputs[1])
      // Sums over an axis of one operand alone are not carried.
      guard first.allSatisfy({ second.contains($0) || result.contains($0) }),
        second.allSatisfy({ first.contains($0) || result.contains($0) })
      else { return nil }
      let summed = first.filter { second.contains($0) && !result.contains($0) }
      let shared = first.filter { second.contains($0) && result.contains($0) }
      guard summed.count == 1 else {
        guard summed.isEmpty else { return nil }
        left = aligned(left, first, to: result)
        right = aligned(right, second, to: result)
        add("Mul", [left, right], to: output)
        return
      }
      func own(_ labels: [Character]) -> [Character] {
        labels.filter { !shared.contains($0) && !summed.contains($0) }
      }
      if own(second).count > 1 { (first, second, left, right) = (second, first, right, left) }
      let (rows, columns) = (own(first), own(second))
      guard columns.count <= 1, rows.count <= 1 || shared.isEmpty else { return nil }
      left = transposed(left, first, to: shared + rows + summed)
      if rows.isEmpty { left = add("Unsqueeze", [left], axes: [shared.count]) }
      right = transposed(right, second, to: shared + summed + columns)
      if columns.isEmpty { right = add("Unsqueeze", [right], axes: [shared.count + 1]) }
      var product = add("MatMul", [left, right])
      let rank = shared.count + max(rows.count, 1)
      var single: [Int] = []
      if rows.isEmpty { single.append(rank - 1) }
      if columns.isEmpty { single.append(rank) }
      if !single.isEmpty { product = add("Squeeze", [product], axes: single) }
      product = transposed(product, shared + rows + columns, to: result)
      add("Identity", [product], to: output)
    }

    @discardableResult
    private mutating func add(
      _ op: String, _ inputs: [String], axes: [Int]? = nil, order: [Int]? = nil,
      to output: String? = nil
    ) -> String {
      let name = output ?? "\(node.output(0) ?? node.name)/einsum/\(nodes.count)"
      var attributes: [String: SourceAttribute] = [:]
      if let axes { attributes["axes"] = .integers(axes) }
      if let order { attributes["perm"] = .integers(order) }
      nodes.append(
        SourceNode(
          name: node.name, op: op, inputs: inputs, outputs: [name], attributes: attributes))
      return name
    }

    private mutating func transposed(
      _ value: String, _ labels: [Character], to wanted: [Character]
    ) -> String {
      if labels == wanted { return value }
      let order = wanted.compactMap { labels.firstIndex(of: $0) }
      return add("Transpose", [value], order: order)
    }

    /// The value with the axes of `wanted`, of size 1 where it has none.
    private mutating func aligned(
      _ value: String, _ labels: [Character], to wanted: [Character]
    ) -> String {
      let value = transposed(value, labels, to: wanted.filter { labels.contains($0) })
      let missing = wanted.indices.filter { !labels.contains(wanted[$0]) }
      return missing.isEmpty ? value : add("Unsqueeze", [value], axes: missing)
    }
  }
}
