import HTTP2
import HTTPCore
import Testing

/// What a few bytes of a peer may make us do, and what counts as progress.
@Suite struct HTTP2AbuseTests {
  /// A block that puts a field of `count` bytes into the dynamic table and then names it `times` over
  /// (RFC 7541 §6.1, §6.2.1).
  private func bomb(_ stream: Int, count: Int, times: Int, fields: [(String, String)]) -> Frame {
    var payload = Frame.literal(fields + [("x", String(repeating: "v", count: count))])
    // The last literal enters the table, at index 62.
    let start = Frame.literal(fields).count
    payload[start] = 0x40
    payload += [UInt8](repeating: 0x80 | 62, count: times)
    return Frame(
      kind: .headers, flags: Frame.endHeaders | Frame.endStream, stream: stream, payload: payload)
  }

  private static let get = Frame.request("GET", "/")

  private func size(_ fields: [(String, String)]) -> Int {
    fields.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 32 }
  }

  /// At `max_unpacked_head_bytes` the head gets 431, beyond it the connection ends.
  @Test(arguments: [(-1, false), (0, false), (1, true)])
  func bombsEndTheirConnection(excess: Int, ends: Bool) {
    var limits = HTTP2Limits()
    limits.maxHeadBytes = 2000
    limits.maxUnpackedHeadBytes = size(Self.get) + 11 * (1000 + 1 + 32) - excess
    let peer = HTTP2Peer(limits)
    peer.send(bomb(1, count: 1000, times: 10, fields: Self.get), .get(3))
    #expect(peer.goAwayCodes == (ends ? [11] : []))
    #expect(peer.connection.wantsClose == ends)
    #expect(peer.status(1) == (ends ? nil : "431"))
    #expect(peer.requests.count == (ends ? 0 : 1))
  }

  /// Metrics tell of a client that breaks HTTP/2's rules as of one that breaks those of HTTP/1.
  @Test(arguments: [
    (Frame.headers(1, Self.get + [("connection", "close")], end: true), HTTPStatus.badRequest),
    (Frame.windowUpdate(0, 0), .badRequest),
    (Frame(kind: .headers, flags: 5, stream: 1, payload: [0x80]), .badRequest),
    (Frame(kind: .ping, payload: [1]), .badRequest),
    (Frame.data(1, [1]), .badRequest),
  ])
  func errorsOfClientsAreCounted(frame: Frame, status: HTTPStatus) {
    let peer = HTTP2Peer()
    peer.send(frame)
    #expect(peer.connection.hasNews)
    #expect(peer.connection.takeRefusals() == [status])
  }

  @Test func floodsAreCountedAndGoodClientsAreNot() {
    let peer = HTTP2Peer()
    peer.send(.get(1), .post(3), .reset(3))
    peer.respond(1, HTTPResponse(status: .ok))
    #expect(peer.connection.takeRefusals() == [])
    for _ in 0...HTTP2Limits().maxFruitlessFrames {
      peer.send(Frame(kind: .ping, payload: [UInt8](repeating: 0, count: 8)))
    }
    #expect(peer.goAwayCodes == [11])
    #expect(peer.connection.takeRefusals() == [.tooManyRequests])
  }

  @Test func bombsInManySmallFieldsAndInTrailersEndTheirConnection() {
    let small = HTTP2Peer()
    small.send(bomb(1, count: 1, times: 16_000, fields: Self.get))
    #expect(small.goAwayCodes == [11])
    let trailers = HTTP2Peer()
    trailers.send(.post(1), bomb(1, count: 3000, times: 10_000, fields: []))
    #expect(trailers.goAwayCodes == [11])
    #expect(trailers.requests.isEmpty)
  }

  /// What is given up begins no work later: the rest of the input is not looked at.
  @Test func whatComesBehindABombIsIgnored() {
    let peer = HTTP2Peer()
    peer.send(
      bytes: bomb(1, count: 3000, times: 10_000, fields: Self.get).bytes + Frame.get(3).bytes)
    peer.send(.get(5))
    #expect(peer.requests.isEmpty)
    #expect(peer.connection.heldBytes < 100_000)
  }

  /// One call takes requests up to `max_field_bytes_at_once`, the calls behind it the rest, in order.
  @Test func aReadFullOfRequestsIsTakenInParts() {
    var limits = HTTP2Limits()
    limits.maxFieldBytesAtOnce = 10 * size(Self.get)
    let peer = HTTP2Peer(limits)
    let frames = (0..<25).flatMap { Frame.get(2 * $0 + 1).bytes }
    var counts: [Int] = []
    var ids: [Int] = []
    var input = frames + Frame.post(51).bytes + Frame.data(51, [1, 2, 3]).bytes
    repeat {
      let events = peer.connection.receive(input.span)
      input = []
      counts.append(events.count)
      for case .request(_, let stream, _) in events { ids.append(stream.rawValue) }
      #expect(peer.connection.wantsInput != peer.connection.hasBacklog)
    } while peer.connection.hasBacklog
    #expect(counts.count == 3)
    #expect(counts.allSatisfy { $0 <= 10 })
    #expect(ids == Array(stride(from: 1, through: 51, by: 2)))
  }

  /// A call may stop at the last field of all that has come; the request is complete all the same.
  @Test func nothingNeedComeBehindTheLastField() {
    var limits = HTTP2Limits()
    limits.maxHeadBytes = 12 * 1024
    let peer = HTTP2Peer(limits)
    let large = ("cookie", String(repeating: "y", count: limits.maxFieldBytesAtOnce))
    peer.send(.headers(1, Self.get + [large], end: true))
    #expect(peer.requests.count == 1)
    // So is one whose last field is too long.
    let tooLarge = ("cookie", String(repeating: "y", count: limits.maxHeadBytes))
    peer.send(.headers(3, Self.get + [tooLarge], end: true))
    #expect(peer.requests.count == 1)
    #expect(peer.status(3) == "431")
  }

  /// A frame may arrive in any parts, and bytes may arrive while some wait.
  @Test(arguments: [1, 7, 100]) func partsOfInputAreTakenInAnyPlace(count: Int) {
    var limits = HTTP2Limits()
    limits.maxFieldBytesAtOnce = 1
    let connection = HTTP2Connection(limits: limits)
    var bytes = HTTP2Peer.preface + Frame(kind: .settings).bytes
    bytes += (0..<5).flatMap { Frame.get(2 * $0 + 1).bytes }
    bytes += Frame.post(11).bytes + Frame.data(11, [1]).bytes
    var taken = 0
    for start in stride(from: 0, to: bytes.count, by: count) {
      let part = Array(bytes[start..<min(start + count, bytes.count)])
      taken += connection.receive(part.span).count
    }
    while connection.hasBacklog { taken += connection.receive([UInt8]().span).count }
    #expect(taken == 6)
  }

  // MARK: Time

  /// A stalled body gets 408 on its stream, whatever else comes; the others live on.
  @Test func bodiesTimeOutEachForItself() {
    let peer = HTTP2Peer()
    peer.send(.post(1), .post(3), .get(5))
    #expect(peer.refuseSlowBodies(now: 1000) == 0)
    // None of these is progress of stream 1.
    peer.send(
      Frame(kind: .ping, payload: [UInt8](repeating: 1, count: 8)), Frame(kind: .settings),
      .windowUpdate(0, 9), .windowUpdate(1, 9), .data(1, [], end: false),
      .data(3, [1], end: false))
    #expect(peer.refuseSlowBodies(now: 1009) == 0)
    #expect(peer.refuseSlowBodies(now: 1010) == 1)
    peer.read()
    #expect(peer.status(1) == "408")
    #expect(peer.refuseSlowBodies(now: 1011) == 0)
    peer.read()
    #expect(peer.resetCode(1) == 0)
    #expect(peer.status(3) == nil)
    #expect(peer.goAwayCodes.isEmpty)
    peer.send(.data(3, [2]), .get(7))
    #expect(peer.requests.map(\.body) == [[], [1, 2], []])
    peer.respond(5, .error(.notFound, "no"))
    #expect(peer.status(5) == "404")
    #expect(peer.refuseSlowBodies(now: 9999) == 0)
    #expect(!peer.connection.wantsClose)
  }

  /// Frames without a stream make no connection busy.
  @Test func pingsLeaveAConnectionIdle() {
    let peer = HTTP2Peer()
    peer.send(Frame(kind: .ping, payload: [UInt8](repeating: 1, count: 8)), .windowUpdate(0, 1))
    #expect(peer.connection.phase == .idle)
  }
}
