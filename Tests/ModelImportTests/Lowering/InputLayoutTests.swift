import ModelFormat
import Testing

@testable import ModelImport

/// Inputs whose arrays are arranged otherwise in the source than in a question.
@Suite struct InputLayoutTests {
  private func draft(_ dimensions: [SourceGraph.Dimension]) throws -> FolderDraft {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [.init(name: "x", kind: .float, dimensions: dimensions)]
    graph.nodes = [
      SourceNode(name: "y", op: "Tanh", inputs: ["x"], outputs: ["y"], attributes: [:])
    ]
    graph.outputs = ["y"]
    return try GraphTranslation(graph).folder(named: "m")
  }

  @Test func stepsInTheLastAxisAreTold() throws {
    let turned = try draft([.fixed(1), .fixed(3), .named("t")])
    #expect(turned.description.inputs[0].kind == .features(size: 3, mean: nil, scale: nil))
    #expect(turned.reference?.exampleInputs(steps: 1)[0].stepAxis == 2)
    #expect(turned.notes.contains { $0.contains("steps in the last axis") }, "\(turned.notes)")
    let usual = try draft([.fixed(1), .named("t"), .fixed(3)])
    #expect(usual.reference != nil && usual.reference?.exampleInputs(steps: 1)[0].stepAxis == nil)
    #expect(usual.notes.isEmpty)
    let image = try draft([.fixed(1), .fixed(3), .named("t"), .fixed(5)])
    #expect(image.reference?.exampleInputs(steps: 1)[0].stepAxis == 2)
    #expect(image.notes.contains { $0.contains("axis 2") && $0.contains("[3, 5]") })
  }

  /// Ids that no input of a folder has are told apart, with what is to be done.
  @Test(
    arguments: [
      ([.fixed(1), .named("t"), .fixed(4)], "several ids a step", "input of whole numbers")
    ] as [([SourceGraph.Dimension], String, String)])
  func idsOfOtherForms(dimensions: [SourceGraph.Dimension], found: String, remedy: String) throws {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [.init(name: "ids", kind: .integer, dimensions: dimensions)]
    graph.constants = [
      "table": SourceConstant(SourceTensor(shape: [3, 2], elements: [1, 2, 3, 4, 5, 6]))
    ]
    graph.nodes = [SourceNode(name: "y", op: "Gather", inputs: ["table", "ids"], outputs: ["y"])]
    graph.outputs = ["y"]
    let error = try #require(throws: ImportError.self) {
      try GraphTranslation(graph).folder(named: "m")
    }
    #expect(error.problem.contains(found), "\(error)")
    #expect(error.remedy?.contains(remedy) ?? false, "\(error)")
  }
}
