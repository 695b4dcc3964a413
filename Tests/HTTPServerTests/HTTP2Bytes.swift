/// What a client of HTTP/2 sends, byte by byte (RFC 9113 §4.1), its fields as literals (RFC 7541 §6.2.2).
enum HTTP2Bytes {
  /// The preface, empty SETTINGS, and the acknowledgement of the server's.
  static let preface =
    Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4) + frame(4, flags: 1)

  static func frame(_ kind: UInt8, flags: UInt8 = 0, stream: UInt8 = 0, _ payload: [UInt8] = [])
    -> [UInt8]
  {
    let count = payload.count
    return [
      UInt8(count >> 16), UInt8(count >> 8 & 255), UInt8(count & 255), kind, flags, 0, 0, 0, stream,
    ] + payload
  }

  /// A request's head; `end` where no body follows.
  static func head(
    _ stream: UInt8, _ method: String, _ path: String, _ fields: [(String, String)] = [],
    end: Bool
  ) -> [UInt8] {
    let all = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "x")]
    return frame(1, flags: end ? 5 : 4, stream: stream, literals(all + fields))
  }

  static func data(_ stream: UInt8, _ bytes: [UInt8], end: Bool) -> [UInt8] {
    frame(0, flags: end ? 1 : 0, stream: stream, bytes)
  }

  static func trailers(_ stream: UInt8, _ fields: [(String, String)]) -> [UInt8] {
    frame(1, flags: 5, stream: stream, literals(fields))
  }

  static func windowUpdate(_ stream: UInt8, _ count: Int) -> [UInt8] {
    frame(8, stream: stream, (0..<4).map { UInt8(count >> (24 - 8 * $0) & 255) })
  }

  /// The whole frames at the beginning of `bytes`, which loses them.
  static func takeFrames(of bytes: inout [UInt8]) -> [(
    kind: UInt8, stream: UInt8, payload: [UInt8]
  )] {
    var frames: [(kind: UInt8, stream: UInt8, payload: [UInt8])] = []
    var next = 0
    while bytes.count - next >= 9 {
      let length = bytes[next..<next + 3].reduce(0) { $0 << 8 | Int($1) }
      guard bytes.count - next >= 9 + length else { break }
      frames.append((bytes[next + 3], bytes[next + 8], Array(bytes[next + 9..<next + 9 + length])))
      next += 9 + length
    }
    bytes.removeFirst(next)
    return frames
  }

  private static func literals(_ fields: [(String, String)]) -> [UInt8] {
    fields.flatMap { name, value in
      [0, UInt8(name.utf8.count)] + name.utf8 + [UInt8(value.utf8.count)] + value.utf8
    }
  }
}
