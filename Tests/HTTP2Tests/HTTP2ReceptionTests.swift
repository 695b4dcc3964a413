import HTTP2
import HTTPCore
import Testing

/// Requests that are received by their heads over HTTP/2, bodies that are read in parts, and trailers.
@Suite struct HTTP2ReceptionTests {
  private static let refusal = HTTPResponse(status: .notFound, body: [1])
  private static let noError = 0
  private static let cancel = 8

  private func limits(_ change: (inout HTTP2Limits) -> Void) -> HTTP2Limits {
    var limits = HTTP2Limits()
    change(&limits)
    return limits
  }

  /// The heads that were handed out, and whether their bodies follow.
  private func heads(_ peer: HTTP2Peer) -> [Bool] {
    peer.events.compactMap { if case .head(_, _, _, let isWanted) = $0 { isWanted } else { nil } }
  }

  private func content(_ peer: HTTP2Peer) -> [UInt8] {
    peer.events.flatMap { if case .part(let bytes, _) = $0 { bytes } else { [] as [UInt8] } }
  }

  /// Whole or streamed, the application's or the connection's own.
  @Test func fieldsOfTheReceptionAreInEveryResponse() {
    let peer = HTTP2Peer(
      limits { $0.maxBodyBytes = 10 }, fields: ["x-added": "yes"], server: "carousel")
    peer.send(.get(1), .get(3))
    peer.respond(1, HTTPResponse(status: .ok, fields: ["x-own": "1"]))
    peer.connection.begin(HTTPResponse(status: .ok), to: StreamID(3))
    peer.connection.end(StreamID(3), trailers: HTTPFields())
    peer.send(.post(5, [("content-length", "11")]))
    peer.read()
    #expect([1, 3, 5].map { peer.status($0) } == ["200", "200", "413"])
    for stream in [1, 3, 5] {
      #expect(peer.heads(stream).last?["x-added"] == "yes")
      #expect(peer.heads(stream).last?["server"] == "carousel")
    }
    #expect(peer.heads(1).last?["x-own"] == "1")
  }

  // MARK: Refusals

  /// The answer does not wait for the body; behind it n − 1 and n bytes are thrown away, and n + 1 stop the upload.
  @Test(arguments: [99, 100, 101])
  func anUnwantedBodyIsStopped(_ count: Int) {
    let peer = HTTP2Peer(limits { $0.maxDiscardedBytes = 100 }, body: .unwanted)
    peer.send(.post(1))
    #expect(heads(peer) == [false])
    peer.respond(1, Self.refusal)
    #expect(peer.status(1) == "404" && peer.body(1) == [1] && peer.isEnded(1))
    #expect(peer.connection.phase == .idle && peer.resetCode(1) == nil)
    peer.send(.data(1, [UInt8](repeating: 0, count: count), end: false))
    #expect(peer.resetCode(1) == (count > 100 ? Self.noError : nil))
    #expect(peer.connection.incompleteBytes == 0)
    peer.send(.get(3))
    peer.respond(3, Self.refusal)
    #expect(peer.status(3) == "404" && peer.goAwayCodes.isEmpty)
  }

  /// So does one that comes too slowly, or not at all; a connection with nothing else goes on.
  @Test func anUnwantedBodyIsNotWaitedFor() {
    let peer = HTTP2Peer(body: .unwanted)
    peer.send(.post(1), .post(3))
    for stream in [1, 3] { peer.respond(stream, Self.refusal) }
    #expect(peer.connection.hasTransfers)
    // Another answer, which waits for its reader, is looked at meanwhile.
    #expect(peer.refuseSlowBodies(now: 0) == 0 && peer.resetSlowReaders(now: 0) == nil)
    peer.send(.data(3, [1]))
    #expect(peer.refuseSlowBodies(now: 9) == 0 && peer.resetSlowReaders(now: 9) == nil)
    #expect(peer.resetCode(1) == nil)
    // Nobody is refused by that: they were answered.
    #expect(peer.refuseSlowBodies(now: 10) == 0)
    peer.read()
    #expect(peer.resetCode(1) == Self.noError && peer.resetCode(3) == nil)
    #expect(!peer.connection.hasTransfers && peer.connection.takeEvents() == [])
  }

  /// Who waits for 100 Continue gets the answer in its place.
  @Test func whoWaitsToContinueIsRefusedAtOnce() {
    let peer = HTTP2Peer(body: .unwanted)
    peer.send(.post(1, [("expect", "100-continue"), ("content-length", "5")]))
    #expect(peer.heads(1).isEmpty)
    peer.respond(1, Self.refusal)
    #expect(peer.heads(1).map { $0[":status"] } == ["404"] && peer.isEnded(1))
  }

  /// n − 1, n and n + 1 bytes of what a path takes; 100 Continue is not sent for more.
  @Test(arguments: [-1, 0, 1], [false, true])
  func bytesOfAPath(_ extra: Int, _ isAnnounced: Bool) {
    let peer = HTTP2Peer(body: .whole(maxBytes: 100))
    let fields = isAnnounced ? [("content-length", "\(100 + extra)")] : []
    peer.send(.post(1, fields + [("expect", "100-continue")]))
    let isRefusedAtOnce = isAnnounced && extra > 0
    #expect(peer.heads(1).map { $0[":status"] } == [isRefusedAtOnce ? "413" : "100"])
    peer.send(.data(1, [UInt8](repeating: 7, count: 100 + extra)))
    #expect(peer.requests.map(\.body.count) == (extra > 0 ? [] : [100 + extra]))
    if extra > 0 {
      #expect(peer.status(1) == "413")
      #expect(
        String(decoding: peer.body(1), as: UTF8.self).contains("at most 100 bytes for this path"))
      #expect(peer.connection.takeRefusals() == [.contentTooLarge])
    }
  }

  // MARK: Bodies in parts

  @Test func partsComeAsTheyAre() {
    let peer = HTTP2Peer(body: .parts)
    peer.send(.post(1), .data(1, [1, 2], end: false), .data(1, [3], end: false))
    #expect(heads(peer) == [true] && content(peer) == [1, 2, 3])
    peer.connection.begin(HTTPResponse(status: .ok), to: StreamID(1))
    peer.connection.write([9], to: StreamID(1))
    peer.read()
    #expect(peer.status(1) == "200" && peer.body(1) == [9])
    peer.send(.data(1, [4]))
    #expect(content(peer) == [1, 2, 3, 4])
    #expect(peer.events.last == .end(StreamID(1), trailers: [:]))
    peer.connection.end(StreamID(1))
    peer.read()
    #expect(peer.isEnded(1) && peer.resetCode(1) == nil)
    #expect(peer.connection.phase == .idle)
  }

  /// A window stays closed until the body is read; that of the connection does not wait.
  @Test func aStreamWaitsForItsReader() {
    let window = 65_535
    let peer = HTTP2Peer(limits { $0.windowBytes = window }, body: .parts)
    peer.send(.post(1), .post(3))
    var left = window
    while left > 0 {
      let count = min(left, 16_384)
      peer.send(.data(1, [UInt8](repeating: 1, count: count), end: false))
      left -= count
    }
    #expect(peer.connection.incompleteBytes == window)
    func opened(_ stream: Int) -> Int {
      peer.received.filter { $0.kind == .windowUpdate && $0.stream == stream }
        .reduce(0) { $0 + $1.errorCode }
    }
    #expect(opened(1) == 0 && opened(0) > window / 2)
    // Another body comes meanwhile.
    peer.send(.data(3, [5], end: true))
    #expect(peer.events.last == .end(StreamID(3), trailers: [:]))
    peer.connection.readBody(window, of: StreamID(1))
    peer.read()
    #expect(opened(1) == window)
    peer.connection.readBody(1, of: StreamID(3))
    #expect(peer.connection.incompleteBytes == 0)
  }

  @Test func continuesWhenTheBodyIsWanted() {
    let peer = HTTP2Peer(body: .parts)
    peer.send(.post(1, [("expect", "100-continue")]))
    #expect(peer.heads(1).isEmpty)
    for _ in 0..<2 {
      peer.connection.readBody(0, of: StreamID(1))
      peer.read()
      #expect(peer.heads(1).map { $0[":status"] } == ["100"])
    }
  }

  /// The rest of a body whose request is answered is thrown away, and stopped beyond a limit.
  @Test(arguments: [99, 100, 101])
  func theRestOfAnAnsweredRequest(_ count: Int) {
    let peer = HTTP2Peer(limits { $0.maxDiscardedBytes = 100 }, body: .parts)
    peer.send(.post(1), .data(1, [UInt8](repeating: 0, count: 500), end: false))
    peer.respond(1, Self.refusal)
    #expect(peer.isEnded(1) && peer.resetCode(1) == nil)
    #expect(peer.connection.incompleteBytes == 0)
    peer.send(.data(1, [UInt8](repeating: 0, count: count), end: false))
    #expect(peer.resetCode(1) == (count > 100 ? Self.noError : nil))
    #expect(content(peer).count == 500)
  }

  /// n − 1, n and n + 1 bytes that all bodies of a connection may come to without being read.
  @Test(arguments: [-1, 0, 1])
  func unreadBytes(_ extra: Int) {
    let peer = HTTP2Peer(limits { $0.maxIncompleteBytes = 100 }, body: .parts)
    peer.send(.post(1), .data(1, [UInt8](repeating: 0, count: 60), end: false))
    peer.send(.post(3), .data(3, [UInt8](repeating: 0, count: 40 + extra), end: false))
    #expect(peer.abandoned == (extra > 0 ? [3] : []))
    #expect(peer.resetCode(3) == (extra > 0 ? Self.cancel : nil))
    #expect(peer.connection.incompleteBytes == (extra > 0 ? 60 : 100 + extra))
  }

  /// Slow is who is waited for: not while the body is unread, nor before it is wanted.
  @Test(arguments: [false, true])
  func slowBodiesEnd(_ hasBegun: Bool) {
    let peer = HTTP2Peer(body: .parts)
    peer.send(.post(1), .data(1, [1], end: false), .post(3, [("expect", "100-continue")]))
    if hasBegun { peer.connection.begin(HTTPResponse(status: .ok), to: StreamID(1)) }
    for now in stride(from: 0, through: 100, by: 5) {
      #expect(peer.refuseSlowBodies(now: now) == 0)
    }
    peer.connection.readBody(1, of: StreamID(1))
    #expect(peer.connection.hasTransfers)
    #expect(peer.refuseSlowBodies(now: 105) == 0 && peer.refuseSlowBodies(now: 114) == 0)
    #expect(peer.refuseSlowBodies(now: 115) == 1)
    peer.read()
    #expect(peer.connection.takeEvents() == [.abandoned(StreamID(1))])
    #expect(peer.status(1) == (hasBegun ? "200" : "408"))
    #expect(peer.refuseSlowBodies(now: 116) == 0)
    peer.read()
    #expect(peer.resetCode(1) == (hasBegun ? Self.cancel : Self.noError))
    #expect(peer.resetCode(3) == nil)
  }

  @Test func theLargestMakesRoom() {
    let peer = HTTP2Peer(body: .parts)
    peer.send(.post(1), .data(1, [1, 2], end: false), .post(3), .data(3, [1, 2, 3], end: false))
    peer.connection.refuseLargestBody(HTTPResponse(status: .tooManyRequests))
    peer.read()
    #expect(peer.connection.takeEvents() == [.abandoned(StreamID(3))])
    #expect(peer.status(3) == "429" && peer.connection.incompleteBytes == 2)
  }

  @Test func aStreamThatIsResetIsGivenUp() {
    let peer = HTTP2Peer(body: .parts)
    peer.send(.post(1), .data(1, [1], end: false), .reset(1))
    #expect(peer.abandoned == [1] && peer.connection.incompleteBytes == 0)
    peer.connection.readBody(1, of: StreamID(1))
    #expect(peer.connection.incompleteBytes == 0)
  }

  // MARK: Trailers

  private func trailers(_ stream: Int, _ fields: [(String, String)]) -> Frame {
    .headers(stream, fields, end: true)
  }

  @Test func trailersAreHandedOn() {
    let whole = HTTP2Peer()
    whole.send(.post(1), .data(1, [1], end: false), trailers(1, [("x-sum", "1")]))
    #expect(whole.requests.map(\.trailers) == [["x-sum": "1"]])
    #expect(whole.requests.map(\.body) == [[1]])
    let parts = HTTP2Peer(body: .parts)
    parts.send(.post(1), .data(1, [1], end: false), trailers(1, [("x-sum", "1")]))
    #expect(parts.events.last == .end(StreamID(1), trailers: ["x-sum": "1"]))
  }

  /// Trailers are as many as fields may be.
  @Test(arguments: [-1, 0, 1])
  func trailerCount(_ extra: Int) {
    let peer = HTTP2Peer(limits { $0.maxFields = 4 })
    let fields = (0..<(4 + extra)).map { ("x-\($0)", "") }
    peer.send(.post(1), .data(1, [1], end: false), trailers(1, fields))
    #expect(peer.requests.count == (extra > 0 ? 0 : 1))
    #expect(peer.status(1) == (extra > 0 ? "431" : nil))
  }

  @Test(arguments: [[], [1, 2, 3]] as [[UInt8]])
  func trailersFollowABody(_ body: [UInt8]) {
    let peer = HTTP2Peer()
    peer.send(.get(1))
    peer.connection.begin(HTTPResponse(status: .ok), to: StreamID(1))
    peer.connection.write(body, to: StreamID(1))
    peer.connection.end(
      StreamID(1), trailers: ["grpc-status": "0", "content-length": "9", "te": "x"])
    peer.read()
    #expect(peer.heads(1).count == 2 && peer.heads(1).last == ["grpc-status": "0"])
    #expect(peer.body(1) == body && peer.isEnded(1))
    #expect(peer.received.last?.kind == .headers)
    #expect(peer.connection.phase == .idle)
    // A response to HEAD ends with its head.
    peer.send(.headers(3, Frame.request("HEAD", "/"), end: true))
    peer.connection.begin(HTTPResponse(status: .ok), to: StreamID(3))
    peer.connection.end(StreamID(3), trailers: ["a": "b"])
    peer.read()
    #expect(peer.heads(3).count == 1 && peer.isEnded(3))
  }
}
