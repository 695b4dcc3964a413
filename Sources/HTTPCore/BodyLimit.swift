/// The most bytes that the body of one request may have, by the setting that has to be raised for more.
package enum BodyLimit: Equatable, Sendable {
  /// `max_body_bytes`.
  case setting(Int)
  /// The half of `max_memory_bytes` that is for bodies, less the head of the request: a longer body would never fit.
  case memory(Int)
  /// The limit of the request's path.
  case path(Int)

  /// - Parameters:
  ///   - maxBodyMemory: what all bodies may take, with the heads before them.
  ///   - headBytes: about what this request takes without its body.
  package init(maxBodyBytes: Int, maxBodyMemory: Int, headBytes: Int) {
    let room = max(0, maxBodyMemory - min(maxBodyMemory, headBytes + Self.roundingBytes))
    self = room < maxBodyBytes ? .memory(room) : .setting(maxBodyBytes)
  }

  /// What an array takes beside its elements: its header, and what the allocator adds to fill a page.
  private static let roundingBytes = 4096 + 64

  package var byteCount: Int {
    switch self {
    case .setting(let bytes), .memory(let bytes), .path(let bytes): bytes
    }
  }

  /// Says that a body is longer, and what was expected.
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

  /// The smaller of this limit and the path's.
  package func and(path bytes: Int) -> BodyLimit { bytes < byteCount ? .path(bytes) : self }
}
