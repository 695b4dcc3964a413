import Testing

@testable import HTTPCore

/// The header of the PROXY protocol, whole, byte by byte, and never beyond its end.
@Suite struct ProxyHeaderTests {
  private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10] + Array("QUIT\n".utf8)

  private static func header(
    _ family: UInt8, _ rest: [UInt8], command: UInt8 = 0x21, count: Int? = nil
  ) -> [UInt8] {
    let count = count ?? rest.count
    return signature + [command, family, UInt8(count >> 8), UInt8(count & 0xFF)] + rest
  }

  private static let tcp4 = [192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x34, 0, 80] as [UInt8]
  private static let tcp6 =
    [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7]
    + [UInt8](repeating: 1, count: 16) + [0, 99, 0, 80]

  /// Reads `bytes` in pieces of at most `size`, as far as the header goes.
  private func read(
    _ bytes: [UInt8], size: Int = .max
  ) throws -> (isComplete: Bool, source: PeerAddress?, count: Int) {
    var header = ProxyHeader()
    var offset = 0
    while header.neededCount > 0, offset < bytes.count {
      let count = min(header.neededCount, size, bytes.count - offset)
      try header.receive(bytes.span.extracting(offset..<(offset + count)))
      offset += count
    }
    return (header.isComplete, header.source, offset)
  }

  @Test(
    arguments: [
      (header(0x11, tcp4), "192.0.2.1", 0x1234), (header(0x21, tcp6), "2001:db8::7", 99),
      (header(0x11, tcp4 + [4, 0, 0]), "192.0.2.1", 0x1234),
      (header(0x11, tcp4 + [1, 0, 2, 104, 50, 0xEA, 0, 1, 0]), "192.0.2.1", 0x1234),
      // IPv4 within IPv6.
      (
        header(
          0x21,
          [UInt8](repeating: 0, count: 10) + [255, 255, 192, 0, 2, 1]
            + [UInt8](repeating: 0, count: 16) + [0, 5, 0, 80]), "192.0.2.1", 5
      ),
      // The proxy itself, a client that it does not know, and one of a UNIX socket.
      (header(0x00, [], command: 0x20), nil, 0), (header(0x11, tcp4, command: 0x20), nil, 0),
      (header(0x00, [1, 2, 3], command: 0x20), nil, 0),
      (header(0x00, []), nil, 0), (header(0x00, [9, 9, 9, 9]), nil, 0),
      (header(0x31, [UInt8](repeating: 47, count: 216)), nil, 0),
    ] as [([UInt8], String?, Int)])
  func isRead(_ bytes: [UInt8], address: String?, port: Int) throws {
    for (size, behind) in [(Int.max, ""), (1, ""), (3, "GET /"), (Int.max, "GET /")] {
      let found = try read(bytes + Array(behind.utf8), size: size)
      #expect(found.isComplete)
      #expect(found.source?.description == address)
      #expect(found.source?.port ?? 0 == port)
      #expect(found.count == bytes.count)
    }
    for count in 0..<bytes.count { #expect(try !read(Array(bytes.prefix(count))).isComplete) }
  }

  @Test(
    arguments: [
      (Array("GET / HTTP/1.1\r\n".utf8), .noSignature),
      (Array("PROXY TCP4 192.0.2.1 10.0.0.1 1 80\r\n".utf8), .noSignature),
      ([22, 3, 1], .noSignature), (Array("\r\n\r\n\0\r\nQUIT ".utf8), .noSignature),
      (header(0x11, tcp4, command: 0x31), .version(0x31)),
      (header(0x11, tcp4, command: 0x11), .version(0x11)),
      (header(0x11, tcp4, command: 0x22), .version(0x22)),
      // UDP, and what is none.
      (header(0x12, tcp4), .family(0x12)), (header(0x10, tcp4), .family(0x10)),
      (header(0x41, tcp4), .family(0x41)), (header(0x32, tcp4), .family(0x32)),
      (header(0x11, Array(tcp4.dropLast())), .length(27)), (header(0x21, tcp4), .length(28)),
      (header(0x11, []), .length(16)), (header(0x31, tcp4), .length(28)),
      (header(0x11, [], count: 4081), .length(4097)),
      (header(0x11, [], count: 65_535), .length(65_551)),
      (header(0x11, tcp4 + [4]), .parameter), (header(0x11, tcp4 + [4, 0]), .parameter),
      (header(0x11, tcp4 + [4, 0, 1]), .parameter),
      (header(0x11, tcp4 + [4, 255, 255, 0]), .parameter),
    ] as [([UInt8], ProxyHeader.Failure)])
  func isRefused(_ bytes: [UInt8], _ failure: ProxyHeader.Failure) {
    for size in [Int.max, 1] {
      #expect(throws: failure) { try read(bytes, size: size) }
    }
  }

  /// What does not begin as it should is known at once, not when there would be enough of it.
  @Test func aWrongByteIsEnough() {
    for index in 0..<Self.signature.count {
      var bytes = Array(Self.signature.prefix(index + 1))
      bytes[index] ^= 1
      #expect(throws: ProxyHeader.Failure.noSignature) { try read(bytes, size: 1) }
    }
  }

  /// 4096 bytes in all.
  @Test func theLongest() throws {
    let rest = Self.tcp4 + [0xEA, 0x0F, 0xE1] + [UInt8](repeating: 0, count: 4065)
    #expect(rest.count == 4080)
    #expect(try read(Self.header(0x11, rest)).isComplete)
  }
}
