import API
import Dispatch
import HTTPCore
import HTTPServer
import Inference
import Logging
import Scheduling
import Serving
import Synchronization

/// The HTTP server with its service and engines, from start to drain.
final class ModelServer: Sendable {
  private let service: Service
  private let server: Server
  private let settings: Settings
  /// The budget of memory that clients make the process hold.
  let memory: MemoryBudget
  private let sessionFiles: SessionFiles?
  /// What the session files have, into the session store; nil where there is none, or no file is named.
  private let takeover: SessionTakeover?
  private let logger: Logger
  private let watches: [FileWatch]
  private let phase = Mutex(Phase.starting)
  /// Whether all sessions were written; nil until writing is done.
  private let sessionsWritten = Mutex<Bool?>(nil)

  private enum Phase {
    case starting, serving, stopping
  }

  /// Makes the engines and binds the sockets.
  ///
  /// - Parameter graphs: the models; the first answers `/predict` unless `default_model` names another.
  /// - Throws: `CarouselError`, or `HTTPServerError` if the server can't listen on the address.
  init(graphs: [ModelGraph], settings: Settings, logger: Logger) throws {
    let names = graphs.map(\.model.description.name)
    let defaultModel = settings.text(.defaultModel)
    guard defaultModel.isEmpty || names.contains(defaultModel) else {
      throw CarouselError.unknownDefaultModel(name: defaultModel, loaded: names)
    }
    sessionFiles =
      settings.sessionFiles.isEmpty
      ? nil : try SessionFiles(paths: settings.sessionFiles, logger: logger)
    var modules = settings.modules
    modules.service.tokens = try settings.tokens()
    let cores = graphs.count > 1 ? Cores(count: AvailableCores().count) : nil
    let engines = graphs.map { [limits = modules.engine] graph in
      Engine(
        graph: graph, limits: limits, share: cores?.share(), answering: Server.answering)
    }
    let reference = ServerReference()
    let memory = MemoryBudget(limit: settings.memoryLimit)
    let service = Service(
      engines: Array(zip(names, engines)), defaultModel: defaultModel.isEmpty ? nil : defaultModel,
      settings: modules.service, memory: memory,
      sessionStore: try openSessionStore(by: settings, for: graphs, logger: logger),
      connections: { reference.connections })
    modules.server.probePaths = service.probePaths
    modules.server.tls = try settings.tls()
    modules.server.trustedProxies = try settings.trustedProxies()
    server = try Server(
      settings: modules.server, memory: memory,
      reportPause: { code in
        logger.warning(
          "no connections are accepted for a moment",
          metadata: ["reason": .string(systemMessage(code))])
      },
      application: logger.logLevel <= .debug
        ? logging(service.application, to: logger) : service.application)
    reference.set(server)
    var watches: [FileWatch] = []
    if let tls = modules.server.tls {
      warnOfUntimelyCertificates(tls, logger)
      watches.append(
        FileWatch("certificates", paths: tls.files, logger: logger) { [server] in
          try server.reload(tls)
          warnOfUntimelyCertificates(tls, logger)
        })
    }
    if modules.service.tokens != nil {
      watches.append(
        FileWatch("tokens", paths: [settings.text(.tokensFile)], logger: logger) {
          if let tokens = try settings.tokens() { service.replaceTokens(by: tokens) }
        })
    }
    if watches.isEmpty { watches.append(FileWatch("files", paths: [], logger: logger) {}) }
    self.watches = watches
    if server.maxConnections < settings.integer(.maxConnections) {
      logger.warning(
        "max_connections is lowered to what the limit on open files (ulimit -n) leaves",
        metadata: [
          "max_connections": .stringConvertible(settings.integer(.maxConnections)),
          "lowered": .stringConvertible(server.maxConnections),
        ])
    }
    self.service = service
    self.logger = logger
    takeover = sessionFiles == nil ? nil : service.sessionTakeover
    self.memory = memory
    startMemoryTrimming(of: memory) { service.engines }
    self.settings = settings
  }

  /// The URL at which a client on this machine finds the server.
  var url: String { settings.url(port: server.port, isTLS: settings.speaksTLS) }

  /// The port for TLS; nil if there is none.
  var tlsPort: Int? { server.tlsPort }

  /// The URL of the port for TLS that is beside another; nil if there is none.
  var tlsURL: String? {
    settings.speaksTLS ? nil : server.tlsPort.map { settings.url(port: $0, isTLS: true) }
  }

  /// Restores the sessions that the last process wrote, and begins to answer.
  ///
  /// - Returns: false if `drain` was called before; then nothing starts, and the session files are unchanged.
  @discardableResult
  func start() -> Bool {
    if takeover == nil { sessionFiles?.read(into: service.sessionTransfer) }
    return phase.withLock { phase in
      guard phase == .starting else { return false }
      if let takeover, let sessionFiles {
        service.setTakingOver(true)
        DispatchQueue(label: "session takeover").async { [self] in
          take(sessionFiles, over: takeover)
        }
      } else {
        sessionFiles?.claim(for: service.sessionTransfer)
      }
      service.setReadiness(.ready)
      server.start()
      for watch in watches { watch.start() }
      phase = .serving
      return true
    }
  }

  /// Has the store take over what the session files have; requests for sessions are refused until it has all.
  private func take(_ files: SessionFiles, over takeover: SessionTakeover) {
    if takeover.awaitStore(), files.read(into: takeover) {
      files.claim(for: takeover)
      service.setTakingOver(false)
    } else {
      logger.notice("session_file was not taken over yet: the next process does it")
    }
  }

  /// Ends gracefully. `/readyz` fails at once. After `drain_delay_seconds` no connection is accepted any more; requests
  /// in flight then have `drain_seconds` to end. Then `completion` is called. Before `start` there is nothing to drain,
  /// and `completion` is called at once. A second call does nothing.
  ///
  /// Sessions are written when all requests are answered, but at most `session_export_seconds` after the drain delay,
  /// so that a slow reader can't postpone this until the process is killed. From then on sessions are frozen: the file
  /// has their last state.
  ///
  /// - Parameter completion: called with whether all sessions were written.
  func drain(completion: @escaping @Sendable (_ isWell: Bool) -> Void) {
    let before = phase.withLock { phase in
      defer { phase = .stopping }
      return phase
    }
    guard before == .serving else {
      if before == .starting { completion(true) }
      return
    }
    service.setReadiness(.draining)
    let queue = DispatchQueue.global()
    queue.asyncAfter(deadline: .now() + settings.seconds(.drainDelaySeconds)) {
      queue.asyncAfter(deadline: .now() + self.settings.seconds(.sessionExportSeconds)) {
        self.writeSessions()
      }
      self.server.stop(within: .seconds(self.settings.seconds(.drainSeconds))) {
        self.takeover?.stop()
        let isWritten = self.writeSessions()
        self.service.endSessions { isStored in
          for engine in self.service.engines { engine.shutDown() }
          completion(isWritten && isStored)
        }
      }
    }
  }

  /// Writes the sessions to the session files once, where there is no store; concurrent callers wait until this is done.
  @discardableResult
  private func writeSessions() -> Bool {
    sessionsWritten.withLock { written in
      // A store has them.
      let files = takeover == nil ? sessionFiles : nil
      let isWell = written ?? files?.write(service.sessionTransfer) ?? true
      written = isWell
      return isWell
    }
  }
}

private func warnOfUntimelyCertificates(_ tls: TLSSettings, _ logger: Logger) {
  for (file, problem) in tls.untimelyCertificates() {
    logger.warning(
      "clients refuse a certificate",
      metadata: ["file": .string(file), "reason": .string(problem)])
  }
}

/// A reference to the server that is set later, as the service needs it but is made before the server.
private final class ServerReference: Sendable {
  private let server = Mutex<Server?>(nil)

  func set(_ server: Server) { self.server.withLock { $0 = server } }

  var connections: ConnectionStatistics {
    let server = server.withLock { $0 }
    let statistics = server?.statistics
    return ConnectionStatistics(
      open: statistics?.connectionsOpen ?? 0, limit: server?.maxConnections ?? 0,
      accepted: UInt64(statistics?.connectionsAccepted ?? 0),
      refused: UInt64(statistics?.connectionsRefused ?? 0),
      beyondShare: UInt64(statistics?.connectionsBeyondShare ?? 0),
      proxyHeadersRefused: UInt64(statistics?.proxyHeadersRefused ?? 0),
      acceptPauses: UInt64(statistics?.acceptPauses ?? 0),
      tlsHandshakes: UInt64(statistics?.tlsHandshakes ?? 0),
      tlsFailures: UInt64(statistics?.tlsFailures ?? 0),
      slowUploads: UInt64(statistics?.slowUploads ?? 0),
      slowDownloads: UInt64(statistics?.slowDownloads ?? 0),
      requestsRefused: (statistics?.requestsRefused ?? [:]).mapValues { UInt64($0) })
  }
}
