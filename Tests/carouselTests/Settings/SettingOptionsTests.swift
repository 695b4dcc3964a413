import ArgumentParser
import Testing

@testable import carousel

@Suite struct SettingOptionsTests {
  @Test(arguments: Setting.all)
  func everySettingHasItsOption(setting: Setting) throws {
    let options = try SettingOptions.parse(["--\(setting.optionName)", "x"])
    #expect(options.given == [setting: "x"])
  }

  @Test func helpHasTheOrderOfTheTable() throws {
    let help = SettingOptions.helpMessage(columns: 1000)
    let places = try Setting.all.map { setting in
      try #require(
        help.firstRange(of: "--\(setting.optionName) ")
          ?? help.firstRange(of: "--\(setting.optionName), ")
      ).lowerBound
    }
    #expect(places == places.sorted())
  }

  @Test func severalAreGiven() throws {
    let options = try SettingOptions.parse(["--port", "1", "--config", "c", "--log-format=json"])
    #expect(options.given == [.port: "1", .logFormat: "json"])
    #expect(options.config == "c")
    #expect(throws: (any Error).self) { try SettingOptions.parse(["--prot", "1"]) }
    #expect(throws: (any Error).self) { try SettingOptions.parse(["--port"]) }
  }

  @Test(arguments: ["--max-memory-bytes", "--max-buffered-bytes"])
  func aFormerNameIsTaken(option: String) throws {
    #expect(try SettingOptions.parse([option, "5"]).given == [.maxMemoryBytes: "5"])
  }

  @Test func nothingGiven() throws {
    #expect(try SettingOptions.parse([]).given.isEmpty)
  }

  @Test func helpComesFromTheTable() {
    let help = SettingOptions.helpMessage(columns: 1000)
    for setting in Setting.all {
      // Behind it stands its value, or its former name.
      let option = "--\(setting.optionName)"
      #expect(help.contains(option + " ") || help.contains(option + ", "))
      #expect(help.contains(setting.why))
    }
  }

  @Test func aBadOptionIsAUsageError() throws {
    let options = try SettingOptions.parse(["--port", "http"])
    #expect { try options.resolve(environment: [:]) } throws: {
      SettingOptions.exitCode(for: $0).rawValue == 64
    }
  }

  @Test func aBadVariableIsAFailure() throws {
    let options = try SettingOptions.parse([])
    #expect { try options.resolve(environment: ["CAROUSEL_PORT": "http"]) } throws: {
      SettingOptions.exitCode(for: $0).rawValue == 1
    }
  }

  @Test(arguments: [["--config", "/nonexistent.json"], []])
  func aSettingsFileThatIsNamedMustExist(arguments: [String]) throws {
    let options = try SettingOptions.parse(arguments)
    let name = arguments.first ?? "CAROUSEL_CONFIG"
    #expect {
      try options.resolve(environment: ["CAROUSEL_CONFIG": "/nonexistent.json"])
    } throws: {
      "\($0)".hasPrefix("\(name): /nonexistent.json: No such file or directory; ")
    }
  }
}
