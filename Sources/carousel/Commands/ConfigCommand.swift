import ArgumentParser

/// `carousel config`.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Prints every setting: its value, where that came from, and what it is for.",
    discussion: """
      The command line goes before the environment (CAROUSEL_PORT, CAROUSEL_MAX_SEATS, …), which goes \
      before the settings file, which goes before the defaults.
      """)

  @OptionGroup var settings: SettingOptions

  @Flag(help: "Print a JSON array instead of a table.")
  var json = false

  func validate() throws {
    try settings.checkGiven()
  }

  func run() throws {
    let entries = try settings.resolve().entries
    print(json ? try Self.json(entries) : Self.table(entries))
  }

  /// Two lines a setting: its value and source, then why.
  static func table(_ entries: [Settings.Entry]) -> String {
    let widest = entries.map { "\($0.setting.name) = \($0.value)".count }.max() ?? 0
    return entries.map { entry in
      let value = "\(entry.setting.name) = \(entry.value)"
      let padding = String(repeating: " ", count: widest - value.count)
      return "\(value)\(padding)  (\(entry.source))\n    \(entry.setting.why)"
    }.joined(separator: "\n")
  }

  /// An array of objects, one a setting.
  static func json(_ entries: [Settings.Entry]) throws -> String {
    try prettyJSON(entries.map(Row.init))
  }

  private struct Row: Encodable {
    let name: String
    let value: Setting.Value
    let source: String
    let environment: String
    let option: String
    let expected: String
    let why: String

    init(_ entry: Settings.Entry) {
      name = entry.setting.name
      value = entry.value
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
    case .seconds(let seconds): try container.encode(seconds)
    }
  }
}
