import ArgumentParser
import ModelFormat

/// The options of `carousel-import`, which `carousel` passes on.
struct ImportOptions: ParsableArguments {
  @Option(
    name: .customLong("with"),
    help: ArgumentHelp(
      "A further file of the same model, such as the decoder after the encoder.",
      valueName: "file"))
  var others: [String] = []

  @Option(
    help: ArgumentHelp("The graph of a file that holds weights alone.", valueName: "model.json"))
  var graph: String?

  @Option(
    help: ArgumentHelp(
      "A JSON object from the file's tensor names to the graph's.", valueName: "map.json"))
  var names: String?

  @Option(help: ArgumentHelp("The input's mean and scale: .json or .npz.", valueName: "file"))
  var scaler: String?

  @Option(help: ArgumentHelp("The texts of the ids: .txt or .json.", valueName: "file"))
  var vocabulary: String?

  @Option(help: ArgumentHelp("The labels of the answer: .txt or .json.", valueName: "file"))
  var labels: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("An input that is a constant.", valueName: "input=value"))
  var fixedInputs: [String] = []

  @Option(
    name: .customLong("shape"),
    help: ArgumentHelp(
      "The sizes of an input that the file leaves open; 0 leaves one open.",
      valueName: "input=1,512"))
  var shapes: [String] = []

  @Flag(help: "States that a caller keeps stay inputs and outputs.")
  var keepStates = false

  /// The files among the options; the imported model depends on their content.
  var files: [String] {
    let arrays = fixedInputs.compactMap { text in
      text.lastIndex(of: "=").map { String(text[text.index(after: $0)...]) }
    }
    return others + [graph, names, scaler, vocabulary, labels].compactMap { $0 }
      + arrays.filter { !$0.isEmpty && Double($0) == nil }
  }

  /// The options as arguments for the importer, to follow the model file.
  var arguments: [String] {
    var arguments = others
    let named = [
      ("--graph", graph), ("--names", names), ("--scaler", scaler), ("--vocabulary", vocabulary),
      ("--labels", labels),
    ]
    for case (let name, let value?) in named { arguments += [name, value] }
    for text in fixedInputs { arguments += ["--set", text] }
    for text in shapes { arguments += ["--shape", text] }
    return keepStates ? arguments + ["--keep-states"] : arguments
  }

  /// The model folders for the paths on the command line; files among these are imported with these options.
  ///
  /// - Throws: a usage error for options with more or fewer than one file.
  func folders(of paths: [String]) throws -> [String] {
    let files = paths.filter(isFile)
    for file in files {
      let parts = file.split(separator: "/", omittingEmptySubsequences: false)
      let folder = parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
      guard let name = parts.last,
        [Model.descriptionFile, Model.tensorFile].contains(String(name)),
        isModelFolder(folder), graph == nil
      else { continue }
      throw CarouselError.inModelFolder(file: file, folder: folder.isEmpty ? "/" : folder)
    }
    guard arguments.isEmpty || files.count == 1 else {
      throw ValidationError(
        "\(arguments[0]): found \(files.count) files to import, expected one: \(Self.remedy)")
    }
    return try paths.map { path in
      guard files.contains(path) else { return path }
      return try ModelFileImport.here(file: path).folder(of: path, self)
    }
  }

  private static let remedy =
    "import the others by themselves, carousel-import FILE… -o FOLDER, and name their folders"
}
