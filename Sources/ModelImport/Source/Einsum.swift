/// Products of tensors with labelled axes, `bth,bsh->bts`, as ONNX's Einsum and PyTorch's einsum have them.
enum Einsum {
  /// Above the length of any equation: each label is compared with each other.
  private static let maxLength = 1000

  /// The labels of each operand's axes, and of the result's; nil for other equations than those of letters.
  static func labels(_ equation: String) -> (operands: [[Character]], result: [Character])? {
    guard equation.utf8.count <= maxLength else { return nil }
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

  /// The graph with its products as matrix products, those of more than two tensors one behind the other; those that are none
  /// stay.
  static func expanded(_ graph: SourceGraph) -> SourceGraph {
    guard graph.nodes.contains(where: { $0.op == "Einsum" }) else { return graph }
    var graph = graph
    graph.nodes = graph.nodes.flatMap { node in
      node.op == "Einsum" ? pairs(node).flatMap { Expansion($0)?.nodes ?? [$0] } : [node]
    }
    return graph
  }

  /// A product of more than two tensors as products of two; others as they are.
  private static func pairs(_ node: SourceNode) -> [SourceNode] {
    guard (3...maxOperands).contains(node.inputs.count), let output = node.output(0),
      let parts = labels(node.text("equation", default: "")),
      parts.operands.count == node.inputs.count
    else { return [node] }
    var operands = Array(zip(node.inputs, parts.operands))
    var nodes: [SourceNode] = []
    while operands.count > 1 {
      /// The axes of two operands that are no others', and not the result's.
      func summed(_ first: Int, _ second: Int) -> [Character] {
        let others = operands.indices.filter { $0 != first && $0 != second }
          .flatMap { operands[$0].1 }
        return operands[first].1.filter {
          operands[second].1.contains($0) && !others.contains($0) && !parts.result.contains($0)
        }
      }
      let all = operands.indices.flatMap { first in
        operands.indices.dropFirst(first + 1).map { (first, $0) }
      }
      // A matrix product sums over one axis.
      let (first, second) = all.first { summed($0, $1).count == 1 } ?? (0, 1)
      let (left, right) = (operands[first], operands[second])
      let sums = summed(first, second)
      let isLast = operands.count == 2
      let joined = left.1 + right.1.filter { !left.1.contains($0) }
      let result = isLast ? parts.result : joined.filter { !sums.contains($0) }
      var pair = node
      pair.inputs = [left.0, right.0]
      pair.outputs = [isLast ? output : "\(output)/einsum/pair.\(nodes.count)"]
      pair.attributes["equation"] = .text(
        "\(String(left.1)),\(String(right.1))->\(String(result))")
      nodes.append(pair)
      operands.remove(at: second)
      operands[first] = (pair.outputs[0], result)
    }
    return nodes
  }

  private static let maxOperands = 8

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
      guard columns.count <= 1 else { return nil }
      guard rows.count <= 1 || shared.isEmpty else {
        // A matrix for each of the shared: [.., shared, 1, summed] times [shared, summed, column].
        left = transposed(left, first, to: rows + shared + summed)
        left = add("Unsqueeze", [left], axes: [rows.count + shared.count])
        right = transposed(right, second, to: shared + summed + columns)
        if columns.isEmpty { right = add("Unsqueeze", [right], axes: [shared.count + 1]) }
        let rank = rows.count + shared.count
        let product = add(
          "Squeeze", [add("MatMul", [left, right])],
          axes: columns.isEmpty ? [rank, rank + 1] : [rank])
        add("Identity", [transposed(product, rows + shared + columns, to: result)], to: output)
        return
      }
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
