import HTTP2
import HTTPCore
import Testing

@Suite struct HTTP2ConnectionTests {
  static let hello = HTTPResponse(
    status: .ok, fields: ["content-type": "text/plain"], body: Array("hello".utf8))

  @Test func aGetIsAnswered() {
    let peer = HTTP2Peer(date: "Thu, 01 Jan 1970 00:00:00 GMT")
    peer.send(.headers(1, Frame.request("GET", "/a?b=1?2") + [("x", "y")], end: true))
    let expected = HTTPRequest(
      method: "GET", path: "/a", query: "b=1?2", fields: ["x": "y", "host": "here"])
    #expect(peer.events == [.request(expected, StreamID(1))])
    #expect(peer.connection.phase == .answering)
    peer.respond(1, Self.hello)
    #expect(
      peer.heads(1) == [
        [
          ":status": "200", "content-type": "text/plain", "content-length": "5",
          "date": "Thu, 01 Jan 1970 00:00:00 GMT",
        ]
      ])
    #expect(peer.body(1) == Array("hello".utf8))
    #expect(peer.isEnded(1))
    #expect(peer.resetCode(1) == nil)
    #expect(peer.connection.phase == .idle)
    #expect(!peer.connection.wantsClose)
  }

  /// A whole conversation, cut at every byte: it comes out the same.
  @Test func cutsDoNotMatter() {
    let bytes =
      HTTP2Peer.preface
      + [
        Frame(kind: .settings), .post(1, [("content-length", "6")]), .get(3, "/three"),
        .data(1, [1, 2, 3], end: false), .data(1, [4, 5, 6]),
        Frame(kind: .ping, payload: bigEndian(0) + bigEndian(9)),
        .post(5), .data(5, []), .reset(3),
      ].flatMap(\.bytes)
    let whole = HTTP2Peer(greets: false)
    whole.send(bytes: bytes)
    #expect(whole.requests.map(\.body) == [[], [1, 2, 3, 4, 5, 6], []])
    #expect(whole.abandoned == [3])
    let single = HTTP2Peer(greets: false)
    for byte in bytes { single.send(bytes: [byte]) }
    #expect(single.events == whole.events)
    for cut in 0...bytes.count {
      let halves = HTTP2Peer(greets: false)
      halves.send(bytes: Array(bytes[..<cut]))
      halves.send(bytes: Array(bytes[cut...]))
      #expect(halves.events == whole.events)
    }
  }

  @Test func streamsAreAnsweredOutOfOrder() {
    let peer = HTTP2Peer()
    peer.send(.get(1, "/1"), .get(3, "/3"), .get(5, "/5"))
    for stream in [5, 1, 3] {
      peer.respond(stream, HTTPResponse(status: .ok, body: [UInt8(stream)]))
    }
    for stream in [1, 3, 5] { #expect(peer.body(stream) == [UInt8(stream)]) }
    #expect(peer.received.filter { $0.endsStream }.map(\.stream) == [5, 1, 3])
  }

  @Test func largeBodiesCrossWindows() {
    let peer = HTTP2Peer()
    let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 9) }
    peer.send(.post(1))
    for start in stride(from: 0, to: body.count, by: 16_000) {
      let part = Array(body[start..<min(start + 16_000, body.count)])
      peer.send(.data(1, part, end: start + 16_000 >= body.count))
    }
    #expect(peer.requests.map(\.body) == [body])
    // The windows were opened again while the body came.
    let opened = peer.received.filter { $0.kind == .windowUpdate && $0.stream == 1 }
    #expect(opened.reduce(0) { $0 + $1.errorCode } > 1_000_000)

    peer.respond(1, HTTPResponse(status: .ok, body: body))
    // RFC 9113 §6.9.2: a client that announced nothing has a window of 65,535 bytes.
    #expect(peer.body(1).count == 65_535)
    // A client that takes its time is not idle.
    #expect(peer.connection.phase == .answering)
    peer.send(.windowUpdate(0, 1 << 30), .windowUpdate(1, 1_000_000))
    #expect(peer.body(1).count == 1_065_535)
    peer.send(.windowUpdate(1, 1 << 30))
    #expect(peer.body(1) == body)
    #expect(peer.isEnded(1))
    #expect(peer.connection.phase == .idle)
  }

  @Test func headHasItsLengthAndNoData() {
    let peer = HTTP2Peer()
    peer.send(.headers(1, Frame.request("HEAD", "/"), end: true))
    peer.respond(1, Self.hello)
    #expect(peer.heads(1).first?["content-length"] == "5")
    #expect(peer.body(1).isEmpty)
    #expect(peer.isEnded(1))
    peer.send(.headers(3, Frame.request("HEAD", "/#"), end: true))
    #expect(peer.status(3) == "400")
    #expect(peer.body(3).isEmpty)
    #expect(peer.isEnded(3))
  }

  /// Expect is a list (RFC 9110 §10.1.1).
  @Test(arguments: ["100-continue", "100-Continue , 100-continue"])
  func continueIsSentWhereItIsAwaited(_ expectation: String) {
    let peer = HTTP2Peer()
    peer.send(.post(1, [("expect", expectation)]))
    #expect(peer.heads(1) == [[":status": "100"]])
    peer.send(.data(1, [7]))
    #expect(peer.requests.map(\.body) == [[7]])
    peer.respond(1, Self.hello)
    #expect(peer.heads(1).map { $0[":status"] } == ["100", "200"])
    peer.send(.headers(3, Frame.request("GET", "/") + [("expect", "100-continue")], end: true))
    #expect(peer.heads(3).isEmpty)
    peer.send(.post(5, [("expect", "the unexpected")]))
    #expect(peer.status(5) == "417")
    peer.send(.post(7, [("expect", "")]))
    #expect(peer.heads(7).isEmpty)
  }

  @Test func trailersAreNoFields() {
    let peer = HTTP2Peer()
    peer.send(.post(1), .data(1, [1], end: false), .headers(1, [("x-sum", "1")], end: true))
    #expect(peer.requests.map(\.body) == [[1]])
    #expect(peer.requests.first?.fields["x-sum"] == nil)
  }

  @Test func aResetAbandonsWhatIsOwed() {
    let peer = HTTP2Peer()
    peer.send(.get(1), .get(3), .post(5), .reset(1), .reset(5))
    #expect(peer.abandoned == [1])
    peer.respond(1, Self.hello)
    peer.respond(99, Self.hello)
    peer.respond(3, Self.hello)
    peer.respond(3, Self.hello)
    #expect(peer.heads(1).isEmpty)
    #expect(peer.heads(3).count == 1)
    #expect(peer.connection.phase == .idle)
  }

  @Test func phaseFollowsTheRequest() {
    let peer = HTTP2Peer(greets: false)
    #expect(peer.connection.phase == .readingHead)
    peer.send(bytes: HTTP2Peer.preface)
    #expect(peer.connection.phase == .readingHead)
    peer.send(Frame(kind: .settings))
    #expect(peer.connection.phase == .idle)
    let head = Frame.post(1)
    var start = head
    start.flags = 0
    start.payload = Array(head.payload.prefix(5))
    peer.send(start)
    #expect(peer.connection.phase == .readingHead)
    peer.send(
      Frame(
        kind: .continuation, flags: Frame.endHeaders, stream: 1,
        payload: Array(head.payload.dropFirst(5))))
    #expect(peer.connection.phase == .answering)
    peer.send(.get(3))
    #expect(peer.connection.phase == .answering)
    peer.send(.data(1, []))
    #expect(peer.connection.phase == .answering)
    #expect(peer.requests.count == 2)
  }

  @Test func shutDownTakesWhatWasOnItsWay() {
    let peer = HTTP2Peer()
    peer.send(.get(1))
    peer.connection.shutDown()
    peer.connection.shutDown()
    peer.read()
    #expect(peer.goAwayCodes == [0])
    peer.send(.get(3))
    #expect(peer.requests.count == 2)
    let ping = peer.received.last { $0.kind == .ping }
    peer.send(Frame(kind: .ping, flags: Frame.acknowledgement, payload: ping?.payload ?? []))
    #expect(peer.goAwayCodes == [0, 0])
    peer.send(.get(5))
    #expect(peer.requests.count == 2)
    #expect(!peer.connection.wantsClose)
    peer.respond(3, Self.hello)
    #expect(!peer.connection.wantsClose)
    peer.respond(1, Self.hello)
    #expect(peer.isEnded(1) && peer.isEnded(3))
    #expect(peer.connection.wantsClose)
  }

  /// Whether the peer has told that it knows of the end or not.
  @Test func finishShutDownTakesNothingMore() {
    let peer = HTTP2Peer()
    peer.send(.get(1))
    peer.connection.finishShutDown()
    peer.send(.get(3))
    #expect(peer.requests.count == 2)
    peer.connection.shutDown()
    peer.connection.finishShutDown()
    peer.send(.get(5))
    #expect(peer.requests.count == 2)
    #expect(peer.goAwayCodes == [0, 0])
    peer.respond(1, Self.hello)
    #expect(!peer.connection.wantsClose)
    peer.respond(3, Self.hello)
    #expect(peer.isEnded(1) && peer.isEnded(3))
    #expect(peer.connection.wantsClose)
  }

  /// What comes of the head later is not taken, and what is owed beside it is answered.
  @Test(arguments: [true, false])
  func timeOutEndsAHalfHead(owes: Bool) {
    let peer = HTTP2Peer()
    if owes { peer.send(.get(1)) }
    var head = Frame.get(3)
    head.flags = Frame.endStream
    peer.send(head)
    #expect(peer.connection.phase == .readingHead)
    peer.connection.timeOut()
    peer.read()
    #expect(peer.resetCode(3) == 8)
    #expect(peer.goAwayCodes == [0])
    #expect(peer.connection.wantsClose != owes)
    peer.send(Frame(kind: .continuation, flags: Frame.endHeaders, stream: 3))
    #expect(peer.requests.count == (owes ? 1 : 0))
    if owes {
      peer.respond(1, Self.hello)
      #expect(peer.isEnded(1) && peer.connection.wantsClose)
    }
  }

  @Test func timeOutEndsAnIdleConnectionAtOnce() {
    let peer = HTTP2Peer()
    peer.connection.timeOut()
    peer.read()
    #expect(peer.goAwayCodes == [0])
    #expect(peer.connection.wantsClose)
    #expect(!peer.connection.wantsInput)
  }

  @Test func timeOutAnswersTheIncompleteAndKeepsTheOwed() {
    let peer = HTTP2Peer()
    peer.send(.get(1), .post(3))
    peer.connection.timeOut()
    peer.read()
    #expect(peer.status(3) == "408")
    #expect(peer.resetCode(3) == nil && peer.refuseSlowBodies(now: 0) == 0)
    peer.read()
    #expect(peer.resetCode(3) == 0)
    #expect(peer.goAwayCodes == [0])
    #expect(!peer.connection.wantsClose)
    peer.respond(1, Self.hello)
    #expect(peer.status(1) == "200")
    #expect(peer.connection.wantsClose)
  }

  @Test func theLargestBodyIsRefused() {
    let peer = HTTP2Peer()
    peer.send(.get(1), .post(3), .data(3, [1, 2], end: false), .post(5), .data(5, [3], end: false))
    let both = peer.connection.incompleteBytes
    // The heads, too.
    #expect((3..<2000).contains(both))
    peer.connection.refuseLargestBody(HTTPResponse(status: .gone))
    #expect((1..<both).contains(peer.connection.incompleteBytes))
    peer.connection.refuseLargestBody(HTTPResponse(status: .conflict))
    #expect(peer.connection.incompleteBytes == 0)
    peer.read()
    #expect(peer.status(3) == "410" && peer.status(5) == "409")
    peer.respond(1, HTTPResponse(status: .ok))
    #expect(peer.status(1) == "200")
    peer.send(.post(7), .data(7, [4]))
    #expect(peer.requests.count == 2)
  }

  /// Not at once: some clients would lose the response.
  @Test func shutDownWaitsAWhileForUploadsThatHaveTheirResponse() {
    let peer = HTTP2Peer()
    peer.send(.post(1, [("content-length", "1000000000")]))
    #expect(peer.status(1) == "413")
    peer.connection.shutDown()
    peer.read()
    let ping = peer.received.last { $0.kind == .ping }
    peer.send(Frame(kind: .ping, flags: Frame.acknowledgement, payload: ping?.payload ?? []))
    #expect(peer.resetCode(1) == nil && !peer.connection.wantsClose)
    // Until the next check, though it goes on.
    peer.send(.data(1, [1], end: false))
    #expect(peer.refuseSlowBodies(now: 0) == 0)
    peer.read()
    #expect(peer.resetCode(1) == 0)
    #expect(peer.connection.wantsClose)
  }

  /// The end of the upload is the end of the connection.
  @Test func shutDownEndsWithTheLastUpload() {
    let peer = HTTP2Peer(body: .unwanted)
    peer.send(.post(1), .post(3))
    peer.connection.shutDown()
    peer.connection.finishShutDown()
    for stream in [1, 3] { peer.respond(stream, Self.hello) }
    #expect(peer.isEnded(1) && peer.isEnded(3) && !peer.connection.wantsClose)
    peer.send(.data(1, [1]))
    #expect(peer.resetCode(1) == nil && !peer.connection.wantsClose)
    #expect(peer.refuseSlowBodies(now: 0) == 0)
    peer.read()
    #expect(peer.resetCode(3) == 0 && peer.connection.wantsClose)
  }

  @Test func aResponseThatNobodyReadsIsReset() {
    let peer = HTTP2Peer()
    peer.send(.get(1))
    peer.respond(1, HTTPResponse(status: .ok, body: [UInt8](repeating: 1, count: 100_000)))
    #expect(peer.connection.phase == .answering)
    #expect(peer.resetSlowReaders(now: 1000) == nil)
    #expect(peer.resetSlowReaders(now: 1010) == [])
    peer.read()
    #expect(peer.resetCode(1) == 8)
    #expect(peer.connection.phase == .idle)
    peer.connection.timeOut()
    peer.read()
    #expect(peer.connection.wantsClose)
  }

  @Test func garbageAfterThePrefaceCloses() {
    let peer = HTTP2Peer(greets: false)
    peer.send(bytes: HTTP2Peer.preface + [UInt8](repeating: 0xff, count: 100))
    #expect(peer.connection.wantsClose)
    #expect(peer.events.isEmpty)
  }

  @Test func aWrongPrefaceCloses() {
    let peer = HTTP2Peer(greets: false)
    peer.send(bytes: Array("GET / HTTP/1.1\r\n\r\n".utf8))
    #expect(peer.connection.wantsClose)
  }

  @Test func aProtocolErrorAbandonsWhatIsOwed() {
    let peer = HTTP2Peer()
    // RFC 9113 §5.1.1: a client's streams are odd.
    peer.send(.get(1), .get(2))
    #expect(peer.goAwayCodes == [1])
    #expect(peer.abandoned == [1])
    #expect(peer.connection.wantsClose)
  }

  @Test func aPriorityOfNoStreamIsAProtocolError() {
    let peer = HTTP2Peer()
    peer.send(Frame(kind: .priority, stream: 1, payload: [0, 0, 0, 0, 0]))
    #expect(peer.goAwayCodes == [])
    peer.send(Frame(kind: .priority, stream: 0, payload: [0, 0, 0, 0, 0]))
    #expect(peer.goAwayCodes == [1])
    #expect(peer.connection.wantsClose)
  }

  /// RFC 9113 §8.1.1 and its sections on fields: each is a stream error and no request.
  @Test(arguments: [
    [(":method", "GET"), (":scheme", "http"), (":authority", "here")],
    [(":method", "GET"), (":scheme", "http"), (":path", ""), (":authority", "here")],
    [(":method", "GET"), (":method", "GET"), (":scheme", "http"), (":path", "/")],
    Frame.request("GET", "/") + [("connection", "close")],
    Frame.request("GET", "/") + [("transfer-encoding", "chunked")],
    Frame.request("GET", "/") + [("Upper", "1")],
    Frame.request("GET", "/") + [(":late", "1")],
    Frame.request("GET", "/") + [("x", "a\u{0}b")],
    Frame.request("GET", "/") + [("te", "gzip")],
    Frame.request("GET", "/") + [("content-length", "1")],
    Frame.request("GET", "/") + [("content-length", "x")],
    Frame.request("GE T", "/"),
  ])
  func malformedRequestsAreReset(fields: [(String, String)]) {
    let peer = HTTP2Peer()
    peer.send(.headers(1, fields, end: true))
    #expect(peer.events.isEmpty)
    #expect(peer.resetCode(1) == 1)
    peer.send(.get(3))
    #expect(peer.requests.count == 1)
  }

  @Test(arguments: [
    (Frame.request("GET", "/\""), "400"),
    (Frame.request("GET", "/a#b"), "400"),
    (Frame.request("GET", "/") + [("host", "there")], "400"),
    ([(":method", "CONNECT"), (":authority", "here:1")], "501"),
    (Frame.request(String(repeating: "M", count: HTTP1Limits.maxMethodBytes + 1), "/"), "400"),
  ])
  func requestsThatCannotBeTakenAreAnswered(fields: [(String, String)], status: String) {
    let peer = HTTP2Peer()
    peer.send(.headers(1, fields, end: true))
    #expect(peer.events.isEmpty)
    #expect(peer.status(1) == status)
    #expect(peer.isEnded(1))
    #expect(peer.connection.phase == .idle)
    #expect(peer.connection.takeRefusals().map { "\($0.code)" } == [status])
    #expect(peer.connection.takeRefusals() == [])
  }

  @Test func aBodyThatIsNotItsLengthIsReset() {
    let peer = HTTP2Peer()
    peer.send(.post(1, [("content-length", "3")]), .data(1, [1, 2]))
    #expect(peer.resetCode(1) == 1)
    peer.send(.post(3, [("content-length", "3")]), .data(3, [1, 2, 3, 4]))
    #expect(peer.resetCode(3) == 1)
    #expect(peer.events.isEmpty)
  }
}
