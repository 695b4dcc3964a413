import API
import Glibc
import HTTPServer
import Logging
import ModelFormat
import Scheduling

extension Settings {
  /// The modules' settings: each setting is stored at the destinations of its declaration; then follow the values that
  /// depend on several settings or on the machine.
  var modules: ModuleSettings {
    var modules = ModuleSettings()
    for entry in entries { entry.setting.apply(entry.value, to: &modules) }

    modules.engine.workers = cores(.workers)
    modules.service.stateKey = stateKey
    modules.service.operatorKey = secret(.operatorKey).map { Array($0.utf8) }
    modules.service.metricsAreForOperators = text(.metricsAccess) == "operate"
    modules.service.origins = origins
    modules.service.version = CarouselCommand.version

    modules.server.address = text(.host)
    modules.server.port = integer(.port)
    modules.server.expectsProxyHeader = expectsProxyHeader
    let loops = cores(.loops)
    modules.server.loops = loops
    modules.service.largeBodyThreads = max(1, loops / 2)
    modules.server.drainGrace = min(modules.server.drainGrace, .seconds(seconds(.drainSeconds)))
    // An accepted head must have room to be unpacked, and a body of the allowed size must be able to arrive.
    let http2 = modules.server.http2
    modules.server.http2.maxUnpackedHeadBytes = max(
      http2.maxUnpackedHeadBytes, 2 * http2.maxHeadBytes)
    modules.server.http2.maxIncompleteBytes = max(http2.maxIncompleteBytes, http2.maxBodyBytes)
    return modules
  }

  /// The number of threads of `setting`; 0 means one for each core that the process may use.
  private func cores(_ setting: Setting) -> Int {
    valueByMachine(of: setting)?.value ?? integer(setting)
  }

  /// The precision of recurrent networks' weights; nil for the one that each model asks for.
  var precision: Precision? { Precision(rawValue: text(.precision)) }

  /// The paths at which to write sessions, in order of preference.
  var sessionFiles: [String] { text(.sessionFile).split(separator: ":").map(String.init) }

  /// The access tokens; nil if clients need none.
  ///
  /// - Throws: if the file can't be used, or operators alone have access to something and nobody could be one.
  func tokens() throws(CarouselError) -> TokenTable? {
    let path = text(.tokensFile)
    guard path.isEmpty else {
      do throws(CarouselError) { return TokenTable(try TokenFile(path: path).tokens) } catch {
        let isMissing = error == .file(path: path, code: ENOENT)
        throw .settingFile(
          setting: Setting.tokensFile.name, error,
          remedy: isMissing ? "carousel token NAME --file \(path) makes it" : nil)
      }
    }
    let entry = entry(of: .metricsAccess)
    guard text(.metricsAccess) == "open" || secret(.operatorKey) != nil else {
      throw .badSetting(
        name: entry.source.name(of: .metricsAccess), source: entry.source,
        found: text(.metricsAccess),
        expected: "open without tokens_file or operator_key, one of which operators need")
    }
    return nil
  }

  /// The certificates and keys; nil without TLS.
  ///
  /// - Throws: if there is not one key for each certificate, or another setting needs certificates and there are none.
  func tls() throws(CarouselError) -> TLSSettings? {
    let paths = { text($0).split(separator: ":").map(String.init) }
    let (chains, keys) = (paths(.tlsCertificate), paths(.tlsKey))
    guard chains.count == keys.count else {
      let entry = entry(of: .tlsKey)
      throw .badSetting(
        name: entry.source.name(of: .tlsKey), source: entry.source, found: text(.tlsKey),
        expected: "a key for each certificate, \(chains.count) of them")
    }
    for setting in [Setting.tlsClientAuthorities, .tlsPort] where chains.isEmpty {
      let entry = entry(of: setting)
      guard entry.value == setting.parse(setting.defaultText) else {
        throw .badSetting(
          name: entry.source.name(of: setting), source: entry.source,
          found: setting == .tlsPort ? "\(integer(setting))" : text(setting),
          expected: "none without tls_certificate")
      }
    }
    guard !chains.isEmpty else { return nil }
    for (setting, files) in [(Setting.tlsCertificate, chains), (.tlsKey, keys)] {
      // SAFETY: the path is a zero-terminated string for the length of the call.
      guard let file = files.first(where: { unsafe access($0, F_OK) != 0 && $0.contains(",") })
      else { continue }
      let entry = entry(of: setting)
      throw .badSetting(
        name: entry.source.name(of: setting), source: entry.source, found: file,
        expected: setting.expected)
    }
    let port = integer(.tlsPort)
    guard port == 0 || port != integer(.port) else {
      let entry = entry(of: .tlsPort)
      throw .badSetting(
        name: entry.source.name(of: .tlsPort), source: entry.source, found: "\(port)",
        expected: "another port than that of \(Setting.port.name), or 0 to speak TLS on that one")
    }
    let authorities = text(.tlsClientAuthorities)
    return TLSSettings(
      certificates: zip(chains, keys).map { .init(chain: $0, key: $1) },
      clientAuthorities: authorities.isEmpty ? nil : authorities, port: port == 0 ? nil : port)
  }

  /// Whether the main port speaks TLS.
  var speaksTLS: Bool { !text(.tlsCertificate).isEmpty && integer(.tlsPort) == 0 }

  /// The key that signs state tokens; nil for a random key.
  var stateKey: [UInt8]? { secret(.stateKey).map { Array($0.utf8) } }

  /// The value that this machine gives a setting, and the reason, where the setting's 0 leaves it to the machine; else
  /// nil.
  func valueByMachine(of setting: Setting) -> (value: Int, reason: String)? {
    switch setting {
    case .loops, .workers:
      guard integer(setting) == 0 else { return nil }
      let cores = AvailableCores()
      return (cores.count, cores.reason)
    case .maxMemoryBytes:
      guard integer(setting) == 0 else { return nil }
      let memory = AvailableMemory()
      return (memory.standardLimit, memory.standardLimitReason)
    default: return nil
    }
  }

  /// The bytes that bodies, documents, answers and unsent output may take together.
  var memoryLimit: Int {
    valueByMachine(of: .maxMemoryBytes)?.value ?? integer(.maxMemoryBytes)
  }

  /// The handler for log lines, by the settings.
  var logHandler: LineLogHandler {
    guard let format = LineLogHandler.Format(rawValue: text(.logFormat)),
      let level = Logger.Level(rawValue: text(.logLevel))
    else { preconditionFailure("the table admits no other") }
    return LineLogHandler(format: format, level: level)
  }

  /// The URL at which a client on this machine finds a server with these settings.
  func url(port: Int, isTLS: Bool) -> String {
    let host = text(.host)
    let reachable =
      switch host {
      // An address, as an image without /etc/hosts can't resolve localhost.
      case "::", "0.0.0.0": "127.0.0.1"
      case _ where host.contains(":"): "[\(host)]"
      default: host
      }
    return "http\(isTLS ? "s" : "")://\(reachable):\(port)"
  }
}
