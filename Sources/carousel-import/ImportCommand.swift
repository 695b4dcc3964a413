import ArgumentParser
import Glibc
import Inference
import ModelFormat
import ModelImport

/// `carousel-import FILE… -o FOLDER`.
@main
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "carousel-import",
    abstract: "Turns a trained model's file into a model folder that carousel serves.",
    discussion: """
      Several files are the parts of one model: encoder, then decoder. Exit status: 0 when the folder is written, \
      1 when the file can't be carried or --check finds a difference (the folder stays), 64 when the command line is wrong.
      """)

  @Argument(help: "The model's file, or its files.")
  var files: [String] = []

  @Option(
    help: ArgumentHelp("The graph of a file that holds weights alone.", valueName: "model.json"))
  var graph: String?

  @Option(
    help: ArgumentHelp(
      "A JSON object from the file's tensor names to the graph's.", valueName: "map.json"))
  var names: String?

  @Option(
    help: ArgumentHelp(
      "A StandardScaler or MinMaxScaler of scikit-learn, as .json or .npz: the input's mean and scale.",
      valueName: "file"))
  var scaler: String?

  @Option(
    help: ArgumentHelp(
      "The texts of the ids: .txt, .json, or the configuration of Keras's TextVectorization or Tokenizer.",
      valueName: "file"))
  var vocabulary: String?

  @Option(
    help: ArgumentHelp("The labels of the answer's elements: .txt or .json.", valueName: "file"))
  var labels: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "An input of an ONNX model that is a constant: a number, or an array.",
      valueName: "input=value"))
  var fixedInputs: [String] = []

  @Option(
    name: .customLong("shape"),
    help: ArgumentHelp(
      "The sizes of the axes of an input, of an ONNX model or of TorchScript, where the file leaves them open; 0 leaves one open.",
      valueName: "input=1,512"))
  var shapes: [String] = []

  @Flag(help: "States that a caller keeps stay inputs and outputs.")
  var keepStates = false

  @Flag(
    help:
      "Compares the folder's answers with its source: on random input, node by node, or with two arrays, --check-input and --check-output."
  )
  var check = false

  @Option(
    help: ArgumentHelp(
      "What to ask the folder; of several inputs, an .npz of arrays by their names.",
      valueName: "input.npy"))
  var checkInput: String?

  @Option(
    name: .customLong("check-output"),
    help: ArgumentHelp(
      "What the framework answers; of several outputs, a file each in their order.",
      valueName: "output.npy"))
  var checkOutputs: [String] = []

  /// For `carousel serve`, which keeps what it imported for as long as nothing that it was made of changes.
  @Flag(help: .hidden)
  var listFiles = false

  @Option(help: "The model's name; left out, it is made from the file's.")
  var name: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The folder to write. A model that is in it is replaced; if its model.json differs, it is kept as model.json.old.",
      valueName: "folder"))
  var output: String?

  mutating func validate() throws {
    let line = "carousel-import model.onnx -o FOLDER"
    guard !files.isEmpty else {
      throw ValidationError("found no file, expected the model's: \(line)")
    }
    guard output != nil else {
      throw ValidationError("found no folder to write, expected -o FOLDER: \(line)")
    }
    guard (checkInput == nil) == checkOutputs.isEmpty else {
      throw ValidationError(
        "found \(checkInput == nil ? "--check-output" : "--check-input") alone, expected what to ask and what the framework answers: "
          + "--check-input input.npy --check-output output.npy")
    }
  }

  func run() throws {
    let read =
      files + [graph, names, scaler, vocabulary, labels, checkInput].compactMap { $0 }
      + checkOutputs + arrays
    let folder = OutputFolder(path: output ?? "", sources: read)
    try folder.checkIsNoFile()
    for file in read { try SourceFile.checkIsReadable(file) }
    let isNew = try folder.make()
    let confinement = Confinement(files: read, output: folder.path)
    switch confinement.split() {
    case .child(let missing):
      for part in missing { print("note: this kernel has no \(part) for a process") }
      try write(to: folder)
    case .exited(status: 0): break
    case .exited(let status):
      if isNew { folder.removeIfEmpty() }
      throw ExitCode(status)
    case .ended(let signal):
      if isNew { folder.removeIfEmpty() }
      throw ImportError(file: files[0], problem: problem(endedBy: signal))
    case .noRoom:
      if isNew { folder.removeIfEmpty() }
      throw ImportError(file: files[0], problem: "the system has no room for another process")
    }
  }

  /// The files that `--set` names.
  private var arrays: [String] {
    fixedInputs.compactMap { text in
      text.lastIndex(of: "=").map { String(text[text.index(after: $0)...]) }
    }.filter { !$0.isEmpty && Double($0) == nil }
  }

  private func write(to folder: OutputFolder) throws(ImportError) {
    var request = ImportRequest(
      files: files, graph: graph, names: names, name: name, scaler: scaler,
      vocabulary: vocabulary, labels: labels)
    request.fixedInputs = fixedInputs
    request.shapes = shapes
    request.keepsStates = keepStates
    var draft = try importedFolder(request)
    if draft.keepsStates, let graph = try? ModelGraph(draft.model()) {
      if !graph.isStreamable {
        draft.noteUnkeptStates()
      } else if graph.carriesSteps, !draft.keepsCaches {
        draft.notes.append(Note.oneSequence)
      }
    }
    let replaced: String?
    do { replaced = try folder.write(draft) } catch { throw ImportError(file: files[0], error) }
    for note in Note.grouped(draft.notes) { print("note: \(note)") }
    if let replaced { print("note: \(replaced)") }
    if listFiles { for file in draft.externalFiles.sorted() { print("read: \(file)") } }
    try compare(draft)
    print("\(folder.path): written; carousel serve \(folder.path) serves it")
    guard fflush(nil) == 0 else {
      throw ImportError(
        file: folder.path,
        problem: "the folder is written, but standard output takes no text: \(errorText(errno))")
    }
  }

  /// Prints the result of `--check`; throws if the folder differs from its source.
  private func compare(_ draft: FolderDraft) throws(ImportError) {
    guard check || checkInput != nil else { return }
    guard draft.description.decoder == nil else {
      throw ImportError(
        file: files[0],
        problem:
          "the folder is written, but a decoder answers the tokens that it chose, of which no check is made",
        remedy:
          "compare the tokens that carousel predict answers with those of the framework's own loop: echo '{\"inputs\": [1, 2, 3]}' | carousel predict FOLDER"
      )
    }
    let outcome: FolderCheck.Outcome
    do {
      let folder = FolderCheck(draft: draft, hasScaler: scaler != nil)
      if let checkInput {
        outcome = try folder.againstArrays(input: checkInput, outputs: checkOutputs)
        let rest = draft.description.outputs.dropFirst(checkOutputs.count).map(\.name)
        if !rest.isEmpty { print("note: no --check-output is for \(rest.joined(separator: ", "))") }
      } else if let reference = draft.reference {
        do { outcome = try folder.againstSource(reference) } catch {
          throw ImportError(
            file: files[0], place: (error as? ImportError)?.place,
            problem: "the file's own graph can't be computed, so that nothing is checked: "
              + ((error as? ImportError)?.problem ?? "\(error)"),
            remedy: FrameworkArrays(file: files[0], draft: draft).remedy)
        }
      } else {
        throw ImportError(
          file: files[0],
          problem:
            "--check computes the graph of one file of ONNX, TorchScript or torch.export, and no other",
          remedy: FrameworkArrays(file: files[0], draft: draft).remedy)
      }
    } catch let error as ImportError {
      throw error
    } catch {
      throw ImportError(file: files[0], problem: "the check can't be made: \(error)")
    }
    switch outcome {
    case .agrees(let difference):
      print("check: the answers are those of the source, within \(difference)")
    case .departs(let value, let source, let difference):
      throw ImportError(
        file: files[0], place: "\"\(source)\"",
        problem:
          "the folder's \"\(value)\" is the first value that departs from the source, by \(difference)"
      )
    }
  }

  /// Why the confined process died.
  private func problem(endedBy signal: Int32) -> String {
    switch signal {
    case SIGXCPU, SIGKILL:
      "reading it took more than \(Confinement.cpuSeconds) s of CPU, or was ended from outside"
    case SIGXFSZ: "the model folder would be larger than the file accounts for"
    default: "the reader died of signal \(signal): the file is damaged, or made to do harm"
    }
  }
}
