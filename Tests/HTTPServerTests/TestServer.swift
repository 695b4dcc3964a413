import Dispatch
import Glibc
import HTTPCore
import Synchronization

@testable import HTTPServer

/// A server on a port of its own, stopped with its owner.
final class TestServer {
  let server: Server

  /// Starts a server with one loop, unless `change` says otherwise.
  init(
    _ change: (inout HTTPServerSettings) -> Void = { _ in },
    memory: MemoryBudget = MemoryBudget(limit: 256 << 20),
    application: @escaping Application = TestServer.echo
  ) throws {
    var settings = HTTPServerSettings()
    settings.port = 0
    settings.loops = 1
    change(&settings)
    server = try Server(settings: settings, memory: memory, application: application)
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

  /// The exchanges, once there are `count`.
  func wait(for count: Int) -> [HTTPExchange] {
    waitUntil { exchanges.withLock { $0.count } >= count }
    return exchanges.withLock { $0 }
  }
}

/// Waits for `condition`, for some seconds at most; returns whether it came to hold.
@discardableResult
func waitUntil(_ condition: () -> Bool) -> Bool {
  for _ in 0..<10_000 {
    if condition() { return true }
    usleep(1000)
  }
  return false
}

/// A count that any thread may raise.
final class Tally: Sendable {
  private let count = Atomic(0)

  var value: Int { count.load(ordering: .relaxed) }

  @Sendable func raise() { count.add(1, ordering: .relaxed) }
}
