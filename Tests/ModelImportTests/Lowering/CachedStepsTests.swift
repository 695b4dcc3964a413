import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Streaming models that keep the last steps of a call for the next, against calls of the graph one after another.
@Suite struct CachedStepsTests {
  /// A convolution of three steps over x, [1, 2, steps], with the cache c, [1, 2, 2].
  ///
  /// - Parameters:
  ///   - steps: of a call; nil for any number.
  ///   - start: from where on the steps are those of the next cache.
  private func graph(steps: Int?, start: Int) -> SourceGraph {
    var noise = Noise(seed: 4)
    var graph = SourceGraph(opset: 17)
    graph.inputs = [
      .init(
        name: "x", kind: .float,
        dimensions: [.fixed(1), .fixed(2), steps.map { .fixed($0) } ?? .named("t")]),
      .init(name: "c", kind: .float, dimensions: [.fixed(1), .fixed(2), .fixed(2)]),
    ]
    let weights = noise.floats(3 * 2 * 3, scale: 1).map(Double.init)
    graph.constants = [
      "w": SourceConstant(SourceTensor(shape: [3, 2, 3], elements: weights)),
      "start": SourceConstant(SourceTensor(integers: [start])),
      "end": SourceConstant(SourceTensor(integers: [Int(Int64.max)])),
      "axis": SourceConstant(SourceTensor(integers: [2])),
    ]
    graph.nodes = [
      SourceNode(
        name: "z", op: "Concat", inputs: ["c", "x"], outputs: ["z"],
        attributes: ["axis": .integer(2)]),
      SourceNode(name: "y", op: "Conv", inputs: ["z", "w"], outputs: ["y"]),
      SourceNode(
        name: "next", op: "Slice", inputs: ["z", "start", "end", "axis"], outputs: ["next"]),
    ]
    graph.outputs = ["y", "next"]
    return graph
  }

  @Test(arguments: [(nil, -2), (1, 1), (3, 3), (3, -2)] as [(Int?, Int)])
  func areKept(steps: Int?, start: Int) throws {
    let graph = graph(steps: steps, start: start)
    let draft = try GraphTranslation(graph).folder(named: "m")
    #expect(draft.description.inputs.map(\.name) == ["x"])
    #expect(draft.description.outputs.map(\.name) == ["y"])
    let folder = try ModelGraph(draft.model())
    #expect(folder.isStreamable)
    var noise = Noise(seed: 5)
    var cache = SourceTensor(repeating: 0, shape: [1, 2, 2])
    var (given, expected): ([Float], [Double]) = ([], [])
    for _ in 0..<4 {
      let count = steps ?? 2
      let numbers = noise.floats(2 * count)
      // The file has the steps last.
      let turned = (0..<2).flatMap { row in (0..<count).map { Double(numbers[2 * $0 + row]) } }
      var interpreter = GraphInterpreter(
        opset: 17,
        inputs: ["x": SourceTensor(shape: [1, 2, count], elements: turned), "c": cache])
      try interpreter.run(graph)
      let y = try #require(interpreter.values["y"]).dense
      cache = try #require(interpreter.values["next"])
      given += numbers
      expected += (0..<count).flatMap { step in (0..<3).map { y[$0 * count + step] } }
    }
    let sequence = try InputSequence([.features(given)], for: folder.model)
    for piece in [1, 5] {
      let found = Runner.run(folder, [sequence], selections: [.all]) { _, rest in min(piece, rest) }
      #expect(found[0][0].count == expected.count)
      for (found, expected) in zip(found[0][0], expected) {
        #expect(abs(Double(found) - expected) < 1e-5)
      }
    }
  }

  /// A mean of what the cache and the call hold is none of all steps: the cache stays with the caller, or is refused.
  @Test(arguments: [nil, 1]) func meansOfACallAreNone(steps: Int?) throws {
    var graph = graph(steps: steps, start: -2)
    graph.nodes.append(
      SourceNode(
        name: "mean", op: "ReduceMean", inputs: ["z"], outputs: ["mean"],
        attributes: ["axes": .integers([2]), "keepdims": .integer(0)]))
    graph.outputs[0] = "mean"
    guard let draft = try? GraphTranslation(graph).folder(named: "m") else { return }
    #expect(draft.description.inputs.map(\.name) == ["x", "c"])
  }

  /// Other steps than the last, and a cache that is computed with, are no cache.
  @Test(arguments: ["first", "scaled", "both"]) func othersStay(kind: String) throws {
    var graph = graph(steps: nil, start: kind == "first" ? 0 : -2)
    switch kind {
    case "scaled":
      graph.nodes.append(SourceNode(name: "out", op: "Neg", inputs: ["next"], outputs: ["out"]))
      graph.outputs[1] = "out"
    case "both":
      graph.nodes.append(SourceNode(name: "out", op: "Neg", inputs: ["c"], outputs: ["out"]))
      graph.outputs.append("out")
    default: break
    }
    #expect(CachedSteps(graph) == nil)
  }
}
