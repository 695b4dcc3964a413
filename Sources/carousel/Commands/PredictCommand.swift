import API
import ArgumentParser
import Dispatch
import FoundationEssentials
import HTTPCore
import Inference
import ModelFormat
import Scheduling
import Synchronization

/// `carousel predict FOLDER`.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Predicts without a server.",
    discussion: """
      The input is JSON as for POST /predict, or a .npy file: an array of one sequence or many, as the \
      arrays of "inputs" in JSON. The answer is the server's.
      """)

  @Argument(help: "A model folder.")
  var folder: String

  @Option(help: ArgumentHelp("JSON or .npy; - is standard input.", valueName: "file"))
  var input = "-"

  @Option(help: ArgumentHelp("With .npy: which steps to answer, last or all.", valueName: "which"))
  var outputs: Selection?

  @Option(help: ArgumentHelp("With .npy: steps to forecast.", valueName: "n"))
  var horizon: Int?

  func validate() throws {
    if let horizon, horizon < 1 {
      throw ValidationError("--horizon: found \(horizon), expected 1 or more")
    }
  }

  func run() throws {
    try checkInstructionSet()
    let graph = try ModelGraph(try Model(folder: folder))
    let response = Self.answer(to: try question(from: try readFile(input)), of: graph)
    guard response.status == .ok else {
      let problem = try JSONDecoder().decode(Problem.self, from: Data(response.body))
      throw CarouselError.refused(reason: problem.error)
    }
    print(String(decoding: response.body, as: UTF8.self), terminator: "")
  }

  /// What the service says when it refuses.
  private struct Problem: Decodable {
    let error: String
  }

  /// The body to ask with: the bytes themselves, or the array of a .npy file with the options around it.
  func question(from bytes: [UInt8]) throws -> [UInt8] {
    guard NPYFile.isNPY(bytes) else {
      // No text starts with such bytes; archives (.npz) and weights do.
      guard !bytes.prefix(8).contains(where: { $0 < 0x09 || $0 >= 0x7F }) else {
        throw CarouselError.notAnInput(path: input)
      }
      guard outputs == nil, horizon == nil else {
        throw ValidationError("--outputs and --horizon stand in the JSON, unless the input is .npy")
      }
      return bytes
    }
    var members = ["\"inputs\":\(try NPYFile(bytes).json())"]
    if let outputs { members.append("\"outputs\":\(outputs.rawValue.jsonText)") }
    if let horizon { members.append("\"horizon\":\(horizon)") }
    return Array("{\(members.joined(separator: ","))}".utf8)
  }

  /// Asks the service in process, without its limits: nobody else is waiting.
  static func answer(to question: [UInt8], of graph: ModelGraph) -> HTTPResponse {
    let plenty = Int(Int32.max)
    var settings = ServiceSettings()
    settings.maxSequencesPerRequest = plenty
    settings.maxSequenceSteps = plenty
    settings.maxHorizon = plenty
    let limits = EngineLimits(maxQueuedSequences: plenty, maxQueuedSteps: plenty)
    let service = Service(
      engines: [(graph.model.description.name, Engine(graph: graph, limits: limits))],
      settings: settings)

    let answer = Mutex<HTTPResponse?>(nil)
    let answered = DispatchSemaphore(value: 0)
    service.handle(
      HTTPExchange(request: HTTPRequest(method: "POST", path: "/predict", body: question)) {
        response in
        answer.withLock { $0 = response }
        answered.signal()
      })
    answered.wait()
    guard let response = answer.withLock({ $0 }) else {
      preconditionFailure("signalled before set")
    }
    return response
  }
}

extension Selection: ExpressibleByArgument {}
