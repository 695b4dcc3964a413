import API
import HTTPCore
import Scheduling

/// The declaration of a setting: its name, kind, default, purpose and destination.
///
/// Its names in the environment and on the command line follow from `name`. `Setting.all` is the table.
struct Setting: Sendable {
  /// The name in the settings file: `max_body_bytes`.
  let name: String
  let kind: Kind
  /// The default, as a user would write it.
  let defaultText: String
  /// One line: what the setting does, and why one would change it.
  let why: String
  /// A former name, which is still accepted.
  let formerName: String?
  /// The modules' variables that receive the value. Empty if code reads the setting by name.
  let destinations: [Destination]

  /// A variable of a module; the setting has its default.
  enum Destination: Sendable {
    case integer(WritableKeyPath<ModuleSettings, Int> & Sendable)
    case duration(WritableKeyPath<ModuleSettings, Duration> & Sendable)
    case number(WritableKeyPath<ModuleSettings, Double> & Sendable)
  }

  /// The values that a setting allows.
  enum Kind: Sendable, Hashable {
    case text
    /// A path; in the settings file it is relative to that file's folder.
    case path
    /// Paths separated by colons.
    case paths
    case integer(ClosedRange<Int>)
    /// A number of bytes, with or without KiB, MiB or GiB.
    case bytes(ClosedRange<Int>)
    /// Seconds, fractions allowed.
    case seconds(ClosedRange<Double>)
    /// A number, fractions allowed.
    case number(ClosedRange<Double>)
    /// IP addresses and blocks, separated by commas or spaces.
    case networks
    /// Origins of web pages, separated by commas or spaces, or `*`.
    case origins
    /// One of these words, or the default.
    case choice([String])
    /// `memory`, or `file:` and a path, which in the settings file is relative to that file's folder.
    case store
    /// Text of at least `minBytes` bytes, or none; it is never shown.
    case secret(minBytes: Int)
  }

  /// A value that was checked by its setting's kind.
  enum Value: Sendable, Hashable {
    case text(String)
    case secret(String)
    case integer(Int)
    case seconds(Double)
    case number(Double)
  }

  init(
    _ name: String, _ kind: Kind, _ defaultText: String, _ why: String, formerName: String? = nil
  ) {
    self.formerName = formerName
    self.name = name
    self.kind = kind
    self.defaultText = defaultText
    self.why = why
    destinations = []
  }

  /// A setting for a variable of one module or several; it has the variable's own default.
  init(_ name: String, _ kind: Kind, _ why: String, into destinations: Destination...) {
    formerName = nil
    self.name = name
    self.kind = kind
    self.why = why
    self.destinations = destinations
    defaultText = destinations.first.map { $0.defaultText(of: kind) } ?? ""
  }

  /// The environment variable: `CAROUSEL_MAX_BODY_BYTES`.
  var environmentName: String { Self.environmentName(name) }

  /// The command line's option without its dashes: `max-body-bytes`.
  var optionName: String { Self.optionName(name) }

  /// The environment variable of the setting called `name`.
  static func environmentName(_ name: String) -> String { environmentPrefix + name.uppercased() }

  /// The option of the setting called `name`.
  static func optionName(_ name: String) -> String { String(name.map { $0 == "_" ? "-" : $0 }) }

  /// The settings by all their names, former ones too; `spelling` turns a name into a key.
  static func all(by spelling: (String) -> String) -> [String: Setting] {
    let pairs = all.flatMap { setting in
      ([setting.name] + (setting.formerName.map { [$0] } ?? [])).map { (spelling($0), setting) }
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }

  /// The prefix of all environment variables of Carousel.
  static let environmentPrefix = "CAROUSEL_"

  /// The value of `text`; nil if the kind does not allow it.
  func parse(_ text: String) -> Value? {
    switch kind {
    case .text, .path, .paths:
      return .text(text)
    case .integer(let range):
      guard let number = SettingText.wholeNumber(text), range.contains(number) else { return nil }
      return .integer(number)
    case .bytes(let range):
      guard let number = SettingText.byteCount(text), range.contains(number) else { return nil }
      return .integer(number)
    case .seconds(let range): return SettingText.number(text, range).map { .seconds($0) }
    case .number(let range): return SettingText.number(text, range).map { .number($0) }
    case .networks:
      return SettingText.elements(of: text).allSatisfy { NetworkBlock($0) != nil }
        ? .text(text) : nil
    case .origins:
      let isList = SettingText.elements(of: text).allSatisfy { WebOrigin($0) != nil }
      return isList || SettingText.elements(of: text) == ["*"] ? .text(text) : nil
    case .store: return StorePlace(text) != nil ? .text(text) : nil
    case .choice(let choices):
      return choices.contains(text) || text == defaultText ? .text(text) : nil
    case .secret(let minBytes):
      // Editors, `echo` and secrets from files add line ends, which no field of a request can carry.
      let key = SettingText.trimmed(text)
      return key.isEmpty || key.utf8.count >= minBytes ? .secret(key) : nil
    }
  }

  /// What the kind admits, as it reads after "expected".
  var expected: String { kind.expected }

  /// `text` as an error may quote it: without secrets.
  func quoted(_ text: String) -> String {
    if case .secret = kind { return "\(text.utf8.count) bytes" }
    if case .store = kind { return StorePlace.withoutPassword(text) }
    return text
  }

  var isSecret: Bool { if case .secret = kind { true } else { false } }

  /// Stores `value` at the setting's destinations.
  func apply(_ value: Value, to modules: inout ModuleSettings) {
    for destination in destinations {
      switch (destination, value) {
      case (.integer(let path), .integer(let number)): modules[keyPath: path] = number
      case (.duration(let path), .seconds(let seconds)): modules[keyPath: path] = .seconds(seconds)
      case (.number(let path), .number(let number)): modules[keyPath: path] = number
      case (.integer, _), (.duration, _), (.number, _):
        preconditionFailure("\(name) goes where it does not fit")
      }
    }
  }

  /// `seconds` as text, without a trailing `.0`.
  static func plain(_ seconds: Double) -> String {
    Int(exactly: seconds).map(String.init) ?? "\(seconds)"
  }
}

extension Setting.Kind {
  /// Whether the text may have several elements.
  var isList: Bool {
    switch self {
    case .paths, .networks, .origins: true
    case .text, .path, .integer, .bytes, .seconds, .number, .choice, .store, .secret: false
    }
  }

  /// What the kind admits, as it reads after "expected".
  var expected: String {
    switch self {
    case .text: "text"
    case .path: "a path"
    case .paths: "a path, or several separated by colons"
    case .integer(let range):
      "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .bytes(let range):
      "a number of bytes from \(range.lowerBound) to \(range.upperBound), or with KiB, MiB or GiB"
    case .seconds(let range):
      "seconds from \(Setting.plain(range.lowerBound)) to \(Setting.plain(range.upperBound))"
    case .number(let range):
      "a number from \(Setting.plain(range.lowerBound)) to \(Setting.plain(range.upperBound))"
    case .networks: "addresses such as 192.0.2.1 or blocks such as 10.0.0.0/8, separated by commas"
    case .origins: "origins such as https://example.org, separated by commas, or *"
    case .choice(let choices): choices.joined(separator: " or ")
    case .store:
      "memory, file: and a path, redis://[[user]:password@]host[:port][/database] (rediss over TLS), redis+sentinel://[[user]:password@]host[:port][,host[:port]…]/name[/database], or redis+cluster://[[user]:password@]host[:port][,host[:port]…]"
    case .secret(let minBytes): "at least \(minBytes) bytes"
    }
  }
}

extension Setting: Hashable {
  /// Names are unique.
  static func == (left: Setting, right: Setting) -> Bool { left.name == right.name }

  func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension Setting.Destination {
  /// The variable's default, as a user would write it.
  fileprivate func defaultText(of kind: Setting.Kind) -> String {
    switch self {
    case .integer(let path):
      let number = ModuleSettings.standard[keyPath: path]
      guard case .bytes = kind, number > 0 else { return "\(number)" }
      let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
      return units.first { number.isMultiple(of: $0.1) }.map { "\(number / $0.1) \($0.0)" }
        ?? "\(number)"
    case .number(let path): return Setting.plain(ModuleSettings.standard[keyPath: path])
    case .duration(let path): return Setting.plain(ModuleSettings.standard[keyPath: path].seconds)
    }
  }
}

extension Setting.Value: CustomStringConvertible {
  var description: String {
    switch self {
    case .text(let text): text
    case .secret(let text): text.isEmpty ? "not set" : "set"
    case .integer(let number): String(number)
    case .seconds(let number), .number(let number): Setting.plain(number)
    }
  }
}
