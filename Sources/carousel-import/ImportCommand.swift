import ArgumentParser
import Glibc
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
      1 when the file can't be carried, 64 when the command line is wrong.
      """)

  @Argument(help: "The model's file, or its files.")
  var files: [String]

  @Option(
    help: ArgumentHelp("The graph of a file that holds weights alone.", valueName: "model.json"))
  var graph: String?

  @Option(
    help: ArgumentHelp(
      "A JSON object from the file's tensor names to the graph's.", valueName: "map.json"))
  var names: String?

  @Option(help: "The model's name; left out, it is made from the file's.")
  var name: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to write.", valueName: "folder"))
  var output: String

  func run() throws {
    let draft = try importedFolder(
      ImportRequest(files: files, graph: graph, names: names, name: name))
    // SAFETY: the path is a zero-terminated string for the length of the call.
    guard unsafe mkdir(output, 0o755) == 0 || errno == EEXIST else {
      throw ImportError(file: output, problem: "the folder can't be made")
    }
    do { try draft.write(to: output) } catch { throw ImportError(file: files[0], error) }
    for note in draft.notes { print("note: \(note)") }
    print("\(output): written; carousel serve \(output) serves it")
  }
}
