import ArgumentParser
import FoundationEssentials
import Glibc
import Inference
import ModelFormat
import Serving

/// `carousel predict FOLDER`.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Predicts without a server.",
    discussion: """
      The input is JSON as for POST /predict, or an array of NumPy's, of floats, integers or booleans: \
      (steps, features) is one sequence, (sequences, steps, features) are many; where there is one feature, \
      or ids, that axis may be left out. A model of several inputs takes an .npz file with an array for each, by the input's name. \
      What was read is told on standard error. The answer is the server's, or with --output arrays of its numbers and, in an \
      .npz file, its labels and scores. States are signed with CAROUSEL_STATE_KEY, where that is set.
      """)

  @Argument(help: "A model folder, or a file that is imported.")
  var folder: String

  @Option(help: ArgumentHelp("JSON, .npy or .npz; - is standard input.", valueName: "file"))
  var input = "-"

  @Option(
    help: ArgumentHelp("With arrays: which steps to answer, last or all.", valueName: "which"))
  var outputs: Selection.Steps?

  @Option(help: ArgumentHelp("With arrays: steps to forecast.", valueName: "n"))
  var horizon: Int?

  @Option(
    help: ArgumentHelp(
      "Write the answer there, as .npy or, of several outputs or with labels, .npz, instead of JSON on standard output.",
      valueName: "file"))
  var output: String?

  @Option(help: .precision)
  var precision: Precision?

  @OptionGroup(title: "Of a file that is imported, as for carousel-import") var imports:
    ImportOptions

  func validate() throws {
    if let horizon, horizon < 1 {
      throw ValidationError("--horizon: found \(horizon), expected 1 or more")
    }
    if let output, !output.hasSuffix(".npy"), !output.hasSuffix(".npz") {
      throw ValidationError("--output: found \(output), expected a name that ends in .npy or .npz")
    }
  }

  func run() throws {
    try checkInstructionSet()
    // Checked first, so that no time is spent on an answer that can't be written.
    if let output { try OpenFile.checkWritable(output) }
    let model = OfflineModel(
      try loadModel(try imports.folders(of: [folder])[0], precision: precision),
      stateKey: try Self.stateKey(in: ProcessInfo.processInfo.environment))
    let asked = try QuestionInput(
      try readFile(input), path: input, inputs: model.graph.model.description.inputs,
      outputs: outputs, horizon: horizon)
    let question = try model.question(in: asked)
    printToStandardError("\(asked.origin): read as \(question.sequencesText)")
    if let output {
      return try OpenFile.write(try arrays(for: question, of: model, named: output), to: output)
    }
    print(
      String(decoding: try text(for: question, asked: asked, of: model), as: UTF8.self)
        .printableJSON, terminator: "")
  }

  /// The answer as the bytes of a .npy or .npz file.
  private func arrays(
    for question: Question, of model: OfflineModel, named output: String
  ) throws -> [UInt8] {
    guard !question.carriesState else { throw CarouselError.stateWithOutput }
    guard question.decoding == nil else { throw CarouselError.tokensWithOutput }
    let names = question.outputNames
    guard names.count == 1 || output.hasSuffix(".npz") else {
      throw CarouselError.manyArrays(path: output, names: names)
    }
    let predictions = try model.predictions(for: Sample(question, origin: input))
    do { try question.check(predictions) } catch {
      throw CarouselError.refused(reason: "\(error)")
    }
    // A .npy file holds a single array, so labels and scores are left out.
    let labels =
      output.hasSuffix(".npz") ? OutputLabels.all(of: question, predictions) : []
    return try OutputArrays(
      named: names, predictions, labels: labels, isBatch: question.isBatch
    ).file(named: output)
  }

  /// The answer as the server's JSON.
  private func text(
    for question: Question, asked: QuestionInput, of model: OfflineModel
  ) throws -> [UInt8] {
    switch asked.content {
    case .columns:
      return try model.answerText(
        to: question, try model.predictions(for: Sample(question, origin: input)))
    // A JSON body may also ask for states and sessions.
    case .json(let body):
      let response = model.answer(to: body)
      guard response.status == .ok else {
        let problem = try JSONDecoder().decode(Problem.self, from: Data(response.body))
        throw CarouselError.refused(reason: problem.error)
      }
      return response.body
    }
  }

  /// The server's `state_key`, if the environment has it. Ignores all other settings, as a server's settings need not
  /// be valid here.
  static func stateKey(in environment: [String: String]) throws(CarouselError) -> [UInt8]? {
    try Settings(
      environment: environment.filter { $0.key == Setting.stateKey.environmentName }
    ).stateKey
  }

  /// The body of an error response.
  private struct Problem: Decodable {
    let error: String
  }
}

/// Writes a line for people to standard error, apart from the command's output.
func printToStandardError(_ line: String) {
  let bytes = Array("\(line)\n".utf8)
  // SAFETY: the call reads the bytes of the array, which lives through it.
  _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

extension Selection.Steps: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

extension ArgumentHelp {
  /// The help of the option that loads a model in another precision.
  static let precision = ArgumentHelp(
    "What the weights of its recurrent networks are kept as. (default: what model.json says, else f32)"
  )
}
