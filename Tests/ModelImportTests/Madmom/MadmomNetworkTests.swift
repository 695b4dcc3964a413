import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Networks as madmom pickles them: see Tests/Fixtures/scripts/madmom_networks.py.
@Suite struct MadmomNetworkTests {
  private func request(_ name: String) -> ImportRequest {
    let files = Fixtures.folders("madmom/\(name)").filter { $0.hasSuffix(".pkl") }
    return ImportRequest(files: files.map { Fixtures.path("madmom/\(name)/\($0)") })
  }

  @Test(arguments: ["blstm", "lstm", "bgru", "rnn", "ensemble"])
  func imported(name: String) throws {
    let draft = try importedFolder(request(name))
    try expectAnswers(of: draft, as: "madmom/\(name)/io.json")
    #expect(draft.notes.contains { $0.contains("the mean") } == (name == "ensemble"))
  }

  @Test(
    arguments: [
      ("convolution", "layers[0]", "ConvolutionalLayer"),
      ("softmax", "layers[0].activation_fn", "found softmax"),
      ("gates", "layers[0].activation_fn", "found sigmoid and relu"),
      ("peephole", "layers[0].output_gate.peephole_weights", "found [3]"),
      ("width", "layers[1]", "found weights for 5 elements, expected 4"),
    ])
  func refused(name: String, place: String, problem: String) throws {
    let path = Fixtures.path("madmom/refused/\(name).pkl")
    let error = try #require(throws: ImportError.self) {
      try importedFolder(ImportRequest(files: [path]))
    }
    #expect(error.file == path && error.place == place && error.problem.contains(problem))
  }

  /// Networks of one ensemble read and answer as many numbers, and other files are none.
  @Test(
    arguments: [
      ("madmom/refused/softmax.pkl", "found softmax"),
      ("madmom/lstm/network_1.pkl", "answers 1 numbers a step, expected 2"),
      ("torch_imports/gru/weights.pt", "another file beside a network of madmom"),
    ])
  func anEnsembleIsOfNetworksAlike(file: String, problem: String) throws {
    var request = request("ensemble")
    request.files.append(Fixtures.path(file))
    let error = try #require(throws: ImportError.self) { try importedFolder(request) }
    #expect(error.file == request.files[2], "\(error)")
    #expect(error.problem.contains(problem), "\(error)")
  }

  /// A file that is cut off is told as such.
  @Test func aFileThatIsCutOff() throws {
    let bytes = try SourceFile(path: Fixtures.path("madmom/lstm/network_1.pkl")).bytes
    let file = SourceFile(path: "n.pkl", bytes: Array(bytes.prefix(bytes.count / 2)))
    let error = try #require(throws: ImportError.self) {
      try importedFolder(ImportRequest(files: ["n.pkl"]), from: [file])
    }
    #expect(error.remedy?.contains("cut off") == true, "\(error)")
  }
}
