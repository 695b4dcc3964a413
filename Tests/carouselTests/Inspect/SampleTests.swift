import Inference
import ModelFormat
import TestSupport
import Testing

@testable import carousel

@Suite struct SampleTests {
  /// A model that gives back its inputs, side by side in an output each.
  private func model(
    _ inputs: [ModelDescription.Input.Kind], example: String? = nil
  ) throws -> OfflineModel {
    var description = ModelDescription(
      name: "m", version: "1", example: example, inputs: [], nodes: [], outputs: [])
    var tensors: [(name: String, shape: [Int], floats: [Float])] = []
    for (index, kind) in inputs.enumerated() {
      let (input, node) = ("x\(index)", "y\(index)")
      description.inputs.append(.init(name: input, kind: kind))
      if case .tokens(let size, _) = kind {
        tensors.append(("\(node).weight", [size, 1], (0..<size).map(Float.init)))
        description.nodes.append(.init(name: node, op: .embedding, inputs: [input]))
      } else {
        description.nodes.append(
          .init(name: node, op: .affine(scale: [1], shift: nil), inputs: [input]))
      }
      description.outputs.append(.init(name: node))
    }
    return OfflineModel(
      try ModelGraph(
        Model(
          description: description, tensors: TensorFile(bytes: TensorFile.serialize(tensors)))))
  }

  @Test func theExampleComesFirst() throws {
    let kind = ModelDescription.Input.Kind.features(size: 1, mean: nil, scale: nil)
    let sample = try Sample(of: model([kind], example: "[[7, 8], [9]]"))
    #expect(sample.origin == "the model's example and random sequences")
    #expect(sample.sequences.prefix(2).map { $0.features(0) } == [[7, 8], [9]])
    #expect(sample.sequences.count == 10 && sample.stepCount == 803)
    #expect(sample.selection == .all && sample.horizon == nil)
  }

  @Test(arguments: [nil, #""no numbers""#])
  func withoutAnExample(example: String?) throws {
    let kind = ModelDescription.Input.Kind.features(size: 1, mean: nil, scale: nil)
    let sample = try Sample(of: model([kind], example: example))
    #expect(sample.origin == "random sequences")
    #expect(sample.sequences.count == 8 && sample.stepCount == 800)
  }

  /// Each kind's values are what its model is used to, and the same each time.
  @Test func noiseFitsTheInputs() throws {
    let model = try model([
      .features(size: 2, mean: [100, -3], scale: [10, 0.5]), .tokens(size: 5, vocabulary: nil),
      .vector(size: 300),
    ])
    let sample = try Sample(of: model)
    #expect(try Sample(of: model).sequences == sample.sequences)
    #expect(Set(sample.sequences.map { $0.features(0) }).count == sample.sequences.count)
    // The numbers of all sequences, which are many, as their model would see them.
    let features = sample.sequences.flatMap { $0.features(0) }
    let first = stride(from: 0, to: features.count, by: 2).map { (features[$0] - 100) / 10 }
    let second = stride(from: 1, to: features.count, by: 2).map { (features[$0] + 3) / 0.5 }
    var ids: Set<Int32> = []
    var vectors: [Float] = []
    for sequence in sample.sequences {
      guard case .tokens(let tokens) = sequence.values[1],
        case .vector(let vector) = sequence.values[2]
      else {
        Issue.record("values of other kinds")
        continue
      }
      ids.formUnion(tokens)
      vectors += vector
    }
    #expect(ids == [0, 1, 2, 3, 4])
    for numbers in [first, second, vectors] {
      let count = Float(numbers.count)
      let mean = numbers.reduce(0, +) / count
      let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
      // Five standard errors of a mean and of a variance of 800 normal numbers.
      #expect(abs(mean) < 0.18 && abs(variance - 1) < 0.25)
    }
  }

  /// A wide model gets fewer steps, so that its answers stay in memory.
  @Test func wideModels() throws {
    let nodes = [("a", "x"), ("b", "a"), ("c", "b")].map { name, input in
      ModelDescription.Node(
        name: name, op: .concat, inputs: Array(repeating: input, count: 100))
    }
    let model = try Model(
      description: ModelDescription(
        name: "m", version: "1",
        inputs: [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))],
        nodes: nodes, outputs: [.init(name: "c")]),
      tensors: TensorFile(bytes: TensorFile.serialize([])))
    let sample = try Sample(of: OfflineModel(ModelGraph(model)))
    #expect(sample.sequences.map(\.stepCount) == Array(repeating: 2, count: 8))
  }

  @Test func whatAFileAsks() throws {
    let model = OfflineModel(try BundledModel.graph())
    let question = try model.question(in: Array(#"{"inputs": [[1, 2], [3]], "horizon": 5}"#.utf8))
    let sample = Sample(question, origin: "file")
    #expect(sample.origin == "file" && sample.sequences.count == 2 && sample.stepCount == 3)
    #expect(sample.selection == .last && sample.horizon == 5)
  }
}
