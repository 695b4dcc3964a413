import FoundationEssentials
import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Models as exporters write them in ONNX, against what ONNX Runtime answers: see Tests/Fixtures/scripts/onnx_imports.py.
@Suite struct ONNXImportTests {
  static let cases = Fixtures.folders("onnx_imports")

  @Test func casesAreThere() { #expect(Self.cases.count >= 60) }

  @Test(arguments: cases)
  func imported(name: String) throws {
    let draft = try importedFolder(
      ImportRequest(files: [Fixtures.path("onnx_imports/\(name)/model.onnx")]))
    try expectFinalAnswers(of: draft, as: "onnx_imports/\(name)/io.json")
  }

  @Test(arguments: ["largest_script", "largest_dynamo"])
  func theLargestElementIsALabel(name: String) throws {
    let draft = try importedFolder(
      ImportRequest(files: [Fixtures.path("onnx_imports/\(name)/model.onnx")]))
    #expect(draft.description.outputs.map(\.name) == ["y"])
    #expect(draft.description.outputs.map(\.decode) == [.argmax])
  }

  /// Of an output that has an answer a step where the reference has one, that is the last.
  private func expectFinalAnswers(of draft: FolderDraft, as cases: String) throws {
    let graph = try ModelGraph(draft.model())
    for (index, expected) in try Fixtures.cases(cases).enumerated() {
      let answers = SoleRider.answer(graph, try expected.sequence(for: graph.model))
      for (output, answer) in zip(graph.model.outputs, answers) {
        let reference = try #require(expected.outputs[output.name])
        try #require(answer.count % reference.values.count == 0, "\(output.name): \(answer.count)")
        for (a, b) in zip(answer.suffix(reference.values.count), reference.values) {
          #expect(abs(a - b) <= 1e-5 * max(1, abs(b)), "\(output.name) of case \(index)")
        }
      }
    }
  }

  /// Each value of the folder against the graph, computed operator by operator in double precision.
  @Test(arguments: cases)
  func valuesAreThoseOfTheGraph(name: String) throws {
    let draft = try importedFolder(
      ImportRequest(files: [Fixtures.path("onnx_imports/\(name)/model.onnx")]))
    let reference = try #require(draft.reference)
    let one = try #require(try Fixtures.cases("onnx_imports/\(name)/io.json").first)
    var numbers: [String: [Float]] = [:]
    var steps = 1
    for input in draft.description.inputs {
      let given = try #require(one.inputs[input.name])
      numbers[input.name] = given.numbers
      if case .vector = input.kind {
      } else {
        steps = given.tokens?.count ?? given.shape?[0] ?? 1
      }
    }
    let values = try reference.values(for: numbers, steps: steps)
    for output in draft.description.outputs {
      let value = try #require(values.last { $0.name == output.name })
      let expected = try #require(one.outputs[output.name]).values
      try #require(value.numbers.count == expected.count)
      for (a, b) in zip(value.numbers, expected) {
        #expect(abs(a - Double(b)) <= 1e-5 * max(1, abs(a)), "\(output.name)")
      }
    }
  }

  /// The windows of an adaptive pool come from the example's length; steps from the end do not.
  @Test(
    arguments: [
      ("adaptive_means_script", 12), ("adaptive_means_dynamo", 12), ("adaptive_largest_script", 12),
      ("adaptive_largest_dynamo", 12), ("both_ends_script", nil), ("both_ends_dynamo", nil),
      ("deviation_dynamo", 7),
      ("last_but_one_script", nil), ("rows_of_positions_script", nil),
    ] as [(String, Int?)])
  func windowsOfTheExample(name: String, steps: Int?) throws {
    let draft = try importedFolder(
      ImportRequest(files: [Fixtures.path("onnx_imports/\(name)/model.onnx")]))
    #expect(draft.description.inputs.map(\.steps) == [steps])
  }

  /// An input that the person fixes, and one whose sizes are given.
  @Test func optionsAreRead() throws {
    var request = ImportRequest(files: [])
    request.fixedInputs = ["sr=16000"]
    request.shapes = ["input=1,512"]
    let options = try GraphTranslation.Options(request)
    #expect(options.fixed["sr"]?.elements == [16000])
    #expect(options.shapes["input"] == [1, 512])
    for wrong in ["input", "input=", "input=a,b", "input=1,-1"] {
      request.shapes = [wrong]
      #expect(throws: ImportError.self) { try GraphTranslation.Options(request) }
    }
  }

  /// States whose layers stand behind the batch are kept like others.
  @Test(arguments: ["turned_states", "chosen_states"])
  func statesWithTheBatchInFront(name: String) throws {
    let file = Fixtures.path("onnx_imports/\(name)_script/model.onnx")
    let draft = try importedFolder(ImportRequest(files: [file]))
    #expect(draft.keepsStates && draft.description.inputs.map(\.name) == ["x"], "\(draft.notes)")
  }

  /// A state that a session can't keep, as the model needs whole sequences, is said not to be kept.
  @Test func statesThatAreNotKeptAreNamed() throws {
    let file = Fixtures.path("onnx_imports/streaming_script/model.onnx")
    var draft = try importedFolder(ImportRequest(files: [file]))
    #expect(draft.keepsStates)
    #expect(draft.notes.count { $0.contains("kept from then on") } == 2, "\(draft.notes)")
    draft.noteUnkeptStates()
    #expect(!draft.keepsStates)
    #expect(!draft.notes.contains { $0.contains("kept from then on") })
    #expect(draft.notes.count { $0.contains("--keep-states to give it") } == 2, "\(draft.notes)")
    #expect(draft.notes.count { $0.contains("--keep-states to have it") } == 2, "\(draft.notes)")
  }

  /// An ONNX model has a graph, and names of its weights.
  @Test func optionsOfWeightsAreRefused() throws {
    var request = ImportRequest(files: [
      Fixtures.path("onnx_imports/streaming_script/model.onnx")
    ])
    request.graph = "model.json"
    var error = try #require(throws: ImportError.self) { try importedFolder(request) }
    #expect(error.problem.contains("--graph model.json"), "\(error)")
    (request.graph, request.names) = (nil, "names.json")
    error = try #require(throws: ImportError.self) { try importedFolder(request) }
    #expect(error.problem.contains("--names names.json"), "\(error)")
  }

  /// What tf2onnx makes of a layer may not be recognised, where the layer in Keras's own file is.
  @Test func refusalsOfFilesOfTf2onnxNameKerasOwn() throws {
    var bytes = Array(
      try Data(
        contentsOf: URL(filePath: Fixtures.path("onnx_imports/keras_mask_lstm/model.onnx"))))
    let (loop, other) = (Array("Loop".utf8), Array("Loup".utf8))
    for place in bytes.indices.dropLast(3) where Array(bytes[place..<(place + 4)]) == loop {
      bytes.replaceSubrange(place..<(place + 4), with: other)
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).onnx")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(bytes).write(to: file)
    let request = ImportRequest(files: [file.path(percentEncoded: false)])
    let error = try #require(throws: ImportError.self) { try importedFolder(request) }
    #expect(error.problem.contains("Loup"), "\(error)")
    #expect(error.remedy?.contains("import the .keras file itself") == true, "\(error)")
  }

  /// An input of which the file says no shape has that of --shape.
  @Test func shapesThatTheFileDoesNotTell() throws {
    let path = Fixtures.path("onnx_imports/last_step_script/model.onnx")
    let bytes = Array(try Data(contentsOf: URL(filePath: path)))
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).onnx")
    defer { try? FileManager.default.removeItem(at: file) }
    // The field of the shape is made one that nobody reads, in the type of the input: TypeProto.Tensor {elem_type: 1, shape}.
    let known: [UInt8] = [0x08, 0x01, 0x12]
    let place = try #require(
      bytes.indices.dropLast(3).last { start in
        Array(bytes[start..<(start + 3)]) == known
          && bytes[..<start].suffix(8).contains(UInt8(ascii: "x"))
      })
    var changed = bytes
    changed[place + 2] = 0x1A
    try Data(changed).write(to: file)
    var request = ImportRequest(files: [file.path(percentEncoded: false)])
    let error = try #require(throws: ImportError.self) { try importedFolder(request) }
    #expect(error.place == "input \"x\"" && error.problem.contains("no shape"), "\(error)")
    #expect(error.remedy?.contains("--shape x=0,0,4") == true, "\(error)")
    request.shapes = ["x=0,0,4"]
    let draft = try importedFolder(request)
    #expect(draft.description.inputs.map(\.kind) == [.features(size: 4, mean: nil, scale: nil)])
  }

  /// States that a caller keeps stay inputs and outputs where that is asked for.
  @Test func statesMayStay() throws {
    let file = Fixtures.path("onnx_imports/streaming_script/model.onnx")
    var request = ImportRequest(files: [file])
    #expect(try importedFolder(request).description.inputs.map(\.name) == ["x"])
    request.keepsStates = true
    let draft = try importedFolder(request)
    #expect(draft.description.inputs.map(\.name) == ["x", "h", "c"])
    #expect(draft.description.outputs.count == 3)
    #expect(beginnings(of: draft) == [.request, .request])
  }

  /// A network begins with a state that its caller keeps in each request; with another vector in a sequence's first.
  @Test(arguments: ["script", "dynamo"])
  func statesThatAreComputedWithStay(exporter: String) throws {
    func draft(_ name: String) throws -> FolderDraft {
      let file = Fixtures.path("onnx_imports/\(name)_\(exporter)/model.onnx")
      return try importedFolder(ImportRequest(files: [file]))
    }
    let decayed = try draft("decayed_state")
    #expect(beginnings(of: decayed) == [.request])
    #expect(
      decayed.notes.contains {
        $0.contains("\"h\" stays with the caller") && $0.contains("\"next\"")
      },
      "\(decayed.notes)")
    // Of which one is answered as it is.
    let half = try draft("half_decayed")
    #expect(beginnings(of: half) == [.request])
    #expect(half.description.inputs.map(\.name) == ["x", "h", "c"])
    #expect(half.description.outputs.count == 3)
    for (state, answer) in [("h", "next"), ("c", "cell")] {
      #expect(
        half.notes.contains {
          $0.hasPrefix("the state \"\(state)\"") && $0.hasSuffix("answered as \"\(answer)\"")
        }, "\(half.notes)")
    }
    let conditioned = try draft("conditioned")
    #expect(beginnings(of: conditioned) == [nil])
    #expect(!conditioned.notes.contains { $0.contains("caller") }, "\(conditioned.notes)")
  }

  /// Caches of convolutions are kept as states are.
  @Test(arguments: ["script", "dynamo"]) func cachesAreKept(exporter: String) throws {
    let file = Fixtures.path("onnx_imports/cached_\(exporter)/model.onnx")
    var request = ImportRequest(files: [file])
    let draft = try importedFolder(request)
    #expect(draft.description.inputs.map(\.name) == ["x"])
    #expect(draft.notes.count { $0.hasSuffix(Note.keptInput) } == 3, "\(draft.notes)")
    #expect(try ModelGraph(draft.model()).isStreamable)
    request.keepsStates = true
    // The channels of a cache lie where a sequence has its steps.
    #expect(throws: ImportError.self) { try importedFolder(request) }
  }

  private func beginnings(of draft: FolderDraft) -> [NetworkBeginning?] {
    draft.description.nodes.compactMap { $0.op.definition as? any RecurrentOp }.map(\.begins)
  }
}
