import ModelFormat
import NumPyFormat
import TestSupport
import Testing

@testable import ModelImport

@Suite struct ScalerFileTests {
  private func scaler(_ json: String) throws -> ScalerFile {
    try ScalerFile(SourceFile(path: "s.json", bytes: Array(json.utf8)))
  }

  /// Of 5 and 10: a MinMaxScaler fitted on 0 to 20 makes 0.25 and 0.5, one on [-1, 1] the double less 1.
  @Test(arguments: [
    ("{\"mean_\": [1, 2], \"scale_\": [4, 8], \"var_\": [16, 64]}", [1.0, 1.0]),
    ("{\"mean\": [1, 2], \"scale\": [4, 8]}", [1, 1]),
    ("{\"min_\": [0, 0], \"scale_\": [0.05, 0.05], \"data_max_\": [20, 20]}", [0.25, 0.5]),
    ("{\"min_\": [-1, -1], \"scale_\": [0.1, 0.1], \"feature_range\": [-1, 1]}", [-0.5, 0]),
    ("{\"center_\": [3, 2], \"scale_\": [2, 4]}", [1, 2]), ("{\"mean_\": [5, 0]}", [0, 10]),
    ("{\"mean_\": null, \"scale_\": [5, 10], \"mean\": [0, 0], \"with_mean\": false}", [1, 1]),
  ])
  func scales(json: String, expected: [Double]) throws {
    let scaler = try scaler(json)
    let scaled = [5.0, 10].indices.map { ([5.0, 10][$0] - scaler.mean[$0]) / scaler.scale[$0] }
    #expect(zip(scaled, expected).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test(arguments: [
    ("[]", "expected an object"), ("{\"var_\": [1]}", "expected mean_ and scale_"),
    ("{\"mean_\": [1], \"scale_\": [0]}", "found 0"),
    ("{\"min_\": [1, 2], \"scale_\": [1]}", "2 numbers"),
    ("{\"mean_\": [1], \"scale_\": [1, 2]}", "1 means and 2 scales"),
    ("{\"mean_\": [1e300], \"scale_\": [1]}", "mean of feature 0"),
    ("{\"min_\": [0], \"scale_\": [1], \"clip\": true}", "clips"), ("{}", "transform() answers"),
  ])
  func refused(json: String, message: String) throws {
    let error = try #require(throws: ImportError.self) { try scaler(json) }
    #expect(error.description.contains(message), "\(error)")
  }

  /// A pickle is refused with the line that writes what is read.
  @Test func pickle() throws {
    let error = try #require(throws: ImportError.self) {
      try ScalerFile(SourceFile(path: "scaler.pkl", bytes: [0x80, 0x04, 0x95, 0x2E]))
    }
    #expect(error.remedy?.contains("joblib.load('scaler.pkl')") == true)
    // Without it, a scaler that clips would be taken for one that doesn't.
    #expect(error.remedy?.contains("'clip'") == true)
  }

  /// Other files in the place of a scaler's numbers.
  @Test(
    arguments: [
      (
        "s.pkl", Array("\u{4}csklearn.pipeline\nPipeline\n)".utf8), "Pipeline",
        "joblib.load('s.pkl')[0]"
      ),
      (
        "s.pkl", Array("\u{4}csklearn.neural_network\nMLPRegressor\n)".utf8), "MLPRegressor",
        "transform()"
      ),
      ("s.joblib", [0x9C, 0xFF, 0xFE], "bytes that are no text", "joblib.load('s.joblib')"),
      ("s.joblib.gz", [0x8B, 0x08], "gzip", "joblib.load('s.joblib.gz')"),
      ("s.json", nil, "an empty file", "scaler.json"),
    ] as [(String, [UInt8]?, String, String)])
  func otherFiles(name: String, rest: [UInt8]?, found: String, remedy: String) throws {
    let first: UInt8 = name.hasSuffix(".pkl") ? 0x80 : name.hasSuffix(".gz") ? 0x1F : 0x78
    let bytes = rest.map { [first] + $0 } ?? []
    let error = try #require(throws: ImportError.self) {
      try ScalerFile(SourceFile(path: name, bytes: bytes))
    }
    #expect(error.problem.contains(found), "\(error)")
    #expect(error.remedy?.contains(remedy) == true, "\(error)")
  }
}

@Suite struct TextListTests {
  private func texts(_ path: String, _ content: String) throws -> [String?] {
    try TextList(SourceFile(path: path, bytes: Array(content.utf8))).texts
  }

  @Test(
    arguments: [
      ("v.txt", "a\nb\n", ["a", "b"]), ("v.txt", "a\r\nb", ["a", "b"]),
      ("v.txt", "[a\nb\n", ["[a", "b"]),
      ("v.txt", "a\n\nb\n", ["a", "", "b"]), ("v.txt", "b\t1\na\t0\n", ["a", "b"]),
      ("v.txt", "a\t-1.5\nb\t-2.5\n", ["a\t-1.5", "b\t-2.5"]),
      ("v.json", "[\"a\", \"b\"]", ["a", "b"]), ("v.json", "{\"b\": 1, \"a\": 0}", ["a", "b"]),
      ("v.json", "{\"1\": \"b\", \"0\": \"a\"}", ["a", "b"]),
      ("v.json", "{\"a\": 1, \"b\": 3}", [nil, "a", nil, "b"]),
      ("v.json", "{\"x\": 1.5, \"vocab\": {\"a\": 0}}", ["a"]),
      (
        "v.json", "{\"model\": {\"type\": \"WordLevel\", \"vocab\": {\"a\": 0, \"b\": 1}}}",
        ["a", "b"]
      ),
      (
        "v.json",
        "{\"class_name\": \"Tokenizer\", \"config\": {\"num_words\": 9, \"word_index\": \"{\\\"a\\\": 1, \\\"b\\\": 2}\"}}",
        [nil, "a", "b"]
      ),
      (
        "v.json",
        "{\"class_name\": \"TextVectorization\", \"config\": {\"vocabulary\": [\"a\", \"b\"]}}",
        ["", "[UNK]", "a", "b"]
      ),
      (
        "v.json",
        "{\"class_name\": \"TextVectorization\", \"config\": {\"vocabulary\": [\"\", \"[UNK]\", \"a\"]}}",
        ["", "[UNK]", "a"]
      ),
    ] as [(String, String, [String?])])
  func read(path: String, content: String, expected: [String?]) throws {
    #expect(try texts(path, content) == expected)
  }

  /// JSON by another name, but not a list of texts that begins like JSON.
  @Test func jsonByAnotherName() throws {
    #expect(try texts("vocab.txt", "{\"b\": 1, \"a\": 0}") == ["a", "b"])
    #expect(try texts("vocab", "[\"a\", \"b\"]\n") == ["a", "b"])
    #expect(try texts("v.txt", "[PAD]\n[UNK]\n") == ["[PAD]", "[UNK]"])
    #expect(try texts("v.txt", "[\n]\n") == ["[", "]"])
    #expect(try texts("v.txt", "\"\nb\n") == ["\"", "b"])
  }

  /// Files that are no text: their bytes would make a vocabulary of rubbish.
  @Test(
    arguments: [
      (
        "tokenizer.pickle", [0x80, 0x04, 0x95, 0x01], "Python pickle",
        "pickle.load(open('tokenizer.pickle'"
      ),
      (
        "v.npy", Array("\u{93}NUMPY".unicodeScalars.map { UInt8($0.value) }), ".npy",
        "numpy.load('v.npy', allow_pickle=True)"
      ),
      (
        "l.joblib", [0x80] + Array("\u{4}csklearn.preprocessing._label\nLabelEncoder\n)".utf8),
        "LabelEncoder", "joblib.load('l.joblib'); json.dump([str(t) for t in e.classes_]"
      ),
      ("spm.model", [0x0A, 0x0E, 0xFF, 0x00], "no text in UTF-8", "json.dump"),
      ("v.txt", [0x61, 0x00, 0x62], "no text in UTF-8", "json.dump"), ("v.txt", [], "empty", ""),
    ] as [(String, [UInt8], String, String)])
  func noText(path: String, bytes: [UInt8], found: String, remedy: String) throws {
    let error = try #require(throws: ImportError.self) {
      try TextList(SourceFile(path: path, bytes: bytes))
    }
    #expect(error.problem.contains(found) && error.problem.contains("expected"), "\(error)")
    #expect(remedy.isEmpty || error.remedy?.contains(remedy) ?? false, "\(error)")
  }

  @Test(arguments: [
    ("Tokenizer", "\"word_index\": {\"a\": 1}", "Tokenizer"),
    ("Tokenizer", "\"char_level\": true, \"word_index\": {\"a\": 1}", nil),
    (
      "TextVectorization", "\"split\": \"whitespace\", \"vocabulary\": [\"a\"]", "TextVectorization"
    ),
    ("TextVectorization", "\"split\": \"character\", \"vocabulary\": [\"a\"]", nil),
    ("StringLookup", "\"vocabulary\": [\"a\"]", nil),
  ])
  func whatMakesWordsIsKnown(name: String, config: String, splitter: String?) throws {
    let json = "{\"class_name\": \"\(name)\", \"config\": {\(config)}}"
    let list = try TextList(SourceFile(path: "v.json", bytes: Array(json.utf8)))
    #expect(list.wordSplitter == splitter)
  }

  @Test(arguments: [
    "{}", "[1]", "{\"a\": 0, \"b\": 0}", "{\"a\": -1}", "{\"a\": 999999999}", "{\"a\"",
  ])
  func refused(content: String) {
    #expect(throws: ImportError.self) { try texts("v.json", content) }
  }

  /// The texts of an adapted layer are not in its configuration.
  @Test func aConfigurationWithoutTextsIsToldHowToWriteThem() throws {
    let json = "{\"class_name\": \"TextVectorization\", \"config\": {\"vocabulary\": null}}"
    let error = try #require(throws: ImportError.self) { try texts("v.json", json) }
    #expect(error.remedy?.contains("layer.get_vocabulary()") == true, "\(error)")
  }
}

/// What the options add to an imported model.
@Suite struct PreprocessingTests {
  private let folder = TemporaryFolder()

  private func request(_ name: String = "statedict") throws -> ImportRequest {
    try TorchImportTests.request(name)
  }

  @Test func vocabularyAndLabels() throws {
    var request = try request()
    request.vocabulary = try folder.file("{\"a\": 1, \"b\": 2}", ending: "json")
    request.labels = try folder.file("noun\nverb\nother\n", ending: "txt")
    let draft = try importedFolder(request)
    guard case .tokens(11, let vocabulary?) = draft.description.inputs[0].kind else {
      Issue.record("no vocabulary")
      return
    }
    #expect(vocabulary.prefix(4) == ["<0>", "a", "b", "<3>"])
    #expect(
      draft.notes.contains {
        $0.contains("ids 0, 3, 4") && $0.contains("no text in the vocabulary")
      })
    #expect(draft.description.outputs[0].labels == ["noun", "verb", "other"])
    #expect(draft.notes.contains { $0.contains("\"decode\": \"argmax\"") }, "\(draft.notes)")
    _ = try draft.model()
  }

  /// The table of a CTC's labels has none for the blank.
  @Test func labelsWithoutTheFirst() throws {
    var request = try request()
    request.labels = try folder.file("{\"1\": \"verb\", \"2\": \"other\"}", ending: "json")
    let draft = try importedFolder(request)
    #expect(draft.description.outputs[0].labels == ["<0>", "verb", "other"])
    #expect(draft.notes.contains("id 0 has no text in the labels: called <0>"), "\(draft.notes)")
  }

  @Test func scaler() throws {
    var request = try request("weight_norm")
    request.scaler = try folder.file(
      "{\"mean_\": [1, 2, 3], \"scale_\": [4, 5, 6]}", ending: "json")
    let draft = try importedFolder(request)
    #expect(
      draft.description.inputs[0].kind == .features(size: 3, mean: [1, 2, 3], scale: [4, 5, 6]))
  }

  /// An array of one is a scaler of one feature, which may be a mistake; a plain number is meant for all.
  @Test func aScalerOfOneFeatureIsForAll() throws {
    for (json, isTold) in [
      ("{\"mean_\": [1], \"scale_\": [4]}", true), ("{\"mean\": 1, \"scale\": 4}", false),
    ] {
      var request = try request("weight_norm")
      request.scaler = try folder.file(json, ending: "json")
      let draft = try importedFolder(request)
      #expect(
        draft.description.inputs[0].kind == .features(size: 3, mean: [1, 1, 1], scale: [4, 4, 4]))
      let name = draft.description.inputs[0].name
      #expect(
        draft.notes.contains { $0.contains("1 feature and the input \"\(name)\" 3") } == isTold)
    }
  }

  @Test func wordsAreTheClients() throws {
    var request = try request()
    request.vocabulary = try folder.file(
      "{\"class_name\": \"Tokenizer\", \"config\": {\"word_index\": {\"the\": 1, \"cat\": 2}}}",
      ending: "json")
    let draft = try importedFolder(request)
    #expect(draft.notes.contains { $0.contains("send the words' ids") })
  }

  @Test func whatDoesNotFitIsRefused() throws {
    func message(_ change: (inout ImportRequest) -> Void, _ name: String = "statedict") throws
      -> String
    {
      var request = try request(name)
      change(&request)
      return try #require(throws: ImportError.self) { try importedFolder(request) }.description
    }
    let four = try folder.file("a\nb\nc\nd\n", ending: "txt")
    let twelve = try folder.file((0..<12).map { "\($0)" }.joined(separator: "\n"), ending: "txt")
    let scaler = try folder.file("{\"mean_\": [1, 2], \"scale_\": [4, 5]}", ending: "json")
    #expect(try message { $0.labels = four }.contains("fc has 3"))
    #expect(try message { $0.vocabulary = twelve }.contains("at most 11"))
    let noFeatures = try message { $0.scaler = scaler }
    #expect(noFeatures.contains("0 features inputs") && noFeatures.contains("(tokens, 11 ids)"))
    #expect(try message({ $0.scaler = scaler }, "weight_norm").contains("2 features, expected 3"))
  }
}
