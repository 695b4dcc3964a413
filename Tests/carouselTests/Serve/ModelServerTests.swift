import Dispatch
import Glibc
import HTTPServer
import Logging
import ModelFormat
import Synchronization
import TestSupport
import Testing

@testable import carousel

@Suite struct ModelServerTests {
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private func makeServer(_ settings: [Setting: String] = [:]) throws -> ModelServer {
    let settings = settings.merging([.port: "0", .loops: "1"]) { first, _ in first }
    return try ModelServer(
      graphs: [try BundledModel.graph()], settings: try Settings(commandLine: settings),
      logger: logger)
  }

  private func status(_ path: String, of server: ModelServer) throws -> Int {
    let target = try #require(ProbeTarget(url: server.url + path))
    return try Probe(target: target, timeoutSeconds: 180).status()
  }

  @Test(arguments: ["127.0.0.1", "0.0.0.0"])
  func fromStartToDrain(host: String) throws {
    let server = try makeServer([.host: host])
    server.start()
    #expect(try status("/readyz", of: server) == 200)
    #expect(try status("/models/co2", of: server) == 200)
    #expect(try status("/models/none", of: server) == 404)
    let drained = DispatchSemaphore(value: 0)
    server.drain { _ in drained.signal() }
    drained.wait()
    #expect(throws: ProbeError.self) { try status("/livez", of: server) }
  }

  /// Asked by the probe, as a container's health check is.
  @Test func tls() throws {
    let server = try makeServer([
      .tlsCertificate: Fixtures.path("tls/one.pem"), .tlsKey: Fixtures.path("tls/one-key.pem"),
    ])
    server.start()
    #expect(server.url.hasPrefix("https://127.0.0.1:"))
    #expect(try status("/readyz", of: server) == 200)
    let plain = try #require(
      ProbeTarget(url: server.url.replacing("https://", with: "http://") + "/readyz"))
    #expect(throws: ProbeError.self) { try Probe(target: plain, timeoutSeconds: 180).status() }
  }

  @Test(
    arguments: [
      ([.tlsCertificate: "a:b", .tlsKey: "a"], "--tls-key"), ([.tlsKey: "a"], "--tls-key"),
      ([.tlsCertificate: "a,b", .tlsKey: "a"], "--tls-certificate"),
      ([.tlsCertificate: "a", .tlsKey: "a,b"], "--tls-key"),
      ([.tlsCertificate: "a", .tlsKey: "b", .port: "1", .tlsPort: "1"], "--tls-port"),
      ([.metricsAccess: "operate"], "--metrics-access"),
      ([.tlsPort: "1"], "--tls-port"), ([.tlsClientAuthorities: "a"], "--tls-client-authorities"),
    ] as [([Setting: String], String)])
  func settingsThatDoNotGoTogether(settings: [Setting: String], name: String) {
    #expect {
      try makeServer(settings)
    } throws: {
      guard case .badSetting(name, _, _, _)? = $0 as? CarouselError else { return false }
      return true
    }
  }

  /// A file that was replaced is found, whether it can be used or not, and once only.
  @Test func filesAreWatched() throws {
    let tree = try FileTree(["chain": "a", "key": "b"])
    let count = Mutex(0)
    let watch = FileWatch(
      "certificates", paths: ["\(tree.path)/chain", "\(tree.path)/key"], logger: logger
    ) {
      if count.withLock({
        $0 += 1
        return $0 == 1
      }) {
        throw HTTPServerError.certificate(.key, file: "key", problem: "half of it")
      }
    }
    watch.reloadIfChanged()
    #expect(count.withLock { $0 } == 0)
    for (number, file) in ["key", "chain"].enumerated() {
      try OpenFile.write(Array("new".utf8), to: "\(tree.path)/\(file)")
      watch.reloadIfChanged()
      watch.reloadIfChanged()
      #expect(count.withLock { $0 } == number + 1)
    }
  }

  /// Several watches hear of SIGHUP, though the first one listens already when the second begins.
  @Test func everyWatchHearsOfSIGHUP() throws {
    let heard = (0..<2).map { _ in Heard() }
    for one in heard {
      FileWatch("files", paths: [], logger: logger) { one.count.withLock { $0 += 1 } }.start()
      // Dispatch begins to listen a moment after it was asked to: a signal shows when it does.
      #expect(
        waitUntil {
          kill(getpid(), SIGHUP)
          return one.count.withLock { $0 > 0 }
        })
    }
    let before = heard[0].count.withLock { $0 }
    kill(getpid(), SIGHUP)
    #expect(waitUntil { heard[0].count.withLock { $0 > before } })
  }

  private final class Heard: Sendable { let count = Mutex(0) }

  @Test func readinessFailsBeforeTheServerStops() throws {
    let server = try makeServer([.drainDelaySeconds: "3600"])
    server.start()
    server.drain { _ in }
    #expect(try status("/readyz", of: server) == 503)
    #expect(try status("/livez", of: server) == 200)
  }

  @Test func aPortInUse() throws {
    let first = try makeServer()
    let port = try #require(first.url.split(separator: ":").last)
    #expect(throws: HTTPServerError.addressInUse(address: "127.0.0.1", port: Int(port) ?? 0)) {
      try makeServer([.port: String(port)])
    }
  }

  @Test func aDefaultModelThatIsNotThere() {
    #expect(throws: CarouselError.unknownDefaultModel(name: "x", loaded: ["co2"])) {
      try makeServer([.defaultModel: "x"])
    }
  }
}
