import JSON

/// Decodes the chunked transfer coding (RFC 9112 §7.1). The length of chunk extensions is limited and their content
/// dropped; trailers are kept.
struct ChunkedDecoder {
  private enum State {
    case size(digits: Int, value: Int)
    case extensions(ChunkExtensions, bytes: Int)
    case sizeLineFeed(Int)
    case data(remaining: Int)
    case dataCarriageReturn
    case dataLineFeed
    case trailerStart
    case trailerName
    case trailerValue
    case trailerLineFeed
    case lastLineFeed
  }

  private let limits: HTTP1Limits
  /// The most content that is accepted; nil for any amount.
  private let bodyLimit: BodyLimit?
  private var state = State.size(digits: 0, value: 0)
  /// The size of the chunk whose extensions are being read.
  private var chunkBytes = 0
  /// The bytes of extensions so far beyond the free ones: else a body could be nothing but extensions, without an end.
  private var excessExtensionBytes = 0
  private var trailerBytes = 0
  /// The bytes so far of the trailer line that is being read.
  private var trailerLine: [UInt8] = []
  private(set) var trailers = HTTPFields()
  /// How many bytes of content were decoded so far.
  private var bodyBytes = 0

  /// A decoder before the first chunk.
  init(limits: HTTP1Limits, limit: BodyLimit? = nil) {
    self.limits = limits
    bodyLimit = limit
  }

  /// Decodes `bytes` from `offset` on, appends the content to `body`, and moves `offset` behind the bytes consumed: all
  /// of them, or those up to the end of the body. Returns whether the body is complete.
  ///
  /// - Parameter total: the most bytes that `body` will ever hold.
  mutating func decode(
    _ bytes: Span<UInt8>, _ offset: inout Int, into body: inout [UInt8], total: Int
  ) throws(HTTP1Error) -> Bool {
    while offset < bytes.count {
      if case .data(let remaining) = state {
        let count = min(remaining, bytes.count - offset)
        body.grow(for: count, total: total)
        body.append(copying: bytes.extracting(offset..<(offset + count)))
        offset += count
        bodyBytes += count
        state = count == remaining ? .dataCarriageReturn : .data(remaining: remaining - count)
        continue
      }
      let byte = bytes[offset]
      offset += 1
      if try consume(byte) { return true }
    }
    return false
  }

  /// Consumes one byte outside the chunks' data; returns whether it ends the body.
  private mutating func consume(_ byte: UInt8) throws(HTTP1Error) -> Bool {
    switch state {
    case .size(let digits, let value):
      try takeSize(byte, digits: digits, value: value)
    case .extensions(var extensions, let count):
      if byte == ASCII.carriageReturn, extensions.isComplete {
        // A chunk size has 15 digits at most, so this does not overflow.
        excessExtensionBytes = max(0, excessExtensionBytes + count - 16 - 2 * chunkBytes)
        guard excessExtensionBytes <= limits.maxExcessExtensionBytes else {
          throw .chunkExtensionsOutweighContent(limit: limits.maxExcessExtensionBytes)
        }
        state = .sizeLineFeed(chunkBytes)
      } else {
        guard count < limits.maxChunkExtensionBytes else {
          throw .chunkExtensionTooLong(limit: limits.maxChunkExtensionBytes)
        }
        guard extensions.take(byte) else {
          throw .invalidChunkByte(byte, expected: "a chunk extension, name or name=value")
        }
        state = .extensions(extensions, bytes: count + 1)
      }
    case .sizeLineFeed(let size):
      try expect(ASCII.lineFeed, "LF after a chunk size", byte)
      if let bodyLimit, size > bodyLimit.byteCount - bodyBytes { throw .bodyTooLong(bodyLimit) }
      state = size == 0 ? .trailerStart : .data(remaining: size)
    case .data:
      preconditionFailure("data is taken in bulk")
    case .dataCarriageReturn:
      try expect(ASCII.carriageReturn, "CR after a chunk", byte)
      state = .dataLineFeed
    case .dataLineFeed:
      try expect(ASCII.lineFeed, "LF after a chunk", byte)
      state = .size(digits: 0, value: 0)
    case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed:
      return try takeTrailer(byte)
    }
    return false
  }

  private mutating func takeSize(_ byte: UInt8, digits: Int, value: Int) throws(HTTP1Error) {
    var extensions = ChunkExtensions()
    if let digit = byte.hexadecimalValue.map(Int.init) {
      // 15 digits can't overflow an Int of 64 bits.
      guard digits < 15 else { throw .chunkSizeOverflow }
      state = .size(digits: digits + 1, value: value << 4 | digit)
    } else if digits > 0, byte == ASCII.carriageReturn {
      state = .sizeLineFeed(value)
    } else if digits > 0, extensions.take(byte) {
      chunkBytes = value
      state = .extensions(extensions, bytes: 0)
    } else {
      throw .invalidChunkByte(
        byte, expected: digits == 0 ? "a chunk size" : "CR or ; after a chunk size")
    }
  }

  /// Consumes one byte of the trailer section; returns whether it ends the body.
  private mutating func takeTrailer(_ byte: UInt8) throws(HTTP1Error) -> Bool {
    trailerBytes += 1
    switch state {
    case .trailerStart where byte == ASCII.carriageReturn:
      state = .lastLineFeed
      return false
    case .lastLineFeed:
      try expect(ASCII.lineFeed, "LF at the end of the trailers", byte)
      return true
    case .trailerName where byte == ASCII.colon:
      state = .trailerValue
    case .trailerValue where byte == ASCII.carriageReturn:
      state = .trailerLineFeed
    case .trailerValue:
      guard ASCII.isFieldValue(byte) else {
        throw .invalidChunkByte(byte, expected: "a trailer's value")
      }
    case .trailerLineFeed:
      try expect(ASCII.lineFeed, "LF after a trailer", byte)
      try keepTrailer()
      state = .trailerStart
    default:
      guard ByteSet.token.contains(byte) else {
        throw .invalidChunkByte(byte, expected: "a trailer's name")
      }
      state = .trailerName
    }
    guard trailerBytes <= limits.maxTrailerBytes else {
      throw .trailersTooLong(limit: limits.maxTrailerBytes)
    }
    switch state {
    case .trailerName, .trailerValue: trailerLine.append(byte)
    default: break
    }
    return false
  }

  /// Adds the complete trailer line to `trailers`. Its name holds token characters only, and a colon follows.
  private mutating func keepTrailer() throws(HTTP1Error) {
    guard trailers.all.count < limits.maxFields else {
      throw .tooManyFields(limit: limits.maxFields)
    }
    let text = trailerLine
    trailerLine = []
    let line = text.span
    guard let colon = line.indices.first(where: { line[$0] == ASCII.colon }) else { return }
    let value = line.extracting((colon + 1)...)
    trailers.append(
      lowercased: FieldNames.lowercased(line.extracting(..<colon)),
      String(fieldValue: value.extracting(value.trimmedIndices)))
  }

  private func expect(
    _ expected: UInt8, _ name: String, _ byte: UInt8
  ) throws(HTTP1Error) {
    guard byte == expected else { throw .invalidChunkByte(byte, expected: name) }
  }
}
