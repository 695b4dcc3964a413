/// Finds the frames in what a client sends, before nghttp2 reads them: it passes over some without a word (frames of unknown types,
/// DATA on streams that are gone), and those count too.
struct FrameScanner {
  /// A frame's header (RFC 9113 §4.1).
  struct Header: Equatable {
    let length: Int
    let type: UInt8
    let stream: Int32
  }

  private static let headerBytes = 9

  /// What is left of the client's preface (§3.4), or of the payload of the frame under way.
  private var rest = 24
  /// The header under way, its bytes as one number, and how many of them are there.
  private var header: (high: UInt64, low: UInt8, count: Int) = (0, 0, 0)

  /// The end of the next bytes of `bytes` from `offset` on that belong together: at most the rest of one frame. Where a frame's header
  /// is among them, it is the last one's, complete; `consumed` is to follow.
  mutating func next(_ bytes: Span<UInt8>, from offset: Int) -> (end: Int, header: Header?) {
    var end = offset
    var complete: Header?
    if rest == 0 {
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
      // 24 bits of length, 8 of type, 8 of flags, a reserved one, 31 of stream, of which the last 8 stand in `low`.
      let found = Header(
        length: Int(header.high >> 40), type: UInt8(truncatingIfNeeded: header.high >> 32),
        stream: Int32(truncatingIfNeeded: (header.high << 8 | UInt64(header.low)) & 0x7FFF_FFFF))
      header = (0, 0, 0)
      rest = found.length
      complete = found
    }
    let taken = min(rest, bytes.count - end)
    rest -= taken
    return (end + taken, complete)
  }

  /// Puts back the last `count` bytes of what `next` gave, of a payload, which come again.
  mutating func putBack(_ count: Int) { rest += count }
}
