import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// A suite of graphs of x, [batch, steps, 4], whose folders must answer what the graph computes by itself.
protocol StepGraphTests {
  /// The steps of x where they are not open.
  static var steps: Int { get }
}

extension StepGraphTests {
  /// A graph of x and these nodes; `y` is the output.
  func graph(
    _ nodes: [SourceNode], _ constants: [String: SourceTensor] = [:], isOpen: Bool
  ) -> SourceGraph {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(
        name: "x", kind: .float,
        dimensions: isOpen
          ? [.named("b"), .named("t"), .fixed(4)] : [.fixed(1), .fixed(Self.steps), .fixed(4)])
    ]
    graph.nodes = nodes
    graph.constants = constants.mapValues { SourceConstant($0) }
    graph.outputs = ["y"]
    return graph
  }

  /// A node of the name of its output.
  func node(
    _ op: String, _ inputs: [String], _ output: String,
    _ attributes: [String: SourceAttribute] = [:]
  ) -> SourceNode {
    SourceNode(name: output, op: op, inputs: inputs, outputs: [output], attributes: attributes)
  }

  func draft(_ graph: SourceGraph) throws -> FolderDraft {
    try GraphTranslation(graph).folder(named: "m")
  }

  /// The folder's last answers for sequences of each of these lengths are the graph's.
  func expectAgreement(_ draft: FolderDraft, steps: [Int]) throws {
    let graph = try ModelGraph(draft.model())
    let reference = try #require(draft.reference)
    var noise = Noise(seed: 3)
    for steps in steps {
      let numbers = noise.floats(steps * 4)
      let sequence = try InputSequence([.features(numbers)], for: graph.model)
      let found = SoleRider.answer(graph, sequence)[0]
      let expected = try #require(
        reference.values(for: ["x": numbers], steps: steps).last { $0.name == "y" }
      ).numbers
      try #require(found.count >= expected.count && !expected.isEmpty)
      for (a, b) in zip(found.suffix(expected.count), expected) {
        #expect(abs(Double(a) - b) <= 1e-5 * max(1, abs(b)), "\(steps) steps")
      }
    }
  }

  func integers(_ values: [Int], shape: [Int]? = nil) -> SourceTensor {
    SourceTensor(
      shape: shape ?? [values.count], kind: .integer, elements: values.map(Double.init))
  }
}
