import ArgumentParser

/// `carousel probe [URL]`.
struct ProbeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "probe",
    abstract: "Asks a server for a URL; succeeds when it answers 200.",
    discussion: "Made for container health checks, in images that hold no curl.")

  @Argument(help: "An http URL.")
  var url = "http://127.0.0.1:8080/readyz"

  @Option(help: ArgumentHelp("How long to wait in all.", valueName: "seconds"))
  var timeout = 2.0

  func validate() throws {
    guard (0.001...3600).contains(timeout) else {
      throw ValidationError("--timeout: found \(timeout), expected seconds from 0.001 to 3600")
    }
    guard ProbeTarget(url: url) != nil else {
      throw ValidationError("\"\(url)\" is not a URL of the form http://host[:port][/path]")
    }
  }

  func run() throws {
    guard let target = ProbeTarget(url: url) else { preconditionFailure("validated") }
    do {
      let status = try Probe(target: target, timeoutSeconds: timeout).status()
      print("\(url): \(status)")
      if status != 200 { throw ExitCode.failure }
    } catch let error as ProbeError {
      print("\(url): \(error)")
      throw ExitCode.failure
    }
  }
}
