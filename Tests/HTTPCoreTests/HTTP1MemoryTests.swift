import TestSupport
import Testing

@testable import HTTPCore

/// What a peer can make an HTTP/1 connection hold.
@Suite struct HTTP1MemoryTests {
  private let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

  private func answer(_ count: Int) -> HTTPResponse {
    HTTPResponse(status: .ok, body: [UInt8](repeating: 0x61, count: count))
  }

  /// What is only announced takes nothing; what comes is not held twice.
  @Test func bodiesTakeWhatCame() {
    let connection = HTTP1Connection()
    _ = connection.receive("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    let head = connection.incompleteBytes
    #expect(head < 1000)
    let piece = [UInt8](repeating: 0x61, count: 10_000)
    for count in 1..<100 {
      #expect(connection.receive(piece.span).isEmpty)
      #expect(connection.incompleteBytes >= count * 10_000)
      // malloc gives whole pages.
      #expect(connection.incompleteBytes < min(count * 20_000, 1_000_000) + head + 8192)
    }
    #expect(connection.receive(piece.span).count == 1)
    #expect(connection.incompleteBytes == 0)
  }

  /// Requests wait unread while more output than there is room for waits to be taken.
  @Test(arguments: [-1, 0, 1])
  func requestsWaitForOutputToLeave(extra: Int) {
    let connection = HTTP1Connection()
    let first = connection.receive(get)
    #expect(first.count == 1)
    connection.respond(answer(5000), to: StreamID(0))
    connection.maxQueuedOutput = connection.outputBytes - extra
    #expect(connection.receive(get + get).count == (extra > 0 ? 0 : 2))
    #expect(!connection.hasBacklog)
    guard extra > 0 else { return }
    // Nobody is told that it idles, nor timed out while it sends a head.
    #expect(connection.phase == .answering)
    #expect(!connection.wantsInput)
    #expect(connection.heldBytes > 5000 + get.utf8.count)
    _ = connection.takeOutput()
    #expect(connection.hasBacklog)
    #expect(connection.receive([UInt8]().span).count == 2)
    #expect(connection.heldBytes < 100)
  }

  /// What has come of a head counts, and what waits for the rest of it.
  @Test func headsCount() {
    let long = String(repeating: "x", count: 5000)
    let connection = HTTP1Connection()
    _ = connection.receive("GET / HTTP/1.1\r\nHost: x\r\nA: \(long)\r\nB: \(long)")
    #expect((10_000..<50_000).contains(connection.heldBytes))
    #expect(connection.incompleteBytes == 0)
    _ = connection.receive("\r\nContent-Length: 1\r\n\r\n")
    #expect((10_000..<20_000).contains(connection.incompleteBytes))
    _ = connection.receive("a")
    #expect(connection.incompleteBytes == 0 && connection.heldBytes < 100)
  }

  /// With no room at all, no request is begun, whatever came.
  @Test func noRoomBeginsNothing() {
    let connection = HTTP1Connection()
    connection.maxQueuedOutput = -1
    #expect(connection.receive(get).isEmpty)
    connection.maxQueuedOutput = 0
    #expect(connection.hasBacklog)
    #expect(connection.receive([UInt8]().span).count == 1)
  }

  /// An answer that waits for the one before it counts, too.
  @Test func answersOutOfTurnCount() {
    let connection = HTTP1Connection()
    _ = connection.receive(get + get)
    connection.maxQueuedOutput = 4999
    connection.respond(answer(5000), to: StreamID(1))
    #expect(connection.receive(get).isEmpty)
    connection.respond(answer(1), to: StreamID(0))
    #expect(!connection.hasBacklog)
    _ = connection.takeOutput()
    #expect(connection.hasBacklog)
  }
}
