import ArgumentParser
import Glibc
import ModelFormat
import Testing

@testable import carousel

/// The cache, with shell scripts in the place of the program that imports.
@Suite struct ModelFileImportTests {
  /// A script that writes a folder, as the program does, and counts its runs in a file beside it.
  private static let works = """
    #!/bin/sh
    /bin/mkdir "$3" && echo '{}' > "$3/model.json" && echo x > "$3/model.safetensors"
    echo run >> "$0.runs"
    echo 'note: confirm the order of the inputs'
    """

  private func importing(with script: String, in folder: String) throws -> ModelFileImport {
    let program = "\(folder)/importer"
    try install(script, as: program)
    try OpenFile.write(Array("model".utf8), to: "\(folder)/my.model.onnx")
    return ModelFileImport(importer: program, cache: "\(folder)/a/b")
  }

  /// Writes a program by another process: a test that starts a process at the same time would hand its open file on, and
  /// a file that somebody writes can't be run.
  private func install(_ script: String, as program: String) throws {
    try OpenFile.write(Array(script.utf8), to: "\(program).sh")
    let arguments = ["-m", "755", "\(program).sh", program]
    let result = try ChildProcess.run("/usr/bin/install", arguments, timeout: .seconds(600))
    #expect(result.ending == .exited(0), "\(result.output)")
  }

  private func runs(in folder: String) throws -> Int {
    try OpenFile(path: "\(folder)/importer.runs").read().filter { $0 == UInt8(ascii: "\n") }.count
  }

  @Test func theSameFileIsImportedOnce() throws {
    let tree = try FileTree([:])
    let folder = tree.path
    let files = try importing(with: Self.works, in: folder)
    let path = "\(folder)/my.model.onnx"
    let first = try files.folder(of: path)
    #expect(first.hasPrefix("\(folder)/a/b/my-"))
    #expect(isModelFolder(first))
    #expect(try files.folder(of: path) == first)
    #expect(try runs(in: folder) == 1)
    // Another content, another importer.
    try OpenFile.write(Array("other".utf8), to: path)
    let second = try files.folder(of: path)
    #expect(second != first)
    _ = try importing(with: Self.works + "\n", in: folder)
    let third = try files.folder(of: path)
    #expect(third != first && third != second)
    #expect(try runs(in: folder) == 3)
  }

  /// What the importer noted is told each time, also of a folder that the cache has.
  @Test func notesAreKept() throws {
    let tree = try FileTree([:])
    let files = try importing(
      with: Self.works + "\necho 'note: the graph is a guess'; echo more", in: tree.path)
    for _ in 0..<2 {
      let (folder, notes) = try files.imported("\(tree.path)/my.model.onnx")
      #expect(isModelFolder(folder))
      #expect(notes == ["confirm the order of the inputs", "the graph is a guess"])
    }
    #expect(try runs(in: tree.path) == 1)
  }

  /// A folder is made anew where the weights beside the model's file changed, or are gone.
  @Test func filesBesideTheModel() throws {
    let tree = try FileTree(["my model.data": "weights", "other": "the same"])
    let folder = tree.path
    let files = try importing(
      with: Self.works + "\necho 'read: \(folder)/my model.data'; echo 'read: \(folder)/other'",
      in: folder)
    let path = "\(folder)/my.model.onnx"
    let first = try files.folder(of: path)
    #expect(try files.folder(of: path) == first)
    #expect(try runs(in: folder) == 1)
    try OpenFile.write(Array("Weights".utf8), to: "\(folder)/my model.data")
    #expect(try files.folder(of: path) == first)
    #expect(isModelFolder(first))
    #expect(try runs(in: folder) == 2)
    _ = try files.folder(of: path)
    #expect(try runs(in: folder) == 2)
  }

  /// A folder in the cache has the file's name in its own, for people.
  @Test func foldersHaveTheFilesNames() throws {
    let tree = try FileTree(["model2_b.pt": "x"])
    let files = try importing(with: Self.works, in: tree.path)
    let (folder, _) = try files.imported("\(tree.path)/model2_b.pt")
    #expect(folder.hasPrefix("\(tree.path)/a/b/model2-b-"))
  }

  @Test(arguments: [
    (
      "/bin/mkdir \"$3\"; echo 'Error: X: layer 3 has no place' >&2; exit 1",
      "X: layer 3 has no place"
    ),
    ("exit 7", "it ended with status 7"),
    ("kill -SEGV $$", "the program died of signal 11"),
  ])
  func whatFailsLeavesNothing(script: String, reason: String) throws {
    let tree = try FileTree([:])
    let folder = tree.path
    let files = try importing(with: "#!/bin/sh\n" + script, in: folder)
    let path = "\(folder)/my.model.onnx"
    #expect(throws: CarouselError.notImported(path: path, reason: reason)) {
      try files.folder(of: path)
    }
    #expect(try modelFolders(in: "\(folder)/a/b").isEmpty)
    #expect(rmdir("\(folder)/a/b") == 0, "the cache has something left in it")
  }

  /// Also one that has closed its output.
  @Test(arguments: ["", ">&- 2>&-"]) func whatNeverEndsIsEnded(output: String) throws {
    let tree = try FileTree([:])
    let folder = tree.path
    var files = try importing(with: "#!/bin/sh\nexec /bin/sleep 1000 \(output)", in: folder)
    files.timeout = .milliseconds(50)
    let path = "\(folder)/my.model.onnx"
    #expect(throws: CarouselError.notImported(path: path, reason: "it took too long")) {
      try files.folder(of: path)
    }
  }

  @Test func outputIsBounded() throws {
    let tree = try FileTree([:])
    let folder = tree.path
    let script = "#!/bin/sh\n/usr/bin/head -c 1000000 /dev/zero; exit 3"
    try install(script, as: "\(folder)/p")
    let result = try ChildProcess.run("\(folder)/p", [], timeout: .seconds(600))
    #expect(result.ending == .exited(3))
    #expect(result.output.utf8.count == ChildProcess.maxOutputBytes)
  }

  @Test func aProgramThatIsNotThereIsTold() {
    #expect(throws: ChildProcess.SpawnError.self) {
      try ChildProcess.run("/nowhere/at/all", [], timeout: .seconds(600))
    }
  }

  /// Options go to the importer and into the key, with what is in their files.
  @Test func optionsAreTheImporters() throws {
    let tree = try FileTree([:])
    let folder = tree.path
    let files = try importing(
      with: Self.works + "\nshift 4; echo \"$@\" > \"$0.given\"", in: folder)
    let path = "\(folder)/my.model.onnx"
    try OpenFile.write(Array("one".utf8), to: "\(folder)/v.txt")
    let given = [
      "--shape", "x=0,5", "--set", "sr=16000", "--vocabulary", "\(folder)/v.txt", "--keep-states",
      "--with", "\(folder)/v.txt",
    ]
    let options = try ImportOptions.parse(given)
    let first = try files.folder(of: path, options)
    let told = String(
      decoding: try OpenFile(path: "\(folder)/importer.given").read(), as: UTF8.self)
    #expect(
      told
        == "\(folder)/v.txt --vocabulary \(folder)/v.txt --set sr=16000 --shape x=0,5 --keep-states\n"
    )
    #expect(try files.folder(of: path, options) == first)
    #expect(try files.folder(of: path, ImportOptions.parse(["--shape", "x=0,6"])) != first)
    #expect(try files.folder(of: path) != first)
    try OpenFile.write(Array("two".utf8), to: "\(folder)/v.txt")
    #expect(try files.folder(of: path, options) != first)
  }

  @Test func optionsAreForOneFile() throws {
    let tree = try FileTree(["a.onnx": "a", "b.onnx": "b"])
    let options = try ImportOptions.parse(["--shape", "x=0,5"])
    for paths in [["/usr"], [], ["\(tree.path)/a.onnx", "\(tree.path)/b.onnx"]] {
      #expect(throws: ValidationError.self) { try options.folders(of: paths) }
    }
    #expect(try ImportOptions.parse([]).folders(of: ["/usr"]) == ["/usr"])
  }

  /// A file inside a model folder, where the folder is meant; weights with a graph of their own are imported.
  @Test(arguments: ["model.json", "model.safetensors"])
  func aFileOfAFolderIsTold(name: String) throws {
    let tree = try FileTree(["m/model.json": "{}", "m/model.safetensors": "x"])
    let path = "\(tree.path)/m/\(name)"
    let error = CarouselError.inModelFolder(file: path, folder: "\(tree.path)/m")
    #expect(throws: error) { try ImportOptions.parse([]).folders(of: [path]) }
    #expect(error.description.hasSuffix("expected the folder: \(tree.path)/m"))
  }

  @Test func aFolderIsItself() throws {
    let none = try ImportOptions.parse([])
    #expect(try none.folders(of: ["/nowhere/at/all", "/usr"]) == ["/nowhere/at/all", "/usr"])
  }
}
