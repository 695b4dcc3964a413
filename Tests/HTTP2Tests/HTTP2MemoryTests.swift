import HTTPCore
import Testing

@testable import HTTP2

/// What a peer can make an HTTP/2 connection hold.
@Suite struct HTTP2MemoryTests {
  /// Bodies count by what they take, and are not held twice; heads count, and all is given back.
  @Test func requestsCountUntilTheyAreGone() {
    let peer = HTTP2Peer()
    let idle = peer.connection.heldBytes
    let long = String(repeating: "x", count: 5000)
    peer.send(.post(1, [("a", long)]), .post(3))
    let heads = peer.connection.incompleteBytes
    #expect((5000..<10_000).contains(heads))
    #expect(peer.connection.heldBytes > idle)
    let piece = [UInt8](repeating: 0, count: 10_000)
    for count in 1...20 {
      peer.send(.data(1, piece, end: false))
      let bodies = peer.connection.incompleteBytes - heads
      #expect(bodies >= count * 10_000 && bodies < count * 20_000 + 8192)
    }
    peer.send(.data(1, [], end: true))
    #expect(peer.connection.incompleteBytes < 2000)
    peer.send(.reset(3))
    #expect(peer.connection.incompleteBytes == 0)
  }

  /// Responses count until they are sent, or their streams are reset.
  @Test func responsesCountUntilTheyAreGone() {
    let peer = HTTP2Peer()
    peer.send(.get(1), .get(3))
    let before = peer.connection.heldBytes
    // More than the peer's windows of 65,535 bytes.
    for stream in [1, 3] {
      peer.respond(stream, HTTPResponse(status: .ok, body: [UInt8](repeating: 1, count: 200_000)))
    }
    peer.read()
    #expect(peer.connection.heldBytes >= before + 400_000)
    peer.send(.reset(1))
    #expect((200_000..<before + 300_000).contains(peer.connection.heldBytes))
    peer.send(.windowUpdate(3, 200_000), .windowUpdate(0, 400_000))
    peer.read()
    #expect(peer.connection.heldBytes <= before)
  }
}
