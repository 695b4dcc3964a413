/// The header of the PROXY protocol, version 2, by which a proxy tells whose connection it passes on
/// (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, §2.2): bytes in, the client's address out.
///
/// What follows it belongs to the connection: it is never read beyond its end.
package struct ProxyHeader: ~Copyable {
  package enum Failure: Error, Equatable {
    /// The connection begins in another way; version 1, which is text, counts as that.
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
    /// The addresses and parameters, up to so many bytes with what stands before them.
    case rest(end: Int)
    case complete
  }

  private var bytes: [UInt8] = []
  private var stage = Stage.fixed
  /// Where the client connects from; nil where the proxy speaks for itself or does not know.
  package private(set) var source: PeerAddress?

  private static let signature: [UInt8] = [
    0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
  ]
  private static let fixedCount = 16
  /// As nginx has it; a header with all parameters that are defined takes some hundreds of bytes.
  static let maxBytes = 4096

  package init() {}

  package var isComplete: Bool { stage == .complete }

  /// Whether nothing of it has come.
  package var isEmpty: Bool { bytes.isEmpty && !isComplete }

  /// How many bytes are to be read next: never more than belong to it; 0 once it is complete.
  package var neededCount: Int {
    switch stage {
    case .fixed: Self.fixedCount - bytes.count
    case .rest(let end): end - bytes.count
    case .complete: 0
    }
  }

  /// Takes `piece`, of at most `neededCount` bytes.
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
    // A connection of the proxy's own, as for a health check: the rest means nothing.
    case 0x20: return nil
    case 0x21: break
    case let version: throw .version(version)
    }
    switch bytes[13] {
    // Not known. Of a UNIX socket the client has no address.
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

  /// Checks that what follows `count` bytes of addresses is parameters: a type, a length, and so many bytes.
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

  /// Two bytes, big end first.
  private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reduce(0) { $0 << 8 | Int($1) }
  }
}
