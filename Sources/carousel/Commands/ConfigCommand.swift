import ArgumentParser
import JSON
import ModelFormat

/// `carousel config`.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Prints every setting: its value, where that came from, and what it is for.",
    discussion: """
      Of a setting that is 0 for "by the machine", the value that this machine, or container, makes of it is shown.
      The command line goes before the environment (CAROUSEL_PORT, CAROUSEL_MAX_SEATS, …), which goes \
      before the settings file, which goes before the defaults. An empty variable is as if it were not set.
      """)

  @OptionGroup var settings: SettingOptions

  @Flag(help: "Print a JSON array instead of a table.")
  var json = false

  func validate() throws {
    try settings.checkGiven()
  }

  func run() throws {
    let settings = try settings.resolve()
    print(json ? try Self.json(settings) : Self.table(settings))
  }

  /// Two lines for each setting: its value and source, then why one would change it.
  static func table(_ settings: Settings) -> String {
    let rows = settings.entries.map { entry in
      let byMachine = settings.valueByMachine(of: entry.setting)
      let value = byMachine.map { "\($0.value)" } ?? "\(entry.shown)"
      let reason = byMachine.map { " \(entry.value): \($0.reason)" } ?? ""
      return (
        value: "\(entry.setting.name) = \(value)", source: "(\(entry.source)\(reason))",
        why: entry.setting.why
      )
    }
    let widest = rows.map(\.value.count).max() ?? 0
    return rows.map { row in
      let padding = String(repeating: " ", count: widest - row.value.count)
      return "\(row.value)\(padding)  \(row.source)".printable + "\n    \(row.why)"
    }.joined(separator: "\n")
  }

  /// An array of objects, one for each setting.
  static func json(_ settings: Settings) throws -> String {
    try prettyJSON(
      settings.entries.map { Row($0, byMachine: settings.valueByMachine(of: $0.setting)) })
  }

  private struct Row: Encodable {
    let name: String
    let value: Setting.Value
    /// The value computed for this machine, and why, for a setting that leaves this to the machine.
    let effective: Int?
    let reason: String?
    let source: String
    let environment: String
    let option: String
    let expected: String
    let why: String

    init(_ entry: Settings.Entry, byMachine: (value: Int, reason: String)?) {
      effective = byMachine?.value
      reason = byMachine?.reason
      name = entry.setting.name
      value = entry.shown
      source = entry.source.description
      environment = entry.setting.environmentName
      option = "--" + entry.setting.optionName
      expected = entry.setting.expected
      why = entry.setting.why
    }
  }
}

extension Setting.Value: Encodable {
  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .secret: try container.encode(description)
    case .integer(let number): try container.encode(number)
    case .seconds(let number), .number(let number): try container.encode(number)
    }
  }
}
