import Configuration
import JSON
import ModelFormat
import Synchronization

/// All settings with their checked values and the values' sources.
struct Settings: Sendable {
  /// One row of the table, resolved.
  struct Entry: Sendable {
    let setting: Setting
    let value: Setting.Value
    let source: SettingSource

    /// The value as it may be shown: a store without its password.
    var shown: Setting.Value {
      guard case .store = setting.kind, case .text(let text) = value else { return value }
      return .text(StorePlace.withoutPassword(text))
    }
  }

  /// The entries in the order of `Setting.all`.
  let entries: [Entry]
  /// Environment variables that are named like a setting, but give the address of another service.
  let ignoredVariables: [String]
  /// Environment variables of settings that are empty, and so count as not set.
  let emptyVariables: [String]

  /// Resolves all settings: command line over environment over file over defaults.
  ///
  /// - Parameters:
  ///   - commandLine: the values given there, as typed.
  ///   - environment: all environment variables of the process.
  ///   - file: the settings file, if there is one.
  init(
    commandLine: [Setting: String] = [:], environment: [String: String] = [:],
    file: SettingsFile? = nil
  ) throws(CarouselError) {
    let (own, ignored, empty) = try Self.texts(in: environment)
    (ignoredVariables, emptyVariables) = (ignored, empty)
    var layers: [(source: SettingSource, texts: [Setting: String])] = [
      (.commandLine, commandLine),
      (.environment, own),
    ]
    if let file { layers.append((.file(path: file.path), file.texts)) }
    layers.append(
      (.standard, Dictionary(uniqueKeysWithValues: Setting.all.map { ($0, $0.defaultText) })))

    let recorder = LayerRecorder()
    let reader = ConfigReader(
      providers: layers.map { InMemoryProvider(name: "\($0.source)", texts: $0.texts) },
      accessReporter: recorder)
    var entries: [Entry] = []
    for setting in Setting.all {
      guard let text = reader.string(forKey: setting.key) else {
        preconditionFailure("\(setting.name) is in the last layer")
      }
      let source = layers[recorder.layer].source
      guard let value = setting.parse(text) else {
        throw .badSetting(
          name: source.name(of: setting), source: source, found: setting.quoted(text),
          expected: setting.expected)
      }
      entries.append(Entry(setting: setting, value: value, source: source))
    }
    self.entries = entries
  }

  /// The value of a setting whose kind is text, a path or a choice.
  func text(_ setting: Setting) -> String {
    guard case .text(let text) = value(setting) else { preconditionFailure(setting.name) }
    return text
  }

  /// The value of a secret; nil if it is not set.
  func secret(_ setting: Setting) -> String? {
    guard case .secret(let text) = value(setting) else { preconditionFailure(setting.name) }
    return text.isEmpty ? nil : text
  }

  /// The value of a setting whose kind is a whole number or a number of bytes.
  func integer(_ setting: Setting) -> Int {
    guard case .integer(let number) = value(setting) else { preconditionFailure(setting.name) }
    return number
  }

  /// The value of a setting in seconds.
  func seconds(_ setting: Setting) -> Double {
    guard case .seconds(let seconds) = value(setting) else { preconditionFailure(setting.name) }
    return seconds
  }

  private func value(_ setting: Setting) -> Setting.Value { entry(of: setting).value }

  /// A setting's value and its source.
  func entry(of setting: Setting) -> Entry {
    guard let entry = entries.first(where: { $0.setting == setting }) else {
      preconditionFailure("\(setting.name) is not in the table")
    }
    return entry
  }

  /// Variables with our prefix that are not settings.
  private static let otherVariables: Set = ["CAROUSEL_CONFIG", "CAROUSEL_ISA"]

  /// The settings in `environment`. A variable with our prefix and an unknown name throws, unless it describes a
  /// service (Kubernetes adds CAROUSEL_SERVICE_HOST and the like for a service called carousel). An empty variable
  /// counts as not set, as in OpenTelemetry's specification, since files and templates of variables can't leave one
  /// out. On the command line and in the settings file an empty value counts as a value.
  private static func texts(
    in environment: [String: String]
  ) throws(CarouselError) -> (texts: [Setting: String], ignored: [String], empty: [String]) {
    let settings = Setting.all(by: Setting.environmentName)
    var texts: [Setting: String] = [:]
    var (ignored, empty): ([String], [String]) = ([], [])
    for (name, given) in environment.sorted(by: { $0.key < $1.key })
    where name.hasPrefix(Setting.environmentPrefix) {
      // A variable whose value was read from a file may end with a line end, which is never part of the value.
      let text = String(given.reversed().drop { $0.isNewline }.reversed())
      if ServiceVariable.isOne(name, text) {
        if settings[name] != nil { ignored.append(name) }
        continue
      }
      if let setting = settings[name] {
        guard !text.isEmpty else {
          empty.append(name)
          continue
        }
        guard texts[setting].map({ $0 == text }) ?? true else {
          throw .twoNames(
            setting.environmentName, Setting.environmentName(setting.formerName ?? ""),
            source: .environment)
        }
        texts[setting] = text
      } else if !otherVariables.contains(name),
        let nearest = nearestName(to: name, among: settings.keys)
      {
        throw .unknownSetting(name: name, source: .environment, nearest: nearest)
      }
    }
    return (texts, ignored, empty)
  }
}

/// The source of a setting's value.
enum SettingSource: Sendable, Hashable {
  case commandLine
  case environment
  case file(path: String)
  case standard

  /// The setting's name as this source spells it.
  func name(of setting: Setting) -> String {
    switch self {
    case .commandLine: "--" + setting.optionName
    case .environment: setting.environmentName
    case .file, .standard: setting.name
    }
  }
}

extension SettingSource: CustomStringConvertible {
  var description: String {
    switch self {
    case .commandLine: "command line"
    case .environment: "environment"
    case .file(let path): path
    case .standard: "default"
    }
  }
}

/// Records which provider answered the reader's last access.
private final class LayerRecorder: AccessReporter {
  private let last = Mutex(0)

  /// The provider's index in the reader's list.
  var layer: Int { last.withLock { $0 } }

  /// A reader asks its providers in order and stops at the first that answers.
  func report(_ event: AccessEvent) {
    last.withLock { $0 = event.providerResults.count - 1 }
  }
}

extension Setting {
  fileprivate var key: ConfigKey { ConfigKey([name]) }
}

extension InMemoryProvider {
  fileprivate init(name: String, texts: [Setting: String]) {
    let values = texts.map { setting, text in
      (AbsoluteConfigKey(setting.key), ConfigValue(.string(text), isSecret: setting.isSecret))
    }
    self.init(name: name, values: Dictionary(uniqueKeysWithValues: values))
  }
}
