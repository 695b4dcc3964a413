/// What tells the leases and moves of a process from each other and from those of other processes: eight letters or digits of the
/// process, at random, and eight bytes that count.
struct RedisToken: Sendable, Hashable {
  static let byteCount = 16

  let bytes: [UInt8]

  init(process: [UInt8], number: UInt64) {
    precondition(process.count == 8, "a process is named by eight bytes")
    bytes = process + (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  /// Nil where the bytes are no token.
  init?(_ bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes)
    guard self.bytes.count == Self.byteCount else { return nil }
  }

  static func randomProcess() -> [UInt8] {
    (0..<8).map { _ in
      Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8).randomElement()
        ?? 0
    }
  }

  func isOf(process: [UInt8]) -> Bool { bytes.starts(with: process) }

  /// What a lease says that a request uses now; without the mark its process keeps the session for the next request, and gives it
  /// back where another process asks.
  var marked: [UInt8] { bytes + [UInt8(ascii: "!")] }
}
