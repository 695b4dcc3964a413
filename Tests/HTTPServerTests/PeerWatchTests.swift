import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

/// Whether the client of a connection has left, as others ask it, over live sockets.
@Suite struct PeerWatchTests {
  private static let last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
  private static let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

  /// Also where its loop has yet to look: it is kept from that here.
  @Test func toldBeforeTheLoopSeesIt() throws {
    let (held, released) = (Held(), Tally())
    let server = try TestServer(application: { exchange in
      held.hold(exchange)
      if exchange.request.path == "/block" { waitUntil { released.value > 0 } }
    })
    defer { released.raise() }
    let (client, other) = (try server.connect(), try server.connect())
    client.send(Self.get)
    let connection = try #require(held.wait(for: 1)[0].connection)
    #expect(!connection.hasLeft())
    other.send("GET /block HTTP/1.1\r\nHost: x\r\n\r\n")
    _ = held.wait(for: 2)
    client.endOutput()
    #expect(waitUntil { connection.hasLeft() })
  }

  @Test func staysToldOnceTheConnectionIsClosed() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let connection: HTTPExchange.ConnectionReference
    do {
      let client = try server.connect()
      client.send(Self.get)
      connection = try #require(held.wait(for: 1)[0].connection)
    }
    #expect(waitUntil { server.server.statistics.connectionsOpen == 0 })
    // Whoever has its descriptor now is another.
    let clients = try (0..<8).map { _ in try server.connect() }
    #expect(waitUntil { server.server.statistics.connectionsOpen == 8 })
    #expect(connection.hasLeft() && clients.count == 8)
  }

  /// No more requests come over a connection whose last answer is sent, though the client still reads.
  @Test func theServerMayEndIt() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send(Self.last)
    let exchange = held.wait(for: 1)[0]
    #expect(exchange.connection?.hasLeft() == false)
    exchange.respond(HTTPResponse(status: .ok))
    #expect(client.receiveAll() != nil)
    #expect(waitUntil { exchange.connection?.hasLeft() == true })
  }
}
