import Testing

@testable import HTTPCore

/// Bodies that are read in parts over HTTP/1.
@Suite struct HTTP1UploadTests {
  private static let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
  private static let interim = "HTTP/1.1 100 Continue\r\n\r\n"
  private static let chunkedHead = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
  private let chunked = "PUT /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
  private let ok = HTTPResponse(status: .ok)

  private func connection(limits: HTTP1Limits = HTTP1Limits()) -> HTTP1Connection {
    HTTP1Connection(limits: limits) { _, _ in Reception(.parts) { _ in } }
  }

  private func put(_ length: Int, _ fields: String = "") -> String {
    "PUT /p HTTP/1.1\r\nHost: x\r\n\(fields)Content-Length: \(length)\r\n\r\n"
  }

  /// The content of the parts among `events`.
  private func content(_ events: [ConnectionEvent]) -> String {
    events.reduce(into: "") { text, event in
      if case .part(let bytes, _) = event { text += String(decoding: bytes, as: UTF8.self) }
    }
  }

  @Test(arguments: Pieces.allCases, [false, true])
  func partsComeAsTheyAre(_ pieces: Pieces, _ isChunked: Bool) {
    let connection = connection()
    let text = isChunked ? chunked + "2\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n" : put(5) + "hello"
    let events = connection.receive(text + Self.get, pieces)
    guard case .head(let head, StreamID(0), _, isBodyWanted: true)? = events.first else {
      Issue.record("found \(events)")
      return
    }
    #expect(head.path == "/p" && head.body.isEmpty)
    #expect(content(events) == "hello")
    let trailers: HTTPFields = isChunked ? ["a": "b"] : [:]
    let end = events.firstIndex(of: .end(StreamID(0), trailers: trailers))
    let next = events.firstIndex {
      if case .head(_, StreamID(1), _, _) = $0 { true } else { false }
    }
    #expect(end != nil && next != nil && end! < next!)
    // A request without a body has an end, too.
    #expect(events.contains(.end(StreamID(1), trailers: [:])))
  }

  /// The response goes out while the request comes in.
  @Test func bothWaysAtOnce() {
    let connection = connection()
    #expect(connection.receive(chunked).count == 1)
    connection.begin(ok, to: StreamID(0))
    #expect(connection.takeText() == Self.chunkedHead)
    #expect(content(connection.receive("1\r\na\r\n")) == "a")
    connection.write(Array("a".utf8), to: StreamID(0))
    #expect(connection.takeText() == "1\r\na\r\n")
    #expect(content(connection.receive("1\r\nb\r\n0\r\n\r\n" + Self.get)) == "b")
    connection.write(Array("b".utf8), to: StreamID(0))
    connection.end(StreamID(0))
    #expect(connection.takeText() == "1\r\nb\r\n0\r\n\r\n")
    connection.respond(ok, to: StreamID(1))
    #expect(connection.takeText() == "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    #expect(!connection.wantsClose)
  }

  /// n − 1, n and n + 1 bytes that nobody has read: from n on no more is taken.
  @Test(arguments: [-1, 0, 1])
  func unreadBytes(_ extra: Int) {
    var limits = HTTP1Limits()
    limits.maxUnreadBytes = 10
    let connection = connection(limits: limits)
    _ = connection.receive(put(1000))
    _ = connection.receive([UInt8](repeating: 1, count: 10 + extra).span)
    #expect(connection.incompleteBytes == 10 + extra)
    #expect(connection.phase == (extra < 0 ? .readingBody : .answering))
    let more = connection.receive([UInt8](repeating: 2, count: 5).span)
    #expect(more.isEmpty == (extra >= 0))
    #expect(connection.wantsInput == (extra < 0))
    guard extra >= 0 else { return }
    #expect(!connection.hasBacklog)
    connection.readBody(10 + extra, of: StreamID(0))
    #expect(connection.hasBacklog && connection.incompleteBytes == 0)
    #expect(connection.receive("") == [.part([2, 2, 2, 2, 2], StreamID(0))])
    #expect(connection.phase == .readingBody)
  }

  /// The end follows the last part, whether that was read or not.
  @Test func theEndDoesNotWaitForItsReader() {
    var limits = HTTP1Limits()
    limits.maxUnreadBytes = 1
    let connection = connection(limits: limits)
    let events = connection.receive(put(5) + "hello" + Self.get)
    #expect(
      events.dropFirst().prefix(2) == [
        .part(Array("hello".utf8), StreamID(0)), .end(StreamID(0), trailers: [:]),
      ])
    #expect(events.count == 5)
  }

  /// 100 Continue is sent when the body is read, not before.
  @Test func continuesWhenTheBodyIsWanted() {
    let connection = connection()
    _ = connection.receive(Self.get + put(2, "Expect: 100-continue\r\n"))
    #expect(connection.takeText() == "")
    connection.readBody(0, of: StreamID(1))
    #expect(connection.takeText() == "")
    connection.respond(ok, to: StreamID(0))
    #expect(
      connection.takeText() == "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" + Self.interim)
    #expect(connection.phase == .readingBody)
    connection.readBody(0, of: StreamID(1))
    #expect(connection.takeText() == "")
    #expect(content(connection.receive("ok")) == "ok")
  }

  /// Who is answered before the body is wanted is not told to send it, and the connection closes.
  @Test func whoIsAnsweredFirstDoesNotContinue() {
    let connection = connection()
    _ = connection.receive(put(2, "Expect: 100-continue\r\n"))
    #expect(connection.phase == .answering)
    connection.respond(HTTPResponse(status: .forbidden), to: StreamID(0))
    connection.readBody(0, of: StreamID(0))
    #expect(
      connection.takeText()
        == "HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    #expect(connection.wantsClose)
  }

  /// n and n + 1 bytes that are left behind an answer: thrown away, or too many.
  @Test(arguments: [0, 1], [false, true])
  func theRestOfAnAnsweredRequest(_ extra: Int, _ isStreamed: Bool) {
    var limits = HTTP1Limits()
    limits.maxDiscardedBytes = 10
    let connection = connection(limits: limits)
    _ = connection.receive(put(12 + extra) + "ab")
    if isStreamed {
      connection.begin(ok, to: StreamID(0))
      connection.end(StreamID(0))
    } else {
      connection.respond(ok, to: StreamID(0))
    }
    let tellsClose = connection.takeText().contains("connection: close\r\n")
    #expect(tellsClose == (extra > 0 && !isStreamed))
    #expect(connection.wantsClose == (extra > 0))
    let rest = String(repeating: "c", count: 10 + extra)
    let events = connection.receive(rest + Self.get)
    #expect(events.count == (extra > 0 ? 0 : 2) && content(events) == "")
  }

  /// What is wrong with a body ends its exchange, with an answer where none has begun.
  @Test(arguments: ["malformed", "slow", "no room"], [false, true])
  func aBodyThatGoesWrongIsGivenUp(_ fault: String, _ hasBegun: Bool) {
    let connection = connection()
    _ = connection.receive(chunked + "1\r\na\r\n")
    if hasBegun { connection.begin(ok, to: StreamID(0)) }
    var events: [ConnectionEvent] = []
    switch fault {
    case "malformed": events = connection.receive("x")
    case "slow": connection.timeOut()
    default: connection.refuseLargestBody(HTTPResponse(status: .tooManyRequests))
    }
    events += connection.takeEvents()
    #expect(events == [.abandoned(StreamID(0))])
    #expect(connection.takeEvents() == [] && connection.incompleteBytes == 0)
    let text = connection.takeText()
    let status = ["malformed": "400", "slow": "408"][fault] ?? "429"
    #expect(text.hasPrefix(hasBegun ? Self.chunkedHead : "HTTP/1.1 \(status) "))
    #expect(!hasBegun || text == Self.chunkedHead)
    #expect(connection.wantsClose && connection.receive(Self.get).isEmpty)
  }

  /// A peer that ends its side within a body has given its request up; one that does behind it waits for the answer.
  @Test(arguments: [4, 5])
  func aPeerThatEndsWithinABody(_ count: Int) {
    let connection = connection()
    _ = connection.receive(put(5) + "hello".prefix(count))
    connection.endInput()
    #expect(connection.takeEvents() == (count < 5 ? [.abandoned(StreamID(0))] : []))
    #expect(connection.wantsClose == (count < 5))
  }

  /// So it is known behind what waits for its reader.
  @Test func aPeerThatEndsWithinWhatWaits() {
    var limits = HTTP1Limits()
    limits.maxUnreadBytes = 2
    let connection = connection(limits: limits)
    _ = connection.receive(put(5) + "he")
    _ = connection.receive("ll")
    connection.endInput()
    #expect(connection.takeEvents() == [])
    connection.readBody(2, of: StreamID(0))
    #expect(
      connection.receive("") == [.part(Array("ll".utf8), StreamID(0)), .abandoned(StreamID(0))])
  }

  @Test func drainsToTheEndOfABody() {
    let connection = connection()
    _ = connection.receive(put(5) + "he")
    connection.shutDown()
    #expect(content(connection.receive("llo" + Self.get)) == "llo")
    connection.respond(ok, to: StreamID(0))
    #expect(connection.takeText().contains("connection: close\r\n") && connection.wantsClose)
  }

  /// A body whose response ends with the connection comes to its end.
  @Test func aBodyBehindAStreamToHTTP10() {
    let connection = connection()
    _ = connection.receive("PUT / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhe")
    connection.begin(ok, to: StreamID(0))
    let events = connection.receive("llo" + Self.get)
    #expect(content(events) == "llo" && events.count == 2)
    connection.end(StreamID(0))
    #expect(connection.wantsClose)
  }

  @Test func trailersFollowChunks() {
    let connection = connection()
    _ = connection.receive(Self.get + "GET / HTTP/1.0\r\n\r\n")
    connection.begin(ok, to: StreamID(0))
    connection.write([0x61], to: StreamID(0))
    connection.end(
      StreamID(0), trailers: ["x-checksum": "7\r\n", "Content-Length": "9", "x-b": "c"])
    #expect(
      connection.takeText() == Self.chunkedHead
        + "1\r\na\r\n0\r\nx-checksum: 7  \r\nx-b: c\r\n\r\n")
    // HTTP/1.0 has no place for them.
    connection.begin(ok, to: StreamID(1))
    connection.end(StreamID(1), trailers: ["a": "b"])
    #expect(connection.takeText() == "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
  }
}
