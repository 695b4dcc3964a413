import FoundationEssentials
import Testing

@testable import carousel

@Suite struct ConfigCommandTests {
  private struct Row: Decodable {
    let name: String
    let source: String
    let environment: String
    let option: String
    let why: String
  }

  @Test func tableHoldsEverySetting() throws {
    let settings = try Settings(commandLine: [.port: "1"])
    let lines = ConfigCommand.table(settings.entries).split(separator: "\n")
    #expect(lines.count == 2 * Setting.all.count)
    #expect(lines.contains { $0.hasPrefix("port = 1 ") && $0.hasSuffix(" (command line)") })
    #expect(lines.contains { $0 == "    " + Setting.port.why })
  }

  @Test func secretsAreNotShown() throws {
    let key = "do not show this key"
    for source in [[Setting.stateKey: key], [:]] {
      let entries = try Settings(commandLine: source).entries
      let (table, json) = (ConfigCommand.table(entries), try ConfigCommand.json(entries))
      #expect(!table.contains(key) && !json.contains(key))
      let word = source.isEmpty ? "not set" : "set"
      #expect(table.contains("state_key = \(word) "))
      #expect(json.contains("\"value\" : \"\(word)\""))
    }
  }

  @Test func jsonHoldsEverySetting() throws {
    let json = try ConfigCommand.json(Settings(environment: ["CAROUSEL_PORT": "1"]).entries)
    let rows = try JSONDecoder().decode([Row].self, from: Data(json.utf8))
    #expect(rows.map(\.name) == Setting.all.map(\.name))
    let port = try #require(rows.first { $0.name == "port" })
    #expect(port.source == "environment")
    #expect(port.environment == "CAROUSEL_PORT")
    #expect(port.option == "--port")
    #expect(json.contains("\"value\" : 1,"))
    #expect(json.contains("\"value\" : \"127.0.0.1\""))
  }
}
