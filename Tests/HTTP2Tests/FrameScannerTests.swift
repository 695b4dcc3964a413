import Testing

@testable import HTTP2

@Suite struct FrameScannerTests {
  private static let frames = [
    Frame(kind: .settings), .get(1), .data(0x7FFF_FFFF, [UInt8](repeating: 9, count: 300)),
    Frame(kind: .ping, payload: [1, 2, 3, 4, 5, 6, 7, 8]),
  ]

  /// Whatever pieces the bytes come in, and wherever their reader stops.
  @Test(arguments: [1, 2, 7, 9, 10, 64, 10_000], [1, 3, 100, 10_000])
  func framesAreFound(size: Int, most: Int) {
    let bytes = HTTP2Peer.preface + Self.frames.flatMap(\.bytes)
    var scanner = FrameScanner()
    var found: [FrameScanner.Header] = []
    var start = 0
    while start < bytes.count {
      let piece = Array(bytes[start..<min(bytes.count, start + size)])
      var offset = 0
      while offset < piece.count {
        let (end, header) = scanner.next(piece.span, from: offset)
        #expect(end > offset)
        if let header { found.append(header) }
        // A reader may take less of the payload behind a header; it takes the rest at the next call.
        let left = header == nil ? 0 : max(0, end - offset - 9 - most)
        scanner.putBack(left)
        offset = end - left
      }
      start += piece.count
    }
    #expect(
      found
        == Self.frames.map {
          FrameScanner.Header(
            length: $0.payload.count, type: $0.kind.rawValue, stream: Int32($0.stream))
        })
  }
}
