import FoundationEssentials
import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Weights in every form that they are saved in, against what PyTorch answers with them: see
/// Tests/Fixtures/scripts/torch_imports.py.
@Suite struct TorchImportTests {
  static let cases: [String] = Fixtures.folders("torch_imports")

  private let folder = TemporaryFolder()

  @Test func casesAreThere() { #expect(Self.cases.count >= 40) }

  @Test(arguments: cases)
  func imported(name: String) throws {
    let draft = try importedFolder(Self.request(name))
    try expectAnswers(of: draft, as: "torch_imports/\(name)/io.json")
  }

  /// The request for a folder's file, with what lies beside it.
  static func request(_ name: String) throws -> ImportRequest {
    let folder = Fixtures.path("torch_imports/\(name)")
    let files = Fixtures.folders("torch_imports/\(name)")
    let weights = try #require(files.first { $0.hasPrefix("weights.") })
    func path(_ file: String) -> String? { files.contains(file) ? "\(folder)/\(file)" : nil }
    return ImportRequest(
      files: ["\(folder)/\(weights)"], graph: path("graph.json"), names: path("names.json"))
  }

  /// The files that the graph of a whole folder needs: those under Tests/Fixtures/torch.
  @Test(
    arguments: [
      ("tagger.safetensors", "output.npy", 1e-5), ("tagger_f16.safetensors", "output.npy", 1e-3),
      ("tagger_bf16.safetensors", "output.npy", 1e-2),
      ("proj.safetensors", "proj_output.npy", 1e-5),
    ] as [(String, String, Float)])
  func exported(file: String, output: String, tolerance: Float) throws {
    let draft = try importedFolder(ImportRequest(files: [Fixtures.path("torch/\(file)")]))
    let graph = try ModelGraph(draft.model())
    let input = try array("torch/input.npy")
    let expected = try array("torch/\(output)")
    let steps = input.shape[1]
    for row in 0..<input.shape[0] {
      let ids = input.floats[row * steps..<(row + 1) * steps].map { Int32($0) }
      let sequence = try InputSequence([.tokens(ids)], for: graph.model)
      let found = SoleRider.answer(graph, sequence)[0]
      let size = found.count
      let answer = expected.floats[row * size..<(row + 1) * size]
      #expect(zip(found, answer).allSatisfy { abs($0 - $1) <= tolerance })
    }
  }

  private func array(_ name: String) throws -> (shape: [Int], floats: [Float]) {
    let file = try SourceFile(path: Fixtures.path(name))
    let array = try NPYArray(file)
    return (array.shape, array.floats)
  }

  /// A guess says that it is one, and what to look at; a graph that is given is taken as it is.
  @Test func aGuessIsMarked() throws {
    let guess = try importedFolder(Self.request("statedict"))
    #expect(guess.description.summary?.hasPrefix("Guessed") == true)
    #expect(guess.notes.contains { $0.contains("guess") && $0.contains("--graph") })
    let given = try importedFolder(Self.request("rnn_graph"))
    #expect(given.description.summary == nil)
    #expect(!given.notes.contains { $0.contains("guess") })
  }

  @Test func whatACheckpointHoldsBesideIsNamed() throws {
    let draft = try importedFolder(Self.request("checkpoint"))
    #expect(draft.notes.contains { $0.hasPrefix("passed over: ") && $0.contains("ema") })
    #expect(!draft.hasTensor("ema.model.fc.weight"))
    let tuple = try importedFolder(Self.request("beside_optimizer"))
    #expect(tuple.notes.contains("passed over: [1], [2]"), "\(tuple.notes)")
  }

  /// A vocabulary and labels beside the weights are taken, and a random field decodes.
  @Test func whatACheckpointTellsBeside() throws {
    let draft = try importedFolder(Self.request("crf"))
    let letters = (0..<11).map { String(Unicode.Scalar(UInt8(97 + $0))) }
    #expect(draft.description.inputs[0].kind == .tokens(size: 11, vocabulary: letters))
    #expect(draft.description.outputs[0].labels == ["P", "S", "X"])
    #expect(draft.description.outputs[0].decode?.name == "crf")
    #expect(draft.hasTensor("crf.transitions") && draft.hasTensor("crf.end_transitions"))
  }

  /// With a graph its weights are read, without one it is refused with the lines that save it otherwise.
  @Test(arguments: ["whole_module", "legacy_module"])
  func aWholeModuleGivesItsWeightsToAGraph(name: String) throws {
    var request = try Self.request(name)
    let draft = try importedFolder(request)
    #expect(draft.notes.contains { $0.contains("__main__.Tagger") && $0.contains("state_dict()") })
    request.graph = nil
    let error = try #require(throws: ImportError.self) { try importedFolder(request) }
    #expect(error.problem.contains("__main__.Tagger"))
    #expect(error.remedy?.contains("torch.onnx.export(model.eval()") == true)
    #expect(error.remedy?.contains("torch.save(model.state_dict()") == true)
  }

  /// An object that has a module: with a graph its weights are read, without one the lines begin with what leads to it.
  @Test(
    arguments: [
      ("learner", "torch.load('", ", weights_only=False).model is"),
      ("learner_pickle", "pickle.load(open('", "', 'rb')).model is"),
    ])
  func anObjectWithAModuleGivesItsWeightsToAGraph(name: String, load: String, step: String) throws {
    var request = try Self.request(name)
    request.graph = nil
    let error = try #require(throws: ImportError.self) { try importedFolder(request) }
    #expect(error.problem.contains("__main__.Learner") && error.problem.contains(" .model,"))
    #expect(error.remedy?.contains("m = \(load)") == true, "\(error)")
    #expect(error.remedy?.contains(step) == true, "\(error)")
  }

  /// What wraps modules stands anywhere in the names of their weights.
  @Test(arguments: [
    "_orig_mod.lstm.weight_ih_l0", "module._orig_mod.lstm.weight_ih_l0",
    "_fsdp_wrapped_module.lstm._fsdp_wrapped_module.weight_ih_l0",
    "lstm._checkpoint_wrapped_module.weight_ih_l0",
  ])
  func wrappersAreTakenOff(name: String) {
    var table = WeightTable(file: "m.pt")
    table.weights = [.init(name: name, shape: [1, 1], floats: [1])]
    TorchNames.unwrap(&table)
    #expect(table.names == ["lstm.weight_ih_l0"])
  }

  /// AveragedModel has a count beside the module, whose names lose their prefix all the same.
  @Test func averagedWeightsAreTheModules() {
    var table = WeightTable(file: "m.pt")
    table.weights = [
      .init(name: "n_averaged", shape: [], floats: [3], isWhole: true),
      .init(name: "module.fc.weight", shape: [1, 1], floats: [1]),
    ]
    TorchNames.unwrap(&table)
    #expect(table.names == ["fc.weight"])
    #expect(table.notes.contains { $0.contains("n_averaged") })
  }

  /// The weights of an AWD-LSTM in both forms, and its embedding, which is there twice.
  @Test(arguments: ["0.rnns.0.", "0.rnns.0.module."])
  func droppedWeightsAreReadWhole(owner: String) {
    var table = WeightTable(file: "m.pth")
    for (name, value) in [
      ("0.encoder.weight", 1), ("0.encoder_dp.emb.weight", 1), ("\(owner)weight_hh_l0_raw", 2),
      ("0.rnns.0.module.weight_ih_l0", 3), ("0.rnns.0.module.weight_hh_l0", 4),
    ] as [(String, Float)] {
      table.weights.append(.init(name: name, shape: [1, 1], floats: [value]))
    }
    TorchNames.readDroppedWeights(&table)
    let prefix = owner.hasSuffix("module.") ? owner : "0.rnns.0."
    #expect(
      table.names == ["0.encoder.weight", "\(prefix)weight_hh_l0", "\(prefix)weight_ih_l0"])
    #expect(table["\(prefix)weight_hh_l0"]?.floats == [2])
    #expect(table.notes.count == 1)
  }

  @Test func tensorsAreCheckedAgainstTheGraph() throws {
    var request = try Self.request("gru")
    request.graph = try Self.request("rnn_graph").graph
    let error = try #require(throws: ImportError.self) { try importedFolder(request) }
    #expect(error.description.contains("rnn.weight_hh_l0") && error.description.contains("GRU"))
    #expect(error.description.contains("graph.json"))
    request.names = try folder.file("{\"fc.weight\": \"head.weight\", \"rnn.*\": \"other.*\"}")
    let missing = try #require(throws: ImportError.self) { try importedFolder(request) }
    #expect(missing.description.contains("rnn.weight_ih_l0"))
    #expect(missing.description.contains("other.weight_ih_l0"))
  }

  @Test(arguments: [
    ("{\"nothing\": \"x\"}", "nothing"), ("[]", "expected an object"),
    ("{\"fc.bias\": 1}", "fc.bias"),
    ("{\"fc.bias\": \"fc.weight\"}", "two tensors"), ("{\"fc.*\": \"fc\"}", "two tensors"),
    ("{\"fc.bias\": \"a*\"}", "at most one"), ("{", "line 1"),
  ])
  func namesAreChecked(map: String, message: String) throws {
    var request = try Self.request("gru")
    request.names = try folder.file(map)
    let error = try #require(throws: ImportError.self) { try importedFolder(request) }
    #expect(error.description.contains(message), "\(error)")
  }
}

/// Expects that what an imported folder answers is what the framework did.
func expectAnswers(of draft: FolderDraft, as cases: String, tolerance: Float = 1e-5) throws {
  let graph = try ModelGraph(draft.model())
  let cases = try Fixtures.cases(cases)
  try #require(!cases.isEmpty)
  for (index, expected) in cases.enumerated() {
    let found = SoleRider.answer(graph, try expected.sequence(for: graph.model))
    for (output, found) in zip(graph.model.outputs, found) {
      let reference = try #require(expected.outputs[output.name])
      try #require(found.count == reference.values.count)
      for (a, b) in zip(found, reference.values) {
        #expect(abs(a - b) <= tolerance * max(1, abs(b)), "\(output.name) of case \(index)")
      }
    }
  }
}

/// One sequence in an otherwise empty graph.
enum SoleRider {
  /// The answer's floats for each output.
  static func answer(_ graph: ModelGraph, _ sequence: InputSequence) -> [[Float]] {
    var states = SeatStates(graph: graph)
    var workspace = Workspace(graph: graph)
    let rider = TurnRider(
      input: sequence, steps: 0..<sequence.stepCount, position: 0, finishes: true,
      selection: graph.supports(.all) ? .all : graph.defaultSelection, seat: 0)
    graph.forward([rider], states: &states, workspace: &workspace, crew: nil)
    return graph.model.outputs.indices.map { Array(workspace.values(ofOutput: $0, rider: 0)) }
  }
}
