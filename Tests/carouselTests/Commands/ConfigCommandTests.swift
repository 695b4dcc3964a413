import FoundationEssentials
import Testing

@testable import carousel

@Suite struct ConfigCommandTests {
  private struct Row: Decodable {
    let name: String
    let effective: Int?
    let reason: String?
    let source: String
    let environment: String
    let option: String
    let why: String
  }

  @Test func tableHoldsEverySetting() throws {
    let settings = try Settings(commandLine: [.port: "1"])
    let lines = ConfigCommand.table(settings).split(separator: "\n")
    #expect(lines.count == 2 * Setting.all.count)
    #expect(lines.contains { $0.hasPrefix("port = 1 ") && $0.hasSuffix(" (command line)") })
    #expect(lines.contains { $0 == "    " + Setting.port.why })
  }

  @Test func secretsAreNotShown() throws {
    let key = "do not show this key"
    for source in [[Setting.stateKey: key], [:]] {
      let settings = try Settings(commandLine: source)
      let (table, json) = (ConfigCommand.table(settings), try ConfigCommand.json(settings))
      #expect(!table.contains(key) && !json.contains(key))
      let word = source.isEmpty ? "not set" : "set"
      #expect(table.contains("state_key = \(word) "))
      #expect(json.contains("\"value\" : \"\(word)\""))
    }
  }

  @Test func jsonHoldsEverySetting() throws {
    let json = try ConfigCommand.json(Settings(environment: ["CAROUSEL_PORT": "1"]))
    let rows = try JSONDecoder().decode([Row].self, from: Data(json.utf8))
    #expect(rows.map(\.name) == Setting.all.map(\.name))
    let port = try #require(rows.first { $0.name == "port" })
    #expect(port.source == "environment")
    #expect(port.environment == "CAROUSEL_PORT")
    #expect(port.option == "--port")
    #expect(json.contains("\"value\" : 1,"))
    #expect(json.contains("\"value\" : \"127.0.0.1\""))
  }

  /// A value that is left to the machine is told as what it comes to there, and why.
  @Test(arguments: [Setting.loops, .workers, .maxMemoryBytes])
  func whatTheMachineDecidesIsShown(setting: Setting) throws {
    func row(_ settings: Settings) throws -> Row? {
      try JSONDecoder().decode([Row].self, from: Data(ConfigCommand.json(settings).utf8))
        .first { $0.name == setting.name }
    }
    let settings = try Settings()
    let loops = try #require(settings.modules.server.loops)
    let value = setting == .maxMemoryBytes ? settings.memoryLimit : loops
    let found = try #require(try row(settings))
    #expect(found.effective == value && value > 0)
    let reason = try #require(found.reason)
    let lines = ConfigCommand.table(settings).split(separator: "\n")
    #expect(
      lines.contains {
        $0.hasPrefix("\(setting.name) = \(value) ") && $0.hasSuffix("  (default 0: \(reason))")
      })
    let set = try Settings(commandLine: [setting: "7"])
    #expect(try row(set)?.effective == nil)
    #expect(
      ConfigCommand.table(set).split(separator: "\n").contains {
        $0.hasPrefix("\(setting.name) = 7 ") && $0.hasSuffix("  (command line)")
      })
  }
}
