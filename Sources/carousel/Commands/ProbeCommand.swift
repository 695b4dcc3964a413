import ArgumentParser
import FoundationEssentials

/// `carousel probe [URL]`.
struct ProbeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "probe",
    abstract: "Asks a server for a URL; succeeds when it answers 200.",
    discussion: "Made for container health checks, in images that hold no curl.")

  @Argument(
    help:
      "An http or https URL, whose certificate may be any. (default: /readyz of the server that the environment and settings file describe)"
  )
  var url: String?

  @Option(help: ArgumentHelp("How long to wait in all.", valueName: "seconds"))
  var timeout = 2.0

  func validate() throws {
    guard (0.001...3600).contains(timeout) else {
      throw ValidationError("--timeout: found \(timeout), expected seconds from 0.001 to 3600")
    }
    if let url, ProbeTarget(url: url) == nil {
      throw ValidationError("\"\(url)\" is not a URL of the form http[s]://host[:port][/path]")
    }
  }

  func run() throws {
    let url = try self.url ?? Self.configuredURL()
    guard let target = ProbeTarget(url: url) else {
      throw ValidationError("\"\(url)\" can't be probed: host or port name no one server")
    }
    do {
      let status = try Probe(target: target, timeoutSeconds: timeout).status()
      print("\(url): \(status)")
      if status != 200 { throw ExitCode.failure }
    } catch let error as ProbeError {
      print("\(url): \(error)")
      throw ExitCode.failure
    }
  }

  /// Where `carousel serve` answers when it is started without arguments.
  static func configuredURL(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> String {
    let settings = try SettingOptions.parse([]).resolve(environment: environment)
    return settings.url(port: settings.integer(.port), isTLS: settings.speaksTLS) + "/readyz"
  }
}
