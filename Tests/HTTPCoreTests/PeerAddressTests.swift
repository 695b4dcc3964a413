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
