import HTTPCore
import Testing

@Suite struct NetworkBlockTests {
  @Test(arguments: [
    ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"), ("10.1.2.3/8", "10.0.0.0", "9.255.255.255"),
    ("192.0.2.1", "192.0.2.1", "192.0.2.2"), ("192.0.2.128/25", "192.0.2.129", "192.0.2.127"),
    ("192.0.2.0/31", "192.0.2.1", "192.0.2.2"), ("0.0.0.0/0", "255.1.2.3", "::1"),
    ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"), ("::1", "::1", "::2"),
    ("fe80::/10", "febf::1", "fec0::1"), ("::/0", "1::", "1.2.3.4"),
    ("::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.0"), ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
  ])
  func contains(_ text: String, inside: String, outside: String) throws {
    let block = try #require(NetworkBlock(text))
    #expect(block.contains(try #require(PeerAddress(inside, port: 1))))
    #expect(!block.contains(try #require(PeerAddress(outside, port: 1))))
  }

  @Test(arguments: [
    "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8",
    "10.0.0/8",
    "::/129", "::ffff:10.0.0.0/95", "example.com", "10.0.0.0 /8", "10.0.0.0/0008",
  ])
  func whatIsNoBlock(_ text: String) { #expect(NetworkBlock(text) == nil) }

  /// A client of IPv6 has a /64, in which it may call itself what it likes.
  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
    ("::ffff:192.0.2.1", "192.0.2.1", true), ("2001:db8::1", "2001:db8:0:0:ffff::", true),
    ("2001:db8::1", "2001:db8:0:1::1", false), ("::c000:201", "192.0.2.1", false),
    // The first 64 bits of the one are all of the other.
    ("0:0:c000:201::", "192.0.2.1", false),
  ])
  func networks(_ first: String, _ second: String, areOne: Bool) throws {
    let networks = try [first, second].map { ClientNetwork(try #require(PeerAddress($0))) }
    #expect((networks[0] == networks[1]) == areOne)
  }

  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("::1", "::/64"),
  ])
  func networksAreNamed(_ address: String, _ name: String) throws {
    #expect(ClientNetwork(try #require(PeerAddress(address))).description == name)
  }
}
