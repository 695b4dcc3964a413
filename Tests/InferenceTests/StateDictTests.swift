import FoundationEssentials
import Inference
import ModelFormat
import TestSupport
import Testing

/// State dicts as PyTorch's users save them, with nothing added but the description of their graph.
@Suite struct StateDictTests {
  /// The sizes of the weights' own rounding decide how near two runs can be.
  static let taggers: [(file: String, expected: String, tolerance: Float)] = [
    ("tagger", "output", 1e-5), ("proj", "proj_output", 1e-5),
    ("tagger_f16", "output", 1e-3), ("tagger_bf16", "output", 1e-2),
  ]

  /// Embedding → two bidirectional layers → a linear map of every step.
  @Test(arguments: taggers.map(\.file))
  func tagger(file: String) throws {
    let (_, expected, tolerance) = Self.taggers.first { $0.file == file }!
    try check(
      file, expected: expected, tolerance: tolerance,
      nodes: [
        .init(name: "e", op: .embedding, inputs: ["ids"], weights: "embedding"),
        .init(name: "h", op: .lstm, inputs: ["e"], weights: "lstm"),
        .init(name: "y", op: .linear, inputs: ["h"], weights: "fc"),
      ])
  }

  /// A classifier on h_n[-1], by either way to write it.
  @Test(arguments: [true, false])
  func classifier(byFinalState: Bool) throws {
    let last = ModelDescription.Node(name: "last", op: .last, inputs: ["h"])
    try check(
      "lastclf", expected: "lastclf_output", tolerance: 1e-5,
      nodes: [
        .init(name: "e", op: .embedding, inputs: ["ids"], weights: "embedding"),
        .init(name: "h", op: .lstm, inputs: ["e"], weights: "lstm"),
      ] + (byFinalState ? [] : [last]) + [
        .init(
          name: "y", op: .linear, inputs: [byFinalState ? "h.hidden" : "last"], weights: "fc")
      ])
  }

  private func check(
    _ file: String, expected: String, tolerance: Float, nodes: [ModelDescription.Node]
  ) throws {
    let model = try Model(
      description: ModelDescription(
        name: file, version: "1",
        inputs: [.init(name: "ids", kind: .tokens(size: 50, vocabulary: nil))], nodes: nodes,
        outputs: [.init(name: "y")]),
      tensors: TensorFile(path: Fixtures.path("torch/\(file).safetensors")))
    let graph = try ModelGraph(model)
    // Two sequences of seven int64 ids; the outputs are f32.
    let ids = try elements(of: "input", as: Int64.self).map(Int32.init)
    let outputs = try elements(of: expected, as: Float.self)
    try #require(ids.count == 14 && outputs.count.isMultiple(of: 2))
    let sequences = try [ids[..<7], ids[7...]].map {
      try InputSequence([.tokens(Array($0))], for: model)
    }
    let found = Runner.run(
      graph, sequences, selections: sequences.map { _ in graph.defaultSelection })
    for (a, b) in zip(found.flatMap { $0[0] }, outputs) { #expect(abs(a - b) <= tolerance) }
    #expect(found.flatMap { $0[0] }.count == outputs.count)
  }

  /// The elements of a little-endian .npy file, behind its header of 128 bytes.
  private func elements<Element: BitwiseCopyable>(
    of file: String, as type: Element.Type
  ) throws -> [Element] {
    let data = try Data(contentsOf: URL(filePath: Fixtures.path("torch/\(file).npy")))
    return data.dropFirst(128).withUnsafeBytes { bytes in
      (0..<bytes.count / MemoryLayout<Element>.stride).map {
        bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Element>.stride, as: Element.self)
      }
    }
  }
}
