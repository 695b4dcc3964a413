/// Decodes the body of a request and finds its end (RFC 9112 §6.3).
struct HTTP1BodyDecoder {
  /// The bytes still to come of a body whose length was announced; nil for a chunked body.
  private var remaining: Int?
  private var chunks: ChunkedDecoder

  /// A decoder for a request without a body.
  init(limits: HTTP1Limits) {
    remaining = 0
    chunks = ChunkedDecoder(limits: limits)
  }

  /// A decoder for the body after a head with `framing`.
  ///
  /// - Parameter limit: the limit of a body whose length is not announced; nil for none.
  init(_ framing: HTTP1Head.Framing, limits: HTTP1Limits, limit: BodyLimit?) {
    remaining = framing.announcedBytes
    chunks = ChunkedDecoder(limits: limits, limit: limit)
  }

  /// How many bytes of the body are still to come; nil for a chunked body.
  var announcedRest: Int? { remaining }

  /// The trailers of a complete body.
  var trailers: HTTPFields { chunks.trailers }

  /// Appends the content in `bytes` from `offset` on to `body`, and moves `offset` behind the bytes that belong to the
  /// body. Returns whether the body is complete.
  ///
  /// - Parameter total: the most bytes that `body` will ever hold; its capacity grows towards that step by step.
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
  /// The announced length of the body: 0 where there is no body, nil where the length is not announced.
  var announcedBytes: Int? {
    switch self {
    case .none: 0
    case .sized(let count): count
    case .chunked: nil
    }
  }
}
