import Testing

@testable import HTTPCore

/// Responses over HTTP/1 that are sent as they are made.
@Suite struct HTTP1StreamingTests {
  private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
  private let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
  private let whole = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nw"

  private func response(_ text: String = "") -> HTTPResponse {
    HTTPResponse(status: .ok, body: Array(text.utf8))
  }

  /// A connection that was sent `text`.
  private func connection(_ text: String) -> HTTP1Connection {
    let connection = HTTP1Connection()
    _ = connection.receive(text)
    return connection
  }

  @Test func chunksLeaveAsTheyCome() {
    let connection = connection(get)
    connection.begin(response(), to: StreamID(0))
    #expect(connection.takeText() == head)
    #expect(connection.phase == .answering)
    connection.write(Array("hello".utf8), to: StreamID(0))
    #expect(connection.takeText() == "5\r\nhello\r\n")
    connection.write([], to: StreamID(0))
    #expect(connection.takeText() == "")
    connection.write([UInt8](repeating: 0x61, count: 26), to: StreamID(0))
    connection.write(Array("b".utf8), to: StreamID(0))
    #expect(
      connection.takeText() == "1a\r\n\(String(repeating: "a", count: 26))\r\n1\r\nb\r\n")
    #expect(connection.heldBytes(of: StreamID(0)) == 0)
    connection.end(StreamID(0))
    #expect(connection.takeText() == "0\r\n\r\n")
    #expect(connection.phase == .idle && !connection.wantsClose)
    // Nothing comes behind the end, and the next request is taken.
    connection.write([1], to: StreamID(0))
    connection.end(StreamID(0))
    #expect(connection.takeText() == "")
    #expect(connection.receive(get).count == 1)
    connection.respond(response("w"), to: StreamID(1))
    #expect(connection.takeText() == whole)
  }

  @Test(arguments: ["", "first"])
  func beginsWithTheBodyOfItsHead(_ text: String) {
    let connection = connection(get)
    connection.begin(response(text), to: StreamID(0))
    connection.respond(response("no"), to: StreamID(0))
    connection.begin(response("no"), to: StreamID(0))
    connection.end(StreamID(0))
    #expect(connection.takeText() == head + (text.isEmpty ? "" : "5\r\nfirst\r\n") + "0\r\n\r\n")
  }

  @Test func ownFieldsDoNotContradictTheFraming() {
    let connection = connection(get)
    let fields: HTTPFields = ["content-length": "9", "transfer-encoding": "gzip", "a": "b"]
    connection.begin(HTTPResponse(status: .ok, fields: fields), to: StreamID(0))
    #expect(
      connection.takeText() == "HTTP/1.1 200 OK\r\na: b\r\ntransfer-encoding: chunked\r\n\r\n")
  }

  /// A streamed response that has to wait for its turn, ended or not when it comes.
  @Test(arguments: [true, false])
  func waitsForItsTurn(_ endsEarly: Bool) {
    let connection = connection(get + get + get)
    connection.respond(response("w"), to: StreamID(2))
    connection.begin(response("a"), to: StreamID(1))
    connection.write(Array("bc".utf8), to: StreamID(1))
    #expect(connection.heldBytes(of: StreamID(1)) == 3)
    if endsEarly { connection.end(StreamID(1)) }
    #expect(connection.takeText() == "")
    connection.respond(response("w"), to: StreamID(0))
    let begun = whole + head + "3\r\nabc\r\n"
    if !endsEarly {
      #expect(connection.takeText() == begun)
      #expect(connection.heldBytes(of: StreamID(1)) == 0)
      connection.write(Array("d".utf8), to: StreamID(1))
      connection.end(StreamID(1))
      #expect(connection.takeText() == "1\r\nd\r\n0\r\n\r\n" + whole)
    } else {
      #expect(connection.takeText() == begun + "0\r\n\r\n" + whole)
    }
    #expect(connection.phase == .idle && !connection.wantsClose)
  }

  @Test func aStreamWaitsForAStream() {
    let connection = connection(get + get)
    for stream in [1, 0] { connection.begin(response("\(stream)"), to: StreamID(stream)) }
    #expect(connection.takeText() == head + "1\r\n0\r\n")
    connection.end(StreamID(0))
    #expect(connection.takeText() == "0\r\n\r\n" + head + "1\r\n1\r\n")
    connection.end(StreamID(1))
    #expect(connection.takeText() == "0\r\n\r\n")
  }

  @Test(arguments: [
    ("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", 200),
    ("HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200),
    ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 204), ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 304),
  ])
  func someResponsesHaveNoBody(_ request: String, _ status: Int) {
    let connection = connection(get + request)
    connection.begin(HTTPResponse(status: HTTPStatus(status), body: [1]), to: StreamID(1))
    connection.write([2], to: StreamID(1))
    connection.respond(response("w"), to: StreamID(0))
    connection.write([3], to: StreamID(1))
    connection.end(StreamID(1))
    let text = connection.takeText()
    #expect(text.hasPrefix(whole + "HTTP/1.1 \(status) "))
    #expect(text.hasSuffix("\r\n\r\n") && !text.contains("chunked"))
    #expect(text.ranges(of: "content-length").count == 1)
    #expect(!connection.wantsClose)
  }

  @Test(arguments: ["", "Connection: keep-alive\r\n"])
  func closesBehindAStreamToHTTP10(_ field: String) {
    let connection = connection("GET / HTTP/1.0\r\n\(field)\r\n" + get + "PUT /")
    connection.begin(response("a"), to: StreamID(0))
    connection.write(Array("bc".utf8), to: StreamID(0))
    #expect(connection.takeText() == "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc")
    #expect(!connection.wantsClose)
    #expect(connection.receive(get).isEmpty)
    connection.respond(response("w"), to: StreamID(1))
    connection.end(StreamID(0))
    #expect(connection.takeText() == "")
    #expect(connection.wantsClose)
  }

  @Test func closesBehindAStreamWhereAsked() {
    let connection = connection("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    connection.begin(response(), to: StreamID(0))
    #expect(connection.takeText().contains("connection: close\r\n"))
    #expect(!connection.wantsClose)
    connection.end(StreamID(0))
    #expect(connection.takeText() == "0\r\n\r\n")
    #expect(connection.wantsClose)
  }

  @Test func drainsToTheEndOfAStream() {
    let connection = connection(get)
    connection.begin(response(), to: StreamID(0))
    connection.shutDown()
    #expect(connection.receive(get).isEmpty)
    connection.write([0x61], to: StreamID(0))
    #expect(!connection.wantsClose)
    connection.end(StreamID(0))
    #expect(connection.takeText() == head + "1\r\na\r\n0\r\n\r\n")
    #expect(connection.wantsClose)
  }

  @Test func whatIsRefusedStandsBehindAStream() {
    let connection = connection(get)
    connection.begin(response(), to: StreamID(0))
    #expect(connection.receive("BAD\r\n").isEmpty)
    #expect(connection.takeText() == head)
    connection.end(StreamID(0))
    #expect(connection.takeText().hasPrefix("0\r\n\r\nHTTP/1.1 400 "))
    #expect(connection.wantsClose)
  }

  @Test func nothingInterimInsideAStream() {
    let connection = connection(get)
    connection.begin(response(), to: StreamID(0))
    _ = connection.receive(
      "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    #expect(connection.takeText() == head)
    connection.end(StreamID(0))
    #expect(connection.takeText() == "0\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
  }

  /// The size of the next chunk may begin ahead, with zeros.
  @Test func aChunkMayBeginAhead() {
    let connection = connection(get)
    connection.begin(response(), to: StreamID(0))
    var begun = 0
    while connection.queueProbe() { begun += 1 }
    #expect(begun == 8)
    connection.write([97], to: StreamID(0))
    connection.write([], to: StreamID(0))
    #expect(connection.takeText() == head + "000000001\r\na\r\n")
    let isBegunAgain = connection.queueProbe()
    #expect(isBegunAgain)
    connection.end(StreamID(0))
    #expect(connection.takeText() == "00\r\n\r\n")
    let isBegunBehind = connection.queueProbe()
    #expect(!isBegunBehind)
  }

  /// A body that ends with the connection has nothing that could be sent ahead.
  @Test func aBodyWithoutChunksDoesNotBeginAhead() {
    let connection = connection("GET / HTTP/1.0\r\n\r\n")
    let isHeadBegun = connection.queueProbe()
    #expect(isHeadBegun)
    connection.begin(response(), to: StreamID(0))
    let isBodyBegun = connection.queueProbe()
    #expect(!isBodyBegun)
    #expect(connection.takeText().hasPrefix("HTTP/1.1 200 OK\r\n"))
  }

  @Test func whatIsNotOwedIsDropped() {
    let connection = connection(get)
    connection.write([1], to: StreamID(0))
    connection.end(StreamID(0))
    connection.begin(response(), to: StreamID(1))
    connection.write([1], to: StreamID(1))
    #expect(connection.heldBytes(of: StreamID(1)) == 0)
    #expect(connection.takeText() == "")
    connection.respond(response("w"), to: StreamID(0))
    connection.end(StreamID(0))
    #expect(connection.takeText() == whole)
  }
}
