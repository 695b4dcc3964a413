import ModelFormat
import Testing

@testable import ModelImport

/// Positions as numbers, computed from an open number of steps and joined to what the steps hold.
@Suite struct StepNumbersTests: StepGraphTests {
  static let steps = 7

  /// The positions 0, 1, … of x's steps as `f`, how many there are as `n`, and one less as `m`.
  private var positions: [SourceNode] {
    [
      node("Shape", ["x"], "s"), node("Gather", ["s", "1"], "i"),
      node("Range", ["0", "i", "1"], "r"), node("Cast", ["r"], "f", ["to": .integer(1)]),
      node("Cast", ["i"], "n", ["to": .integer(1)]), node("Sub", ["n", "one"], "m"),
    ]
  }

  /// `p`, a number for each step, repeated for each sequence of the batch, behind the elements of x.
  private func joined(_ nodes: [SourceNode], isOpen: Bool = true) throws -> FolderDraft {
    let nodes =
      positions + nodes + [
        node("Unsqueeze", ["p", "ends"], "q"), node("Gather", ["s", "0"], "b"),
        node("Unsqueeze", ["b", "first"], "batch"), node("Unsqueeze", ["i", "first"], "count"),
        node("Concat", ["batch", "count", "single"], "shape", ["axis": .integer(0)]),
        node("Expand", ["q", "shape"], "e"),
        node("Concat", ["x", "e"], "c", ["axis": .integer(2)]), node("Neg", ["c"], "y"),
      ]
    func number(_ value: Double) -> SourceTensor { SourceTensor(shape: [], elements: [value]) }
    let constants = [
      "0": integers([0], shape: []), "1": integers([1], shape: []), "first": integers([0]),
      "single": integers([1]), "ends": integers([0, 2]), "one": number(1), "two": number(2),
      "turn": number(2 * .pi), "odd": number(0.123_456_7),
    ]
    return try draft(graph(nodes, constants, isOpen: isOpen))
  }

  /// Numbers that grow by the same, also where the length is in them: n / N, n / (N − 1), (n + 1) / N, −1 … 1, N − 1 … 0.
  @Test(arguments: [
    [("Mul", "f", "odd", "p")],
    [("Div", "f", "n", "p")],
    [("Div", "f", "m", "p")],
    [("Add", "f", "one", "a"), ("Div", "a", "n", "p")],
    [("Mul", "f", "turn", "a"), ("Div", "a", "n", "p")],
    [("Mul", "f", "two", "a"), ("Div", "a", "m", "d"), ("Sub", "d", "one", "p")],
    [("Sub", "m", "f", "p")],
    [("Sub", "m", "f", "a"), ("Div", "a", "n", "p")],
  ])
  func positionsOfAnyLength(operators: [(op: String, a: String, b: String, to: String)]) throws {
    let draft = try joined(operators.map { node($0.op, [$0.a, $0.b], $0.to) })
    #expect(draft.description.inputs.map(\.steps) == [nil])
    try expectAgreement(draft, steps: [2, 3, 7, 12, 33])
  }

  /// Others hold for one length: the remedy leads to a file that is taken.
  @Test func othersAreThoseOfOneLength() throws {
    let nodes = [node("Sin", ["f"], "p")]
    let error = #expect(throws: ImportError.self) { try self.joined(nodes) }
    #expect(error?.remedy == Remedy.stepNumbers)
    let draft = try joined(nodes, isOpen: false)
    #expect(draft.description.inputs.map(\.steps) == [7])
    try expectAgreement(draft, steps: [7])
  }
}
