import TestSupport
import Testing

@testable import ModelImport

/// Ids that are made of ids.
@Suite struct WholeNumbersTests {
  /// e(y), y doubled so many times: as many ways lead back to x as 2 to that power.
  private func doubled(_ times: Int) -> SourceGraph {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [.init(name: "y0", kind: .integer, dimensions: [.named("b"), .named("t")])]
    graph.constants = ["table": SourceConstant(SourceTensor(repeating: 1, shape: [4, 3]))]
    graph.nodes = (0..<times).map {
      SourceNode(
        name: "y\($0 + 1)", op: "Add", inputs: ["y\($0)", "y\($0)"], outputs: ["y\($0 + 1)"])
    }
    graph.nodes.append(
      SourceNode(name: "rows", op: "Gather", inputs: ["table", "y\(times)"], outputs: ["rows"]))
    graph.outputs = ["rows"]
    return graph
  }

  @Test(.endsHangs) func eachValueIsLookedAtOnce() throws {
    let draft = try GraphTranslation(doubled(60)).folder(named: "m")
    #expect(draft.description.nodes.contains { $0.op.name == "lookup" })
  }

  /// A chain that is too long to be followed is refused.
  @Test func aLongChainIsNotFollowed() {
    #expect(throws: ImportError.self) { try GraphTranslation(doubled(65)).folder(named: "m") }
    #expect(throws: Never.self) { try GraphTranslation(doubled(64)).folder(named: "m") }
  }
}
