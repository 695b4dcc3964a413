import ArgumentParser
import Inference
import ModelFormat

/// `carousel inspect FOLDER`.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Says what a model folder holds: inputs, graph, sizes, outputs, licence.",
    discussion: """
      Of a model whose weights are not kept as f32, it also measures how far the answers are from those \
      in f32: on the input given, else on the model's example and on random numbers that fit its inputs. \
      Data of your own tells more than random numbers do.
      """)

  @Argument(help: "A model folder (model.json and model.safetensors), or a file that is imported.")
  var folder: String

  @Option(help: .precision)
  var precision: Precision?

  @Option(
    help: ArgumentHelp(
      "What to measure differences from f32 on: JSON, .npy or .npz, as for predict; - is standard input.",
      valueName: "file"))
  var input: String?

  @Flag(help: "Print JSON instead of text.")
  var json = false

  @OptionGroup(title: "Of a file that is imported, as for carousel-import") var imports:
    ImportOptions

  func run() throws {
    try checkInstructionSet()
    let report = try report()
    print(json ? try prettyJSON(report) : report.text)
  }

  func report() throws -> ModelReport {
    let graph = try loadModel(try imports.folders(of: [folder])[0], precision: precision)
    guard graph.precision != .f32 else {
      guard input == nil else {
        throw ValidationError("--input: the weights are kept as f32, which differs in nothing")
      }
      return ModelReport(graph)
    }
    let model = OfflineModel(graph)
    let sample =
      if let input {
        Sample(
          try model.question(
            in: try QuestionInput(
              try readFile(input), path: input, inputs: graph.model.description.inputs)),
          origin: inputName(input))
      } else {
        try Sample(of: model)
      }
    return ModelReport(graph, deviation: try Deviation(of: model, on: sample))
  }
}
