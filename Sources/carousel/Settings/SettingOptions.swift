import ArgumentParser
import FoundationEssentials
import Glibc

/// One option a setting, named and explained by the table.
///
/// After `config`, the options stand in the order of `Setting.all`, by which `given` finds them.
struct SettingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Settings file. (default: \(Self.standardPath) where there is one)", valueName: "path"))
  var config: String?

  @Option(.host) var host: String?
  @Option(.port) var port: String?
  @Option(.models) var models: String?
  @Option(.defaultModel) var defaultModel: String?
  @Option(.precision) var precision: String?
  @Option(.loops) var loops: String?
  @Option(.workers) var workers: String?
  @Option(.maxSeats) var maxSeats: String?
  @Option(.maxQueuedSequences) var maxQueuedSequences: String?
  @Option(.maxQueuedSteps) var maxQueuedSteps: String?
  @Option(.maxSequenceSteps) var maxSequenceSteps: String?
  @Option(.maxSequencesPerRequest) var maxSequencesPerRequest: String?
  @Option(.maxHorizon) var maxHorizon: String?
  @Option(.maxGenerationSteps) var maxGenerationSteps: String?
  @Option(.maxBodyBytes) var maxBodyBytes: String?
  @Option(.maxMemoryBytes) var maxMemoryBytes: String?
  @Option(.maxAnswerBytes) var maxAnswerBytes: String?
  @Option(.maxInlineBytes) var maxInlineBytes: String?
  @Option(.maxHeadBytes) var maxHeadBytes: String?
  @Option(.maxConnections) var maxConnections: String?
  @Option(.headTimeoutSeconds) var headTimeoutSeconds: String?
  @Option(.bodyTimeoutSeconds) var bodyTimeoutSeconds: String?
  @Option(.idleTimeoutSeconds) var idleTimeoutSeconds: String?
  @Option(.writeTimeoutSeconds) var writeTimeoutSeconds: String?
  @Option(.minUploadRate) var minUploadRate: String?
  @Option(.minDownloadRate) var minDownloadRate: String?
  @Option(.drainDelaySeconds) var drainDelaySeconds: String?
  @Option(.drainSeconds) var drainSeconds: String?
  @Option(.drainGraceSeconds) var drainGraceSeconds: String?
  @Option(.compressMinBytes) var compressMinBytes: String?
  @Option(.gzipLevel) var gzipLevel: String?
  @Option(.maxInflatedBytes) var maxInflatedBytes: String?
  @Option(.maxInflateRatio) var maxInflateRatio: String?
  @Option(.stateKey) var stateKey: String?
  @Option(.maxSessionBytes) var maxSessionBytes: String?
  @Option(.sessionIdleSeconds) var sessionIdleSeconds: String?
  @Option(.maxSessionWaiters) var maxSessionWaiters: String?
  @Option(.sessionFile) var sessionFile: String?
  @Option(.sessionExportSeconds) var sessionExportSeconds: String?
  @Option(.operatorKey) var operatorKey: String?
  @Option(.logLevel) var logLevel: String?
  @Option(.logFormat) var logFormat: String?

  /// The settings file that is read when none is named.
  static let standardPath = "config/carousel.json"

  /// What was given on the command line.
  var given: [Setting: String] {
    var given: [Setting: String] = [:]
    for (property, setting) in zip(Mirror(reflecting: self).children.dropFirst(), Setting.all) {
      given[setting] = (property.value as? Option<String?>)?.wrappedValue
    }
    return given
  }

  /// Refuses a value of the command line that its setting does not take.
  ///
  /// For `validate` of a command, whose usage stands below such an error.
  func checkGiven() throws {
    do { _ = try Settings(commandLine: given) } catch { throw ValidationError("\(error)") }
  }

  /// Reads the settings file and the environment, and resolves everything.
  ///
  /// - Throws: a usage error where the command line is at fault, else `CarouselError`.
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
    if let path = config ?? environment["CAROUSEL_CONFIG"] { return try SettingsFile(path: path) }
    do {
      return try SettingsFile(path: Self.standardPath)
    } catch .file(_, code: ENOENT) {
      return nil
    }
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
  /// What stands for the value in a help text.
  fileprivate var placeholder: String {
    switch self {
    case .text: "text"
    case .path: "path"
    case .paths: "path[:path]"
    case .integer: "n"
    case .bytes: "bytes"
    case .seconds: "seconds"
    case .choice(let choices): choices.joined(separator: "|")
    case .secret: "secret"
    }
  }
}
