/// Why bytes could not be inflated; offsets count compressed bytes from the start of the input.
package enum CompressionError: Error, Equatable, Sendable {
  /// The output would have more than `limit` bytes.
  case tooLarge(limit: Int)
  /// The output would have more than `limit` bytes for each byte of input.
  case ratioTooHigh(limit: Int)
  /// The input, of `inputBytes` bytes, ends inside the stream.
  case truncated(inputBytes: Int)
  /// The stream is malformed, or its checksum does not match, at about `offset`.
  case corrupt(offset: Int)
  /// The stream is complete, and other bytes follow at `offset`.
  case trailingGarbage(offset: Int)
  /// The caller refused to reserve `bytes` for the output.
  case noRoom(bytes: Int)
  /// zlib could not allocate its state.
  case outOfMemory
}
