import Dispatch
import HTTPServer
import Logging
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
