/// Finds the content of a request and its end (RFC 9112 §6.3).
struct HTTP1BodyDecoder {
  /// What is left of a body whose length was announced; nil where it comes in chunks.
  private var remaining: Int?
  private var chunks: ChunkedDecoder

  /// A decoder of no body.
  init(limits: HTTP1Limits) {
    remaining = 0
    chunks = ChunkedDecoder(limits: limits)
  }

  /// A decoder of a body that follows a head with `framing`.
  ///
  /// - Parameter limit: for bodies whose length is not announced; nil for none.
  init(_ framing: HTTP1Head.Framing, limits: HTTP1Limits, limit: BodyLimit?) {
    remaining = framing.announcedBytes
    chunks = ChunkedDecoder(limits: limits, limit: limit)
  }

  /// How many bytes are to come at the most; nil where that is not known.
  var announcedRest: Int? { remaining }

  /// The trailers of a body that is complete.
  var trailers: HTTPFields { chunks.trailers }

  /// Appends the content of `bytes` from `offset` on to `body`, and moves `offset` behind what belongs to it. Returns
  /// whether that was the last.
  ///
  /// - Parameter total: what `body` may come to, which makes capacity for that little by little.
  mutating func decode(
    _ bytes: Span<UInt8>, _ offset: inout Int, into body: inout [UInt8], total: Int
  ) throws(HTTP1Error) -> Bool {
    guard let remaining else {
      return try chunks.decode(bytes, &offset, into: &body, total: total)
    }
    let count = min(remaining, bytes.count - offset)
    if count > 0 {
      body.grow(for: count, total: total)
      body.append(copying: bytes.extracting(offset..<(offset + count)))
      offset += count
      self.remaining = remaining - count
    }
    return count == remaining
  }
}

extension HTTP1Head.Framing {
  /// The length of the body: 0 where there is none, nil where it is not announced.
  var announcedBytes: Int? {
    switch self {
    case .none: 0
    case .sized(let count): count
    case .chunked: nil
    }
  }
}
