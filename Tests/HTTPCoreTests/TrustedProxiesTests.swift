import HTTPCore
import Testing

/// Whom a request comes from, by what proxies say of it.
@Suite struct TrustedProxiesTests {
  private func client(
    _ fields: HTTPFields, from peer: String = "10.0.0.1", field: TrustedProxies.Field = .any
  ) throws -> String {
    let blocks = try ["10.0.0.0/8", "2001:db8:1::/48"].map { try #require(NetworkBlock($0)) }
    let client = try TrustedProxies(blocks, field: field).client(
      of: HTTPRequest(method: "GET", path: "/", fields: fields),
      from: HTTPPeer(address: try #require(PeerAddress(peer, port: 9)), name: "CN=proxy"))
    // A proxy's certificate is not its client's.
    #expect((client.name == nil) == (client.address.description != peer))
    return "\(client.address)"
  }

  @Test(arguments: [
    (["192.0.2.1"], "192.0.2.1"), (["192.0.2.1:1234"], "192.0.2.1"),
    (["2001:db8::7"], "2001:db8::7"), (["[2001:db8::7]:80"], "2001:db8::7"),
    (["::ffff:192.0.2.1"], "192.0.2.1"),
    // What is left of the last address that is not trusted is what that one claims.
    (["1.1.1.1, 192.0.2.1"], "192.0.2.1"), (["10.9.9.9, 192.0.2.1"], "192.0.2.1"),
    (["192.0.2.1, 10.0.0.2, 2001:db8:1::5"], "192.0.2.1"),
    (["192.0.2.1", "10.0.0.2"], "192.0.2.1"), (["1.1.1.1", "192.0.2.1 , 10.0.0.2"], "192.0.2.1"),
    // All of them are proxies: the first one asked by itself.
    (["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
    (["192.0.2.1,,"], "192.0.2.1"), ([""], "10.0.0.1"), ([" , "], "10.0.0.1"),
    // What is no address ends the search at the proxy that wrote it.
    (["unknown"], "10.0.0.1"), (["192.0.2.1, garbage"], "10.0.0.1"),
    (["192.0.2.1, unknown, 10.0.0.2"], "10.0.0.2"), (["\"192.0.2.1\""], "10.0.0.1"),
    (["\", 192.0.2.1"], "192.0.2.1"), (["192.0.2.1%0"], "10.0.0.1"), (["fe80::1%eth0"], "10.0.0.1"),
  ])
  func xForwardedFor(_ values: [String], _ expected: String) throws {
    var fields = HTTPFields()
    for value in values { fields.append("X-Forwarded-For", value) }
    #expect(try client(fields) == expected)
    #expect(try client(fields, field: .forwardedFor) == expected)
    #expect(try client(fields, field: .forwarded) == "10.0.0.1")
    // Nobody else is believed.
    #expect(try client(fields, from: "192.0.2.200") == "192.0.2.200")
    #expect(try client(fields, from: "2001:db8:2::1") == "2001:db8:2::1")
  }

  @Test(arguments: [
    (["for=192.0.2.1"], "192.0.2.1"), (["For=\"192.0.2.1:80\";proto=http"], "192.0.2.1"),
    (["proto=https; by=10.0.0.1 ; FOR=192.0.2.1"], "192.0.2.1"),
    (["for=\"[2001:db8::7]\""], "2001:db8::7"), (["for=\"[2001:db8::7]:4711\""], "2001:db8::7"),
    (["for=192.0.2.1:80"], "192.0.2.1"), (["for=\"192.0\\.2.1\""], "192.0.2.1"),
    (["for=1.1.1.1, for=192.0.2.1, for=10.0.0.2"], "192.0.2.1"),
    (["for=1.1.1.1", "for=192.0.2.1", "for=10.0.0.2"], "192.0.2.1"),
    (["for=192.0.2.1;host=\"a,b;for=1.1.1.1\""], "192.0.2.1"),
    (["for=192.0.2.1;host=\"a\\\",b\""], "192.0.2.1"),
    // What a client left open has no influence on what its proxy wrote behind it.
    (["for=\", for=192.0.2.1"], "192.0.2.1"), (["for=\"1.1.1.1, for=192.0.2.1"], "192.0.2.1"),
    (["for=\"", "for=192.0.2.1"], "192.0.2.1"), (["for=\\\", for=192.0.2.1"], "192.0.2.1"),
    (["for=unknown"], "10.0.0.1"), (["for=_hidden, for=10.0.0.2"], "10.0.0.2"),
    (["for=\"_secret:80\""], "10.0.0.1"), (["proto=https"], "10.0.0.1"), ([""], "10.0.0.1"),
    (["for=192.0.2.1;for=1.1.1.1"], "10.0.0.1"), (["for=192.0.2.1;"], "192.0.2.1"),
    ([";for=192.0.2.1; ;proto=http"], "192.0.2.1"), ([";"], "10.0.0.1"),
    (["for"], "10.0.0.1"), (["for="], "10.0.0.1"), (["for= 192.0.2.1"], "10.0.0.1"),
    (["192.0.2.1"], "10.0.0.1"), (["for=[2001:db8::7]"], "10.0.0.1"),
  ])
  func forwarded(_ values: [String], _ expected: String) throws {
    var fields = HTTPFields()
    for value in values { fields.append("forwarded", value) }
    #expect(try client(fields) == expected)
    #expect(try client(fields, field: .forwarded) == expected)
    #expect(try client(fields, field: .forwardedFor) == "10.0.0.1")
    #expect(try client(fields, from: "192.0.2.200") == "192.0.2.200")
  }

  @Test func twoFieldsThatDiffer() throws {
    let same: HTTPFields = ["forwarded": "for=\"192.0.2.1:80\"", "x-forwarded-for": "192.0.2.1"]
    #expect(try client(same) == "192.0.2.1")
    let others: HTTPFields = ["forwarded": "for=1.1.1.1", "x-forwarded-for": "192.0.2.1"]
    #expect(throws: TrustedProxies.Conflict.self) { try client(others) }
    #expect(try client(others, field: .forwardedFor) == "192.0.2.1")
    #expect(try client(others, field: .forwarded) == "1.1.1.1")
    // Where nobody is believed they may say what they like.
    #expect(try client(others, from: "192.0.2.200") == "192.0.2.200")
  }

  /// The last one is looked at first, so a long list costs no more than what is believed of it.
  @Test func aLongList() throws {
    let list = Array(repeating: "10.0.0.2", count: 2_000).joined(separator: ", ")
    #expect(try client(["x-forwarded-for": "192.0.2.1, \(list)"]) == "192.0.2.1")
    #expect(try client(["forwarded": String(repeating: "\"", count: 20_000)]) == "10.0.0.1")
    let slashes = String(repeating: "\\", count: 20_000)
    #expect(try client(["forwarded": "\"\(slashes)\""]) == "10.0.0.1")
  }
}
