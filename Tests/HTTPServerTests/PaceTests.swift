import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

/// Clients that send or take slowly, over live sockets.
@Suite struct PaceTests {
  private static let window = Duration.milliseconds(40)
  private static let never = Duration.seconds(1_000_000)
  private let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
  private let put = "PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n"

  /// More than the kernel's buffers hold.
  @Sendable private static func large(_ exchange: HTTPExchange) {
    exchange.respond(HTTPResponse(status: .ok, body: [UInt8](repeating: 1, count: 32 << 20)))
  }

  @Sendable private static func largeOrEcho(_ exchange: HTTPExchange) {
    if exchange.request.method == "GET" { large(exchange) } else { TestServer.echo(exchange) }
  }

  /// Sends the request's body byte by byte, a quarter of the window between, until `condition` holds.
  private func trickle(
    _ client: Client, _ server: TestServer, _ clock: TestClock, _ count: Int = 100,
    until condition: () -> Bool
  ) {
    for _ in 0..<count where !condition() {
      let received = server.server.statistics.bytesReceived
      client.send("x")
      waitUntil { condition() || server.server.statistics.bytesReceived > received }
      clock.advance(by: Self.window / 4)
    }
  }

  private func slowSender(
    rate: Int, _ clock: TestClock
  ) throws -> (server: TestServer, client: Client) {
    let server = try TestServer(
      {
        $0.bodyTimeout = Self.window
        $0.minUploadRate = rate
      }, clock: clock)
    return (server, try server.connect())
  }

  @Test func aBodyThatTricklesIsRefused() throws {
    let clock = TestClock()
    let (server, client) = try slowSender(rate: 100_000, clock)
    // More than is sent before the loop has looked, however busy the machine is.
    let count = 1_000_000
    client.send(put.replacing("100", with: "\(count)"))
    trickle(client, server, clock, count) { server.server.statistics.slowUploads == 1 }
    let answer = try #require(client.receiveAll())
    #expect(answer.hasPrefix("HTTP/1.1 408 "))
    #expect(answer.contains("too slowly, expected at least 100000 bytes a second"))
    #expect(waitUntil { server.server.statistics.bodyBytesHeld == 0 })
    #expect(server.server.statistics.requestsRefused == [.requestTimeout: 1])
  }

  @Test func withoutARateABodyMayTrickle() throws {
    let clock = TestClock()
    let (server, client) = try slowSender(rate: 0, clock)
    client.send(put)
    trickle(client, server, clock) { false }
    #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 200 ") == true)
    #expect(server.server.statistics.slowUploads == 0)
  }

  /// Reads a little, a quarter of the window between, until `condition` holds, at most `count` times.
  private func sip(
    _ client: Client, _ clock: TestClock, _ count: Int, until condition: () -> Bool = { false }
  ) -> Bool {
    for _ in 0..<count {
      if condition() { return true }
      guard client.receiveBytes()?.isEmpty == false else { return condition() }
      clock.advance(by: Self.window / 4)
    }
    return condition()
  }

  private func slowReader(
    rate: Int, _ clock: TestClock
  ) throws -> (server: TestServer, client: Client) {
    let server = try TestServer(
      {
        $0.writeTimeout = Self.window
        $0.idleTimeout = Self.never
        $0.headTimeout = Self.window / 4
        $0.minDownloadRate = rate
      }, clock: clock, application: Self.large)
    let client = try server.connect()
    client.shrinkReceiveBuffer()
    client.send(get)
    return (server, client)
  }

  @Test func aReaderThatSipsIsHungUpOn() throws {
    let clock = TestClock()
    let (server, client) = try slowReader(rate: 1 << 40, clock)
    _ = sip(client, clock, 1000) { server.server.statistics.slowDownloads == 1 }
    #expect(server.letTimePass(Self.window) { server.server.statistics.slowDownloads == 1 })
    #expect(waitUntil { server.server.statistics.connectionsOpen == 0 })
    #expect(server.server.statistics.connectionsTimedOut == 1)
  }

  /// Its socket says for long that it takes no more, since the kernel waits for a third of its buffer.
  @Test func withoutARateAReaderMaySip() throws {
    let clock = TestClock()
    let (server, client) = try slowReader(rate: 0, clock)
    for _ in 0..<10 {
      _ = sip(client, clock, 3)
      try pass(Self.window / 4, on: server)
    }
    #expect(server.server.statistics.slowDownloads == 0)
    #expect(server.server.statistics.requestsAbandoned == 0)
  }

  /// Lets `duration` pass, and has the loop look at its connections: the head of a request on another one times out.
  private func pass(_ duration: Duration, on server: TestServer) throws {
    let answer = try server.answer(to: "GET", after: duration)
    #expect(answer?.hasPrefix("HTTP/1.1 408 ") == true)
  }

  /// A client that takes its time over the end of an answer is not idle: it may ask again.
  @Test func whoReadsIsNotIdle() throws {
    let clock = TestClock()
    let server = try TestServer(
      {
        $0.writeTimeout = Self.never
        $0.headTimeout = Self.window
        $0.idleTimeout = Self.window
      }, clock: clock, application: Self.largeOrEcho)
    let client = try server.connect()
    client.send(get)
    #expect(waitUntil { server.server.statistics.bytesSent > 0 })
    for _ in 0..<3 {
      try pass(Self.window, on: server)
    }
    var received = 0
    while received < 32 << 20, let bytes = client.receiveBytes(), !bytes.isEmpty {
      received += bytes.count(where: { $0 == 1 })
    }
    client.send(put + String(repeating: "x", count: 100))
    #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 200 ") == true)
  }

  /// The rest of a body that waits unread behind an answer is not late.
  @Test func whatIsNotReadIsNotLate() throws {
    let clock = TestClock()
    let server = try TestServer(
      {
        $0.writeTimeout = Self.never
        $0.idleTimeout = Self.never
        $0.headTimeout = Self.window
        $0.bodyTimeout = Self.window
        $0.minUploadRate = 1_000_000
      }, clock: clock, application: Self.largeOrEcho)
    let client = try server.connect()
    client.send(get + put + "begin")
    #expect(waitUntil { server.server.statistics.bytesSent > 0 })
    for _ in 0..<3 {
      try pass(Self.window, on: server)
    }
    client.send(String(repeating: "x", count: 95))
    let answers = try #require(client.receiveAll())
    #expect(answers.suffix(106).hasPrefix("PUT / begin"))
    #expect(server.server.statistics.slowUploads == 0)
  }
}
