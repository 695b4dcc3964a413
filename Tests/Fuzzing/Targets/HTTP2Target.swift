import HTTP2
import HTTPCore

extension FuzzTarget {
  /// An HTTP/2 connection behind the client's preface: nghttp2 under our code. The first byte says in what pieces the rest comes,
  /// and when requests are answered.
  static let http2 = FuzzTarget(name: "http2", maxBytes: 8192) {
    let settings = frame(4, 0, 0)
    let get = frame(1, 5, 1, fields("GET", "/"))
    let post =
      frame(1, 4, 3, fields("POST", "/parts")) + frame(0, 0, 3, [1, 2]) + frame(0, 1, 3, [3])
    let trailers =
      frame(1, 4, 5, fields("POST", "/")) + frame(0, 0, 5, [9])
      + frame(1, 5, 5, [0x00, 1, 0x78, 1, 0x79])
    let others =
      frame(6, 0, 0, Array(repeating: 7, count: 8)) + frame(8, 0, 0, [0, 0, 3, 232])
      + frame(3, 0, 1, [0, 0, 0, 8]) + frame(2, 0, 7, [0, 0, 0, 0, 16])
      + frame(7, 0, 0, Array(repeating: 0, count: 8))
    let split =
      frame(1, 1, 7, Array(fields("GET", "/").prefix(9)))
      + frame(9, 4, 7, Array(fields("GET", "/").dropFirst(9)))
    return [
      [0] + settings + get, [255] + settings + post + others, [3] + settings + trailers + get,
      [17] + settings + split + post, [64] + settings + frame(4, 1, 0) + get + others,
    ]
  } run: { bytes in
    guard let first = bytes.first else { return }
    var conversation = HTTP2Conversation(pace: first)
    conversation.run(bytes.dropFirst())
  }

  /// A frame (RFC 9113 §4.1).
  private static func frame(
    _ kind: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8] = []
  ) -> [UInt8] {
    let length = [UInt8(0), UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    let rest: [UInt8] = [kind, flags, 0, 0, 0, stream]
    return length + rest + payload
  }

  /// A head of literals (RFC 7541 §6.2.2).
  private static func fields(_ method: String, _ path: String) -> [UInt8] {
    func string(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
    let fields = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "a")]
    return fields.flatMap { name, value -> [UInt8] in [0] + string(name) + string(value) }
  }
}

/// An application that answers now or later, in one piece or in several.
private struct HTTP2Conversation {
  let pace: UInt8
  /// Streams whose requests are to be answered, and all that there ever were.
  private var owed: [StreamID] = []
  private var seen: Set<StreamID> = []

  init(pace: UInt8) { self.pace = pace }

  private static let limits = {
    var limits = HTTP2Limits()
    limits.maxConcurrentStreams = 8
    limits.maxBodyBytes = 1000
    return limits
  }()

  mutating func run(_ bytes: ArraySlice<UInt8>) {
    let connection = HTTP2Connection(limits: Self.limits) { head, _ in
      let body: Reception.Body =
        head.path.hasPrefix("/parts") ? .parts : head.path.hasPrefix("/none") ? .unwanted : .whole()
      return Reception(body) { _ in }
    }
    let nothing: [UInt8] = []
    let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    take(connection.receive(preface.span), from: connection)
    var rest = bytes
    let count = 1 + Int(pace >> 2)
    while !rest.isEmpty, connection.wantsInput {
      let piece = Array(rest.prefix(count))
      take(connection.receive(piece.span), from: connection)
      rest = rest.dropFirst(count)
      while connection.hasBacklog { take(connection.receive(nothing.span), from: connection) }
    }
    connection.timeOut()
    take(connection.takeEvents(), from: connection)
    _ = connection.takeOutput()
  }

  private mutating func take(_ events: [ConnectionEvent], from connection: HTTP2Connection) {
    for event in events {
      switch event {
      case .request(let request, let stream, _):
        precondition(request.body.count <= Self.limits.maxBodyBytes, "a body beyond the limit")
        open(stream)
      case .head(_, let stream, _, _): open(stream)
      case .part(let part, let stream): connection.readBody(part.count, of: stream)
      case .end(let stream, _): precondition(seen.contains(stream), "the end of nothing")
      case .abandoned(let stream):
        precondition(seen.contains(stream), "nothing is abandoned")
        owed.removeAll { $0 == stream }
      }
    }
    precondition(owed.count <= Self.limits.maxConcurrentStreams, "more streams than there may be")
    answer(on: connection)
    _ = connection.takeOutput()
  }

  private mutating func open(_ stream: StreamID) {
    precondition(seen.insert(stream).inserted, "a stream twice")
    owed.append(stream)
  }

  private mutating func answer(on connection: HTTP2Connection) {
    guard pace & 3 != 3 || owed.count > 4, let stream = owed.popLast() else { return }
    let response = HTTPResponse(status: .ok, body: [1, 2, 3])
    switch pace & 1 {
    case 0: connection.respond(response, to: stream)
    default:
      connection.begin(response, to: stream)
      connection.write(Array(repeating: 4, count: 500), to: stream)
      connection.end(stream)
    }
  }
}
