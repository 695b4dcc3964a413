/// Addresses with a common prefix: `10.0.0.0/8`, `2001:db8::/32`, or a single one, `192.0.2.1` (RFC 4632 §3.1).
package struct NetworkBlock: Sendable, Hashable {
  /// The prefix; the bits after it are zero.
  private let bytes: [UInt8]
  private let prefixBits: Int

  /// Parses `text`; nil where it is no block. An IPv4-mapped IPv6 block becomes the IPv4 block.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = PeerAddress(parts[0]) else { return nil }
    let isMapped = address.bytes.count == 4 && parts[0].contains(":")
    var bits = address.bytes.count * 8
    if parts.count == 2 {
      guard parts[1].utf8.count <= 3, parts[1].utf8.allSatisfy({ $0 &- ASCII.zero < 10 }),
        let number = Int(parts[1])
      else { return nil }
      bits = isMapped ? number - 96 : number
    }
    guard (0...address.bytes.count * 8).contains(bits) else { return nil }
    prefixBits = bits
    bytes = Self.masked(address.bytes, bits)
  }

  package func contains(_ address: PeerAddress) -> Bool {
    address.bytes.count == bytes.count && Self.masked(address.bytes, prefixBits) == bytes
  }

  private static func masked(_ bytes: [UInt8], _ bits: Int) -> [UInt8] {
    bytes.enumerated().map { index, byte in
      byte & ~UInt8(truncatingIfNeeded: 0xFF >> max(0, min(8, bits - index * 8)))
    }
  }
}

extension NetworkBlock: CustomStringConvertible {
  package var description: String {
    "\(PeerAddress(bytes: bytes, port: 0))/\(prefixBits)"
  }
}

/// What counts as one client in limits by address: an IPv4 address, or a /64 of IPv6, since a single client is usually
/// given a whole /64.
package struct ClientNetwork: Sendable, Hashable {
  private let prefix: UInt64
  private let isIPv6: Bool

  package init(_ address: PeerAddress) {
    isIPv6 = address.bytes.count == 16
    prefix = address.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension ClientNetwork: CustomStringConvertible {
  /// `192.0.2.1`, or `2001:db8::/64`.
  package var description: String {
    let count = isIPv6 ? 8 : 4
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: prefix >> (8 * (count - 1 - $0))) }
    return isIPv6
      ? "\(PeerAddress(bytes: bytes + [UInt8](repeating: 0, count: 8), port: 0))/64"
      : "\(PeerAddress(bytes: bytes, port: 0))"
  }
}
