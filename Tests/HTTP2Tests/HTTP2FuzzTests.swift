import HTTP2
import HTTPCore
import TestSupport
import Testing

/// Seeded noise: whatever comes in, nothing crashes and every promise of the connection is kept.
@Suite struct HTTP2FuzzTests {
  private static let conversation: [UInt8] = [
    Frame(kind: .settings), .post(1, [("content-length", "6")]), .get(3, "/three"),
    .data(1, [1, 2, 3], end: false), .data(1, [4, 5, 6]), .windowUpdate(0, 1000),
    .windowUpdate(3, 1000), Frame(kind: .ping, payload: [UInt8](repeating: 1, count: 8)), .post(5),
    .data(5, [1], end: false), .headers(5, [("x", "y")], end: true), .get(7), .reset(7),
    Frame(kind: .goAway, payload: bigEndian(0) + bigEndian(0)),
  ].flatMap(\.bytes)

  /// Feeds `bytes` in pieces and answers what comes out; returns how many requests there were.
  private func drive(_ bytes: [UInt8], _ random: inout Noise) -> Int {
    var limits = HTTP2Limits()
    limits.maxConcurrentStreams = 8
    limits.maxBodyBytes = 1000
    let peer = HTTP2Peer(limits, greets: false)
    peer.send(bytes: HTTP2Peer.preface)
    var owed: [StreamID] = []
    /// Those of `owed` whose response has begun.
    var begun: [StreamID] = []
    var requests = 0
    var next = 0
    while next < bytes.count, peer.connection.wantsInput {
      let count = min(Int.random(in: 1...64, using: &random), bytes.count - next)
      for event in peer.connection.receive(bytes[next..<next + count].span) {
        switch event {
        case .head, .part, .end: Issue.record("a body in parts, which nobody asked for")
        case .request(let request, let stream, _):
          #expect(request.body.count <= limits.maxBodyBytes)
          #expect(!owed.contains(stream))
          owed.append(stream)
          requests += 1
        case .abandoned(let stream):
          #expect(owed.contains(stream))
          owed.removeAll { $0 == stream }
          begun.removeAll { $0 == stream }
        }
      }
      next += count
      #expect(owed.count <= limits.maxConcurrentStreams)
      answer(&owed, &begun, on: peer.connection, &random)
      peer.read()
    }
    peer.connection.timeOut()
    peer.read()
    return requests
  }

  /// Answers the last of `owed`, in one piece or in several, or goes on with one that has begun.
  private func answer(
    _ owed: inout [StreamID], _ begun: inout [StreamID], on connection: HTTP2Connection,
    _ random: inout Noise
  ) {
    let response = HTTPResponse(status: .ok, body: [1, 2, 3])
    if let stream = begun.randomElement(using: &random) {
      connection.write([UInt8](repeating: 4, count: 500), to: stream)
      if Int.random(in: 0..<8, using: &random) == 0 {
        connection.end(stream)
        owed.removeAll { $0 == stream }
        begun.removeAll { $0 == stream }
      }
    }
    guard Bool.random(using: &random), let stream = owed.last, !begun.contains(stream) else {
      return
    }
    if Bool.random(using: &random) {
      connection.begin(response, to: stream)
      begun.append(stream)
    } else {
      connection.respond(response, to: stream)
      owed.removeLast()
    }
  }

  @Test func randomBytes() {
    var random = Noise(seed: 1)
    for _ in 0..<500 {
      let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = drive(Frame(kind: .settings).bytes + bytes, &random)
    }
  }

  @Test func mutatedConversations() {
    var random = Noise(seed: 2)
    #expect(drive(Self.conversation, &random) == 4)
    var survived = 0
    for _ in 0..<3000 {
      var bytes = Self.conversation
      for _ in 0...Int.random(in: 0..<5, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[index] = .random(in: 0...255, using: &random)
        case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: bytes.remove(at: index)
        default: bytes.insert(contentsOf: bytes[index...].prefix(20), at: index)
        }
      }
      if drive(bytes, &random) > 0 { survived += 1 }
    }
    // The mutations are mild enough to reach past the framing.
    #expect(survived > 500)
  }
}
