import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Attention that is written as arithmetic of each step with each other: an op of the folder.
@Suite struct AttendedStepsTests: StepGraphTests {
  static let steps = 6

  private static let weights: [String: SourceTensor] = {
    var noise = Noise(seed: 5)
    func tensor(_ shape: Int...) -> SourceTensor {
      SourceTensor(
        shape: shape, elements: noise.floats(shape.reduce(1, *)).map(Double.init))
    }
    return [
      "q": tensor(4, 3), "k": tensor(4, 3), "v": tensor(3, 1), "b": tensor(3), "c": tensor(3),
      "one": SourceTensor(integers: [1]), "two": SourceTensor(integers: [2]),
      "last": SourceTensor(integers: [-1]),
      "half": SourceTensor(shape: [], elements: [0.5]),
    ]
  }()

  private var start: [SourceNode] {
    [
      node("MatMul", ["x", "q"], "queries"), node("MatMul", ["x", "k"], "keys"),
      node("Unsqueeze", ["queries", "two"], "rows"), node("Unsqueeze", ["keys", "one"], "columns"),
    ]
  }

  private func end(axis: Int = -1) -> [SourceNode] {
    [
      node("Softmax", ["scores"], "weights", ["axis": .integer(axis)]),
      node("MatMul", ["weights", "x"], "context"), node("Add", ["context", "x"], "y"),
    ]
  }

  private var product: [SourceNode] {
    [node("MatMul", ["t", "v"], "p"), node("Squeeze", ["p", "last"], "scores")]
  }

  @Test(arguments: [true, false]) func sumsThroughATanh(isOpen: Bool) throws {
    let sums = [
      [node("Add", ["rows", "columns"], "s"), node("Tanh", ["s"], "t")] + product,
      [
        node("Add", ["rows", "columns"], "r"), node("Add", ["r", "half"], "s"),
        node("Tanh", ["s"], "t"),
      ] + product,
      [
        node("Add", ["columns", "rows"], "r"), node("Add", ["r", "b"], "s"),
        node("Tanh", ["s"], "t"),
      ] + product,
      [
        node("Add", ["rows", "columns"], "s"), node("Tanh", ["s"], "t"),
        node("Mul", ["t", "c"], "m"),
        node("ReduceSum", ["m", "last"], "a", ["keepdims": .integer(0)]),
        node("Mul", ["a", "half"], "scores"),
      ],
    ]
    for sum in sums {
      let draft = try draft(graph(start + sum + end(), Self.weights, isOpen: isOpen))
      let ops = draft.description.nodes.map(\.op.name)
      #expect(ops.contains("attention") && !ops.contains("tanh"), "\(ops)")
      try expectAgreement(draft, steps: isOpen ? [1, 2, 7] : [6])
    }
  }

  /// Other arithmetic of steps with steps has no op.
  @Test(arguments: ["Relu", "Tanh"]) func otherSumsAreRefused(op: String) throws {
    let sum = [node("Add", ["rows", "columns"], "s"), node(op, ["s"], "t")] + product
    // The scores of a tanh are answered themselves.
    let rest = op == "Tanh" ? [node("ReduceSum", ["scores", "last"], "y")] : end()
    let graph = graph(start + sum + rest, Self.weights, isOpen: true)
    let error = try #require(throws: ImportError.self) { try draft(graph) }
    #expect(error.place == "node \"s\" (Add)" && error.remedy == Remedy.additive, "\(error)")
  }

  /// A softmax over the queries is no attention to the keys.
  @Test func weightsOfTheQueriesAreRefused() throws {
    let sum = [node("Add", ["rows", "columns"], "s"), node("Tanh", ["s"], "t")] + product
    let graph = graph(start + sum + end(axis: 1), Self.weights, isOpen: true)
    #expect(throws: ImportError.self) { try draft(graph) }
  }

  /// Steps of two inputs that meet in the folder are told by their names, with what to do.
  @Test func stepsOfTwoInputsAreTold() {
    let error = ImportError(
      file: "m.onnx",
      .differentSteps(
        path: "nodes[4].inputs[1]", op: "add", name: "k", found: "the steps of \"memory\"",
        other: "q", expected: "the steps of \"x\""))
    #expect(error.place == "node \"k\"" && error.remedy == Remedy.additive)
    #expect(error.problem.contains("the steps of \"memory\"") && error.problem.contains("\"q\""))
  }
}
