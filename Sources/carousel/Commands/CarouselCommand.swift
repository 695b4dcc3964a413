import ArgumentParser

/// The executable's root command.
@main
struct CarouselCommand: ParsableCommand {
  /// The version that `carousel version` and `GET /` tell.
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "carousel",
    abstract: "Serves the predictions of trained LSTMs over HTTP.",
    discussion: """
      Exit status: 0 when all went well, 1 when something failed, 64 when the command line is wrong.
      """,
    version: version,
    subcommands: [
      ServeCommand.self, PredictCommand.self, InspectCommand.self, ConfigCommand.self,
      ProbeCommand.self, BenchCommand.self, VersionCommand.self,
    ])

  static func main() {
    main(ProgramArguments.all)
  }
}

/// `carousel version`.
struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Prints the version.")

  func run() {
    print(CarouselCommand.version)
  }
}
