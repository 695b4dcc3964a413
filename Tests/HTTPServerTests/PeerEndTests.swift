import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

/// Clients that close, and clients that only end their side, over live sockets. The clock stands still: what is seen is
/// seen without a tick.
@Suite struct PeerEndTests {
  private static let requests = [
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    // The second one waits unread, as one is answered at a time.
    "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
  ]

  private func server(_ held: Held) throws -> TestServer {
    try TestServer({ $0.http1.maxPipelined = 1 }, clock: TestClock(), application: held.hold)
  }

  @Test(arguments: requests)
  func aClientThatClosesHasLeft(request: String) throws {
    let held = Held()
    let server = try server(held)
    let abandonments = Tally()
    do {
      let client = try server.connect()
      client.send(request)
      held.wait(for: 1)[0].onAbandon(abandonments.raise)
    }
    #expect(waitUntil { abandonments.value == 1 })
    #expect(waitUntil { server.server.statistics.connectionsOpen == 0 })
    #expect(server.server.statistics.requestsAbandoned == 1)
    // The answer comes to nothing.
    held.wait(for: 1)[0].respond(HTTPResponse(status: .ok))
    #expect(try server.connect().send(request))
  }

  /// Also in the middle of an answer, while nothing of it comes.
  @Test func aClientThatClosesASilentStreamHasLeft() throws {
    let held = Held()
    let server = try server(held)
    let abandonments = Tally()
    do {
      let client = try server.connect()
      client.send(Self.requests[0])
      let exchange = held.wait(for: 1)[0]
      exchange.onAbandon(abandonments.raise)
      exchange.begin(HTTPResponse(status: .ok))
      #expect(client.receive(until: "\r\n\r\n") != nil)
    }
    #expect(waitUntil { abandonments.value == 1 })
  }

  @Test func aClientOfHTTP2ThatClosesHasLeft() throws {
    let held = Held()
    let server = try server(held)
    let abandonments = Tally()
    do {
      let client = try server.connect()
      client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
      // SETTINGS, and GET / on stream 1 (RFC 9113 §6.2, RFC 7541 Appendix A).
      client.send(
        [0, 0, 0, 4, 0, 0, 0, 0, 0] + [0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x41, 1, 0x78])
      held.wait(for: 1)[0].onAbandon(abandonments.raise)
    }
    #expect(waitUntil { abandonments.value == 1 })
  }

  /// It gets its answer as if it had not, though that began before it was made.
  @Test(arguments: requests)
  func aClientThatOnlyEndsItsSideIsAnswered(request: String) throws {
    let held = Held()
    let server = try server(held)
    let client = try server.connect()
    client.send(request)
    client.endOutput()
    let exchange = held.wait(for: 1)[0]
    #expect(client.receive(until: "H") == "H")
    exchange.respond(HTTPResponse(status: .ok, body: Array("done".utf8)))
    #expect(client.receive(until: "done")?.hasPrefix("TTP/1.1 200 OK\r\n") == true)
    #expect(!exchange.isAbandoned)
  }
}
