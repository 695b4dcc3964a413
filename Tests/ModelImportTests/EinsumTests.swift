import Testing

@testable import ModelImport

@Suite struct EinsumTests {
  @Test(
    arguments: [
      ("bth,h->bt", [["b", "t", "h"], ["h"]], "bt"),
      (" bt , bth -> bh", [["b", "t"], ["b", "t", "h"]], "bh"),
      ("ij,jk", [["i", "j"], ["j", "k"]], "ik"), ("ab,b->", [["a", "b"], ["b"]], ""),
    ] as [(String, [[Character]], String)])
  func labels(equation: String, operands: [[Character]], result: String) throws {
    let labels = try #require(Einsum.labels(equation))
    #expect(labels.operands == operands)
    #expect(labels.result == Array(result))
  }

  @Test(arguments: ["...a,a->...", "ab,b>a", "ab,b->aa", "ab,b->c", "a1,a->a", "ab->b->a"])
  func otherEquationsStay(equation: String) {
    #expect(Einsum.labels(equation) == nil)
    #expect(operators(equation) == ["Einsum"])
  }

  private func operators(_ equation: String, of inputs: [String] = ["a", "b"]) -> [String] {
    var graph = SourceGraph(opset: 17)
    graph.nodes = [
      SourceNode(
        name: "n", op: "Einsum", inputs: inputs, outputs: ["y"],
        attributes: ["equation": .text(equation)])
    ]
    let expanded = Einsum.expanded(graph)
    #expect(expanded.nodes.last?.outputs == ["y"])
    return expanded.nodes.map(\.op)
  }

  @Test(arguments: [
    ("bth,hd->btd", ["MatMul", "Identity"]),
    ("bth,h->bt", ["Unsqueeze", "MatMul", "Squeeze", "Identity"]),
    ("bt,bth->bh", ["Unsqueeze", "MatMul", "Squeeze", "Identity"]),
    ("bqd,bkd->bqk", ["Transpose", "MatMul", "Identity"]),
    ("btk,bth->bhk", ["Transpose", "MatMul", "Transpose", "Identity"]),
    ("dh,bth->btd", ["Transpose", "MatMul", "Identity"]),
    ("bth,h->bth", ["Unsqueeze", "Mul"]),
    ("btgi,gih->btgh", ["Unsqueeze", "MatMul", "Squeeze", "Identity"]),
    ("gi,btgi->btg", ["Unsqueeze", "Unsqueeze", "MatMul", "Squeeze", "Identity"]),
  ])
  func products(equation: String, expected: [String]) {
    #expect(operators(equation) == expected)
  }

  /// Three tensors are two products, each a sum over one axis if there is such an order.
  @Test(arguments: [
    ("bxi,ij,byj->bxy", ["MatMul", "Identity", "Transpose", "MatMul", "Identity"]),
    (
      "bi,bj,ijk->bk",
      [
        "Transpose", "Transpose", "MatMul", "Transpose", "Identity", "Transpose", "Unsqueeze",
        "MatMul", "Squeeze", "Identity",
      ]
    ),
  ])
  func productsOfThree(equation: String, expected: [String]) {
    #expect(operators(equation, of: ["a", "b", "c"]) == expected)
  }

  /// A sum over two axes, or over an axis of one operand alone.
  @Test(arguments: ["bth,bth->b", "bth,bd->bd", "bth,ht->b", "aab,b->a"])
  func whatIsNoMatrixProductStays(equation: String) {
    #expect(operators(equation) == ["Einsum"])
  }
}
