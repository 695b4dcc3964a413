import ArgumentParser
import FoundationEssentials
import Inference
import ModelFormat

/// `carousel predict FOLDER`.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Predicts without a server.",
    discussion: """
      The input is JSON as for POST /predict, or a .npy file: an array of one sequence or many, as the \
      arrays of "inputs" in JSON. The answer is the server's. States are signed with CAROUSEL_STATE_KEY, \
      where that is set.
      """)

  @Argument(help: "A model folder.")
  var folder: String

  @Option(help: ArgumentHelp("JSON or .npy; - is standard input.", valueName: "file"))
  var input = "-"

  @Option(help: ArgumentHelp("With .npy: which steps to answer, last or all.", valueName: "which"))
  var outputs: Selection.Steps?

  @Option(help: ArgumentHelp("With .npy: steps to forecast.", valueName: "n"))
  var horizon: Int?

  @Option(help: .precision)
  var precision: Precision?

  func validate() throws {
    if let horizon, horizon < 1 {
      throw ValidationError("--horizon: found \(horizon), expected 1 or more")
    }
  }

  func run() throws {
    try checkInstructionSet()
    let model = OfflineModel(
      try loadModel(folder, precision: precision),
      stateKey: try Self.stateKey(in: ProcessInfo.processInfo.environment))
    let question = try question(
      from: try readFile(input), path: input, outputs: outputs, horizon: horizon)
    let response = model.answer(to: question)
    guard response.status == .ok else {
      let problem = try JSONDecoder().decode(Problem.self, from: Data(response.body))
      throw CarouselError.refused(reason: problem.error)
    }
    print(String(decoding: response.body, as: UTF8.self), terminator: "")
  }

  /// The server's `state_key`, where the environment has it. No other setting is looked at: a server's need not
  /// make sense here.
  static func stateKey(in environment: [String: String]) throws(CarouselError) -> [UInt8]? {
    try Settings(
      environment: environment.filter { $0.key == Setting.stateKey.environmentName }
    ).stateKey
  }

  /// What the service says when it refuses.
  private struct Problem: Decodable {
    let error: String
  }
}

extension Selection.Steps: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

extension ArgumentHelp {
  /// Of the option that loads a model in another precision.
  static let precision = ArgumentHelp(
    "What the weights of its LSTMs are kept as. (default: what model.json says, else f32)")
}
