import Scheduling
import Testing

@testable import carousel

@Suite struct SettingTests {
  @Test(arguments: Setting.all)
  func everyDefaultIsAdmitted(setting: Setting) {
    #expect(setting.parse(setting.defaultText) != nil)
  }

  @Test func namesAreUniqueAndSpeltOneWay() {
    #expect(Set(Setting.all.map(\.name)).count == Setting.all.count)
    for setting in Setting.all {
      #expect(setting.name.allSatisfy { $0 == "_" || ($0.isASCII && $0.isLowercase) })
      #expect(setting.why.hasSuffix(".") && !setting.why.contains("\n"))
    }
  }

  @Test func otherNamesFollowFromTheName() {
    #expect(Setting.maxBodyBytes.environmentName == "CAROUSEL_MAX_BODY_BYTES")
    #expect(Setting.maxBodyBytes.optionName == "max-body-bytes")
  }

  /// What goes to several variables is the same in all of them by itself, and once it is set.
  @Test(arguments: Setting.all.filter { !$0.destinations.isEmpty })
  func everyDestinationIsReached(setting: Setting) throws {
    let standard = try #require(setting.parse(setting.defaultText))
    #expect(setting.values(in: .standard) == setting.destinations.map { _ in standard })
    let least: Setting.Value =
      switch setting.kind {
      case .integer(let range), .bytes(let range): .integer(range.lowerBound)
      case .seconds(let range): .seconds(range.lowerBound)
      case .number(let range): .number(range.lowerBound)
      case .text, .path, .paths, .networks, .origins, .choice, .store, .secret: standard
      }
    var modules = ModuleSettings()
    setting.apply(least, to: &modules)
    #expect(setting.values(in: modules) == setting.destinations.map { _ in least })
  }

  @Test func noVariableIsSetTwice() {
    let paths = Setting.all.flatMap(\.destinations).map { destination -> AnyKeyPath in
      switch destination {
      case .integer(let path): path
      case .duration(let path): path
      case .number(let path): path
      }
    }
    #expect(Set(paths).count == paths.count && paths.count > 25)
  }

  @Test(arguments: [
    ("memory", true), ("file:s.db", true), ("file:/a:b", true), ("", false), ("file:", false),
    ("file", false), ("s.db", false), ("Memory", false), ("redis://x", true),
    ("redis://", false), ("redis", false),
  ])
  func stores(text: String, isTaken: Bool) {
    #expect((Setting.sessionStore.parse(text) != nil) == isTaken)
  }

  static let numbers: [Setting] = Setting.all.filter {
    switch $0.kind {
    case .integer, .bytes: true
    case .text, .path, .paths, .seconds, .number, .networks, .origins, .choice, .store, .secret:
      false
    }
  }

  @Test(arguments: numbers)
  func numbersAreBounded(setting: Setting) throws {
    let bounds: ClosedRange<Int>
    switch setting.kind {
    case .integer(let range), .bytes(let range): bounds = range
    case .text, .path, .paths, .seconds, .number, .networks, .origins, .choice, .store, .secret:
      return
    }
    let (low, high) = (bounds.lowerBound, bounds.upperBound)
    #expect(setting.parse("\(low - 1)") == nil)
    #expect(setting.parse("\(low)") == .integer(low))
    #expect(setting.parse("\(low + 1)") == .integer(low + 1))
    #expect(setting.parse("\(high - 1)") == .integer(high - 1))
    #expect(setting.parse("\(high)") == .integer(high))
    #expect(setting.parse("\(high + 1)") == nil)
  }

  @Test(
    arguments: [
      "", " 1", "1 ", "+1", "-1", "1.0", "1e3", "0x10", "1_000", "١", "9223372036854775808",
    ])
  func noWholeNumber(text: String) {
    #expect(Setting.port.parse(text) == nil)
    #expect(Setting.maxBodyBytes.parse(text) == nil)
  }

  @Test(arguments: [
    ("1", 1), ("1KiB", 1024), ("1 KiB", 1024), ("2 MiB", 2_097_152), ("1 GiB", 1_073_741_824),
    ("007", 7),
  ])
  func bytesTakeUnits(text: String, count: Int) {
    #expect(Setting.maxBodyBytes.parse(text) == .integer(count))
  }

  @Test(arguments: ["1KB", "1 kib", "KiB", "1 K", "1.5 MiB", "9007199254740993 GiB", "1KiB "])
  func badBytes(text: String) {
    #expect(Setting.maxBodyBytes.parse(text) == nil)
  }

  @Test(arguments: [
    ("0", nil), ("0.009", nil), ("0.01", 0.01), ("0.02", 0.02), ("3599.5", 3599.5),
    ("3600", 3600), ("3600.001", nil), ("nan", nil), ("inf", nil), ("-1", nil), ("+1", nil),
    (".5", nil), ("1s", nil), ("", nil),
  ])
  func seconds(text: String, value: Double?) {
    #expect(Setting.headTimeoutSeconds.parse(text) == value.map { .seconds($0) })
  }

  @Test(arguments: [
    ("0", 0), ("0.5", 0.5), ("1000000", 1e6), ("1000000.5", nil), ("-1", nil), ("x", nil),
    ("", nil),
  ])
  func numbersWithFractions(text: String, value: Double?) {
    #expect(Setting.rateLimit.parse(text) == value.map { .number($0) })
  }

  @Test(arguments: [
    ("", true), ("10.0.0.0/8", true), ("10.0.0.0/8,::1", true), ("192.0.2.1, fd00::/8", true),
    ("10.0.0.0/33", false), ("example.org", false), ("10.0.0.1;10.0.0.2", false),
  ])
  func networks(text: String, isTaken: Bool) {
    #expect((Setting.trustedProxies.parse(text) != nil) == isTaken)
  }

  @Test(arguments: [
    ("", true), ("*", true), ("https://a.example", true),
    ("https://a.example, http://[::1]:3000", true),
    ("https://a.example/", false), ("a.example", false), ("*, https://a.example", false),
    ("https://*.example", false), ("null", false), ("https://", false), ("://a", false),
  ])
  func origins(text: String, isTaken: Bool) {
    #expect((Setting.corsOrigins.parse(text) != nil) == isTaken)
  }

  @Test func choices() {
    #expect(Setting.logFormat.parse("json") == .text("json"))
    #expect(Setting.logFormat.parse("JSON") == nil)
    #expect(Setting.logFormat.parse("") == nil)
    #expect(Setting.logFormat.expected == "json or text")
  }

  @Test func secrets() {
    let key = "0123456789abcdef"
    #expect(Setting.stateKey.parse(key) == .secret(key))
    #expect(Setting.stateKey.parse(key + "0") == .secret(key + "0"))
    #expect(Setting.stateKey.parse(String(key.dropLast())) == nil)
    #expect(Setting.stateKey.parse("") == .secret(""))
    // Bytes count, not characters.
    #expect(Setting.stateKey.parse("éééééééé") != nil)
    #expect(Setting.Value.secret(key).description == "set")
    #expect(Setting.Value.secret("").description == "not set")
  }

  /// A choice that nobody need make is made by nothing, in the environment too.
  @Test func noChoice() {
    #expect(Setting.precision.parse("") == .text(""))
    #expect(Setting.precision.parse("int8") == .text("int8"))
    #expect(Setting.precision.parse("int4") == nil)
    #expect(Setting.precision.expected == "f32 or f16 or int8")
  }
}

extension Setting {
  /// What stands where its value goes.
  fileprivate func values(in modules: ModuleSettings) -> [Value] {
    destinations.map { destination in
      switch destination {
      case .integer(let path): .integer(modules[keyPath: path])
      case .duration(let path): .seconds(modules[keyPath: path].seconds)
      case .number(let path): .number(modules[keyPath: path])
      }
    }
  }
}
