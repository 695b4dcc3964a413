/// Finds the frames in a client's bytes before nghttp2 reads them. nghttp2 ignores some frames silently (frames of
/// unknown types, DATA on streams that are gone), and those have to be counted too.
struct FrameScanner {
  /// A frame's header (RFC 9113 §4.1).
  struct Header: Equatable {
    let length: Int
    let type: UInt8
    let stream: Int32
  }

  private static let headerBytes = 9

  /// How many bytes are left of the client's preface (24 bytes, RFC 9113 §3.4), or of the current frame's payload.
  private var rest = 24
  /// The header of the next frame so far: its first eight bytes as a number, its ninth, and how many of them have come.
  private var header: (high: UInt64, low: UInt8, count: Int) = (0, 0, 0)
  /// The bytes of the header that the last piece completed, and how many of them had come before that piece; nil where the
  /// piece holds all of it, or none.
  private(set) var split: (bytes: [UInt8], earlier: Int)?

  /// Whether a part of a header has come, which is not passed on before the rest: nghttp2 1.52 counts each piece of a
  /// CONTINUATION frame's header as a frame, of which it takes eight.
  var isWithinHeader: Bool { header.count > 0 }

  /// Returns the end of the next piece of `bytes` from `offset` on: at most the rest of one frame. If a frame's header
  /// becomes complete in that piece, it is returned too. If nghttp2 does not take the whole piece, `putBack` has to
  /// follow.
  mutating func next(_ bytes: Span<UInt8>, from offset: Int) -> (end: Int, header: Header?) {
    var end = offset
    var complete: Header?
    split = nil
    if rest == 0 {
      let earlier = header.count
      while end < bytes.count, header.count < Self.headerBytes {
        if header.count < 8 {
          header.high = header.high << 8 | UInt64(bytes[end])
        } else {
          header.low = bytes[end]
        }
        header.count += 1
        end += 1
      }
      guard header.count == Self.headerBytes else { return (end, nil) }
      // 24 bits of length, 8 of type, 8 of flags, a reserved one, 31 of the stream's id, the last 8 of which are in `low`.
      let found = Header(
        length: Int(header.high >> 40), type: UInt8(truncatingIfNeeded: header.high >> 32),
        stream: Int32(truncatingIfNeeded: (header.high << 8 | UInt64(header.low)) & 0x7FFF_FFFF))
      if earlier > 0 {
        let high = (0..<8).map { UInt8(truncatingIfNeeded: header.high >> (56 - 8 * $0)) }
        split = (high + [header.low], earlier)
      }
      header = (0, 0, 0)
      rest = found.length
      complete = found
    }
    let taken = min(rest, bytes.count - end)
    rest -= taken
    return (end + taken, complete)
  }

  /// Puts back the last `count` bytes of the piece that `next` returned. They are payload, and will be passed again.
  mutating func putBack(_ count: Int) { rest += count }
}
