import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

/// Clients that send and take nothing while the server stops, and those that do, over live sockets.
@Suite struct DrainTests {
  private static let grace = Duration.milliseconds(10)
  private static let get = Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
  private static let post = Array("POST / HTTP/1.1\r\nHost: x\r\n".utf8)
  private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
  private static let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]

  /// HEADERS of a request to `/` by HPACK's static table (RFC 9113 §6.2, RFC 7541 Appendix A).
  private static func headers(_ stream: UInt8, isPost: Bool = false, flags: UInt8) -> [UInt8] {
    [0, 0, 6, 1, flags, 0, 0, 0, stream, isPost ? 0x83 : 0x82, 0x86, 0x84, 0x41, 1, 0x78]
  }

  private static func data(_ stream: UInt8, _ text: String, isLast: Bool) -> [UInt8] {
    [0, 0, UInt8(text.utf8.count), 0, isLast ? 1 : 0, 0, 0, 0, stream] + text.utf8
  }

  private let clock = TestClock()
  private let stops = Tally()

  private func server(
    application: @escaping HTTPAnswer = TestServer.echo
  ) throws -> TestServer {
    try TestServer({ $0.drainGrace = Self.grace }, clock: clock, application: application)
  }

  /// A client that has sent `bytes`, which have come.
  private func client(of server: TestServer, _ bytes: [UInt8]) throws -> Client {
    let before = server.server.statistics.bytesReceived
    let client = try server.connect()
    client.send(bytes)
    waitUntil { server.server.statistics.bytesReceived == before + bytes.count }
    return client
  }

  private func stop(_ server: TestServer) {
    server.server.stop(within: .seconds(100_000)) { [stops] in stops.raise() }
  }

  private static let silent: [[UInt8]] = [
    [], get, Array("GET / HT".utf8), post,
    post + "Content-Length: 9\r\n\r\nabc".utf8,
    post + "Transfer-Encoding: chunked\r\n\r\n5\r\nabc".utf8,
    post + "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n".utf8,
    get + get + post,
    Array(preface.prefix(10)), preface, preface + settings,
    preface + settings + headers(1, flags: 5),
    preface + settings + headers(1, isPost: true, flags: 4).prefix(11),
    preface + settings + headers(1, isPost: true, flags: 0),
    preface + settings + headers(1, isPost: true, flags: 4),
    preface + settings + headers(1, isPost: true, flags: 4) + data(1, "abc", isLast: false),
    preface + settings + headers(1, flags: 5) + headers(3, isPost: true, flags: 0),
  ]

  /// It neither closes nor acknowledges what it is told.
  @Test(arguments: silent)
  func aSilentClientHoldsNothingUp(bytes: [UInt8]) throws {
    let server = try server()
    let client = try client(of: server, bytes)
    stop(server)
    #expect(server.letTimePass(Self.grace) { stops.value == 1 })
    #expect(client.receiveAllBytes() != nil)
  }

  @Test(arguments: [post, post + "Content-Length: 9\r\n\r\nabc".utf8])
  func whatIsNotCompleteIsRefused(bytes: [UInt8]) throws {
    let server = try server()
    let client = try client(of: server, bytes)
    stop(server)
    server.letTimePass(Self.grace) { server.server.statistics.requestsRefused.count == 1 }
    #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 408 ") == true)
  }

  private static let halves: [(first: [UInt8], rest: [UInt8])] = [
    (post, Array("Content-Length: 0\r\n\r\n".utf8)),
    (post + "Content-Length: 6\r\n\r\nabc".utf8, Array("def".utf8)),
    (
      preface + settings + headers(1, isPost: true, flags: 0),
      [0, 0, 0, 9, 5, 0, 0, 0, 1] + data(1, "", isLast: true)
    ),
    (
      preface + settings + headers(1, isPost: true, flags: 4) + data(1, "abc", isLast: false),
      data(1, "def", isLast: true)
    ),
  ]

  /// The clock goes on by the grace and no further, so the rest is no later than that allows.
  @Test(arguments: 0..<halves.count)
  func aRequestThatGoesOnIsAnswered(index: Int) throws {
    let server = try server()
    let idle = try client(of: server, Self.get)
    let client = try client(of: server, Self.halves[index].first)
    stop(server)
    server.server.waitForLoops()
    clock.advance(by: Self.grace)
    // Where there is nothing to wait for, the grace is over.
    #expect(idle.receiveAllBytes() != nil)
    client.send(Self.halves[index].rest)
    #expect(client.receive(until: index % 2 == 0 ? "POST / " : "POST / abcdef") != nil)
    #expect(stops.value == 0)
    client.endOutput()
    #expect(waitUntil { stops.value == 1 })
    #expect(server.server.statistics.requestsRefused.isEmpty)
  }

  /// Beside it on the same connection, a request that doesn't go on ends alone.
  @Test func whatIsOwedOverHTTP2IsAnswered() throws {
    let held = Held()
    let server = try server(application: held.hold)
    let client = try client(
      of: server,
      Self.preface + Self.settings + Self.headers(1, flags: 5)
        + Self.headers(3, isPost: true, flags: 4))
    let exchange = held.wait(for: 1)[0]
    stop(server)
    server.letTimePass(Self.grace) {
      server.server.statistics.requestsRefused == [.requestTimeout: 1]
    }
    #expect(stops.value == 0 && !exchange.isAbandoned)
    exchange.respond(HTTPResponse(status: .ok, body: Array("done".utf8)))
    #expect(client.receive(until: "done") != nil)
    #expect(server.letTimePass(Self.grace) { stops.value == 1 })
  }

  @Test func anAnswerOnItsWayGoesOn() throws {
    let server = try server { exchange in
      exchange.respond(HTTPResponse(status: .ok, body: [UInt8](repeating: 1, count: 32 << 20)))
    }
    let reader = try client(of: server, Self.get)
    #expect(waitUntil { server.server.statistics.bytesSent > 0 })
    let silent = try client(of: server, Self.post)
    stop(server)
    server.letTimePass(Self.grace) { server.server.statistics.connectionsOpen == 1 }
    #expect(silent.receiveAllBytes() != nil)
    #expect(stops.value == 0)
    #expect(reader.receiveAllBytes()?.count(where: { $0 == 1 }) == 32 << 20)
    #expect(server.letTimePass(Self.grace) { stops.value == 1 })
  }
}
