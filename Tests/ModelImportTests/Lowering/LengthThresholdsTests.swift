import ModelFormat
import Testing

@testable import ModelImport

/// Numbers of steps that a graph compares with numbers: what stands in for an open number is large, and sequences may be short.
@Suite struct LengthThresholdsTests {
  /// The steps of x, or a number less the steps, go into `op` with `number`; x is divided by what comes out.
  private func refusal(
    _ op: String, _ number: Double, less minuend: Double? = nil, steps: SourceGraph.Dimension
  ) -> ImportError? {
    var graph = SourceGraph(opset: 18)
    graph.inputs = [
      .init(name: "x", kind: .float, dimensions: [.named("b"), steps, .fixed(2)])
    ]
    func node(_ op: String, _ inputs: [String], _ name: String) -> SourceNode {
      SourceNode(name: name, op: op, inputs: inputs, outputs: [name])
    }
    graph.constants = [
      "one": SourceConstant(SourceTensor(shape: [], kind: .integer, elements: [1])),
      "minuend": SourceConstant(
        SourceTensor(shape: [], kind: .integer, elements: [minuend ?? 0])),
      "number": SourceConstant(SourceTensor(shape: [], kind: .integer, elements: [number])),
    ]
    graph.nodes = [
      node("Shape", ["x"], "shape"), node("Gather", ["shape", "one"], "steps"),
      node("Sub", ["minuend", "steps"], "rest"),
      node(op, [minuend == nil ? "steps" : "rest", "number"], "compared"),
      SourceNode(
        name: "float", op: "Cast", inputs: ["compared"], outputs: ["float"],
        attributes: ["to": .integer(1)]),
      node("Add", ["x", "float"], "y"),
    ]
    graph.outputs = ["y"]
    do {
      _ = try GraphTranslation(graph).folder(named: "m")
      return nil
    } catch { return error }
  }

  @Test(
    arguments: [
      ("Max", 5, nil), ("Min", 5, nil), ("Less", 5, nil), ("Greater", 1, nil), ("Equal", 3, nil),
      ("Mod", 3, nil), ("Max", 0, 5), ("Less", 2, 7),
    ] as [(String, Double, Double?)])
  func aChoiceByTheStepsIsRefused(op: String, number: Double, minuend: Double?) {
    let error = refusal(op, number, less: minuend, steps: .named("t"))
    #expect(error?.problem.contains("\(op) chooses by the number of steps") == true)
    #expect(error?.remedy?.contains("an example of one length") == true)
  }

  /// What holds of any number of steps, and what is asked of those of one example.
  @Test(
    arguments: [
      ("Max", 1, .named("t")), ("Less", 0, .named("t")), ("Equal", -1, .named("t")),
      ("Min", 1e18, .named("t")), ("Max", 5, .fixed(9)),
    ] as [(String, Double, SourceGraph.Dimension)])
  func whatIsSoOfAnyStepsIsNone(op: String, number: Double, steps: SourceGraph.Dimension) {
    let error = refusal(op, number, steps: steps)
    #expect(error?.problem.contains("chooses by the number of steps") != true)
  }
}
