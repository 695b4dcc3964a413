import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

/// A server behind proxies.
@Suite struct ProxyTests {
  @Sendable private static func tellPeer(_ exchange: HTTPExchange) {
    let peer = exchange.connection?.peer
    exchange.respond(
      HTTPResponse(
        status: .ok, body: Array("from \(peer.map { "\($0.address)" } ?? "nowhere")\n".utf8)))
  }

  /// Its application looks at the peer with the head, and again with the exchange.
  private static let application = Application { _, peer in
    let first = peer.map { "\($0.address)" }
    return Reception(.whole()) { exchange in
      #expect(exchange.connection?.peer.map { "\($0.address)" } == first)
      tellPeer(exchange)
    }
  }

  private func server(
    trusting blocks: [String] = ["127.0.0.0/8"], proxyProtocol: Bool = false, isTLS: Bool = false,
    connectionsPerAddress: Int = 0, clock: TestClock? = nil
  ) throws -> TestServer {
    let blocks = try blocks.map { try #require(NetworkBlock($0)) }
    return try TestServer(
      {
        $0.trustedProxies = TrustedProxies(blocks)
        $0.expectsProxyHeader = proxyProtocol
        $0.maxConnectionsPerAddress = connectionsPerAddress
        if isTLS { $0.tls = TLSSettings(certificates: [TLSFixtures.certificate("one")]) }
      }, clock: clock, receiving: Self.application)
  }

  private static func get(_ fields: String = "") -> String {
    "GET / HTTP/1.1\r\nHost: x\r\n\(fields)Connection: close\r\n\r\n"
  }

  private static let header: [UInt8] =
    [13, 10, 13, 10, 0, 13, 10] + Array("QUIT\n".utf8) + [0x21, 0x11, 0, 12]
    + [192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x34, 0, 80]

  @Test func fieldsOfATrustedProxyAreBelieved() throws {
    let server = try server()
    let fields = "X-Forwarded-For: 1.1.1.1, 192.0.2.1\r\n"
    #expect(try server.answer(to: Self.get(fields))?.hasSuffix("from 192.0.2.1\n") == true)
    let other = try server.connect(host: "::1")
    other.send(Self.get(fields))
    #expect(other.receiveAll()?.hasSuffix("from ::1\n") == true)
  }

  @Test func theyAreBelievedOverHTTP2() throws {
    let server = try server()
    let client = try server.connect()
    client.send(
      HTTP2Bytes.preface
        + HTTP2Bytes.head(1, "GET", "/", [("forwarded", "for=192.0.2.1")], end: true))
    #expect(client.receive(until: "from 192.0.2.1\n") != nil)
  }

  @Test func whoTellsTwoClientsIsRefused() throws {
    let server = try server()
    let fields = "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.2\r\n"
    let answer = try server.answer(to: Self.get(fields))
    #expect(answer?.hasPrefix("HTTP/1.1 400 ") == true)
    #expect(answer?.contains("forwarded_field") == true)
    #expect(server.server.statistics.requestsRefused[.badRequest] == 1)
  }

  // MARK: The PROXY protocol

  @Test(arguments: [1, 5, 28, .max]) func theHeaderTellsTheClient(size: Int) throws {
    let server = try server(proxyProtocol: true)
    let client = try server.connect()
    var rest = (Self.header + Array(Self.get().utf8))[...]
    while !rest.isEmpty {
      client.send(Array(rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    #expect(client.receiveAll()?.hasSuffix("from 192.0.2.1\n") == true)
  }

  @Test func itComesBeforeTLS() throws {
    let server = try server(proxyProtocol: true, isTLS: true)
    let options = TLSClient.Options(preamble: Self.header)
    let client = try #require(TLSClient(port: server.port, options))
    client.send(Self.get())
    let answer = String(decoding: try #require(client.receiveAll()), as: UTF8.self)
    #expect(answer.hasSuffix("from 192.0.2.1\n"))
    // Behind TLS it is none.
    #expect(TLSClient(port: server.port) == nil)
    #expect(server.server.statistics.proxyHeadersRefused == 1)
  }

  @Test func itComesBeforeHTTP2() throws {
    let server = try server(proxyProtocol: true)
    let client = try server.connect()
    client.send(Self.header + HTTP2Bytes.preface + HTTP2Bytes.head(1, "GET", "/", end: true))
    #expect(client.receive(until: "from 192.0.2.1\n") != nil)
  }

  /// Whom the header names may name others, if it is trusted itself.
  @Test func fieldsBehindTheHeader() throws {
    let fields = "X-Forwarded-For: 198.51.100.7\r\n"
    for (blocks, expected) in [
      (["127.0.0.1"], "192.0.2.1"), (["127.0.0.1", "192.0.2.0/24"], "198.51.100.7"),
    ] {
      let server = try server(trusting: blocks, proxyProtocol: true)
      let client = try server.connect()
      client.send(Self.header + Array(Self.get(fields).utf8))
      #expect(client.receiveAll()?.hasSuffix("from \(expected)\n") == true)
    }
  }

  @Test(arguments: [
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "PROXY TCP4 192.0.2.1 10.0.0.1 1 80\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\r\n\r\n\0\r\nQUIT\n\u{21}\u{12}\0\0", "x",
  ])
  func whatIsNoHeaderIsClosed(_ text: String) throws {
    let server = try server(proxyProtocol: true)
    let client = try server.connect()
    client.send(text)
    #expect(client.receiveAllBytes() ?? [] == [])
    #expect(server.server.statistics.proxyHeadersRefused == 1)
    #expect(server.server.statistics.http1Requests == 0)
  }

  @Test func aHeaderThatEndsEarlyIsCounted() throws {
    let server = try server(proxyProtocol: true)
    let client = try server.connect()
    client.send(Array(Self.header.prefix(20)))
    client.endOutput()
    #expect(client.receiveAllBytes() ?? [] == [])
    #expect(server.server.statistics.proxyHeadersRefused == 1)
    // One that only looks whether somebody listens has done nothing wrong.
    let check = try server.connect()
    check.endOutput()
    #expect(check.receiveAllBytes() == [])
    #expect(server.server.statistics.proxyHeadersRefused == 1)
  }

  /// It has the time of a head.
  @Test func aSlowHeaderEnds() throws {
    let clock = TestClock()
    let server = try server(proxyProtocol: true, clock: clock)
    let silent = try server.connect()
    let begun = try server.connect()
    begun.send(Array(Self.header.prefix(13)))
    #expect(
      server.letTimePass(.seconds(11)) { server.server.statistics.connectionsTimedOut == 2 })
    #expect(silent.receiveAllBytes() == [])
    #expect(begun.receiveAllBytes() == [])
  }

  /// Others speak as they always do, and are no proxies for sending a header.
  @Test func othersNeedNone() throws {
    let server = try server(trusting: ["192.0.2.9"], proxyProtocol: true)
    #expect(try server.answer(to: Self.get())?.hasSuffix("from 127.0.0.1\n") == true)
    let liar = try server.connect()
    liar.send(Self.header + Array(Self.get().utf8))
    #expect(liar.receiveAll()?.hasPrefix("HTTP/1.1 400 ") == true)
  }

  // MARK: Shares of the connections

  private func isAnswered(_ client: Client, as address: String = "127.0.0.1") -> Bool {
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    return client.receive(until: "from \(address)\n") != nil
  }

  @Test func anAddressHasNoMoreThanItsShare() throws {
    let server = try server(trusting: [], connectionsPerAddress: 2)
    var clients = [try server.connect(), try server.connect()]
    for client in clients { #expect(isAnswered(client)) }
    let third = try server.connect()
    third.send(Self.get())
    let refusal = third.receiveAll()
    #expect(refusal?.hasPrefix("HTTP/1.1 429 ") == true)
    #expect(refusal?.contains("max_connections_per_address") == true)
    // Another address has its own.
    #expect(isAnswered(try server.connect(host: "::1"), as: "::1"))
    #expect(server.server.statistics.connectionsBeyondShare == 1)
    #expect(server.server.statistics.connectionsRefused == 1)
    // Where one ends there is room for another.
    clients.removeLast()
    waitUntil { server.server.statistics.connectionsOpen == 1 }
    #expect(isAnswered(try server.connect()))
  }

  @Test func aProxysClientsHaveSharesOfTheirOwn() throws {
    let server = try server(proxyProtocol: true, connectionsPerAddress: 1)
    let first = try server.connect()
    first.send(Self.header)
    #expect(isAnswered(first, as: "192.0.2.1"))
    let second = try server.connect()
    second.send(Self.header + Array(Self.get().utf8))
    #expect(second.receiveAllBytes() ?? [] == [])
    #expect(server.server.statistics.connectionsBeyondShare == 1)
    var other = Self.header
    other[19] = 2
    let third = try server.connect()
    third.send(other)
    #expect(isAnswered(third, as: "192.0.2.2"))
  }

  @Test func sharesAreForgotten() throws {
    let shares = AddressShares(maxCount: 2)
    let address = try #require(PeerAddress("2001:db8::1"))
    let neighbour = try #require(PeerAddress("2001:db8::2"))
    var places = [shares.take(address), shares.take(neighbour)]
    #expect(places.allSatisfy { $0 != nil })
    #expect(shares.take(address) == nil)
    places.removeLast()
    #expect(shares.take(neighbour) != nil)
    #expect(shares.addressCount == 1)
    places.removeLast()
    #expect(shares.addressCount == 0)
  }
}
