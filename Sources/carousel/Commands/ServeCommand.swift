import ArgumentParser
import Dispatch
import Glibc
import HTTPServer
import Inference
import JSON
import Logging
import ModelFormat

/// `carousel serve [FOLDER…]`.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serves models over HTTP.",
    discussion: """
      SIGTERM and SIGINT end it gracefully: /readyz fails for drain_delay_seconds, then no connection \
      is taken and what is in flight is answered, and sessions are written to session_file; the exit \
      status is 1 where that could not be. A second one ends it at once. Each option below can \
      also be given in the environment or in the settings file; see carousel config.
      """)

  @Argument(
    help: "Model folders, or files that are imported. (default: the folders in --models)")
  var folders: [String] = []

  @OptionGroup(title: "Of a file that is imported, as for carousel-import") var imports:
    ImportOptions

  @OptionGroup(title: "Settings") var settings: SettingOptions

  func validate() throws {
    try settings.checkGiven()
  }

  func run() throws {
    let start = ContinuousClock.now
    try checkInstructionSet()
    let settings = try settings.resolve()
    let handler = settings.logHandler
    LoggingSystem.bootstrap { _ in handler }
    let logger = Logger(label: "carousel")

    configureMalloc()
    let graphs = try loadModels(
      try imports.folders(of: try folders(of: settings)), precision: settings.precision)
    logUnreadTensors(of: graphs, to: logger)
    let server: ModelServer
    do {
      server = try ModelServer(graphs: graphs, settings: settings, logger: logger)
    } catch HTTPServerError.addressInUse(let address, let port) {
      throw CarouselError.portInUse(
        port: port, address: address, isTLS: port == settings.integer(.tlsPort))
    }
    // Writing to a closed socket or log pipe must return an error, not end the process.
    signal(SIGPIPE, SIG_IGN)
    onTermination { name in
      logger.notice("stopping", metadata: ["signal": .string(name)])
      server.drain { isWell in
        logger.notice("stopped")
        Glibc.exit(isWell ? 0 : 1)
      }
    }
    for name in settings.ignoredVariables {
      logger.warning(
        "a variable with a setting's name is not read, as it tells where another service is",
        metadata: ["variable": .string(name)])
    }
    for name in settings.emptyVariables {
      logger.info(
        "a variable without a value is as if it were not set", metadata: ["variable": .string(name)]
      )
    }
    if settings.stateKey == nil {
      logger.info(
        "no state_key is set, so the states that clients take along end with this process")
    }
    // If a signal came before the server started, its handler ends the process.
    guard server.start() else { dispatchMain() }
    announce(server, graphs: graphs, settings: settings)
    let milliseconds = start.duration(to: .now) / .milliseconds(1)
    var metadata: Logger.Metadata = [
      "url": .string(server.url), "version": .string(CarouselCommand.version),
      "models": .array(graphs.map { .string($0.model.description.name) }),
      "start_ms": .stringConvertible(milliseconds.rounded()),
      "max_memory_bytes": .stringConvertible(server.memory.limit),
    ]
    if let url = server.tlsURL { metadata["tls_url"] = .string(url) }
    logger.info("ready", metadata: metadata)
    dispatchMain()
  }

  /// The folders named on the command line or, if none are named, all model folders in `models`, which must hold at
  /// least one.
  func folders(of settings: Settings) throws(CarouselError) -> [String] {
    guard folders.isEmpty else { return folders }
    let parent = settings.text(.models)
    let folders: [String]
    do { folders = try modelFolders(in: parent) } catch .file(parent, code: ENOENT) {
      throw .noModelsFolder(path: parent)
    }
    guard !folders.isEmpty else {
      throw .noModels(folder: parent, isModel: isModelFolder(parent))
    }
    return folders
  }

  /// Prints the server's URL and an example request, for people.
  private func announce(_ server: ModelServer, graphs: [ModelGraph], settings: Settings) {
    let models = graphs.map(\.model)
    let name = settings.text(.defaultModel)
    let answering = models.first { $0.description.name == name } ?? models[0]
    let token = settings.text(.tokensFile).isEmpty ? "" : " -H \"authorization: Bearer $TOKEN\""
    let example = ExampleQuestion(for: answering)
      .command(to: "\(server.url)/predict", options: token)
    print(
      "Carousel serves \(models.map(\.description.name).joined(separator: ", ")). Try:\n\n\(example)\n"
    )
    // Without a terminal, as in a container, standard output is buffered.
    fflush(nil)
  }
}
