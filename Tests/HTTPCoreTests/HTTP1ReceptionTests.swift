import Testing

@testable import HTTPCore

/// Requests that are received by their heads.
@Suite struct HTTP1ReceptionTests {
  private static let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
  private static let answer = HTTPResponse(status: .notFound, body: [0x61])
  private static let answered = "HTTP/1.1 404 Not Found\r\ncontent-length: 1\r\n\r\na"
  private static let closed =
    "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 1\r\n\r\na"
  private static let interim = "HTTP/1.1 100 Continue\r\n\r\n"

  /// A connection whose requests with a body are received as `body`.
  private func connection(_ body: Reception.Body, limits: HTTP1Limits = HTTP1Limits())
    -> HTTP1Connection
  {
    HTTP1Connection(limits: limits) { head, bodyBytes in
      Reception(bodyBytes == 0 ? .whole() : body) { _ in }
    }
  }

  private func put(_ length: Int, _ fields: String = "") -> String {
    "PUT /p HTTP/1.1\r\nHost: x\r\n\(fields)Content-Length: \(length)\r\n\r\n"
  }

  private let chunked = "PUT /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

  /// What a reception is told of the body: its length, nil where it is not announced.
  @Test(arguments: [(0, 0), (7, 7), (nil, nil)] as [(Int?, Int?)])
  func isToldTheLength(_ length: Int?, _ told: Int?) {
    var heads: [HTTPRequest] = []
    var lengths: [Int?] = []
    let connection = HTTP1Connection { head, bodyBytes in
      heads.append(head)
      lengths.append(bodyBytes)
      return Reception(.whole()) { _ in }
    }
    _ = connection.receive(length.map { put($0) } ?? chunked)
    #expect(lengths == [told])
    #expect(heads.map(\.path) == ["/p"] && heads.allSatisfy(\.body.isEmpty))
  }

  /// Who is refused is answered before the body has come, and a small rest of it is thrown away.
  @Test(arguments: Pieces.allCases)
  func anUnwantedBodyIsNotWaitedFor(_ pieces: Pieces) {
    let connection = connection(.unwanted)
    let events = connection.receive(put(5))
    guard case .head(let head, StreamID(0), _, isBodyWanted: false)? = events.first else {
      Issue.record("found \(events)")
      return
    }
    #expect(head.path == "/p" && events.count == 1)
    connection.respond(Self.answer, to: StreamID(0))
    #expect(connection.takeText() == Self.answered)
    #expect(connection.phase == .readingBody && !connection.wantsClose)
    #expect(connection.incompleteBytes == 0)
    // The next request stands behind the body.
    #expect(connection.receive("hello" + Self.get, pieces).count == 1)
    #expect(!connection.wantsClose)
  }

  @Test(arguments: Pieces.allCases)
  func anUnwantedBodyInChunksIsThrownAway(_ pieces: Pieces) {
    let connection = connection(.unwanted)
    let events = connection.receive(chunked + "5\r\nhello\r\n0\r\na: b\r\n\r\n" + Self.get, pieces)
    #expect(events.count == 2)
    #expect(connection.incompleteBytes == 0)
    connection.respond(Self.answer, to: StreamID(0))
    #expect(connection.takeText() == Self.answered && !connection.wantsClose)
  }

  /// n − 1, n and n + 1 bytes of what is read and thrown away.
  @Test(arguments: [-1, 0, 1], [false, true])
  func discardedBytes(_ extra: Int, _ isChunked: Bool) {
    var limits = HTTP1Limits()
    limits.maxDiscardedBytes = 10
    let body = String(repeating: "b", count: 10 + extra)
    let connection = connection(.unwanted, limits: limits)
    let text =
      isChunked
      ? chunked
        + "4\r\nbbbb\r\n\(String(6 + extra, radix: 16))\r\n\(body.dropFirst(4))\r\n0\r\n\r\n"
      : put(10 + extra) + body
    let events = connection.receive(text + Self.get)
    #expect(events.count == (extra > 0 ? 1 : 2))
    connection.respond(Self.answer, to: StreamID(0))
    #expect(connection.takeText() == (extra > 0 ? Self.closed : Self.answered))
    #expect(connection.wantsClose == (extra > 0))
  }

  /// What is answered already can only end with the connection: there is nothing to say.
  @Test(arguments: ["5\r\nhello\r\n5\r\nhello\r\n", "x"])
  func aBodyThatIsThrownAwayEndsInSilence(_ text: String) {
    var limits = HTTP1Limits()
    limits.maxDiscardedBytes = 9
    let connection = connection(.unwanted, limits: limits)
    _ = connection.receive(chunked)
    connection.respond(Self.answer, to: StreamID(0))
    #expect(connection.takeText() == Self.answered)
    #expect(connection.receive(text + Self.get).isEmpty)
    #expect(connection.takeText() == "" && connection.wantsClose)
    #expect(connection.takeRefusals() == [])
  }

  @Test func aSlowBodyThatIsThrownAwayEndsInSilence() {
    let connection = connection(.unwanted)
    _ = connection.receive(put(5) + "h")
    connection.respond(Self.answer, to: StreamID(0))
    #expect(connection.takeText() == Self.answered)
    connection.timeOut()
    #expect(connection.takeText() == "" && connection.wantsClose)
  }

  /// Who waits for 100 Continue gets the answer in its place; nobody knows whether the body comes then.
  @Test func whoWaitsToContinueIsRefusedAtOnce() {
    let put = put(5, "Expect: 100-continue\r\n")
    var connection = connection(.unwanted)
    #expect(connection.receive(put).count == 1)
    #expect(connection.takeText() == "")
    connection.respond(Self.answer, to: StreamID(0))
    #expect(connection.takeText() == Self.closed)
    #expect(connection.wantsClose && connection.receive("hello" + Self.get).isEmpty)
    // Who has begun to send does not wait.
    connection = self.connection(.unwanted)
    #expect(connection.receive(put + "h").count == 1)
    connection.respond(Self.answer, to: StreamID(0))
    #expect(connection.takeText() == Self.answered)
    #expect(connection.receive("ello" + Self.get).count == 1)
  }

  /// n − 1, n and n + 1 bytes of what a path takes; 100 Continue is not sent for more.
  @Test(arguments: [-1, 0, 1], ["", "Expect: 100-continue\r\n"])
  func bytesOfAPath(_ extra: Int, _ expect: String) {
    let connection = connection(.whole(maxBytes: 100))
    _ = connection.receive(put(100 + extra, expect))
    let text = connection.takeText()
    guard extra > 0 else {
      #expect(text == (expect.isEmpty ? "" : Self.interim))
      #expect(connection.receive(String(repeating: "b", count: 100 + extra)).count == 1)
      return
    }
    #expect(text.hasPrefix("HTTP/1.1 413 ") && text.contains("at most 100 bytes for this path"))
    #expect(connection.wantsClose && connection.takeRefusals() == [.contentTooLarge])
  }

  @Test func chunksBeyondWhatAPathTakesAreRefused() {
    let connection = connection(.whole(maxBytes: 9))
    #expect(connection.receive(chunked + "5\r\nhello\r\n").isEmpty)
    #expect(connection.receive("5\r\n").isEmpty)
    #expect(connection.takeText().contains("at most 9 bytes for this path"))
  }

  /// A drain ends with a request whose body is not wanted, and waits for one whose is.
  @Test func drainsWhatIsWanted() {
    var connection = connection(.unwanted)
    _ = connection.receive(put(5) + "h")
    connection.shutDown()
    connection.respond(Self.answer, to: StreamID(0))
    #expect(connection.takeText() == Self.closed && connection.wantsClose)
    connection = self.connection(.whole())
    _ = connection.receive(put(5) + "h")
    connection.shutDown()
    #expect(connection.receive("ello" + Self.get).count == 1)
    connection.respond(Self.answer, to: StreamID(0))
    #expect(connection.takeText() == Self.closed && connection.wantsClose)
  }
}
