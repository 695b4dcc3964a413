import Testing

@testable import ModelImport

/// Nodes stand behind those that they need, wherever a converter put them.
@Suite struct NodeOrderTests {
  private func graph(_ nodes: [(name: String, inputs: [String])]) -> SourceGraph {
    var graph = SourceGraph(opset: 18)
    graph.nodes = nodes.map {
      SourceNode(name: $0.name, op: "Sum", inputs: $0.inputs, outputs: [$0.name])
    }
    return graph
  }

  private func ordered(_ nodes: [(name: String, inputs: [String])]) -> [String] {
    var graph = graph(nodes)
    graph.order()
    return graph.nodes.map(\.name)
  }

  /// As the converter to 16 bits leaves the cast of an input: last.
  @Test func castsAreMovedAhead() {
    #expect(
      ordered([("a", ["cast"]), ("b", ["a", "c"]), ("c", ["cast"]), ("cast", ["x"])])
        == ["cast", "a", "c", "b"])
  }

  @Test func anOrderThatHoldsIsKept() {
    #expect(ordered([("b", ["x"]), ("a", ["x"]), ("c", ["b", "a"])]) == ["b", "a", "c"])
  }

  @Test func cyclesAreKept() {
    #expect(ordered([("a", ["b"]), ("b", ["c"]), ("c", ["a"])]) == ["a", "b", "c"])
    #expect(ordered([("b", ["a"]), ("a", ["a"])]) == ["b", "a"])
  }

  /// A value that a branch reads is needed by the node that has the branch.
  @Test func branchesNeedWhatTheyRead() {
    var graph = graph([("if", ["x"]), ("a", ["x"])])
    graph.nodes[0].attributes["then_branch"] = .graph(self.graph([("inner", ["a"])]))
    graph.order()
    #expect(graph.nodes.map(\.name) == ["a", "if"])
  }
}
