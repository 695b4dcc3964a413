import Inference
import ModelFormat
import TestSupport
import Testing

/// Models against the outputs of the framework that made them.
@Suite struct FrameworkTests {
  /// The largest difference allowed to PyTorch's own f32, on outputs of order one.
  static let tolerance: Float = 1e-5

  /// Every op, random weights: see Tests/Fixtures/scripts/ops.py.
  static let ops: [String] = Fixtures.folders("ops")

  /// What PyTorch's own modules do not have, after its mathematics in float64: see Tests/Fixtures/scripts/forms.py.
  static let forms: [String] = Fixtures.folders("forms")

  /// Recurrent cells of every kind, by PyTorch and ONNX Runtime: see Tests/Fixtures/scripts/cells.py.
  static let cells: [String] = Fixtures.folders("cells")

  /// The ONNX operators' own cases: see Tests/Fixtures/scripts/onnx_cases.py.
  static let onnx: [String] = Fixtures.folders("onnx")

  /// What changes the number of steps, by PyTorch and Keras: see Tests/Fixtures/scripts/steps.py.
  static let steps: [String] = Fixtures.folders("steps")

  @Test func opsAreThere() {
    #expect(Self.ops.count >= 8 && Self.forms.count >= 12)
    #expect(Self.cells.count >= 24 && Self.onnx.count == 18)
    #expect(Self.steps.count >= 4)
  }

  @Test(arguments: steps)
  func step(name: String) throws {
    try check(folder: Fixtures.path("steps/\(name)"), cases: "steps/\(name)/io.json")
  }

  @Test(arguments: cells)
  func cell(name: String) throws {
    try check(folder: Fixtures.path("cells/\(name)"), cases: "cells/\(name)/io.json")
  }

  @Test(arguments: onnx)
  func onnxCase(name: String) throws {
    try check(folder: Fixtures.path("onnx/\(name)"), cases: "onnx/\(name)/io.json")
  }

  @Test(arguments: forms)
  func form(name: String) throws {
    try check(folder: Fixtures.path("forms/\(name)"), cases: "forms/\(name)/io.json")
  }

  @Test(arguments: ops)
  func op(name: String) throws {
    try check(folder: Fixtures.path("ops/\(name)"), cases: "ops/\(name)/io.json")
  }

  @Test(arguments: ["co2", "sunspots", "kjv"])
  func bundled(name: String) throws {
    try check(folder: Fixtures.bundledModel(name), cases: "models/\(name).json")
  }

  private func check(folder: String, cases path: String) throws {
    let graph = try ModelGraph(Model(folder: folder))
    let cases = try Fixtures.cases(path).filter { $0.horizon == nil }
    try #require(!cases.isEmpty)
    // Each sequence alone, as the framework ran it, and all of them in one packed pass.
    let sequences = try cases.map { try $0.sequence(for: graph.model) }
    let selections = cases.map {
      $0.selection.flatMap(Selection.Steps.init).map(Selection.init) ?? graph.defaultSelection
    }
    let together = Runner.run(graph, sequences, selections: selections)
    for (index, expected) in cases.enumerated() {
      let alone = Runner.run(graph, [sequences[index]], selections: [selections[index]])[0]
      #expect(alone == together[index])
      if graph.supports(.all) {
        let all = Runner.run(graph, [sequences[index]], selections: [.all])[0]
        let last = Runner.run(graph, [sequences[index]], selections: [.last])[0]
        #expect(zip(all, last).allSatisfy { Array($0.suffix($1.count)) == $1 && !$1.isEmpty })
      }
      try #require(alone.count == graph.model.outputs.count)
      for (output, found) in zip(graph.model.outputs, alone) {
        let reference = try #require(expected.outputs[output.name])
        try #require(found.count == reference.values.count)
        for (a, b) in zip(found, reference.values) {
          #expect(abs(a - b) <= Self.tolerance * max(1, abs(b)), "\(output.name) of case \(index)")
        }
      }
    }
  }
}
