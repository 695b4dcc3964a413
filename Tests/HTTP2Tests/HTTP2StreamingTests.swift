import HTTP2
import HTTPCore
import Testing

/// Responses over HTTP/2 that are sent as they are made.
@Suite struct HTTP2StreamingTests {
  private let cancel = 8

  private func begin(_ peer: HTTP2Peer, _ stream: Int, _ body: [UInt8] = []) {
    let response = HTTPResponse(status: .ok, fields: ["content-length": "9"], body: body)
    peer.connection.begin(response, to: StreamID(stream))
    peer.read()
  }

  private func write(_ peer: HTTP2Peer, _ stream: Int, _ bytes: [UInt8]) {
    peer.connection.write(bytes, to: StreamID(stream))
    peer.read()
  }

  private func end(_ peer: HTTP2Peer, _ stream: Int) {
    peer.connection.end(StreamID(stream))
    peer.read()
  }

  @Test func dataLeavesAsItComes() {
    let peer = HTTP2Peer()
    peer.send(.get(1))
    begin(peer, 1)
    #expect(peer.heads(1) == [[":status": "200"]])
    #expect(peer.connection.phase == .answering)
    write(peer, 1, [1, 2])
    #expect(peer.body(1) == [1, 2])
    write(peer, 1, [])
    write(peer, 1, [3])
    #expect(peer.body(1) == [1, 2, 3])
    #expect(peer.connection.heldBytes(of: StreamID(1)) == 0)
    #expect(!peer.isEnded(1))
    end(peer, 1)
    #expect(peer.isEnded(1))
    #expect(peer.body(1) == [1, 2, 3])
    #expect(peer.connection.phase == .idle)
    write(peer, 1, [4])
    end(peer, 1)
    #expect(peer.body(1) == [1, 2, 3])
    #expect(peer.abandoned.isEmpty && peer.resetCode(1) == nil)
  }

  @Test(arguments: [[], [7, 8]])
  func beginsWithTheBodyOfItsHead(_ body: [UInt8]) {
    let peer = HTTP2Peer()
    peer.send(.get(1))
    begin(peer, 1, body)
    peer.respond(1, HTTPResponse(status: .gone))
    begin(peer, 1, [9])
    #expect(peer.body(1) == body && !peer.isEnded(1))
    end(peer, 1)
    #expect(peer.body(1) == body && peer.isEnded(1))
    #expect(peer.heads(1).count == 1)
  }

  @Test func writesOfOneRoundShareAFrame() {
    let peer = HTTP2Peer()
    peer.send(.get(1))
    begin(peer, 1)
    for byte in 1...3 { peer.connection.write([UInt8(byte)], to: StreamID(1)) }
    peer.connection.end(StreamID(1))
    peer.read()
    #expect(peer.received.last == .data(1, [1, 2, 3]))
  }

  @Test func streamsDoNotWaitForEachOther() {
    let peer = HTTP2Peer()
    peer.send(.get(1), .get(3))
    begin(peer, 1)
    peer.respond(3, HTTPResponse(status: .ok, body: [3]))
    #expect(peer.isEnded(3))
    write(peer, 1, [1])
    #expect(peer.body(1) == [1])
  }

  @Test func aClosedWindowHoldsBack() {
    let peer = HTTP2Peer()
    peer.send(.get(1))
    begin(peer, 1)
    var body: [UInt8] = []
    for part in 0..<100 {
      let bytes = [UInt8](repeating: UInt8(part), count: 1000)
      write(peer, 1, bytes)
      body += bytes
    }
    // RFC 9113 §6.9.2: a client that announced nothing has windows of 65,535 bytes.
    #expect(peer.body(1).count == 65_535)
    #expect(peer.connection.heldBytes(of: StreamID(1)) == 100_000 - 65_535)
    peer.send(.windowUpdate(0, 1 << 20), .windowUpdate(1, 10_000))
    #expect(peer.connection.heldBytes(of: StreamID(1)) == 100_000 - 75_535)
    write(peer, 1, [255])
    end(peer, 1)
    #expect(!peer.isEnded(1))
    peer.send(.windowUpdate(1, 1 << 20))
    #expect(peer.body(1) == body + [255])
    #expect(peer.isEnded(1))
  }

  @Test(arguments: ["HEAD", "GET"])
  func someResponsesHaveNoBody(_ method: String) {
    let peer = HTTP2Peer()
    peer.send(.headers(1, Frame.request(method, "/"), end: true))
    let status = method == "HEAD" ? 200 : 204
    peer.connection.begin(HTTPResponse(status: HTTPStatus(status), body: [1]), to: StreamID(1))
    peer.read()
    #expect(peer.status(1) == String(status))
    #expect(peer.isEnded(1))
    write(peer, 1, [2])
    end(peer, 1)
    #expect(peer.body(1).isEmpty && peer.abandoned.isEmpty)
  }

  @Test func aResetAbandonsAStream() {
    let peer = HTTP2Peer()
    peer.send(.get(1))
    begin(peer, 1, [1])
    peer.send(.reset(1))
    #expect(peer.abandoned == [1])
    write(peer, 1, [2])
    end(peer, 1)
    #expect(peer.body(1) == [1])
    #expect(peer.connection.heldBytes(of: StreamID(1)) == 0)
  }

  @Test func aStalledStreamIsReset() {
    let peer = HTTP2Peer()
    peer.send(.get(1), .get(3), .get(5))
    for stream in [1, 3, 5] { begin(peer, stream) }
    // Streams 1 and 3 are held back; the second's producer is done; stream 5 has nothing to say.
    peer.send(.windowUpdate(0, 1 << 20))
    for stream in [1, 3] { write(peer, stream, [UInt8](repeating: 0, count: 70_000)) }
    end(peer, 3)
    #expect(peer.resetSlowReaders(now: 1000) == nil)
    #expect(peer.resetSlowReaders(now: 1009) == nil)
    peer.send(.windowUpdate(3, 1))
    #expect(peer.resetSlowReaders(now: 1010) == [.abandoned(StreamID(1))])
    #expect(peer.resetSlowReaders(now: 1019) == nil)
    #expect(peer.resetSlowReaders(now: 1020) == [])
    #expect(peer.resetSlowReaders(now: 9999) == nil)
    peer.read()
    #expect([1, 3, 5].map(peer.resetCode) == [cancel, cancel, nil])
    #expect(peer.abandoned.isEmpty)
    write(peer, 1, [1])
    write(peer, 5, [1])
    end(peer, 5)
    #expect(peer.body(5) == [1] && peer.isEnded(5))
  }

  @Test func drainsToTheEndOfAStream() throws {
    let peer = HTTP2Peer()
    peer.send(.get(1))
    begin(peer, 1)
    peer.connection.shutDown()
    peer.read()
    let ping = try #require(peer.received.last { $0.kind == .ping })
    peer.send(Frame(kind: .ping, flags: Frame.acknowledgement, payload: ping.payload))
    write(peer, 1, [1])
    #expect(peer.goAwayCodes == [0, 0])
    #expect(!peer.connection.wantsClose)
    end(peer, 1)
    #expect(peer.body(1) == [1] && peer.isEnded(1))
    #expect(peer.connection.wantsClose)
  }

  @Test func theConnectionsEndAbandonsAStream() {
    let peer = HTTP2Peer()
    peer.send(.get(1))
    begin(peer, 1)
    peer.send(Frame(kind: .priority, payload: [0, 0, 0, 0, 0]))
    #expect(peer.abandoned == [1])
    write(peer, 1, [1])
    end(peer, 1)
    #expect(peer.connection.wantsClose)
  }
}
