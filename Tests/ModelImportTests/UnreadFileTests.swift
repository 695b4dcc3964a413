import ModelFormat
import NumPyFormat
import TestSupport
import Testing

@testable import ModelImport

/// Files and folders that a person may give in the place of a model's file: what each is, and what to do instead.
@Suite struct UnreadFileTests {
  static let files: [(name: String, bytes: [UInt8], found: String, remedy: String)] = [
    ("m.onnx", [], "an empty file", "download it again"),
    (
      "m.onnx", Array("version https://git-lfs.github.com/spec/v1\noid sha256:".utf8), "Git LFS",
      "git lfs pull"
    ),
    ("m.onnx", Array("<!DOCTYPE html><html>".utf8), "HTML", "/resolve/"),
    ("m.keras", Array("<html><body>".utf8), "HTML", "/raw/"),
    ("m.tflite", Array("\u{1C}\0\0\0TFL3".utf8), "TensorFlow Lite", "model.save('model.keras')"),
    (
      "saved_model.pb", [0x08, 0x01, 0x12, 0x80, 0xC0, 0x01, 0x0A], "SavedModel",
      "tf2onnx.convert --saved-model"
    ),
    ("frozen.pb", [0x0A, 0x10, 0x0A, 0x01], "TensorFlow 1", "--graphdef frozen.pb"),
    ("m.ckpt.meta", [0x0A, 0x10, 0x0A, 0x01], "TensorFlow 1", "--checkpoint m.ckpt.meta"),
    ("m.ckpt", [0x0A, 0x10, 0xFF, 0x01], "none of PyTorch's", "model.save('model.keras')"),
    ("a/saved_model.pb", [1, 2, 0xFF], "SavedModel", "load_model('a')"),
    ("m.pt", Array("\r\n\n<html lang='en'>".utf8), "HTML", "/resolve/"),
    ("m.pt", Array("Entry not found".utf8), "\"Entry not found\"", "fetch the file again"),
    ("m.pt", Array("{\"error\": \"gone\"}".utf8), "describes no model", "fetch the file again"),
    ("m.xml", Array("<?xml version=\"1.0\"?>\n<net name=\"m\">".utf8), "OpenVINO", ".onnx"),
    ("m.joblib", [0x78, 0x9C, 0xFF, 0], "joblib", "pickle.dump(joblib.load('m.joblib')"),
    ("m.engine", [0xFF, 0x1F, 0x11], "TensorRT", ".onnx"),
    ("m.caffemodel", [0xFF, 0x1F, 0x11], "Caffe", ".onnx"),
    ("m.msgpack", [0x81, 0xA6, 0x70], "Flax", "numpy.savez"),
    (
      "m.safetensors.index.json",
      Array("{\"weight_map\": {\"a\": \"1.st\", \"b\": \"2.st\"}}".utf8),
      "divided into", "'1.st', '2.st'"
    ),
    ("config.json", Array("{\"model_type\": \"bert\"}".utf8), "Hugging Face", "model.safetensors"),
    ("m.gguf", Array("GGUF\u{3}\0\0\0".utf8), "GGUF", ".onnx"),
    ("m.mlmodel", [0x08, 0x04, 0x12, 0x01], "Core ML", ".onnx"),
    ("m.pdmodel", [1, 2, 3], "Paddle", "paddle2onnx"),
    ("m.tar.gz", [0x1F, 0x8B, 8, 0], "gzip", "tar xzf m.tar.gz"),
    ("m.pt.gz", [0x1F, 0x8B, 8, 0], "gzip", "import m.pt"),
    ("m.npy", Array("\u{93}NUMPY".unicodeScalars.map { UInt8($0.value) }), ".npy", "numpy.savez"),
    ("m.ckpt.index", [0, 0, 1], "TensorFlow's checkpoint", "model.save('model.keras')"),
    ("m.ckpt.data-00000-of-00001", [1, 2, 3], "checkpoint", "model.save('model.keras')"),
    ("model.onnx.data", [1, 2, 3], "weights of an ONNX model", ".onnx beside it"),
    ("train.py", Array("import torch".utf8), "Python code", "torch.onnx.export"),
    (
      "model.json", Array("{\"format\": \"carousel/1\", \"inputs\": [], \"nodes\": []}".utf8),
      "the description of a model folder", "carousel serve FOLDER"
    ),
    (
      "model.json", Array("{\"class_name\": \"Sequential\", \"config\": {}}".utf8),
      "Keras's description", "--graph model.json"
    ),
    (
      "model.json", Array(" {\"modelTopology\": {}, \"format\": \"layers-model\"}".utf8),
      "TensorFlow.js", "model.save('model.keras')"
    ),
    ("config.json", Array("{\"hidden_size\": 8}".utf8), "describes no model", ""),
    ("data.csv", Array("a,b\n1,2\n".utf8), "begins \"a,b\"", ""),
    ("data.dat", [0xFF, 0xFE, 0xFD], "an unknown kind", ""),
  ]

  @Test(arguments: files)
  func isTold(name: String, bytes: [UInt8], found: String, remedy: String) throws {
    let error = try #require(throws: ImportError.self) {
      try importedFolder(
        ImportRequest(files: [name]), from: [SourceFile(path: name, bytes: bytes)])
    }
    #expect(error.file == name)
    #expect(error.problem.contains(found), "\(error)")
    #expect(error.problem.contains("expected"), "\(error)")
    #expect(
      remedy.isEmpty ? error.remedy == nil : error.remedy?.contains(remedy) ?? false, "\(error)")
  }

  /// Objects of libraries, of which nothing is read: the class is named, and what saves its network.
  @Test(
    arguments: [
      ("cskorch.regressor\nNeuralNetRegressor\n)\u{81}}S'net'\nI1\nsb.", ").module_ is the module"),
      ("cscikeras.wrappers\nKerasRegressor\n)\u{81}.", ".model_.save('model.keras')"),
      (
        "cbuiltins\ngetattr\n(ckeras.src.models.model\nModel\nS'_unpickle_model'\ntR(NtR.",
        "'rb')).save('model.keras')"
      ),
      (
        "ccopy_reg\n_reconstructor\n(cmadmom.ml.crf\nConditionalRandomField\nNNtR.",
        "where madmom is installed"
      ),
      // A dictionary of a model and a scaler.
      (
        "}(S'model'\ncbuiltins\ngetattr\n(ckeras.src.models.model\nModel\nS'_unpickle_model'\ntR(NtR"
          + "S'scaler'\ncsklearn.preprocessing._data\nStandardScaler\n)\u{81}u.",
        "'rb'))['model'].save('model.keras')"
      ),
      (
        "}(S'net'\ncskorch.net\nNeuralNet\n)\u{81}S'scaler'\ncsklearn.svm\nSVC\n)\u{81}u.",
        "'rb'))['net'].module_ is the module"
      ),
      // An estimator among what the object has is not what was saved.
      ("cnets.all\nNet\n)\u{81}}S'a'\ncsklearn.svm\nSVC\n)\u{81}sb.", "where nets is installed"),
    ])
  func objectsOfOtherLibraries(pickle: String, remedy: String) throws {
    let bytes = [0x80, 2] + pickle.unicodeScalars.map { UInt8($0.value) }
    let error = try #require(throws: ImportError.self) {
      try importedFolder(
        ImportRequest(files: ["m.pkl"]), from: [SourceFile(path: "m.pkl", bytes: bytes)])
    }
    #expect(error.problem.contains("found an object of "), "\(error)")
    #expect(error.remedy?.contains(remedy) == true, "\(error)")
  }

  /// A library that keeps the weights in a file of their own.
  @Test func anObjectWithACheckpointBesideIt() throws {
    let folder = TemporaryFolder()
    let path = "\(folder.path)/m.pt"
    try OpenFile.write([1], to: "\(path).ckpt")
    let bytes =
      [0x80, 2] + "cdarts.models\nRNNModel\n)\u{81}.".unicodeScalars.map { UInt8($0.value) }
    let error = try #require(throws: ImportError.self) {
      try importedFolder(
        ImportRequest(files: [path]), from: [SourceFile(path: path, bytes: bytes)])
    }
    #expect(error.remedy?.contains("carousel-import \(path).ckpt") == true, "\(error)")
  }

  /// Of an archive the largest file is the model, and an optimizer's state is none.
  @Test func theModelInAnArchive() throws {
    let bytes = zipArchive(of: [
      ("variables.pth", [1]), ("policy.pth", [1, 2, 3]), ("policy.optimizer.pth", [1, 2, 3, 4]),
    ])
    let error = try #require(throws: ImportError.self) {
      try importedFolder(
        ImportRequest(files: ["m.zip"]), from: [SourceFile(path: "m.zip", bytes: bytes)])
    }
    #expect(error.remedy?.hasSuffix("perhaps policy.pth") == true, "\(error)")
  }

  /// A second file that is no part of the model, such as a folder whose -o was forgotten.
  @Test func aSecondFileIsToldToo() throws {
    let path = Fixtures.path("onnx_imports/\(ONNXImportTests.cases[0])/model.onnx")
    let model = try SourceFile(path: path)
    let error = try #require(throws: ImportError.self) {
      try importedFolder(
        ImportRequest(files: [path, "labels.txt"]),
        from: [model, SourceFile(path: "labels.txt", bytes: Array("a\nb\n".utf8))])
    }
    #expect(error.file == "labels.txt" && error.problem.contains("begins \"a\""))
  }

  /// Pickles of scikit-learn's, and those of joblib, in which arrays stand between the operations.
  @Test(
    arguments: [
      (
        "sklearn.preprocessing._data\nStandardScaler", "",
        "a pickle of scikit-learn's StandardScaler", "--scaler scaler.json"
      ),
      (
        "sklearn.pipeline\nPipeline", "", "scikit-learn's Pipeline",
        "joblib.load('m.pkl')[0]; json.dump("
      ),
      (
        "sklearn.compose\nColumnTransformer", "", "ColumnTransformer",
        ".transformers_[0][1]; json.dump("
      ),
      ("sklearn.neural_network\nMLPClassifier", "", "MLPClassifier", "no recurrent network"),
      (
        "joblib.numpy_pickle\nNumpyArrayWrapper", "\u{1}\u{2}", "a file of joblib,",
        "pickle.dump(joblib.load('m.pkl')"
      ),
      (
        "sklearn.preprocessing._data\nMinMaxScaler",
        "cjoblib.numpy_pickle\nNumpyArrayWrapper\n\u{1}",
        "a file of joblib of scikit-learn's MinMaxScaler", "--scaler scaler.json"
      ),
    ] as [(String, String, String, String)])
  func picklesOfOtherLibraries(
    class name: String, rest: String, found: String, remedy: String
  ) throws {
    let bytes = [0x80, 2] + Array("c\(name)\n)".utf8) + [0x81] + Array("\(rest).".utf8)
    let error = try #require(throws: ImportError.self) {
      try importedFolder(
        ImportRequest(files: ["m.pkl"]), from: [SourceFile(path: "m.pkl", bytes: bytes)])
    }
    #expect(error.problem.contains(found) && error.problem.contains("expected"), "\(error)")
    #expect(error.remedy?.contains(remedy) == true, "\(error)")
  }

  @Test(
    arguments: [
      (["model.json", "model.safetensors"], "a model folder", "carousel serve"),
      (["saved_model.pb", "fingerprint.pb"], "SavedModel", "--saved-model"),
      (["config.json", "model.onnx"], "a folder", "/model.onnx"), ([], "an empty folder", ""),
      (["a.txt"], "a folder", ""), (["2.ckpt", "1.ckpt"], "a folder of 2 files", "/1.ckpt, "),
      (["config.json", "metadata.json", "model.weights.h5"], "a .keras file", "/config.json -o"),
      (["checkpoint", "m.index", "m.data-00000-of-00001"], "TensorFlow", "model.save("),
    ] as [([String], String, String)])
  func folders(names: [String], found: String, remedy: String) throws {
    let folder = TemporaryFolder()
    for name in names { try OpenFile.write([1], to: "\(folder.path)/\(name)") }
    let error = try #require(throws: ImportError.self) {
      try SourceFile.checkIsReadable(folder.path)
    }
    #expect(error.problem.contains(found), "\(error)")
    #expect(
      remedy.isEmpty ? error.remedy == nil : error.remedy?.contains(remedy) ?? false, "\(error)")
  }

  @Test func aFileThatIsNotThereIsTold() throws {
    let error = try #require(throws: ImportError.self) {
      try SourceFile.checkIsReadable("/nowhere/at/all.onnx")
    }
    #expect(error.description.contains("No such file"))
    try SourceFile.checkIsReadable(Fixtures.path("torch/tagger.safetensors"))
  }

  /// A file is named once, whoever names it.
  @Test func aFileIsNamedOnce() {
    #expect(ImportError(file: "a", problem: "a: wrong").description == "a: wrong")
    #expect(ImportError(file: "a", place: "b", problem: "wrong").description == "a: b: wrong")
    #expect(
      ImportError(file: "a", problem: "wrong", remedy: "mend it").description == "a: wrong; mend it"
    )
  }

  /// Options that a format does not have, and names that no input has.
  @Test func optionsThatWouldDoNothingAreRefused() throws {
    func message(_ file: String, _ change: (inout ImportRequest) -> Void) throws -> String {
      var request = ImportRequest(files: [Fixtures.path(file)])
      change(&request)
      return try #require(throws: ImportError.self) { try importedFolder(request) }.description
    }
    #expect(
      try message("torch/tagger.safetensors") { $0.shapes = ["x=1,2"] }.contains("--shape x=1,2"))
    #expect(try message("keras/embedding.keras") { $0.fixedInputs = ["a=1"] }.contains("--set a=1"))
    #expect(
      try message("keras/embedding.keras") { $0.keepsStates = true }.contains("--keep-states"))
    for file in [
      "onnx_imports/\(ONNXImportTests.cases[0])/model.onnx", "torch_graphs/tagger/traced.pt",
      "torch_graphs/tagger/exported.pt2",
    ] {
      let text = try message(file) { $0.shapes = ["nothing=1,2"] }
      #expect(text.contains("--shape") && text.contains("\"nothing\""), "\(text)")
      #expect(
        text.contains("found --shape for \"nothing\", expected an input of the model: "), "\(text)")
      #expect(!text.contains("another file"), "\(text)")
    }
  }
}
