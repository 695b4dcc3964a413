import HTTPCore
import Testing

@testable import HTTPServer

/// Who is at the other end, as exchanges know it.
@Suite struct PeerTests {
  @Sendable private static func tellPeer(_ exchange: HTTPExchange) {
    let peer = exchange.connection?.peer
    exchange.respond(
      HTTPResponse(
        status: .ok,
        body: Array(
          "from \(peer?.address.description ?? "nowhere") \(peer?.address.port ?? 0)".utf8)
      ))
  }

  @Test(arguments: ["127.0.0.1", "::1"])
  func isKnownOverHTTP1(_ host: String) throws {
    let server = try TestServer(application: Self.tellPeer)
    let client = try server.connect(host: host)
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    #expect(client.receiveAll()?.hasSuffix("\r\n\r\nfrom \(host) \(client.port)") == true)
  }

  @Test(arguments: ["127.0.0.1", "::1"])
  func isKnownOverHTTP2(_ host: String) throws {
    let server = try TestServer(application: Self.tellPeer)
    let client = try server.connect(host: host)
    client.send(HTTP2Bytes.preface + HTTP2Bytes.head(1, "GET", "/", end: true))
    #expect(client.receive(until: "from \(host) \(client.port)") != nil)
  }
}
