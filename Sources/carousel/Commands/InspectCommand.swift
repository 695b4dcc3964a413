import ArgumentParser
import Inference
import ModelFormat

/// `carousel inspect FOLDER`.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Says what a model folder holds: inputs, graph, sizes, outputs, licence.")

  @Argument(help: "A model folder: model.json and model.safetensors.")
  var folder: String

  @Flag(help: "Print JSON instead of text.")
  var json = false

  func run() throws {
    let report = ModelReport(try ModelGraph(try Model(folder: folder)))
    print(json ? try prettyJSON(report) : report.text)
  }
}
