import Dispatch
import Glibc
import HTTPCore
import Synchronization
import TestSupport
import Testing

@testable import HTTPServer

/// A server on a port of its own, stopped with its owner.
final class TestServer {
  let server: Server
  private let clock: TestClock?

  /// Starts a server with one loop, unless `change` says otherwise.
  ///
  /// - Parameter clock: by which time-outs pass; the kernel's where it is nil.
  convenience init(
    _ change: (inout HTTPServerSettings) -> Void = { _ in },
    memory: MemoryBudget = MemoryBudget(limit: 256 << 20), clock: TestClock? = nil,
    descriptors: DescriptorBudget? = nil,
    application: @escaping HTTPAnswer = TestServer.echo
  ) throws {
    try self.init(
      change, memory: memory, clock: clock, descriptors: descriptors,
      receiving: Application(application))
  }

  /// A server that looks at heads first.
  init(
    _ change: (inout HTTPServerSettings) -> Void = { _ in },
    memory: MemoryBudget = MemoryBudget(limit: 256 << 20), clock: TestClock? = nil,
    descriptors: DescriptorBudget? = nil, receiving application: Application
  ) throws {
    var settings = HTTPServerSettings()
    settings.port = 0
    settings.loops = 1
    change(&settings)
    self.clock = clock
    var monotonic: (@Sendable () -> Int)?
    if let clock { monotonic = { clock.nanoseconds } }
    server = try Server(
      settings: settings, memory: memory, monotonic: monotonic, descriptors: descriptors,
      application: application)
    server.start()
  }

  deinit { server.stop(within: .zero) {} }

  var port: Int { server.port }

  /// Connects a client.
  func connect(host: String = "127.0.0.1") throws -> Client {
    guard let client = Client(port: port, host: host) else { throw Refused() }
    return client
  }

  struct Refused: Error {}

  /// Sends `text` on a connection of its own and returns all that comes back.
  func answer(to text: String) throws -> String? {
    let client = try connect()
    client.send(text)
    return client.receiveAll()
  }

  /// Sends `text`, lets `duration` pass on the server's clock when it has come, and returns all that comes back.
  func answer(to text: String, after duration: Duration) throws -> String? {
    let before = server.statistics
    let client = try connect()
    client.send(text)
    waitUntil {
      let now = server.statistics
      return now.connectionsAccepted > before.connectionsAccepted
        && now.bytesReceived == before.bytesReceived + text.utf8.count
    }
    clock?.advance(by: duration)
    return client.receiveAll()
  }

  /// Lets `duration` pass on the server's clock, again and again, until `condition` holds: where nobody can see from when
  /// on the server counts.
  @discardableResult
  func letTimePass(
    _ duration: Duration, sourceLocation: SourceLocation = #_sourceLocation,
    until condition: () -> Bool
  ) -> Bool {
    waitUntil(sourceLocation: sourceLocation) {
      if condition() { return true }
      clock?.advance(by: duration)
      return false
    }
  }

  /// Answers with the method, the path and the body.
  @Sendable static func echo(_ exchange: HTTPExchange) {
    let request = exchange.request
    exchange.respond(
      HTTPResponse(
        status: .ok, body: Array("\(request.method) \(request.path) ".utf8) + request.body))
  }
}

/// Exchanges that the test answers when it wants to.
final class Held: Sendable {
  private let exchanges = Mutex<[HTTPExchange]>([])

  @Sendable func hold(_ exchange: HTTPExchange) { exchanges.withLock { $0.append(exchange) } }

  /// The exchanges, once there are `count`; where they never come, others that lead nowhere.
  func wait(for count: Int) -> [HTTPExchange] {
    waitUntil { exchanges.withLock { $0.count } >= count }
    let found = exchanges.withLock { $0 }
    return found
      + (0..<max(0, count - found.count)).map { _ in
        HTTPExchange(request: HTTPRequest(method: "GET", path: "/"), deliver: { _ in })
      }
  }
}

/// A count that any thread may raise.
final class Tally: Sendable {
  private let count = Atomic(0)

  var value: Int { count.load(ordering: .relaxed) }

  @Sendable func raise() { count.add(1, ordering: .relaxed) }
}
