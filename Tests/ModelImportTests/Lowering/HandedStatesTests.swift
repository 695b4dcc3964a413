import ModelFormat
import Testing

@testable import ModelImport

/// Which states of callers may become those of a sequence.
@Suite struct HandedStatesTests {
  private typealias Node = ModelDescription.Node

  /// Whether h, of 4 numbers, is handed on. The networks `a` and `b` begin with its first and last two, or both with all; their h
  /// has as many numbers.
  private func isHandedOn(
    _ answers: [Node], outputs: [String], rank: Int = 3, areGivenAll: Bool = false
  ) -> Bool {
    let halves = [("first", 0, 2), ("second", 2, 4)].map { name, start, end in
      Node(name: name, op: .slice(start: start, end: end), inputs: ["h"])
    }
    let networks = [
      Node(name: "a", op: .gru(GRUOp()), inputs: ["x", areGivenAll ? "h" : "first"]),
      Node(name: "b", op: .gru(GRUOp()), inputs: ["a", areGivenAll ? "h" : "second"]),
    ]
    let inputs = [("x", 3, Form.sequence), ("h", 4, .vector)].map { name, size, form in
      FinishedGraph.Input(
        name: name, source: name, form: form, size: size, isScalar: false, kind: .float, steps: nil,
        exactSteps: nil, rank: 3)
    }
    return HandedStates(
      (areGivenAll ? [] : halves) + networks + answers, inputs: inputs,
      outputs: outputs.map { ($0, rank) }, steps: []
    ).contains("h")
  }

  private typealias Form = CarriedValue.Form

  private func joined(_ parts: String...) -> [Node] {
    [Node(name: "next", op: .concat, inputs: parts.map(Optional.some))]
  }

  @Test func whatIsAnsweredInItsOrderIsHandedOn() {
    #expect(isHandedOn(joined("a.hidden", "b.hidden"), outputs: ["b", "next"]))
    // In two answers, which the caller puts together.
    #expect(isHandedOn([], outputs: ["b", "a.hidden", "b.hidden"]))
    let turned = (0..<2).map { index in
      Node(
        name: "turned.\(index)", op: .transpose(rows: 2),
        inputs: [index == 0 ? "next" : "turned.0"])
    }
    let both = joined("a.hidden", "b.hidden") + turned
    #expect(isHandedOn(both, outputs: ["b", "turned.1"]))
    #expect(!isHandedOn(both, outputs: ["b", "turned.0"]))
  }

  @Test func otherAnswersAreNot() {
    #expect(!isHandedOn(joined("b.hidden", "a.hidden"), outputs: ["b", "next"]))
    #expect(!isHandedOn(joined("a.hidden", "b.hidden", "a.hidden"), outputs: ["b", "next"]))
    #expect(!isHandedOn([], outputs: ["b", "b.hidden"]))
    // A summary.
    #expect(!isHandedOn(joined("a.hidden", "b.hidden"), outputs: ["b", "next"], rank: 2))
    #expect(!isHandedOn([], outputs: ["b", "a.hidden", "b.hidden"], areGivenAll: true))
  }
}
