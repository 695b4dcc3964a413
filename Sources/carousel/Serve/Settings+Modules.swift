import API
import HTTPServer
import Logging
import ModelFormat
import Scheduling

extension Settings {
  /// What an engine takes on.
  var engineLimits: EngineLimits {
    EngineLimits(
      workers: cores(.workers), maxSeats: integer(.maxSeats),
      maxQueuedSequences: integer(.maxQueuedSequences),
      maxQueuedSteps: integer(.maxQueuedSteps))
  }

  /// A number of threads: that of `setting`, or of the cores that the process may use where it is 0.
  private func cores(_ setting: Setting) -> Int {
    valueByMachine(of: setting)?.value ?? integer(setting)
  }

  /// What the lstms' weights are kept as; nil: what each model asks for.
  var precision: Precision? { Precision(rawValue: text(.precision)) }

  /// Where sessions are written, in order.
  var sessionFiles: [String] { text(.sessionFile).split(separator: ":").map(String.init) }

  /// What the states that clients take along are signed with; nil for a random key.
  var stateKey: [UInt8]? { secret(.stateKey).map { Array($0.utf8) } }

  /// The limits of the endpoints.
  var service: ServiceSettings {
    var service = ServiceSettings()
    service.questions.maxSequencesPerRequest = integer(.maxSequencesPerRequest)
    service.questions.maxSequenceSteps = integer(.maxSequenceSteps)
    service.questions.maxHorizon = integer(.maxHorizon)
    service.questions.maxGenerationSteps = integer(.maxGenerationSteps)
    service.maxInlineBytes = integer(.maxInlineBytes)
    service.maxAnswerBytes = integer(.maxAnswerBytes)
    service.stateKey = stateKey
    service.sessions = SessionLimits(
      maxBytes: integer(.maxSessionBytes), idleTimeout: .seconds(seconds(.sessionIdleSeconds)),
      maxWaiters: integer(.maxSessionWaiters))
    service.operatorKey = secret(.operatorKey).map { Array($0.utf8) }
    service.version = CarouselCommand.version
    return service
  }

  /// What a setting that leaves its value to the machine, by 0, comes to there, and why; nil for others.
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

  /// What bodies, documents, answers and unread output may take together.
  var memoryLimit: Int {
    valueByMachine(of: .maxMemoryBytes)?.value ?? integer(.maxMemoryBytes)
  }

  /// The sockets, time-outs and limits of the server.
  var server: HTTPServerSettings {
    var server = HTTPServerSettings()
    server.address = text(.host)
    server.port = integer(.port)
    server.loops = cores(.loops)
    server.maxConnections = integer(.maxConnections)
    server.headTimeout = .seconds(seconds(.headTimeoutSeconds))
    server.bodyTimeout = .seconds(seconds(.bodyTimeoutSeconds))
    server.idleTimeout = .seconds(seconds(.idleTimeoutSeconds))
    server.writeTimeout = .seconds(seconds(.writeTimeoutSeconds))
    server.minUploadRate = integer(.minUploadRate)
    server.minDownloadRate = integer(.minDownloadRate)
    server.drainGrace = .seconds(
      Swift.min(seconds(.drainGraceSeconds), seconds(.drainSeconds)))
    server.http1.maxHeadBytes = integer(.maxHeadBytes)
    server.http1.maxBodyBytes = integer(.maxBodyBytes)
    server.http2.maxHeadBytes = integer(.maxHeadBytes)
    // A head that is let in has to be unpacked first.
    server.http2.maxUnpackedHeadBytes = max(
      server.http2.maxUnpackedHeadBytes, 2 * server.http2.maxHeadBytes)
    server.http2.maxBodyBytes = integer(.maxBodyBytes)
    server.http2.maxIncompleteBytes = max(
      server.http2.maxIncompleteBytes, integer(.maxBodyBytes))
    server.contentCoding.minCompressBytes = integer(.compressMinBytes)
    server.contentCoding.gzipLevel = integer(.gzipLevel)
    server.contentCoding.maxInflatedBytes = integer(.maxInflatedBytes)
    server.contentCoding.maxInflateRatio = integer(.maxInflateRatio)
    return server
  }

  /// Where log lines go, and which.
  var logHandler: LineLogHandler {
    guard let format = LineLogHandler.Format(rawValue: text(.logFormat)),
      let level = Logger.Level(rawValue: text(.logLevel))
    else { preconditionFailure("the table admits no other") }
    return LineLogHandler(format: format, level: level)
  }

  /// The URL at which a client on this machine finds a server with these settings.
  func url(port: Int) -> String {
    let host = text(.host)
    let reachable =
      switch host {
      // An address, not a name: an image without /etc/hosts knows no localhost.
      case "::", "0.0.0.0": "127.0.0.1"
      case _ where host.contains(":"): "[\(host)]"
      default: host
      }
    return "http://\(reachable):\(port)"
  }
}
