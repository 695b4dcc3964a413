/// Why bytes could not be inflated; offsets count compressed bytes from the start of the input.
package enum CompressionError: Error, Equatable, Sendable {
  /// More than `limit` bytes would have come out.
  case tooLarge(limit: Int)
  /// More than `limit` bytes would have come out for each byte that went in.
  case ratioTooHigh(limit: Int)
  /// The input, of `inputBytes` bytes, ends inside the stream.
  case truncated(inputBytes: Int)
  /// The stream is malformed, or its checksum does not match, at about `offset`.
  case corrupt(offset: Int)
  /// The stream is complete, and something else follows at `offset`.
  case trailingGarbage(offset: Int)
  /// The caller had no room for so many bytes.
  case noRoom(bytes: Int)
  /// zlib found no memory for its state.
  case outOfMemory
}
