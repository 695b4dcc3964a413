import ArgumentParser
import NumPyFormat
import TestSupport
import Testing

@testable import carousel

@Suite struct CarouselCommandTests {
  /// nil: the arguments are taken.
  private func exitCode(_ arguments: [String]) -> Int32? {
    do {
      _ = try CarouselCommand.parseAsRoot(arguments)
      return nil
    } catch {
      return CarouselCommand.exitCode(for: error).rawValue
    }
  }

  @Test func subcommands() throws {
    #expect(try CarouselCommand.parseAsRoot(["serve"]) is ServeCommand)
    #expect(try CarouselCommand.parseAsRoot(["predict", "folder"]) is PredictCommand)
    #expect(try CarouselCommand.parseAsRoot(["inspect", "folder"]) is InspectCommand)
    #expect(try CarouselCommand.parseAsRoot(["config"]) is ConfigCommand)
    #expect(try CarouselCommand.parseAsRoot(["probe"]) is ProbeCommand)
    #expect(try CarouselCommand.parseAsRoot(["version"]) is VersionCommand)
  }

  @Test func probeFollowsTheSettings() throws {
    #expect(
      try ProbeCommand.configuredURL(environment: ["CAROUSEL_CONFIG": Self.settingsFile])
        == "http://127.0.0.1:8080/readyz")
    #expect(
      try ProbeCommand.configuredURL(environment: [
        "CAROUSEL_CONFIG": Self.settingsFile, "CAROUSEL_PORT": "9000", "CAROUSEL_HOST": "::",
      ]) == "http://127.0.0.1:9000/readyz")
    #expect(
      try ProbeCommand.configuredURL(environment: [
        "CAROUSEL_CONFIG": Self.settingsFile, "CAROUSEL_HOST": "::1",
      ]) == "http://[::1]:8080/readyz")
  }

  private static let settingsFile = Fixtures.root + "/config/carousel.json"

  @Test func serveTakesFoldersAndSettings() throws {
    let command = try CarouselCommand.parseAsRoot(["serve", "a", "--port", "1", "b"])
    let serve = try #require(command as? ServeCommand)
    #expect(serve.folders == ["a", "b"])
    #expect(serve.settings.given == [.port: "1"])
  }

  @Test(arguments: [
    ["nonsense"], ["serve", "--nonsense"], ["serve", "--port"], ["predict"], ["inspect"],
    ["probe", "ftp://a"], ["probe", "--timeout", "0"], ["probe", "--timeout", "x"],
    ["predict", "folder", "--outputs", "none"], ["predict", "folder", "--horizon", "0"],
    ["predict", "folder", "--precision", "f64"], ["inspect", "folder", "--precision", ""],
  ])
  func usageErrors(arguments: [String]) {
    #expect(exitCode(arguments) == 64)
  }

  @Test(arguments: ["serve", "config"])
  func aBadSettingShowsTheUsage(name: String) {
    #expect { try CarouselCommand.parseAsRoot([name, "--port", "http"]) } throws: { error in
      let message = CarouselCommand.fullMessage(for: error)
      return message.contains("--port (command line): found \"http\"")
        && message.contains("Usage: carousel \(name)")
    }
  }

  @Test func aMissingModelsFolderTellsWhatToDo() throws {
    let serve = try #require(try CarouselCommand.parseAsRoot(["serve"]) as? ServeCommand)
    let settings = try Settings(commandLine: [.models: "/nonexistent"])
    #expect { try serve.folders(of: settings) } throws: {
      "\($0)" == "/nonexistent: No such file or directory; name model folders, or --models"
    }
  }

  @Test func aModelIsNoFolderOfModels() throws {
    let serve = try #require(try CarouselCommand.parseAsRoot(["serve"]) as? ServeCommand)
    let tree = try FileTree(["m/model.json": "", "empty/x": ""])
    for (name, isModel, advice) in [
      ("m", true, "carousel serve \(tree.path)/m serves it alone"), ("empty", false, "FORMAT.md"),
    ] {
      let folder = "\(tree.path)/\(name)"
      let error = CarouselError.noModels(folder: folder, isModel: isModel)
      #expect(throws: error) {
        try serve.folders(of: try Settings(commandLine: [.models: folder]))
      }
      #expect("\(error)".contains(advice))
    }
  }

  @Test func aPortInUseTellsWhatToDo() {
    let error = CarouselError.portInUse(port: 80, address: "::", isTLS: false)
    #expect("\(error)" == "port 80 of :: is in use; --port 0 picks a free one")
    let second = CarouselError.portInUse(port: 443, address: "::", isTLS: true)
    #expect("\(second)" == "tls_port: port 443 of :: is in use, expected one that is free")
  }

  @Test(arguments: [["--version"], ["--help"], ["serve", "--help"], ["config", "--help"]])
  func helpAndVersionSucceed(arguments: [String]) {
    #expect(exitCode(arguments) ?? 0 == 0)
  }

  @Test func aFailureIsOne() {
    #expect(
      CarouselCommand.exitCode(for: CarouselError.noModels(folder: "x", isModel: false)).rawValue
        == 1)
  }

  /// What a file's names hold shows, and does nothing, in a terminal.
  @Test func errorsShowNoControlCharacters() {
    let error = CarouselError.numPy(
      .npz(entry: "a\u{1B}[2J\nError: b\u{9B}\u{202E}é.txt", problem: .notNPY))
    #expect(
      "\(CarouselCommand.printable(error))"
        == #"not an .npz file that Carousel reads: a\u001b[2J\nError: b\u009b\u202eé.txt: the file is no .npy file by its name"#
    )
    let usage = ValidationError("two\nlines")
    #expect(CarouselCommand.printable(usage) is ValidationError)
  }
}
