import ArgumentParser
import FoundationEssentials
import Glibc

/// The command line's options: `--config`, and one for each setting in the table.
///
/// The parser finds options by reflection and decodes each by its label; both are generated from the settings' names.
struct SettingOptions: ParsableArguments {
  /// The settings file of `--config`.
  var config: String? { configOption.wrappedValue }

  private let configOption: Option<String?>
  /// The options in the order of `Setting.all`.
  private let options: [Option<String?>]

  init() {
    configOption = Option(
      name: .customLong(Key.config.stringValue),
      help: ArgumentHelp(
        "Settings file. (default: \(Self.standardPath) where there is one)", valueName: "path"))
    options = Setting.all.map { Option($0) }
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    configOption = try values.decode(Option<String?>.self, forKey: .config)
    options = try Setting.all.map {
      try values.decode(Option<String?>.self, forKey: Key(stringValue: $0.name))
    }
  }

  private struct Key: CodingKey {
    static let config = Key(stringValue: "config")

    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// The settings file that is read if none is named.
  static let standardPath = "config/carousel.json"

  /// The values given on the command line.
  var given: [Setting: String] {
    var given: [Setting: String] = [:]
    for (setting, option) in zip(Setting.all, options) { given[setting] = option.wrappedValue }
    return given
  }

  /// Throws if a value on the command line is not allowed.
  ///
  /// Called by a command's `validate`, so that its usage follows the error.
  func checkGiven() throws {
    do { _ = try Settings(commandLine: given) } catch { throw ValidationError("\(error)") }
  }

  /// Reads the settings file and the environment, and resolves all settings.
  ///
  /// - Throws: a usage error if the command line is at fault, else `CarouselError`.
  func resolve(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> Settings {
    do {
      return try Settings(
        commandLine: given, environment: environment, file: try settingsFile(environment))
    } catch {
      if case .badSetting(_, source: .commandLine, _, _) = error {
        throw ValidationError("\(error)")
      }
      throw error
    }
  }

  private func settingsFile(_ environment: [String: String]) throws(CarouselError) -> SettingsFile?
  {
    let variable = environment["CAROUSEL_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
    if let path = config ?? variable {
      do { return try SettingsFile(path: path) } catch .file(let path, let code) {
        throw .settingFile(
          setting: config == nil ? "CAROUSEL_CONFIG" : "--config", .file(path: path, code: code),
          remedy: "carousel config lists the settings that such a file may have")
      }
    }
    do {
      return try SettingsFile(path: Self.standardPath)
    } catch .file(_, code: ENOENT) {
      return nil
    }
  }
}

extension SettingOptions: CustomReflectable {
  var customMirror: Mirror {
    var children: [Mirror.Child] = [(Key.config.stringValue, configOption)]
    children += zip(Setting.all, options).map { ($0.name, $1) }
    return Mirror(self, children: children)
  }
}

extension Option where Value == String? {
  fileprivate init(_ setting: Setting) {
    let standard = setting.defaultText.isEmpty ? "" : " (default: \(setting.defaultText))"
    let names = [setting.name] + (setting.formerName.map { [$0] } ?? [])
    self.init(
      name: NameSpecification(names.map { .customLong(Setting.optionName($0)) }),
      help: ArgumentHelp(
        "\(setting.why)\(standard)",
        valueName: setting.kind.placeholder))
  }
}

extension Setting.Kind {
  /// The placeholder of the value in a help text.
  fileprivate var placeholder: String {
    switch self {
    case .text: "text"
    case .path: "path"
    case .paths: "path[:path]"
    case .integer: "n"
    case .bytes: "bytes"
    case .seconds: "seconds"
    case .number: "number"
    case .networks: "address[/bits],…"
    case .origins: "origin,…"
    case .choice(let choices): choices.joined(separator: "|")
    case .store: "memory|file:path|redis://…"
    case .secret: "secret"
    }
  }
}
