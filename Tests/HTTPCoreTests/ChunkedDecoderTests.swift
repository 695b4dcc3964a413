import Testing

@testable import HTTPCore

@Suite struct ChunkedDecoderTests {
  private func decode(_ text: String, _ pieces: Pieces) throws(HTTP1Error) -> String? {
    var decoder = ChunkedDecoder(
      limits: HTTP1Limits(), limit: .setting(HTTP1Limits().maxBodyBytes))
    var body: [UInt8] = []
    for piece in pieces.of(text) {
      var offset = 0
      if try decoder.decode(piece.span, &offset, into: &body, total: .max) {
        let behind = String(decoding: piece[offset...], as: UTF8.self)
        return behind.isEmpty || behind == Pieces.behind
          ? String(decoding: body, as: UTF8.self) : nil
      }
      guard offset == piece.count else { return nil }
    }
    return nil
  }

  @Test(arguments: [
    ("0\r\n\r\n", ""),
    ("5\r\nhello\r\n0\r\n\r\n", "hello"),
    ("5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n", "hello, world"),
    ("00000000000000A\r\n0123456789\r\n000\r\n\r\n", "0123456789"),
    ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    ("2;name=value\r\n\r\n\r\n0;last\r\n\r\n", "\r\n"),
    ("1;a;b=c;d=\"e\"\r\nx\r\n0;a=\"\"\r\n\r\n", "x"),
    ("1 ;a\r\nx\r\n0 \t; b\r\n\r\n", "x"),
    ("1; a = b ; c\t=\t\"d;\\\"e \u{e9}\" ;f \r\nx\r\n0\r\n\r\n", "x"),
    ("1\r\nx\r\n0\r\nTrailer: a b\r\nOther:\r\n\r\n", "x"),
  ])
  func decodes(_ text: String, _ body: String) throws {
    for pieces in Pieces.allCases {
      #expect(try decode(text, pieces) == body)
    }
  }

  @Test(arguments: [
    ("\r\n", UInt8(0x0D)), ("x\r\n", 0x78), (" 1\r\n", 0x20), ("1 \r\n", 0x0D), ("1 a\r\n", 0x61),
    ("-1\r\n", 0x2D),
    ("0x1\r\n", 0x78), (";a\r\n", 0x3B), ("1\n", 0x0A), ("1\rx", 0x78), ("1;a\nx\r\n", 0x0A),
    ("1;\u{0}\r\n", 0), ("5;\r\n", 0x0D), ("5; \r\n", 0x0D), ("5;bad[=x\r\n", 0x5B),
    ("0;a=\u{7f}\r\n", 0x7F), ("0;a;\r\n", 0x0D), ("0;a=\r\n", 0x0D), ("0;=a\r\n", 0x3D),
    ("0;a b\r\n", 0x62), ("0;a=b c\r\n", 0x63), ("0;a=\"b\r\n", 0x0D),
    ("0;a=\"b\\\r\n", 0x0D), ("0;a=\"b\"c\r\n", 0x63), ("0;a=b=c\r\n", 0x3D),
    ("0;a,b\r\n", 0x2C), ("0;\"a\"\r\n", 0x22),
    ("1\r\nab", 0x62), ("1\r\na\n", 0x0A), ("1\r\na\rx", 0x78),
    ("0\r\n\n", 0x0A), ("0\r\n folded: x\r\n\r\n", 0x20), ("0\r\nbare\r\n\r\n", 0x0D),
    ("0\r\na : x\r\n\r\n", 0x20), ("0\r\na: x\ny\r\n\r\n", 0x0A), ("0\r\na: x\ry", 0x79),
    ("0\r\n\rx", 0x78), ("0\r\n:\r\n\r\n", 0x3A),
  ])
  func refuses(_ text: String, _ byte: UInt8) {
    for pieces in Pieces.allCases {
      do throws(HTTP1Error) {
        _ = try decode(text, pieces)
        Issue.record("took \(text)")
      } catch {
        guard case .invalidChunkByte(byte, expected: _) = error else {
          Issue.record("found \(error)")
          return
        }
      }
    }
  }

  @Test func refusesSizesThatOverflow() {
    #expect(throws: HTTP1Error.chunkSizeOverflow) { try decode("0000000000000001", .whole) }
    #expect(throws: HTTP1Error.bodyTooLong(.setting(HTTP1Limits().maxBodyBytes))) {
      try decode("fffffffffffffff\r\n", .whole)
    }
  }
}
