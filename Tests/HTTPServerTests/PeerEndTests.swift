import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

/// Clients that close, and clients that only end their side, over live sockets.
@Suite struct PeerEndTests {
  private static let requests = [
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    // The second one waits unread, as one is answered at a time.
    "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
  ]

  private func server(_ held: Held) throws -> TestServer {
    try TestServer({ $0.http1.maxPipelined = 1 }, application: held.hold)
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
      client.send(Self.http2)
      held.wait(for: 1)[0].onAbandon(abandonments.raise)
    }
    #expect(waitUntil { abandonments.value == 1 })
  }

  private static let headers: [UInt8] =
    [0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x41, 1, 0x78]
  /// SETTINGS, and GET / on stream 1 (RFC 9113 §6.2, RFC 7541 Appendix A).
  private static let http2 =
    Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0] + headers

  /// What a client does before somebody asks whether it is there.
  enum Deed: CaseIterable { case closes, resetsItsStream, endsItsSide, sendsMore, nothing }

  private struct Visit {
    let bytes: [UInt8]
    let deed: Deed
    let isThere: Bool
  }

  private static let visits: [Visit] = {
    let http1: [(deed: Deed, isThere: Bool)] = [
      (.closes, false), (.endsItsSide, true), (.sendsMore, true), (.nothing, true),
    ]
    let http2: [(deed: Deed, isThere: Bool)] = [
      (.closes, false), (.endsItsSide, false), (.resetsItsStream, false), (.sendsMore, true),
      (.nothing, true),
    ]
    return requests.flatMap { request in
      http1.map { Visit(bytes: Array(request.utf8), deed: $0.deed, isThere: $0.isThere) }
    } + http2.map { Visit(bytes: Self.http2, deed: $0.deed, isThere: $0.isThere) }
  }()

  /// Also where the loop has yet to look: it is kept from that here.
  @Test(arguments: 0..<visits.count)
  func whoeverAsksIsToldWhetherTheClientIsThere(index: Int) throws {
    let (bytes, deed, isThere) = (
      Self.visits[index].bytes, Self.visits[index].deed, Self.visits[index].isThere
    )
    let (held, released) = (Held(), Tally())
    let server = try TestServer(
      { $0.http1.maxPipelined = 1 },
      application: { exchange in
        held.hold(exchange)
        if exchange.request.path == "/block" { waitUntil { released.value > 0 } }
      })
    defer { released.raise() }
    var client: Client? = try server.connect()
    client?.send(bytes)
    let exchange = held.wait(for: 1)[0]
    let other = try server.connect()
    other.send("GET /block HTTP/1.1\r\nHost: x\r\n\r\n")
    _ = held.wait(for: 2)
    switch deed {
    case .closes: client = nil
    case .resetsItsStream: client?.send([0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8])
    case .endsItsSide: client?.endOutput()
    case .sendsMore:
      client?.send(
        bytes == Self.http2 ? [0, 0, 8, 6, 0, 0, 0, 0, 0] + Self.http2.prefix(8) : bytes)
    case .nothing: break
    }
    let (yes, no) = (Tally(), Tally())
    exchange.askPresence { $0 ? yes.raise() : no.raise() }
    // Nobody waits for a loop whose client has sent nothing that matters.
    if deed == .nothing || (deed == .sendsMore && bytes != Self.http2) { #expect(yes.value == 1) }
    released.raise()
    #expect(waitUntil { yes.value + no.value == 1 })
    #expect(yes.value == (isThere ? 1 : 0))
    #expect(waitUntil { exchange.isAbandoned == !isThere })
    guard isThere else { return }
    exchange.respond(HTTPResponse(status: .ok, body: Array("done".utf8)))
    let answer = client?.receive(until: "done")
    #expect(answer?.hasPrefix("HTTP/1.1 200 OK\r\n") == (bytes != Self.http2))
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
