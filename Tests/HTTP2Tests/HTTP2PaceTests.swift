import HTTPCore
import Testing

/// Bodies that come too slowly, and windows that open too slowly.
@Suite struct HTTP2PaceTests {
  /// 100 bytes in 10 ns.
  private let pace = TransferPace(window: 10, bytesPerSecond: 10_000_000_000)

  private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

  /// n − 1, n and n + 1 bytes in a window.
  @Test(arguments: [(99, 1), (100, 0), (101, 0)])
  func aBodyThatTricklesIsRefused(bytes: Int, count: Int) {
    let peer = HTTP2Peer()
    peer.send(.post(1))
    #expect(peer.refuseSlowBodies(now: 1000, pace: pace) == 0)
    peer.send(.data(1, zeros(bytes - 1), end: false))
    #expect(peer.refuseSlowBodies(now: 1005, pace: pace) == 0)
    peer.send(.data(1, [0], end: false), .get(3))
    #expect(peer.refuseSlowBodies(now: 1010, pace: pace) == count)
    peer.read()
    #expect(peer.status(1) == (count == 1 ? "408" : nil))
    if count == 1 {
      #expect(String(decoding: peer.body(1), as: UTF8.self).contains("10000000000 bytes a second"))
      // At the next check: some clients lose an answer whose upload is reset at once.
      #expect(peer.resetCode(1) == nil)
      #expect(peer.refuseSlowBodies(now: 1011, pace: pace) == 0)
      peer.read()
      #expect(peer.resetCode(1) == 0)
    }
    peer.respond(3, HTTPResponse(status: .ok))
    #expect(peer.status(3) == "200")
    #expect(peer.goAwayCodes.isEmpty)
  }

  /// Of two bodies each has to bring half as much.
  @Test func bodiesShareTheRate() {
    let peer = HTTP2Peer()
    peer.send(.post(1), .post(3))
    #expect(peer.refuseSlowBodies(now: 1000, pace: pace) == 0)
    peer.send(.data(1, zeros(50), end: false), .data(3, zeros(49), end: false))
    #expect(peer.refuseSlowBodies(now: 1009, pace: pace) == 0)
    #expect(peer.refuseSlowBodies(now: 1010, pace: pace) == 1)
    peer.read()
    #expect(peer.status(1) == nil)
    #expect(peer.status(3) == "408")
  }

  @Test func bodiesThatWaitForThisSideAreNotMeasured() {
    let peer = HTTP2Peer()
    peer.send(.post(1))
    #expect(peer.refuseSlowBodies(now: 1000, pace: pace) == 0)
    peer.connection.pauseBodies()
    #expect(peer.refuseSlowBodies(now: 1010, pace: pace) == 0)
    #expect(peer.refuseSlowBodies(now: 1020, pace: pace) == 1)
  }

  /// A stream whose window opens by a byte now and then holds nothing.
  @Test(arguments: [(99, 1), (100, nil), (101, nil)])
  func aWindowThatOpensByLittleIsNoReader(bytes: Int, count: Int?) {
    let peer = HTTP2Peer()
    peer.send(.get(1), .windowUpdate(0, 1 << 20))
    peer.respond(1, HTTPResponse(status: .ok, body: zeros(100_000)))
    #expect(peer.resetSlowReaders(now: 1000, pace: pace) == nil)
    peer.send(.windowUpdate(1, bytes - 1))
    #expect(peer.resetSlowReaders(now: 1005, pace: pace) == nil)
    peer.send(.windowUpdate(1, 1))
    #expect(peer.resetSlowReaders(now: 1010, pace: pace)?.count == (count == nil ? nil : 0))
    peer.read()
    #expect(peer.resetCode(1) == (count == nil ? nil : 8))
  }

  /// nghttp2 sends one answer behind the other: who reads the first does not lose the second, however long that takes.
  @Test func anAnswerBehindAnotherWaitsForThisSide() {
    let peer = HTTP2Peer()
    peer.send(.get(1), .get(3), .windowUpdate(1, 1 << 20), .windowUpdate(3, 1 << 20))
    for stream in [1, 3] {
      peer.respond(stream, HTTPResponse(status: .ok, body: zeros(200_000)))
    }
    for step in 0..<100 {
      #expect(peer.resetSlowReaders(now: 1000 + 5 * step, pace: pace) == nil)
      peer.send(.windowUpdate(0, 50))
    }
    peer.read()
    #expect([1, 3].map { peer.body($0).count }.min() == 0)
    // The connection's window opens no more: now neither is read.
    #expect(peer.resetSlowReaders(now: 1505, pace: pace) == nil)
    #expect(peer.resetSlowReaders(now: 1515, pace: pace)?.isEmpty == true)
    peer.read()
    #expect([1, 3].map(peer.resetCode) == [8, 8])
  }

  /// What has been sent as far as it was made has no window, and the time until more is made does not count.
  @Test func aStreamWithoutAnythingToSendIsNotMeasured() {
    let peer = HTTP2Peer()
    peer.send(.get(1), .windowUpdate(0, 1 << 20))
    peer.connection.begin(HTTPResponse(status: .ok), to: StreamID(1))
    peer.connection.write(zeros(65_536), to: StreamID(1))
    peer.read()
    #expect(peer.resetSlowReaders(now: 1000, pace: pace) == nil)
    peer.send(.windowUpdate(1, 1))
    #expect(peer.resetSlowReaders(now: 1009, pace: pace) == nil)
    peer.connection.write([0], to: StreamID(1))
    peer.read()
    #expect(peer.resetSlowReaders(now: 2000, pace: pace) == nil)
    #expect(peer.resetSlowReaders(now: 2010, pace: pace) == [.abandoned(StreamID(1))])
  }
}
