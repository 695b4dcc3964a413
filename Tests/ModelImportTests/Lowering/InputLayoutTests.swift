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
    #expect(turned.reference?.hasStepsLast == true)
    #expect(turned.notes.contains { $0.contains("steps in the last axis") }, "\(turned.notes)")
    let usual = try draft([.fixed(1), .named("t"), .fixed(3)])
    #expect(usual.reference?.hasStepsLast == false && usual.notes.isEmpty)
  }
}
