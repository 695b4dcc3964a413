import HTTP2
import HTTPCore
import Testing

/// Each bound of `HTTP2Limits` one below, at and one above.
@Suite struct HTTP2LimitsTests {
  private func limited(_ set: (inout HTTP2Limits) -> Void) -> HTTP2Peer {
    var limits = HTTP2Limits()
    set(&limits)
    return HTTP2Peer(limits)
  }

  @Test(arguments: [(9, nil), (10, nil), (11, "413")])
  func body(count: Int, status: String?) {
    for announced in [true, false] {
      let peer = limited { $0.maxBodyBytes = 10 }
      peer.send(.post(1, announced ? [("content-length", String(count))] : []))
      peer.send(.data(1, [UInt8](repeating: 1, count: count - 5), end: false))
      peer.send(.data(1, [UInt8](repeating: 2, count: 5)))
      #expect(peer.status(1) == status)
      #expect(peer.requests.count == (status == nil ? 1 : 0))
    }
  }

  /// What memory leaves for a body, as the refusal of a longer one says, with the limit that has to be raised.
  @Test(arguments: [true, false])
  func bodyMemory(isAnnounced: Bool) throws {
    let asking = limited { $0.maxBodyMemory = 6000 }
    asking.send(.post(1, isAnnounced ? [("content-length", "10000")] : []))
    if !isAnnounced { asking.send(.data(1, [UInt8](repeating: 1, count: 10_000))) }
    let sentence = String(decoding: asking.body(1), as: UTF8.self)
    #expect(sentence.contains("half of max_memory_bytes is for bodies"))
    let most = try #require(sentence.split(separator: " ").compactMap { Int($0) }.first)
    for (count, status) in [(most - 1, nil), (most, nil), (most + 1, "413")] {
      let peer = limited { $0.maxBodyMemory = 6000 }
      // As long as the one before.
      peer.send(
        .post(1, isAnnounced ? [("content-length", "0000\(count)".suffix(5).description)] : []))
      peer.send(.data(1, [UInt8](repeating: 1, count: count - 5), end: false))
      #expect(peer.connection.incompleteBytes <= 6000)
      peer.send(.data(1, [UInt8](repeating: 2, count: 5)))
      #expect(peer.status(1) == status)
      #expect(peer.requests.count == (status == nil ? 1 : 0))
    }
  }

  @Test func aRefusedBodyIsNotAwaited() {
    let peer = limited { $0.maxBodyBytes = 10 }
    peer.send(.post(1, [("content-length", "11"), ("expect", "100-continue")]))
    #expect(peer.heads(1).map { $0[":status"] } == ["413"])
    #expect(peer.isEnded(1))
    #expect(peer.connection.phase == .idle)
    peer.send(.data(1, [UInt8](repeating: 0, count: 11)), .get(3))
    #expect(peer.resetCode(1) == nil)
    #expect(peer.requests.count == 1)
  }

  /// RFC 9113 §8.1 for the first; without a window the 413 of the second cannot go out.
  @Test(arguments: [
    (19, true, nil), (20, true, nil), (21, true, 0), (20, false, nil), (21, false, 8),
  ])
  func discardedBytes(count: Int, hasWindow: Bool, code: Int?) {
    let peer = limited {
      $0.maxBodyBytes = 10
      $0.maxDiscardedBytes = 20
    }
    if !hasWindow { peer.send(Frame(kind: .settings, payload: [0, 4, 0, 0, 0, 0])) }
    peer.send(.post(1, [("content-length", "1000")]))
    #expect(peer.status(1) == "413")
    #expect(peer.isEnded(1) == hasWindow)
    peer.send(.data(1, [UInt8](repeating: 0, count: count), end: false))
    #expect(peer.resetCode(1) == code)
  }

  @Test func clientsMayResetWhatWasRefused() {
    let peer = limited {
      $0.maxBodyBytes = 10
      $0.maxResets = 2
    }
    for stream in stride(from: 1, to: 20, by: 2) {
      peer.send(.post(stream, [("content-length", "11")]))
      peer.send(.reset(stream))
    }
    #expect(peer.goAwayCodes.isEmpty)
  }

  @Test(arguments: [(-1, nil), (0, nil), (1, "431")])
  func head(excess: Int, status: String?) {
    let fields = Frame.request("GET", "/") + [("x", "")]
    let size = fields.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 32 }
    let peer = limited { $0.maxHeadBytes = size + 300 }
    let value = String(repeating: "v", count: 300 + excess)
    peer.send(.headers(1, fields.dropLast() + [("x", value)], end: true))
    #expect(peer.status(1) == status)
    #expect(peer.requests.count == (status == nil ? 1 : 0))
    peer.send(.get(3))
    #expect(peer.requests.last?.path == "/")
  }

  @Test(arguments: [(99, nil), (100, nil), (101, "414")])
  func target(count: Int, status: String?) {
    let peer = limited { $0.maxTargetBytes = 100 }
    peer.send(.get(1, "/" + String(repeating: "p", count: count - 1)))
    #expect(peer.status(1) == status)
  }

  @Test(arguments: [(4, nil), (5, nil), (6, "431")])
  func fields(count: Int, status: String?) {
    let peer = limited { $0.maxFields = 5 }
    let fields = (0..<count).map { ("x\($0)", "y") }
    peer.send(.headers(1, Frame.request("GET", "/") + fields, end: true))
    #expect(peer.status(1) == status)
  }

  @Test func concurrentStreams() {
    var limits = HTTP2Limits()
    limits.maxConcurrentStreams = 3
    // Not acknowledged yet, so the client may not know and is told to try again (RFC 9113 §8.7).
    let peer = HTTP2Peer(limits, greets: false)
    peer.send(bytes: HTTP2Peer.preface)
    peer.send(Frame(kind: .settings), .get(1), .get(3))
    #expect(peer.requests.count == 2)
    peer.send(.get(5))
    #expect(peer.requests.count == 3)
    peer.send(.get(7))
    #expect(peer.requests.count == 3)
    #expect(peer.resetCode(7) == 7)
    peer.respond(3, HTTPResponse(status: .ok))
    peer.send(.get(9))
    #expect(peer.requests.count == 4)
    #expect(peer.goAwayCodes.isEmpty)
  }

  /// RFC 9113 §6.5.2: SETTINGS_INITIAL_WINDOW_SIZE tells it.
  @Test(arguments: [65_535, 65_536, 2 << 20, 1 << 30])
  func windowBytes(count: Int) throws {
    let peer = limited { $0.windowBytes = count }
    let settings = try #require(peer.received.first { $0.kind == .settings && $0.flags == 0 })
    let entries = stride(from: 0, to: settings.payload.count, by: 6).map {
      Array(settings.payload[$0..<$0 + 6])
    }
    #expect(entries.contains([0, 4] + bigEndian(count)))
  }

  @Test(arguments: [(19, nil), (20, nil), (21, 7)])
  func incompleteBodies(count: Int, code: Int?) {
    let peer = limited { $0.maxIncompleteBytes = 20 }
    peer.send(.post(1), .data(1, [UInt8](repeating: 0, count: 15), end: false))
    peer.send(.post(3), .data(3, [UInt8](repeating: 0, count: count - 15), end: false))
    #expect(peer.resetCode(3) == code)
    // A complete one counts no longer.
    peer.send(.data(1, []), .post(5), .data(5, [UInt8](repeating: 0, count: 14)))
    #expect(peer.requests.map(\.body.count) == [15, 14])
  }

  @Test(arguments: [(9, []), (10, []), (11, [11])])
  func resets(count: Int, codes: [Int]) {
    let peer = limited { $0.maxResets = 10 }
    for index in 0..<count { peer.send(.get(2 * index + 1), .reset(2 * index + 1)) }
    #expect(peer.goAwayCodes == codes)
    #expect(peer.connection.wantsClose == !codes.isEmpty)
  }

  @Test func answersMakeUpForResets() {
    let peer = limited { $0.maxResets = 2 }
    for stream in stride(from: 1, to: 100, by: 4) {
      peer.send(.get(stream), .reset(stream), .get(stream + 2))
      peer.respond(stream + 2, HTTPResponse(status: .ok))
    }
    #expect(peer.goAwayCodes.isEmpty)
  }

  /// Resets that the client provokes count as its own (CVE-2025-8671).
  @Test func provokedResetsCount() {
    let peer = limited { $0.maxResets = 10 }
    for stream in stride(from: 1, through: 21, by: 2) {
      peer.send(.post(stream, [("content-length", "1")]), .data(stream, [1, 2]))
    }
    #expect(peer.goAwayCodes == [11])
  }

  @Test(arguments: [
    Frame(kind: .ping, payload: [UInt8](repeating: 0, count: 8)),
    Frame(kind: .settings),
    Frame(kind: .priority, stream: 1, payload: [0, 0, 0, 0, 0]),
    Frame.windowUpdate(0, 1),
    Frame.data(1, [], end: false),
  ])
  func fruitlessFrames(frame: Frame) {
    // HEADERS is the first frame of the run.
    for (count, codes) in [(8, []), (9, []), (10, [11])] {
      let peer = limited { $0.maxFruitlessFrames = 10 }
      peer.send(.post(99), .data(99, [1]))
      peer.send(.post(101))
      for _ in 0..<count {
        var frame = frame
        if frame.stream != 0 { frame.stream = 101 }
        if frame.kind == .priority { frame.payload = bigEndian(0) + [1] }
        peer.send(frame)
      }
      #expect(peer.goAwayCodes == codes)
    }
  }

  @Test func progressForgives() {
    let peer = limited { $0.maxFruitlessFrames = 10 }
    peer.send(.post(1), .data(1, [1], end: false))
    for _ in 0..<20 {
      for _ in 0..<9 { peer.send(.windowUpdate(0, 1)) }
      peer.send(.data(1, [1], end: false))
    }
    #expect(peer.goAwayCodes.isEmpty)
  }

  /// nghttp2 takes 8 CONTINUATION frames after a HEADERS frame (CVE-2024-28182).
  @Test(arguments: [(7, false), (8, false), (9, true)])
  func continuations(count: Int, closes: Bool) {
    for size in [1, 4, 10, 10_000] {
      let peer = HTTP2Peer()
      var head = Frame.get(1)
      head.flags = Frame.endStream
      peer.send(head)
      for index in 1...count {
        let frame = Frame(
          kind: .continuation, flags: index == count ? Frame.endHeaders : 0, stream: 1,
          payload: Frame.literal([("x\(index)", "y")]))
        // In pieces of any size: frames count, not reads.
        for start in stride(from: 0, to: frame.bytes.count, by: size) {
          peer.send(bytes: Array(frame.bytes[start..<min(start + size, frame.bytes.count)]))
        }
      }
      #expect(peer.connection.wantsClose == closes, "pieces of \(size)")
      #expect(peer.requests.count == (closes ? 0 : 1), "pieces of \(size)")
    }
  }
}
