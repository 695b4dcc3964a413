import ModelFormat
import Testing

@testable import ModelImport

/// Questions about numbers that are not finite: a request's always are.
@Suite struct FiniteNumbersTests {
  private func graph(_ op: String, of value: String) -> SourceGraph {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(name: "x", kind: .float, dimensions: [.fixed(1), .named("t"), .fixed(3)])
    ]
    graph.constants = [
      "zero": SourceConstant(SourceTensor(shape: [], elements: [0])),
      "first": SourceConstant(SourceTensor(integers: [0])),
    ]
    graph.nodes = [
      SourceNode(
        name: "column", op: "Gather", inputs: ["x", "first"], outputs: ["column"],
        attributes: ["axis": .integer(2)]),
      SourceNode(name: "log", op: "Log", inputs: ["x"], outputs: ["log"]),
      SourceNode(name: "asked", op: op, inputs: [value], outputs: ["asked"]),
      SourceNode(name: "y", op: "Where", inputs: ["asked", "zero", value], outputs: ["y"]),
    ]
    graph.outputs = ["y"]
    return graph
  }

  @Test(arguments: ["IsNaN", "IsInf"], ["x", "column"])
  func aQuestionsNumbersAreFinite(op: String, value: String) throws {
    let draft = try GraphTranslation(graph(op, of: value)).folder(named: "m")
    #expect(!draft.description.nodes.contains { $0.op.name == "where" })
  }

  @Test(arguments: ["IsNaN", "IsInf"])
  func thoseThatTheModelComputesMayNotBe(op: String) throws {
    let error = #expect(throws: ImportError.self) {
      try GraphTranslation(graph(op, of: "log")).folder(named: "m")
    }
    #expect(error?.problem.contains("\(op) of numbers that the model computes") == true)
    #expect(error?.remedy?.contains("torch.nan_to_num(x) ahead of all else") == true)
  }
}
