import Inference
import ModelFormat
import Scheduling
import TestSupport
import Testing

/// The bundled models through the engine, turn by turn, against what PyTorch answers from the same weights.
@Suite struct BundledModelTests {
  @Test(arguments: ["co2", "sunspots", "kjv"])
  func answersAsPyTorchDoes(name: String) async throws {
    let engine = Engine(graph: try ModelGraph(Model(folder: Fixtures.bundledModel(name))))
    let model = engine.graph.model
    let cases = try Fixtures.cases("models/\(name).json")
    try #require(cases.count >= 3)
    let answers = try await withThrowingTaskGroup(of: (Int, Prediction).self) { group in
      for (index, one) in cases.enumerated() {
        let sequence = try one.sequence(for: model)
        let selection =
          one.selection.flatMap(Selection.Steps.init).map(Selection.init)
          ?? (one.horizon == nil ? engine.graph.defaultSelection : .last)
        group.addTask {
          let result = await withCheckedContinuation { continuation in
            engine.predict([sequence], selection: selection, horizon: one.horizon) {
              continuation.resume(returning: $0)
            }
          }
          return (index, try result.get()[0])
        }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    for (index, one) in cases.enumerated() {
      let found = try #require(answers[index])
      let outputs =
        one.horizon == nil
        ? model.outputs : [model.outputs[try #require(engine.graph.forecast).point.output]]
      try #require(found.outputs.count == outputs.count)
      for (output, values) in zip(outputs, found.outputs.map(\.values)) {
        let expected = try #require(one.outputs[output.name]).values
        try #require(values.count == expected.count)
        for (a, b) in zip(values, expected) {
          #expect(abs(a - b) <= 1e-5 * max(1, abs(b)), "\(output.name) of case \(index)")
        }
      }
    }
  }
}
