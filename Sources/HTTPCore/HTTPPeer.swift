/// The client at the other end of a connection, as far as it is known when the connection is accepted.
package struct HTTPPeer: Sendable, Hashable {
  /// The address that the connection comes from: the client's own, or a proxy's.
  package let address: PeerAddress
  /// The subject of the client's certificate (RFC 2253); nil where none was asked for.
  package let name: String?

  package init(address: PeerAddress, name: String? = nil) {
    self.address = address
    self.name = name
  }
}

/// An IP address and a port.
package struct PeerAddress: Sendable, Hashable {
  /// 4 bytes for IPv4 or 16 for IPv6, in network order.
  package let bytes: [UInt8]
  package let port: Int

  /// The address with these bytes. An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) becomes the IPv4 address.
  ///
  /// - Precondition: there are 4 bytes, or 16.
  package init(bytes: [UInt8], port: Int) {
    precondition(bytes.count == 4 || bytes.count == 16, "an IP address has 4 bytes or 16")
    let isMapped = bytes.starts(with: Self.mappedPrefix)
    self.bytes = bytes.count == 16 && isMapped ? Array(bytes.suffix(4)) : bytes
    self.port = port
  }

  private static let mappedPrefix: [UInt8] = Array(repeating: 0, count: 10) + [0xFF, 0xFF]
}

extension PeerAddress: CustomStringConvertible {
  /// The address without the port: `192.0.2.1`, or for IPv6 as in RFC 5952 §4, `2001:db8::1`.
  package var description: String {
    guard bytes.count == 16 else { return bytes.map { String($0) }.joined(separator: ".") }
    let groups = stride(from: 0, to: 16, by: 2).map { Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]) }
    let zeros = Self.longestZeros(in: groups)
    let text = { (range: Range<Int>) in
      groups[range].map { String($0, radix: 16) }.joined(separator: ":")
    }
    guard zeros.count > 1 else { return text(0..<8) }
    return text(0..<zeros.lowerBound) + "::" + text(zeros.upperBound..<8)
  }

  /// The first of the longest runs of zero groups.
  private static func longestZeros(in groups: [Int]) -> Range<Int> {
    var longest = 0..<0
    var start = 0
    for (index, group) in groups.enumerated() {
      if group != 0 {
        start = index + 1
      } else if index + 1 - start > longest.count {
        longest = start..<(index + 1)
      }
    }
    return longest
  }
}
