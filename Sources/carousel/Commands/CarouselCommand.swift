import ArgumentParser
import Glibc
import HTTPServer
import JSON
import ModelFormat

/// The executable's root command.
@main
struct CarouselCommand: ParsableCommand {
  /// The version that `carousel version` and `GET /` report.
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "carousel",
    abstract: "Serves the predictions of trained LSTMs, GRUs and RNNs over HTTP.",
    discussion: """
      Exit status: 0 when all went well, 1 when something failed, 64 when the command line is wrong.
      """,
    version: version,
    subcommands: [
      ServeCommand.self, PredictCommand.self, InspectCommand.self, ConfigCommand.self,
      TokenCommand.self, SessionsCommand.self,
      ProbeCommand.self, BenchCommand.self, VersionCommand.self,
    ])

  static func main() {
    do {
      var command = try parseAsRoot(ProgramArguments.all)
      try command.run()
      try finishOutput()
    } catch {
      exit(withError: printable(error))
    }
  }

  /// Flushes standard output. Only this reports errors such as a full disk, as `print` ignores them.
  private static func finishOutput() throws(CarouselError) {
    guard fflush(nil) == 0 else { throw .output(code: errno) }
  }

  /// The error as it is printed: one line without control characters, as our sentences may quote a file or a peer.
  static func printable(_ error: any Error) -> any Error {
    switch error {
    case is CarouselError, is ModelError, is HTTPServerError:
      PrintableError(description: "\(error)".printable)
    default: error
    }
  }

  private struct PrintableError: Error, CustomStringConvertible {
    let description: String
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
