/// The most bytes that the body of one request may have, and which setting that limit comes from.
package enum BodyLimit: Equatable, Sendable {
  /// `max_body_bytes`.
  case setting(Int)
  /// Half of `max_memory_bytes`, the share of bodies, less this request's head: a longer body would never fit.
  case memory(Int)
  /// The limit of the route that the request's path selects.
  case path(Int)

  /// - Parameters:
  ///   - maxBodyMemory: the bytes that all bodies, with their heads, may take together.
  ///   - headBytes: about how many bytes of memory this request takes without its body.
  package init(maxBodyBytes: Int, maxBodyMemory: Int, headBytes: Int) {
    let room = max(0, maxBodyMemory - min(maxBodyMemory, headBytes + Self.roundingBytes))
    self = room < maxBodyBytes ? .memory(room) : .setting(maxBodyBytes)
  }

  /// The bytes that an array takes beside its elements: its header, and the allocator's rounding up to whole pages.
  private static let roundingBytes = 4096 + 64

  package var byteCount: Int {
    switch self {
    case .setting(let bytes), .memory(let bytes), .path(let bytes): bytes
    }
  }

  /// The error sentence for a body that is longer than this limit.
  package var sentence: String {
    switch self {
    case .setting(let bytes):
      "the request body is too long, expected at most \(bytes) bytes (max_body_bytes)"
    case .memory(let bytes):
      "the request body is too long, expected at most \(bytes) bytes: half of max_memory_bytes is for bodies"
    case .path(let bytes):
      "the request body is too long, expected at most \(bytes) bytes for this path"
    }
  }

  /// The smaller of this limit and a path's limit of `bytes`.
  package func and(path bytes: Int) -> BodyLimit { bytes < byteCount ? .path(bytes) : self }
}
