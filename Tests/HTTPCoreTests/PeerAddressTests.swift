import HTTPCore
import Testing

@Suite struct PeerAddressTests {
  /// RFC 5952 §4, and its own examples.
  @Test(arguments: [
    ([127, 0, 0, 1], "127.0.0.1"), ([255, 255, 255, 255], "255.255.255.255"),
    ([0, 0, 0, 0], "0.0.0.0"),
    ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "::"),
    ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "::1"),
    ([0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1], "2001:db8::2:1"),
    ([0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1], "2001:db8:0:1:1:1:1:1"),
    ([0x20, 0x01, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1], "2001:0:0:1::1"),
    ([0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1], "2001:db8::1:0:0:1"),
    ([0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "fe80::"),
    ([0xAB, 0xCD, 0, 0xEF, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6], "abcd:ef:1:2:3:4:5:6"),
    ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 0, 0, 7], "10.0.0.7"),
  ])
  func isWrittenInOneWay(_ bytes: [UInt8], _ text: String) {
    #expect(PeerAddress(bytes: bytes, port: 80).description == text)
  }

  @Test(arguments: [
    "127.0.0.1", "0.0.0.0", "::", "::1", "2001:db8::2:1", "2001:db8:0:1:1:1:1:1", "fe80::",
    "2001:0:0:1::1", "abcd:ef:1:2:3:4:5:6", "1::",
  ])
  func isReadAsItIsWritten(_ text: String) {
    #expect(PeerAddress(text, port: 7)?.description == text)
    #expect(PeerAddress(text, port: 7)?.port == 7)
  }

  @Test(arguments: [
    ("2001:DB8:0:0::1", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1"),
    ("::FFFF:C000:0201", "192.0.2.1"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
    ("1:2:3:4:5:6:7.8.9.10", "1:2:3:4:5:6:708:90a"), ("0001:02:3::", "1:2:3::"),
  ])
  func otherSpellingsAreRead(_ text: String, _ expected: String) {
    #expect(PeerAddress(text)?.description == expected)
  }

  @Test(arguments: [
    "", ".", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "1.2.3.+4", "1..3.4",
    "0x7f.0.0.1", "1.2.3.1000", ":", ":::", "1", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
    "1::2::3", "12345::", "::g", "::1%eth0", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1.2.3.4::",
    "::1.2.3", "1:", ":1", "[::1]", "localhost", "::ffff:1.2.3.4.5", "1:2:3:4:5:6:7:1.2.3.4",
  ])
  func whatIsNoAddress(_ text: String) { #expect(PeerAddress(text) == nil) }

  @Test(arguments: [
    ("192.0.2.1:80", "192.0.2.1", 80), ("[2001:db8::1]:443", "2001:db8::1", 443),
    ("[::1]", "::1", 0), ("::1", "::1", 0), ("10.0.0.1", "10.0.0.1", 0),
    ("1.2.3.4:65535", "1.2.3.4", 65_535),
  ])
  func isReadWithAPort(_ text: String, _ address: String, _ port: Int) {
    #expect(PeerAddress(node: text)?.description == address)
    #expect(PeerAddress(node: text)?.port == port)
  }

  @Test(arguments: [
    "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:x", "1.2.3.4:000080", "[::1", "[::1]80", "[::1]:",
    "[1.2.3.4]:5",
    "[]", "unknown", "_hidden", "",
  ])
  func whatIsNoNode(_ text: String) { #expect(PeerAddress(node: text) == nil) }

  /// Whoever connects over IPv4 is the same, whichever listener took them.
  @Test func isTheSameWithinIPv6() {
    let mapped = [UInt8](repeating: 0, count: 10) + [255, 255, 192, 0, 2, 1]
    let address = PeerAddress(bytes: mapped, port: 5)
    #expect(address == PeerAddress(bytes: [192, 0, 2, 1], port: 5))
    #expect(address != PeerAddress(bytes: [192, 0, 2, 1], port: 6))
    // A prefix that is none.
    #expect(PeerAddress(bytes: [1] + mapped.dropFirst(), port: 5).bytes.count == 16)
  }
}
