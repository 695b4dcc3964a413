/// The header of the PROXY protocol, version 2, in which a proxy names the client of the connection that it passes on
/// (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, §2.2). Bytes in, the client's address out.
///
/// Bytes after the header belong to the connection; nothing is read beyond the header's end.
package struct ProxyHeader: ~Copyable {
  /// Why a header is refused.
  package enum Failure: Error, Equatable {
    /// The first bytes are not the signature; headers of version 1, which is text, are refused so.
    case noSignature
    case version(UInt8)
    /// An address family or protocol other than those of TCP.
    case family(UInt8)
    case length(Int)
    case parameter
  }

  private enum Stage: Equatable {
    /// The signature, version, family and length.
    case fixed
    /// The addresses and parameters; the whole header, fixed part included, is `end` bytes long.
    case rest(end: Int)
    case complete
  }

  private var bytes: [UInt8] = []
  private var stage = Stage.fixed
  /// The client's address; nil where the proxy speaks for itself or does not know the client.
  package private(set) var source: PeerAddress?

  private static let signature: [UInt8] = [
    0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
  ]
  private static let fixedCount = 16
  /// The longest header accepted, as in nginx. A header with all defined parameters takes a few hundred bytes.
  static let maxBytes = 4096

  package init() {}

  package var isComplete: Bool { stage == .complete }

  /// Whether no byte of the header has come.
  package var isEmpty: Bool { bytes.isEmpty && !isComplete }

  /// How many bytes to read next: never beyond the end of the header; 0 once it is complete.
  package var neededCount: Int {
    switch stage {
    case .fixed: Self.fixedCount - bytes.count
    case .rest(let end): end - bytes.count
    case .complete: 0
    }
  }

  /// Consumes `piece`, which has at most `neededCount` bytes.
  package mutating func receive(_ piece: Span<UInt8>) throws(Failure) {
    precondition(piece.count <= neededCount, "read beyond its end")
    bytes.append(copying: piece)
    if stage == .fixed {
      guard Self.signature.starts(with: bytes.prefix(Self.signature.count)) else {
        throw .noSignature
      }
      guard bytes.count == Self.fixedCount else { return }
      let end = Self.fixedCount + Self.number(bytes[14...15])
      guard end <= Self.maxBytes else { throw .length(end) }
      stage = .rest(end: end)
    }
    guard neededCount == 0 else { return }
    source = try client()
    bytes = []
    stage = .complete
  }

  private func client() throws(Failure) -> PeerAddress? {
    let rest = bytes[Self.fixedCount...]
    let addressCount: Int
    switch bytes[12] {
    // The proxy's own connection, for a health check for example: the rest of the header means nothing.
    case 0x20: return nil
    case 0x21: break
    case let version: throw .version(version)
    }
    switch bytes[13] {
    // The address family is not known. (For 0x31, a UNIX socket, the client has no address either.)
    case 0x00: return nil
    case 0x11: addressCount = 4
    case 0x21: addressCount = 16
    case 0x31:
      try Self.checkParameters(rest, after: 216)
      return nil
    case let family: throw .family(family)
    }
    try Self.checkParameters(rest, after: 2 * addressCount + 4)
    let port = rest.dropFirst(2 * addressCount).prefix(2)
    return PeerAddress(bytes: Array(rest.prefix(addressCount)), port: Self.number(port))
  }

  /// Checks that parameters follow the `count` bytes of addresses, each with a type, a length, and that many bytes.
  private static func checkParameters(
    _ rest: ArraySlice<UInt8>, after count: Int
  ) throws(Failure) {
    guard rest.count >= count else { throw .length(fixedCount + rest.count) }
    var rest = rest.dropFirst(count)
    while !rest.isEmpty {
      guard rest.count >= 3 else { throw .parameter }
      let length = number(rest.dropFirst().prefix(2))
      guard rest.count >= 3 + length else { throw .parameter }
      rest = rest.dropFirst(3 + length)
    }
  }

  /// A big-endian number.
  private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reduce(0) { $0 << 8 | Int($1) }
  }
}
