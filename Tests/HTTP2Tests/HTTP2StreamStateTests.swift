import HTTPCore
import Testing

@testable import HTTP2

/// Frames on streams that are over, or were never opened (RFC 9113 §5.1, §5.1.1), whole and byte by byte.
@Suite struct HTTP2StreamStateTests {
  private let protocolError = 1
  private let streamClosed = 5
  private let calm = 11

  private func send(_ frames: [Frame], to peer: HTTP2Peer, byByte: Bool) {
    let bytes = frames.flatMap(\.bytes)
    if byByte {
      for byte in bytes { peer.send(bytes: [byte]) }
    } else {
      peer.send(bytes: bytes)
    }
  }

  /// A peer whose streams 1 and 5 are answered.
  private func answered(byByte: Bool) -> HTTP2Peer {
    let peer = HTTP2Peer()
    for stream in [1, 5] {
      send([.get(stream)], to: peer, byByte: byByte)
      peer.respond(stream, HTTPResponse(status: .ok, body: [1]))
      #expect(peer.isEnded(stream))
    }
    return peer
  }

  @Test(arguments: [false, true]) func headersOnALowerStreamEndTheConnection(byByte: Bool) {
    let peer = answered(byByte: byByte)
    send([.get(3)], to: peer, byByte: byByte)
    #expect(peer.goAwayCodes == [protocolError])
    #expect(peer.requests.count == 2)
  }

  @Test(arguments: [false, true]) func dataOnAStreamThatWasPassedOverEndsTheConnection(byByte: Bool)
  {
    let peer = answered(byByte: byByte)
    send([.data(3, [1])], to: peer, byByte: byByte)
    #expect(peer.goAwayCodes == [protocolError])
  }

  @Test(
    arguments: [false, true], [Frame.get(1), .post(5), .data(1, [1]), .data(5, [], end: false)])
  func framesOnStreamsThatAreCompleteEndTheConnection(byByte: Bool, frame: Frame) {
    let peer = answered(byByte: byByte)
    send([frame], to: peer, byByte: byByte)
    #expect(peer.goAwayCodes == [streamClosed])
    #expect(peer.connection.wantsClose)
  }

  @Test(arguments: [false, true], [Frame.get(1), .data(1, [1])])
  func framesBehindTheirOwnResetEndTheConnection(byByte: Bool, frame: Frame) {
    let peer = HTTP2Peer()
    send([.post(1), .reset(1), frame], to: peer, byByte: byByte)
    #expect(peer.goAwayCodes == [streamClosed])
  }

  /// What was on its way when this side reset a stream is nobody's fault, however much it is.
  @Test(arguments: [false, true]) func framesBehindOurResetAreIgnored(byByte: Bool) {
    var limits = HTTP2Limits()
    limits.maxIncompleteBytes = 10
    limits.maxFruitlessFrames = 100
    let peer = HTTP2Peer(limits)
    send(
      [.post(1), .data(1, [UInt8](repeating: 0, count: 11), end: false)], to: peer, byByte: byByte)
    #expect(peer.resetCode(1) == 7)
    for _ in 0..<300 { send([.data(1, [1, 2, 3], end: false)], to: peer, byByte: byByte) }
    send([.headers(1, [("x", "y")], end: true), .get(3)], to: peer, byByte: byByte)
    #expect(peer.goAwayCodes.isEmpty)
    #expect(peer.requests.count == 1)
  }

  /// So are frames on a stream that nghttp2 refused because there were too many.
  @Test func framesOnARefusedStreamAreIgnored() {
    var limits = HTTP2Limits()
    limits.maxConcurrentStreams = 1
    // Before the client has acknowledged the limit.
    let peer = HTTP2Peer(limits, greets: false)
    peer.send(bytes: HTTP2Peer.preface + Frame(kind: .settings).bytes)
    peer.send(.get(1), .post(3), .data(3, [1]))
    #expect(peer.resetCode(3) == 7)
    #expect(peer.goAwayCodes.isEmpty)
  }

  @Test func aStreamThatIsLongForgottenIsLeftAlone() {
    let peer = HTTP2Peer()
    for stream in stride(from: 1, to: 1201, by: 2) {
      peer.send(.get(stream))
      peer.respond(stream, HTTPResponse(status: .ok, body: [1]))
    }
    peer.send(.data(1, [1]), .get(1201))
    #expect(peer.goAwayCodes.isEmpty)
    #expect(peer.requests.count == 601)
  }

  /// Frames of types that nobody knows are passed over (§4.1), so many in a row.
  @Test(arguments: [(999, false), (1001, true)]) func unknownFramesAreBounded(
    count: Int, ends: Bool
  ) {
    let peer = HTTP2Peer()
    peer.send(.get(1))
    peer.respond(1, HTTPResponse(status: .ok, body: [1]))
    let unknown: [UInt8] = [0, 0, 3, 0xBA, 0xFF, 0, 0, 0, 0, 1, 2, 3]
    peer.send(bytes: [[UInt8]](repeating: unknown, count: count).flatMap { $0 })
    #expect(peer.goAwayCodes == (ends ? [calm] : []))
    if !ends {
      peer.send(.get(3))
      #expect(peer.requests.count == 2)
    }
  }

  /// The end that was announced waits for the answer to its own PING.
  @Test func anotherPingsAnswerDoesNotEndTheConnection() throws {
    let peer = HTTP2Peer()
    peer.connection.shutDown()
    peer.read()
    let ping = try #require(peer.received.last { $0.kind == .ping })
    peer.send(Frame(kind: .ping, flags: Frame.acknowledgement, payload: [1, 2, 3, 4, 5, 6, 7, 8]))
    #expect(peer.goAwayCodes == [0])
    peer.send(.get(1))
    #expect(peer.requests.count == 1)
    peer.send(Frame(kind: .ping, flags: Frame.acknowledgement, payload: ping.payload))
    #expect(peer.goAwayCodes == [0, 0])
  }

  /// A client's own GOAWAY ends the connection once its streams have ended. The server's tells it which was the last one,
  /// so that it can ask again elsewhere for what came later.
  @Test(arguments: [0, 1])
  func theClientsGoAwayIsAnswered(owed: Int) {
    let peer = HTTP2Peer()
    if owed > 0 { peer.send(.get(1)) }
    peer.send(Frame(kind: .goAway, payload: bigEndian(0) + bigEndian(0)))
    if owed > 0 {
      #expect(peer.goAwayCodes.isEmpty && !peer.connection.wantsClose)
      peer.respond(1, HTTPResponse(status: .ok))
    }
    #expect(peer.goAwayCodes == [0])
    #expect(peer.received.last?.payload.prefix(4).elementsEqual(bigEndian(owed)) == true)
    #expect(peer.connection.wantsClose)
  }

  /// While a stream is open, a request behind the client's GOAWAY is answered. Else nothing is read any more, which the
  /// client is told by the last stream's id.
  @Test(arguments: [(opened: [1], answered: [1, 3]), (opened: [], answered: [])])
  func aRequestBehindTheClientsGoAway(opened: [Int], answered: [Int]) {
    let peer = HTTP2Peer()
    for stream in opened { peer.send(.get(stream)) }
    peer.send(Frame(kind: .goAway, payload: bigEndian(0) + bigEndian(0)), .get(3))
    #expect(peer.requests.count == answered.count)
    for stream in answered { peer.respond(stream, HTTPResponse(status: .ok)) }
    #expect(answered.allSatisfy { peer.isEnded($0) })
    #expect(peer.goAwayCodes == [0] && peer.connection.wantsClose)
    let last = peer.received.last?.payload.prefix(4)
    #expect(last?.elementsEqual(bigEndian(answered.last ?? 0)) == true)
  }
}
