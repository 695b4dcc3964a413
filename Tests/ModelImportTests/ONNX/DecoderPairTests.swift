import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// An encoder and a decoder in two files of ONNX as one folder.
@Suite struct DecoderPairTests {
  private func files(_ pair: String, _ names: String...) -> ImportRequest {
    ImportRequest(files: names.map { Fixtures.path("onnx_pairs/\(pair)/\($0).onnx") })
  }

  /// The decoder's graph, from the values that the encoder gives, token by token.
  @Test(arguments: [("speller", ["h", "c"]), ("attending", ["h", "c", "steps"])])
  func scoresAreThoseOfTheFiles(pair: String, values: [String]) throws {
    let draft = try importedFolder(files(pair, "encoder", "decoder"))
    _ = try draft.model()
    let decoder = try #require(draft.description.decoder)
    var sources: [String] = []
    var inputs: [ModelDescription.Input] = []
    for input in decoder.inputs {
      switch input.source {
      case .tokens(let size, let vocabulary):
        inputs.append(
          .init(name: input.name, kind: .tokens(size: size, vocabulary: vocabulary), axis: "token"))
      case .encoder(let source):
        sources.append(source)
        let isSequence = source == "steps"
        inputs.append(
          .init(
            name: input.name,
            kind: isSequence ? .features(size: 5, mean: nil, scale: nil) : .vector(size: 5),
            axis: isSequence ? "encoder" : nil))
      case .feedback: Issue.record("nothing is fed back but states")
      }
    }
    #expect(sources == values)
    var first = draft
    first.description.decoder = nil
    first.description.outputs = sources.map { .init(name: $0) }
    var second = draft
    second.description.decoder = nil
    (second.description.inputs, second.description.nodes) = (inputs, decoder.nodes)
    second.description.outputs = decoder.outputs
    let graphs = (try ModelGraph(first.model()), try ModelGraph(second.model()))
    for one in try Fixtures.cases("onnx_pairs/\(pair)/io.json") {
      let given = Runner.run(
        graphs.0, [try one.sequence(for: graphs.0.model)], selections: [.all])[0]
      let tokens = try #require(one.inputs["token"]?.tokens)
      let sequence = try InputSequence(
        [.tokens(tokens)]
          + zip(sources, given).map { $0 == "steps" ? .features($1) : .vector($1) },
        for: graphs.1.model)
      let found = Runner.run(graphs.1, [sequence], selections: [.all])[0][0]
      let expected = try #require(one.outputs["y"]).values
      try #require(found.count == expected.count)
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-5 })
    }
  }

  /// Decoders that attend each in another way: with the state before the token or behind it, by products or sums, or to a context.
  /// Those of `prefix` and `cell` are written as arithmetic, with masks of padding; of `prefix` the tokens so far are read, and
  /// states are [batch, layers, size].
  @Test(arguments: ["before", "dot", "concat", "context", "prefix", "cell"])
  func tokensAreThoseOfTheFramework(pair: String) throws {
    let draft = try importedFolder(files(pair, "encoder", "decoder"))
    let decoder = try #require(draft.description.decoder)
    let isFedBack = decoder.inputs.contains {
      if case .feedback = $0.source { true } else { false }
    }
    #expect(isFedBack == (pair == "before" || pair == "cell"))
    #expect(draft.description.inputs.map(\.name) == ["ids"])
    let graph = try ModelGraph(draft.model())
    for given in try Fixtures.cases("onnx_pairs/\(pair)/io.json") {
      let found = try #require(
        try graph.decode(
          given.sequence(for: graph.model), Decoding(maxSteps: 8, returnsSteps: true)
        ).answer?.first)
      let expected = try #require(given.decoded?["y"])
      #expect(found.tokens == expected.labels)
      #expect(abs(found.score - Double(expected.score)) < 1e-4)
      let rows = try #require(given.outputs["y"]?.values)
      try #require(found.steps.count == rows.count)
      #expect(zip(found.steps, rows).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($1)) })
    }
  }

  /// A state that attention asks with has to be what a network answers.
  @Test func aCellThatAttentionReadsIsLeftToTheCaller() throws {
    var draft = try importedFolder(files("attending", "decoder_by_state"))
    draft.callersStates = ["c"]
    for index in draft.description.nodes.indices where draft.description.nodes[index].op == .linear
    {
      draft.description.nodes[index].inputs = draft.description.nodes[index].inputs.map {
        $0 == "h" ? "c" : $0
      }
    }
    let error = try #require(throws: FedBackStates.UnansweredState.self) {
      try FedBackStates(
        draft, token: "token", given: [.init(name: "c", source: .encoder("c"))],
        encoder: ModelDescription(name: "e", version: "1", inputs: [], nodes: [], outputs: []))
    }
    #expect(error.name == "c")
  }

  /// A decoder whose attention asks with the state before the step: alone, a request is one of its calls.
  @Test func statesReadElsewhereAreLeftToTheCaller() throws {
    let draft = try importedFolder(files("attending", "decoder_by_state"))
    #expect(draft.description.inputs.map(\.steps) == [1, nil, nil, nil])
    let graph = try ModelGraph(draft.model())
    for one in try Fixtures.cases("onnx_pairs/attending/calls/io.json") {
      let answers = Runner.run(graph, [try one.sequence(for: graph.model)], selections: [.all])[0]
      #expect(answers.count == 3)
      for (output, answer) in zip(graph.model.outputs, answers) {
        let expected = try #require(one.outputs[output.name]).values
        try #require(answer.count == expected.count)
        #expect(zip(answer, expected).allSatisfy { abs($0 - $1) <= 1e-5 }, "\(output.name)")
      }
    }
  }

  @Test func twoEncodersAreNoPair() throws {
    #expect(throws: ImportError.self) { try importedFolder(files("speller", "encoder", "encoder")) }
    #expect(throws: ImportError.self) {
      try importedFolder(files("speller", "encoder", "decoder", "decoder"))
    }
  }

  /// Arrays beside a model are no decoder.
  @Test func aSecondFileOfAnotherKindIsRefusedWithWhatToDo() throws {
    var request = files("speller", "encoder")
    request.files.append(Fixtures.path("keras/keras1.h5.npz"))
    let error = #expect(throws: ImportError.self) { try importedFolder(request) }
    #expect(
      error?.problem.contains("archive of NumPy, expected beside an ONNX model the decoder")
        == true, "\(String(describing: error))")
    #expect(error?.remedy?.contains("\"op\": \"crf\"") == true)
  }
}
