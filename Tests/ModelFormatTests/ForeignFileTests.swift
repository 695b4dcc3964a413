import Glibc
import JSON
import Testing

@testable import ModelFormat

/// Files of other kinds, told by their first bytes, which are those of real files.
@Suite struct ForeignFileTests {
  static let heads: [(hex: String, kind: ForeignFile)] = [
    // Keras 3: .h5, .keras.
    ("894844460d0a1a0a00000000000808000400100000000000", .hdf5),
    (
      "504b030414000000000000002100a9625f5e40000000400000000d0000006d657461646174612e6a736f6e7b",
      .keras
    ),
    // PyTorch 2: torch.save, TorchScript, the old format.
    (
      "504b030400000808000000000000000000000000000000000000190009007461676765725f7374617465646963"
        + "742f646174612e706b6c464205005a5a5a5a5a8002",
      .torchZip
    ),
    (
      "504b03040000080800000000000000000000000000000000000018000a007461676765725f7472616365642e6a"
        + "69742f646174612f30464206005a5a5a5a5a5a",
      .torchZip
    ),
    ("80028a0a6cfc9c46f9206aa850192e80024de9032e8002", .torchPickle),
    ("80038a0a6cfc9c46f9206aa850192e80034de9032e8003", .torchPickle),
    ("8004950d000000000000008a0a6cfc9c46f9206aa850192e", .torchPickle),
    ("80049504000000000000004de9032e", .pickle),
    ("80037d7100285810000000656d62656464696e672e776569676874", .pickle),
    // ONNX, from PyTorch and from TensorFlow.
    ("080612077079746f7263681a03312e363aeea190050a220a05696e707574", .onnx),
    ("080812077466326f6e6e781a0b312e31372e30204e6f6e653a83600a6a0a0c", .onnx),
    ("08011280c0010a1b0a0541646456", .tensorFlowModel),
    ("1c00000054464c33140020001c001800140010000c0000000800", .tensorFlowLite),
    ("47475546030000002400000000000000", .gguf),
    (
      "504b0304140000000000000021009bfba62680740000807400000b000000656e635f656d622e6e7079934e",
      .npz
    ),
    ("934e554d5059010076007b276465736372273a20273c6634", .npy),
    ("504b03041400000000000000210000000000000000000000000005000000612e747874", .zip),
    ("504b0506000000000000000000000000", .zip),
    ("1f8b0800000000000003", .gzip),
    ("425a683931415926535958e4ff5a", .bzip2),
    ("fd377a585a000004e6d6b446", .xz),
    ("28b52ffd2405290000", .zstd),
    // pandas: to_parquet, to_feather, to_excel; scipy.io.savemat.
    ("504152311504152015224c150415001200001f", .parquet),
    ("4152524f57310000ffffffffa8020000", .arrow),
    ("46454131000000000000000000000000", .arrow),
    (
      "504b0304140000000800000021005b430f3c0a01000021020000130000005b436f6e74656e745f54797065735d2e786d"
        + "6c",
      .office
    ),
    ("4d41544c414220352e30204d41542d66696c6520506c6174666f726d3a20706f7369782c00", .matlab),
    ("53514c69746520666f726d6174203300100001010040", .sqlite),
  ]

  private func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex)
    return stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(digits[$0...$0 + 1]), radix: 16)!
    }
  }

  @Test(arguments: heads)
  func isTold(hex: String, kind: ForeignFile) {
    #expect(ForeignFile(bytes(hex).span) == kind)
    expectError(mentioning: ["model.safetensors", "expected a folder"]) {
      throw ModelError.foreignFile(path: "a/model.safetensors", kind)
    }
  }

  @Test(arguments: [
    ("version https://git-lfs.github.com/spec/v1\noid sha256:", ForeignFile.gitLFSPointer),
    ("<!DOCTYPE html><html>", .html), ("<html><body>", .html), ("<?xml version=", .html),
  ])
  func textIsTold(text: String, kind: ForeignFile) {
    #expect(ForeignFile(Array(text.utf8).span) == kind)
  }

  /// No safetensors file, JSON or cut-off head is taken for another kind, and none is read past its end.
  @Test func othersAreNot() throws {
    for text in [
      "", "{}", "{\"format\":\"carousel/1\"}", "PK", "\u{8}", "\u{8}\u{1}", "TFL3",
      "PAR1,PAR2\n1,2",
      "PAR1", "ARROW1;x", "FEA1", "MATLAB 5.0", "BZh,x\n1,2", "date,value\n",
    ] {
      #expect(ForeignFile(Array(text.utf8).span) == nil)
    }
    for count in [1, 8, 100, 0x1208] {
      let header = "{" + String(repeating: " ", count: count) + "}"
      #expect(ForeignFile(tensorBytes(header).span) == nil)
    }
    for (hex, _) in Self.heads {
      for end in 0..<bytes(hex).count { _ = ForeignFile(Array(bytes(hex)[..<end]).span) }
    }
  }

  // MARK: On disk

  /// A folder of its own with those files, gone when `body` ends.
  private func withFolder(
    _ files: [String: [UInt8]], _ body: (String) throws -> Void
  ) throws {
    let folder = "/tmp/foreign-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    try #require(unsafe mkdir(folder, 0o700) == 0)
    defer {
      for name in files.keys { OpenFile.remove("\(folder)/\(name)") }
      unsafe rmdir(folder)
    }
    for (name, bytes) in files { try OpenFile.write(bytes, to: "\(folder)/\(name)") }
    try body(folder)
  }

  private static let description = Array(
    """
    { "format": "carousel/1", "name": "m", "version": "1",
      "inputs": [{ "name": "x", "kind": "features", "size": 1 }],
      "nodes": [{ "name": "y", "op": "tanh", "inputs": ["x"] }], "outputs": [{ "name": "y" }] }
    """.utf8)

  /// In the place of the folder, of its weights, or beside where these should be.
  @Test(arguments: [
    ForeignFile.hdf5, .keras, .torchZip, .torchPickle, .onnx, .npz, .tensorFlowLite,
  ])
  func isNamedWhereverItStands(kind: ForeignFile) throws {
    let head = bytes(Self.heads.first { $0.kind == kind }!.hex)
    func expect(_ path: String, in folder: String, file: String) {
      #expect(throws: ModelError.foreignFile(path: "\(folder)/\(file)", kind)) {
        _ = try Model(folder: path)
      }
    }
    try withFolder(["a.bin": head]) { folder in
      expect("\(folder)/a.bin", in: folder, file: "a.bin")
      expect(folder, in: folder, file: "a.bin")
    }
    try withFolder(["model.json": Self.description, "b.bin": head, "notes": [1]]) { folder in
      expect(folder, in: folder, file: "b.bin")
    }
    try withFolder(["model.json": Self.description, "model.safetensors": head]) { folder in
      expect(folder, in: folder, file: "model.safetensors")
    }
  }

  @Test func whatIsNoModelIsNotTakenForOne() throws {
    try withFolder(["model.json": Self.description, "README": Array("<html>".utf8)]) { folder in
      #expect(throws: ModelError.missingFile("model.safetensors", folder: folder, .none)) {
        _ = try Model(folder: folder)
      }
    }
  }

  // MARK: What is missing

  /// A folder that lacks a file: what stands there instead, and what to do.
  @Test(
    arguments: [
      ([:], "model.json", FolderFinding.none, "FORMAT.md"),
      (["model.safetensors": [1], "b.h5": [0x89]], "model.json", .none, "FORMAT.md"),
      (
        ["config.json": [1], "Model.json": [1]], "model.json", .files(["Model.json"]),
        "under the name model.json"
      ),
      (["model.json": description], "model.safetensors", .none, "save_file"),
      (
        ["model.json": description, "tagger.safetensors": [1], "a.safetensors": [1]],
        "model.safetensors",
        .files(["a.safetensors", "tagger.safetensors"]),
        "\"tagger.safetensors\", expected it under the name"
      ),
    ] as [([String: [UInt8]], String, FolderFinding, String)])
  func missingFiles(files: [String: [UInt8]], name: String, finding: FolderFinding, advice: String)
    throws
  {
    try withFolder(files) { folder in
      let error = ModelError.missingFile(name, folder: folder, finding)
      #expect(throws: error) { _ = try Model(folder: folder) }
      #expect("\(error)".hasPrefix("\(folder) holds no \(name); ") && "\(error)".contains(advice))
    }
  }

  @Test func aFolderOfModelsIsNoModel() throws {
    try withFolder(["x": [1]]) { folder in
      try #require(unsafe mkdir("\(folder)/m", 0o700) == 0)
      defer { unsafe rmdir("\(folder)/m") }
      try OpenFile.write(Self.description, to: "\(folder)/m/model.json")
      defer { OpenFile.remove("\(folder)/m/model.json") }
      let error = ModelError.missingFile("model.json", folder: folder, .models(["m"]))
      #expect(throws: error) { _ = try Model(folder: folder) }
      #expect("\(error)".contains("\"\(folder)/m\", or serve all with --models \(folder)"))
      #expect(throws: ModelError.noFolder(path: "\(folder)/n")) {
        _ = try Model(folder: "\(folder)/n")
      }
    }
  }

  /// The name is there, and what it leads to is not.
  @Test func aLinkThatLeadsNowhereIsNotMissing() throws {
    try withFolder(["x": [1]]) { folder in
      let path = "\(folder)/model.json"
      try #require(unsafe symlink("/nonexistent", path) == 0)
      defer { OpenFile.remove(path) }
      #expect(throws: ModelError.system("open", path: path, code: ENOENT)) {
        _ = try Model(folder: folder)
      }
    }
  }

  @Test func advice() {
    func text(_ kind: ForeignFile, _ path: String) -> String {
      "\(ModelError.foreignFile(path: path, kind))"
    }
    #expect(text(.torchZip, "a/b.pt").contains("torch.load('a/b.pt'"))
    #expect(text(.torchZip, "a'b.pt").contains("torch.load('FILE'"))
    #expect(text(.npz, "b.npz").contains("numpy.load('b.npz')"))
    #expect(text(.keras, "b.keras").contains("From Keras"))
  }

  /// In the place of a question: what it is, what was expected, and what to do.
  @Test(arguments: ForeignFile.allCases)
  func adviceOnQuestions(kind: ForeignFile) {
    let (body, file) = (kind.bodyDescription, kind.questionDescription(of: "a/x.bin"))
    #expect(body.contains("expected") && body.contains(#"{"inputs": "#))
    #expect(file.hasPrefix("a/x.bin is ") && file.contains("expected JSON, .npy or .npz"))
    #expect(!file.contains("model.safetensors") && !body.contains("model.safetensors"))
  }

  @Test(
    arguments: [
      (.npy, "numpy.load('x')"), (.npz, "numpy.load('x')['NAME']"), (.torchZip, "torch.load('x')"),
      (.parquet, "pandas.read_parquet('x')"), (.zip, "unpack it"), (.zstd, "unpack it"),
      (.onnx, "FORMAT.md"), (.gitLFSPointer, "git lfs pull"),
    ] as [(ForeignFile, String)])
  func whatToDoWithQuestions(kind: ForeignFile, advice: String) {
    #expect(kind.questionDescription(of: "x").contains(advice))
    #expect(kind.bodyDescription.contains(advice.replacing("'x'", with: "'FILE'")))
    #expect(kind.questionDescription(of: "x'y").contains(advice.replacing("'x'", with: "'FILE'")))
  }
}
