import Testing

@testable import carousel

@Suite struct SettingsTests {
  private let file: SettingsFile
  private static let path = "/etc/carousel/carousel.json"

  init() throws {
    file = try SettingsFile(Array(#"{"port": 3, "log_level": "error"}"#.utf8), path: Self.path)
  }

  private func entry(_ setting: Setting, of settings: Settings) throws -> Settings.Entry {
    try #require(settings.entries.first { $0.setting == setting })
  }

  @Test func everySettingHasItsDefault() throws {
    let settings = try Settings()
    #expect(settings.entries.map(\.setting) == Setting.all)
    for entry in settings.entries {
      #expect(entry.source == .standard)
      #expect(entry.value == entry.setting.parse(entry.setting.defaultText))
    }
    #expect(settings.text(.host) == "127.0.0.1")
    #expect(settings.integer(.maxBodyBytes) == 16 << 20)
    #expect(settings.seconds(.drainDelaySeconds) == 0)
  }

  /// Kubernetes and Docker set such for a service called carousel.
  @Test func whatIsIgnoredIsTold() throws {
    let settings = try Settings(environment: [
      "CAROUSEL_PORT": "tcp://10.0.0.1:8080", "CAROUSEL_0_PORT": "tcp://10.0.0.1:8080",
      "CAROUSEL_SERVICE_HOST": "10.0.0.1",
    ])
    #expect(settings.ignoredVariables == ["CAROUSEL_PORT"])
    #expect(try entry(.port, of: settings).source == .standard)
    #expect(try Settings(environment: ["CAROUSEL_PORT": "9"]).ignoredVariables.isEmpty)
  }

  @Test func strongerSourcesGoFirst() throws {
    let environment = ["CAROUSEL_PORT": "2", "PORT": "9", "HOME": "/"]
    let onlyFile = try entry(.port, of: Settings(file: file))
    #expect(onlyFile.value == .integer(3))
    #expect(onlyFile.source == .file(path: Self.path))
    let withEnvironment = try Settings(environment: environment, file: file)
    #expect(try entry(.port, of: withEnvironment).value == .integer(2))
    #expect(try entry(.port, of: withEnvironment).source == .environment)
    #expect(try entry(.logLevel, of: withEnvironment).source == .file(path: Self.path))
    #expect(try entry(.host, of: withEnvironment).source == .standard)
    let withAll = try Settings(commandLine: [.port: "1"], environment: environment, file: file)
    #expect(try entry(.port, of: withAll).value == .integer(1))
    #expect(try entry(.port, of: withAll).source == .commandLine)
  }

  @Test(arguments: [
    (
      ["CAROUSEL_PORT": "70000"],
      "CAROUSEL_PORT (environment): found \"70000\", expected a whole number from 0 to 65535"
    ),
    (
      ["CAROUSEL_LOG_FORMAT": " "],
      "CAROUSEL_LOG_FORMAT (environment): found \" \", expected json or text"
    ),
    (
      ["CAROUSEL_PROT": ""],
      "CAROUSEL_PROT (environment) is not a setting; did you mean CAROUSEL_PORT?"
    ),
    (
      ["CAROUSEL_PRECISION": "INT8"],
      "CAROUSEL_PRECISION (environment): found \"INT8\", expected f32 or f16 or int8"
    ),
    (
      ["CAROUSEL_PROT": "1"],
      "CAROUSEL_PROT (environment) is not a setting; did you mean CAROUSEL_PORT?"
    ),
  ])
  func badEnvironment(environment: [String: String], message: String) {
    #expect { try Settings(environment: environment) } throws: { "\($0)" == message }
  }

  /// A variable that holds nothing is as if it were not set, whatever its setting takes.
  @Test(arguments: ["", "\n", "\r\n"])
  func emptyVariablesAreNotSet(text: String) throws {
    let names = Setting.all.flatMap { setting in
      [setting.environmentName] + (setting.formerName.map { [Setting.environmentName($0)] } ?? [])
    }
    let environment = Dictionary(uniqueKeysWithValues: names.map { ($0, text) })
    let settings = try Settings(environment: environment)
    #expect(settings.entries.map(\.value) == (try Settings()).entries.map(\.value))
    #expect(settings.entries.allSatisfy { $0.source == .standard })
    #expect(settings.emptyVariables == names.sorted())
    // So the settings file holds, also for what may be empty.
    let file = try SettingsFile(
      Array(#"{"port": 7, "session_file": "s", "default_model": "m"}"#.utf8), path: "c.json")
    let withFile = try Settings(environment: environment, file: file)
    #expect(withFile.integer(.port) == 7 && withFile.text(.defaultModel) == "m")
    #expect(withFile.text(.sessionFile).hasSuffix("s"))
    // By either name of a setting.
    let (new, former) = ("CAROUSEL_MAX_MEMORY_BYTES", "CAROUSEL_MAX_BUFFERED_BYTES")
    for other in [[new: text, former: "2 MiB"], [new: "2 MiB", former: text]] {
      #expect(try Settings(environment: other).integer(.maxMemoryBytes) == 2 << 20)
    }
    #expect(try Settings(environment: ["CAROUSEL_PORT": "1"]).emptyVariables == [])
  }

  /// In the other places an empty value is one.
  @Test func emptyValuesElsewhere() throws {
    let file = try SettingsFile(Array(#"{"session_file": "s"}"#.utf8), path: "c.json")
    #expect(try Settings(commandLine: [.sessionFile: ""], file: file).text(.sessionFile) == "")
    #expect(throws: CarouselError.self) { try Settings(commandLine: [.port: ""]) }
    let empty = try SettingsFile(Array(#"{"port": ""}"#.utf8), path: "c.json")
    #expect(throws: CarouselError.self) { try Settings(file: empty) }
  }

  /// Variables made from files or by `echo` end with a line end.
  @Test(arguments: ["\n", "\r\n", "\n\n", ""])
  func lineEndsBehindVariablesAreLeftOut(end: String) throws {
    let settings = try Settings(environment: [
      "CAROUSEL_PORT": "81\(end)", "CAROUSEL_HOST": "::1\(end)",
      "CAROUSEL_SESSION_FILE": "/tmp/a b\(end)", "CAROUSEL_MAX_BODY_BYTES": "2 MiB\(end)",
    ])
    #expect(settings.integer(.port) == 81)
    #expect(settings.text(.host) == "::1")
    #expect(settings.text(.sessionFile) == "/tmp/a b")
    #expect(settings.integer(.maxBodyBytes) == 2 << 20)
    #expect(throws: CarouselError.self) {
      try Settings(environment: ["CAROUSEL_PORT": "\n81\(end)"])
    }
  }

  /// A setting that has another name now is found by either; two values are one too many.
  @Test func formerNamesAreTaken() throws {
    let (new, former) = ("CAROUSEL_MAX_MEMORY_BYTES", "CAROUSEL_MAX_BUFFERED_BYTES")
    for environment in [[new: "2 MiB"], [former: "2 MiB"], [new: "2 MiB", former: "2 MiB"]] {
      let settings = try Settings(environment: environment)
      #expect(settings.integer(.maxMemoryBytes) == 2 << 20)
      #expect(settings.memoryLimit == 2 << 20)
    }
    #expect {
      try Settings(environment: [new: "2 MiB", former: "3 MiB"])
    } throws: {
      "\($0)"
        == "\(former) (environment): found another value than that of \(new), which is the same setting"
    }
    let names = [#""max_memory_bytes": "2 MiB""#, #""max_buffered_bytes": "2 MiB""#]
    for members in [[names[0]], [names[1]], names] {
      let text = "{\(members.joined(separator: ","))}"
      let file = try SettingsFile(Array(text.utf8), path: "c.json")
      #expect(try Settings(file: file).integer(.maxMemoryBytes) == 2 << 20)
    }
    #expect(
      throws: CarouselError.twoNames(
        "max_memory_bytes", "max_buffered_bytes", source: .file(path: "c.json"))
    ) {
      try SettingsFile(
        Array(#"{"max_buffered_bytes": 1, "max_memory_bytes": 2}"#.utf8), path: "c.json")
    }
    // A stronger source decides, by whichever name.
    let both = try Settings(commandLine: [.maxMemoryBytes: "4 MiB"], environment: [former: "1"])
    #expect(both.integer(.maxMemoryBytes) == 4 << 20)
  }

  @Test func badCommandLine() {
    #expect { try Settings(commandLine: [.drainSeconds: "soon"]) } throws: {
      "\($0)" == "--drain-seconds (command line): found \"soon\", expected seconds from 0 to 3600"
    }
  }

  /// Of a secret, an error tells the length alone.
  @Test func badSecret() {
    #expect { try Settings(environment: ["CAROUSEL_STATE_KEY": "fifteen bytes o"]) } throws: {
      "\($0)"
        == "CAROUSEL_STATE_KEY (environment): found \"15 bytes\", expected at least 16 bytes"
    }
  }

  @Test func badFile() throws {
    let file = try SettingsFile(Array(#"{"max_head_bytes": 255}"#.utf8), path: "c.json")
    #expect(
      throws: CarouselError.badSetting(
        name: "max_head_bytes", source: .file(path: "c.json"), found: "255",
        expected: Setting.maxHeadBytes.expected)
    ) { try Settings(file: file) }
  }

  @Test func aWeakerSourceIsNotJudgedWhereAStrongerOneDecides() throws {
    let settings = try Settings(commandLine: [.port: "1"], environment: ["CAROUSEL_PORT": "x"])
    #expect(settings.integer(.port) == 1)
  }

  @Test(arguments: [
    ("CAROUSEL_0_PORT", "tcp://10.0.0.1:8080"), ("CAROUSEL_A_PORT", "tcp://10.0.0.1:8080"),
    ("CAROUSEL_PORT", "udp://10.0.0.1:53"), ("CAROUSEL_PORT", "sctp://10.0.0.1:53"),
    ("CAROUSEL_0_SERVICE_HOST", "10.0.0.1"), ("CAROUSEL_0_SERVICE_PORT", "1"),
    ("CAROUSEL_0_PORT_8080_TCP_PORT", "8080"), ("CAROUSEL_0_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
  ])
  func variablesOfSiblingsAreNotOurs(name: String, text: String) throws {
    #expect(try Settings(environment: [name: text]).integer(.port) == 8080)
  }

  @Test(arguments: ["CAROUSEL_0_PORT", "CAROUSEL_PROT"])
  func aMisspeltNameIsTold(name: String) {
    #expect(throws: CarouselError.self) { try Settings(environment: [name: "8081"]) }
  }

  @Test(arguments: ["\n", "\r\n", " ", ""])
  func aSecretHasNoLineEnd(end: String) throws {
    let key = "0123456789abcdef"
    let settings = try Settings(environment: ["CAROUSEL_STATE_KEY": key + end])
    #expect(settings.secret(.stateKey) == key)
    #expect(throws: CarouselError.self) {
      try Settings(environment: ["CAROUSEL_STATE_KEY": key.dropLast() + "\n"])
    }
  }

  /// Kubernetes sets these for a service that is called carousel.
  @Test func variablesOfAServiceAreNotOurs() throws {
    let settings = try Settings(environment: [
      "CAROUSEL_PORT": "tcp://10.0.0.1:8080", "CAROUSEL_SERVICE_HOST": "10.0.0.1",
      "CAROUSEL_SERVICE_PORT": "8080", "CAROUSEL_PORT_8080_TCP_ADDR": "10.0.0.1",
      "CAROUSEL_PORT_8080_TCP": "tcp://10.0.0.1:8080", "CAROUSEL_ISA": "avx2",
      "CAROUSEL_CONFIG": "x",
    ])
    #expect(settings.integer(.port) == 8080)
  }
}
