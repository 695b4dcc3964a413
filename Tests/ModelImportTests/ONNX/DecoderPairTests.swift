import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// An encoder and a decoder in two files of ONNX as one folder.
@Suite struct DecoderPairTests {
  private func files(_ names: String...) -> ImportRequest {
    ImportRequest(files: names.map { Fixtures.path("onnx_pairs/speller/\($0).onnx") })
  }

  /// The decoder's graph, from the states that the encoder gives, token by token.
  @Test func scoresAreThoseOfTheFiles() throws {
    let draft = try importedFolder(files("encoder", "decoder"))
    _ = try draft.model()
    let decoder = try #require(draft.description.decoder)
    var sources: [String] = []
    var inputs: [ModelDescription.Input] = []
    for input in decoder.inputs {
      switch input.source {
      case .tokens(let size, let vocabulary):
        inputs.append(.init(name: input.name, kind: .tokens(size: size, vocabulary: vocabulary)))
      case .encoder(let source):
        sources.append(source)
        inputs.append(.init(name: input.name, kind: .vector(size: 5)))
      case .feedback: Issue.record("nothing is fed back but states")
      }
    }
    #expect(sources == ["h", "c"])
    var first = draft
    first.description.decoder = nil
    first.description.outputs = sources.map { .init(name: $0) }
    var second = draft
    second.description.decoder = nil
    (second.description.inputs, second.description.nodes) = (inputs, decoder.nodes)
    second.description.outputs = decoder.outputs
    let graphs = (try ModelGraph(first.model()), try ModelGraph(second.model()))
    for one in try Fixtures.cases("onnx_pairs/speller/io.json") {
      let states = SoleRider.answer(graphs.0, try one.sequence(for: graphs.0.model))
      let tokens = try #require(one.inputs["token"]?.tokens)
      let sequence = try InputSequence(
        [.tokens(tokens)] + states.map { .vector($0) }, for: graphs.1.model)
      let found = SoleRider.answer(graphs.1, sequence)[0]
      let expected = try #require(one.outputs["y"]).values
      try #require(found.count == expected.count)
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-5 })
    }
  }

  @Test func twoEncodersAreNoPair() throws {
    #expect(throws: ImportError.self) { try importedFolder(files("encoder", "encoder")) }
    #expect(throws: ImportError.self) {
      try importedFolder(files("encoder", "decoder", "decoder"))
    }
  }
}
