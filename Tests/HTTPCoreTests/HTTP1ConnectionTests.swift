import Testing

@testable import HTTPCore

@Suite struct HTTP1ConnectionTests {
  private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

  private func request(
    _ method: String, _ path: String, fields: HTTPFields = ["host": "x"], body: String = ""
  ) -> HTTPRequest {
    HTTPRequest(method: method, path: path, fields: fields, body: Array(body.utf8))
  }

  private func answer(_ text: String) -> HTTPResponse {
    HTTPResponse(status: .ok, body: Array(text.utf8))
  }

  private func wire(_ text: String, _ field: String = "") -> String {
    "HTTP/1.1 200 OK\r\n\(field)content-length: \(text.utf8.count)\r\n\r\n\(text)"
  }

  @Test(arguments: Pieces.allCases)
  func answersAndStaysOpen(_ pieces: Pieces) {
    let connection = HTTP1Connection()
    #expect(connection.phase == .idle)
    #expect(connection.receive(get, pieces) == [.request(request("GET", "/a"), StreamID(0))])
    #expect(connection.takeOutput() == [])
    connection.respond(answer("one"), to: StreamID(0))
    #expect(connection.takeText() == wire("one"))
    #expect(connection.phase == (pieces == .withBytesBehind ? .readingHead : .idle))
    #expect(!connection.wantsClose)
  }

  /// While the responses before its 100 Continue are owed, a peer is not late with its body.
  @Test func whoWaitsToContinueWaitsForThisSide() {
    let connection = HTTP1Connection()
    let put = "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    _ = connection.receive(get + put, .whole)
    #expect(connection.phase == .answering)
    // Nor does a drain give it up.
    connection.shutDown()
    connection.respond(answer("one"), to: StreamID(0))
    #expect(connection.takeText() == wire("one") + "HTTP/1.1 100 Continue\r\n\r\n")
    #expect(connection.phase == .readingBody)
    #expect(connection.receive("x", .whole).count == 1)
  }

  @Test(arguments: Pieces.allCases)
  func takesSizedBodies(_ pieces: Pieces) {
    let connection = HTTP1Connection()
    let text = "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    let fields: HTTPFields = ["host": "x", "content-length": "5"]
    #expect(
      connection.receive(text, pieces) == [
        .request(request("POST", "/p", fields: fields, body: "hello"), StreamID(0))
      ])
  }

  @Test(arguments: Pieces.allCases)
  func takesChunkedBodies(_ pieces: Pieces) {
    let connection = HTTP1Connection()
    let text =
      "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
    let fields: HTTPFields = ["host": "x", "transfer-encoding": "chunked"]
    #expect(
      connection.receive(text + get, pieces) == [
        .request(request("POST", "/p", fields: fields, body: "hello"), StreamID(0)),
        .request(request("GET", "/a"), StreamID(1)),
      ])
  }

  @Test(arguments: Pieces.allCases)
  func handsTrailersOn(_ pieces: Pieces) {
    let connection = HTTP1Connection()
    let text =
      "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      + "1\r\na\r\n0\r\nX-Sum:  7 \r\nb:\r\n\r\n"
    var expected = request("POST", "/p", fields: ["host": "x", "transfer-encoding": "chunked"])
    expected.body = [0x61]
    expected.trailers = ["x-sum": "7", "b": ""]
    #expect(connection.receive(text, pieces) == [.request(expected, StreamID(0))])
  }

  @Test(arguments: Pieces.allCases)
  func answersInOrder(_ pieces: Pieces) {
    let connection = HTTP1Connection()
    #expect(connection.receive(get + get + get, pieces).count == 3)
    connection.respond(answer("3"), to: StreamID(2))
    connection.respond(answer("2"), to: StreamID(1))
    #expect(connection.takeText() == "")
    connection.respond(answer("1"), to: StreamID(0))
    #expect(connection.takeText() == wire("1") + wire("2") + wire("3"))
    connection.respond(answer("late"), to: StreamID(1))
    connection.respond(answer("unknown"), to: StreamID(3))
    #expect(connection.takeText() == "")
  }

  @Test func headHasNoBody() {
    let connection = HTTP1Connection()
    _ = connection.receive("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    connection.respond(answer("hello"), to: StreamID(0))
    #expect(connection.takeText() == "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
    _ = connection.receive("HEAD / HTTP/1.1\r\n\r\n")
    #expect(connection.takeText().hasSuffix("\r\n\r\n"))
  }

  /// Not even where the first line is at fault, or comes behind an empty one.
  @Test(arguments: [
    "HEAD foo HTTP/1.1\r\n", "HEAD / HTTP/2.0\r\n", "HEAD  / HTTP/1.1\r\n", "HEAD / HTTP/1.1\n",
    "\r\nHEAD foo HTTP/1.1\r\n",
  ])
  func refusedHeadHasNoBody(line: String) {
    let connection = HTTP1Connection()
    _ = connection.receive(line + "Host: x\r\n\r\n")
    let text = connection.takeText()
    #expect(text.hasPrefix("HTTP/1.1 ") && text.hasSuffix("\r\n\r\n"))
  }

  @Test(arguments: [
    ("HTTP/1.1", "Connection: close\r\n", "connection: close\r\n", true),
    ("HTTP/1.0", "", "connection: close\r\n", true),
    ("HTTP/1.0", "Connection: keep-alive\r\n", "connection: keep-alive\r\n", false),
    ("HTTP/1.1", "", "", false),
  ])
  func closesWhereAsked(_ version: String, _ asked: String, _ told: String, _ closes: Bool) {
    let connection = HTTP1Connection()
    let text = "GET / \(version)\r\nHost: x\r\n\(asked)\r\n"
    let events = connection.receive(text + text)
    #expect(events.count == (closes ? 1 : 2))
    connection.respond(answer(""), to: StreamID(0))
    #expect(connection.takeText() == wire("", told))
    #expect(connection.wantsClose == closes)
  }

  /// RFC 9110 §10.1.1: a list, whose empty elements mean nothing.
  @Test(arguments: [
    ("100-Continue", "100"), ("100-continue, 100-continue", "100"), (", 100-continue ,", "100"),
    ("", ""), (",", ""), ("100-continue, more", "417"), ("100-continue;a", "417"), ("100", "417"),
  ])
  func expectations(_ list: String, _ status: String) {
    let connection = HTTP1Connection()
    _ = connection.receive(
      "PUT / HTTP/1.1\r\nHost: x\r\nExpect: \(list)\r\nContent-Length: 2\r\n\r\n")
    let text = connection.takeText()
    #expect(
      text.isEmpty == status.isEmpty && (text.isEmpty || text.hasPrefix("HTTP/1.1 \(status) ")))
  }

  @Test func continuesWhenTheBodyIsAwaited() {
    let head = "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    let interim = "HTTP/1.1 100 Continue\r\n\r\n"
    var connection = HTTP1Connection()
    #expect(connection.receive(head).isEmpty)
    #expect(connection.takeText() == interim)
    #expect(connection.phase == .readingBody)
    #expect(connection.receive("ok").count == 1)
    // The body is there already, or there is none: nothing to wait for.
    connection = HTTP1Connection()
    #expect(connection.receive(head + "ok").count == 1)
    #expect(connection.takeText() == "")
    // It waits for the responses before it.
    connection = HTTP1Connection()
    #expect(connection.receive(get + head).count == 1)
    #expect(connection.takeText() == "")
    connection.respond(answer("a"), to: StreamID(0))
    #expect(connection.takeText() == wire("a") + interim)
  }

  @Test func refusalsWaitForTheirTurn() {
    let connection = HTTP1Connection()
    #expect(connection.receive(get + "BAD\r\n" + get).count == 1)
    #expect(connection.takeText() == "" && !connection.wantsClose)
    #expect(connection.receive(get).isEmpty)
    connection.respond(answer("a"), to: StreamID(0))
    let text = connection.takeText()
    #expect(text.hasPrefix(wire("a") + "HTTP/1.1 400 Bad Request\r\n"))
    #expect(text.contains("connection: close\r\n"))
    #expect(text.hasSuffix("one space between\"}\n"))
    #expect(connection.wantsClose)
  }

  @Test(arguments: [
    ("GET / HTTP/3.0\r\n", 505), ("CONNECT x:1 HTTP/1.1\r\n", 501),
    ("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
    (String(repeating: "A", count: 20_000) + " / HTTP/1.1\r\n", 400),
    ("PUT / HTTP/1.1\r\nHost: x\r\nExpect: x\r\n\r\n", 417),
    ("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", 413),
    ("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    ("GET / HTTP/1.1\r\n\r\n", 400),
    ("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx", 400),
  ])
  func refusesWithTheStatus(_ text: String, _ status: Int) {
    for pieces in Pieces.allCases {
      let connection = HTTP1Connection()
      #expect(connection.receive(text, pieces).isEmpty)
      #expect(connection.takeText().hasPrefix("HTTP/1.1 \(status) "))
      #expect(connection.wantsClose)
      #expect(connection.takeRefusals() == [HTTPStatus(status)])
      #expect(connection.takeRefusals() == [])
    }
  }

  @Test func timesOut() {
    var connection = HTTP1Connection()
    connection.timeOut()
    #expect(connection.takeText() == "" && connection.wantsClose)
    for text in [
      "G", "GET / HTTP/1.1\r\nHo", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na",
    ] {
      connection = HTTP1Connection()
      #expect(connection.receive(text).isEmpty)
      #expect(connection.phase == (text.hasPrefix("PUT") ? .readingBody : .readingHead))
      connection.timeOut()
      #expect(connection.takeText().hasPrefix("HTTP/1.1 408 "))
      #expect(connection.wantsClose)
    }
    connection = HTTP1Connection()
    #expect(connection.receive(get).count == 1)
    #expect(connection.phase == .answering)
    connection.timeOut()
    #expect(!connection.wantsClose)
  }

  @Test func partOfAHeadIsNoBacklog() {
    let connection = HTTP1Connection()
    _ = connection.receive("GET /li")
    #expect(!connection.hasBacklog)
    _ = connection.receive("st HTTP/1.1\r\nHost: x\r\n\r\n" + get + "GE")
    #expect(!connection.hasBacklog)
    connection.respond(answer("a"), to: StreamID(0))
    #expect(!connection.hasBacklog)
  }

  @Test func refusesTheBodyUnderWay() {
    let put = "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"
    let connection = HTTP1Connection()
    _ = connection.receive(get)
    connection.refuseLargestBody(HTTPResponse(status: .gone))
    #expect(connection.receive(put).isEmpty)
    // The head, too.
    #expect((3..<1000).contains(connection.incompleteBytes))
    connection.refuseLargestBody(HTTPResponse(status: .gone))
    #expect(connection.incompleteBytes == 0)
    #expect(connection.receive("defghi" + get).isEmpty)
    connection.respond(answer("a"), to: StreamID(0))
    #expect(
      connection.takeText() == wire("a")
        + "HTTP/1.1 410 Gone\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    #expect(connection.wantsClose)
  }

  @Test func shutsDown() {
    var connection = HTTP1Connection()
    connection.shutDown()
    #expect(connection.wantsClose)

    connection = HTTP1Connection()
    _ = connection.receive(get + get)
    connection.shutDown()
    #expect(!connection.wantsClose)
    #expect(connection.receive(get).isEmpty)
    connection.respond(answer("a"), to: StreamID(0))
    connection.respond(answer("b"), to: StreamID(1))
    #expect(connection.takeText() == wire("a") + wire("b", "connection: close\r\n"))
    #expect(connection.wantsClose)

    // What is under way is accepted.
    connection = HTTP1Connection()
    _ = connection.receive("GET / HTT")
    connection.shutDown()
    #expect(connection.receive("P/1.1\r\nHost: x\r\n\r\n" + get).count == 1)
    connection.respond(answer("a"), to: StreamID(0))
    #expect(connection.takeText() == wire("a", "connection: close\r\n"))
    #expect(connection.wantsClose)
  }

  /// What a peer gets that was sent `count` bytes of its answer ahead is what it gets otherwise.
  @Test(arguments: ["HTTP/1.1", "HTTP/1.0"], 0...10)
  func anAnswerMayBeginAhead(version: String, count: Int) {
    func text(begun: Int) -> String {
      let connection = HTTP1Connection()
      let isBegunBefore = connection.queueProbe()
      #expect(!isBegunBefore && connection.takeText() == "")
      _ = connection.receive("GET / \(version)\r\nHost: x\r\n\r\n")
      var text = ""
      for index in 0..<begun {
        let isBegun = connection.queueProbe()
        #expect(isBegun == (index < 9))
        let byte = connection.takeText()
        #expect(byte.utf8.count == (isBegun ? 1 : 0))
        text += byte
      }
      connection.respond(answer("a"), to: StreamID(0))
      text += connection.takeText()
      _ = connection.receive(get)
      connection.respond(answer("b"), to: StreamID(1))
      return text + connection.takeText()
    }
    #expect(text(begun: count) == text(begun: 0))
  }

  @Test func datesResponses() {
    let connection = HTTP1Connection(date: ResponseDate("Sun, 06 Nov 1994 08:49:37 GMT"))
    _ = connection.receive(get + "BAD\r\n")
    connection.respond(answer("a"), to: StreamID(0))
    #expect(
      connection.takeText().components(of: "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n") == 3)
  }
}

extension String {
  /// How many parts `separator` splits the text into.
  fileprivate func components(of separator: String) -> Int {
    var count = 1
    var rest = self[...]
    while !rest.isEmpty {
      if rest.hasPrefix(separator) { count += 1 }
      rest = rest.dropFirst()
    }
    return count
  }
}
