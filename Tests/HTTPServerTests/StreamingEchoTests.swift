import Dispatch
import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer
@testable import http_echo

/// Bodies that come in parts while others go out, over sockets, by the echo that does so.
@Suite struct StreamingEchoTests {
  private let memory = MemoryBudget(limit: 64 << 20)

  private func server() throws -> TestServer {
    try TestServer(memory: memory, receiving: EchoCommand.application)
  }

  /// What conformance suites ask at `/`: HEAD is like GET, POST gets its body, other methods are refused.
  @Test(arguments: [
    ("GET", "", "200 OK", "Hello, world!\n"), ("POST", "hello", "200 OK", "\r\n\r\nhello"),
    ("HEAD", "", "200 OK", "content-length: 46\r\n\r\n"),
    ("TRACE", "", "405 Method Not Allowed", "\r\n\r\n"),
  ])
  func theRootAnswersSuites(method: String, body: String, status: String, end: String) throws {
    let server = try server()
    let client = try server.connect()
    client.send(
      "\(method) / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        + body)
    let answer = client.receiveAll() ?? ""
    #expect(answer.hasPrefix("HTTP/1.1 \(status)\r\n") && answer.hasSuffix(end))
  }

  /// What is sent comes back before the rest is sent.
  @Test func bothWaysAtOnceOverHTTP1() throws {
    let server = try server()
    let client = try server.connect()
    client.send(
      "POST /stream HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n")
    for word in ["one", "two", "three"] {
      client.send("\(word.utf8.count)\r\n\(word)\r\n")
      #expect(client.receive(until: "\r\n\(word)\r\n") != nil)
    }
    client.send("0\r\nx-sum: 3\r\n\r\n")
    #expect(client.receive(until: "0\r\nx-sum: 3\r\n\r\n") != nil)
    // The connection goes on.
    client.send("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok")
    #expect(client.receive(until: "2\r\nok\r\n0\r\n\r\n")?.hasPrefix("HTTP/1.1 200 OK\r\n") == true)
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    #expect(client.receiveAll()?.hasSuffix("Hello, world!\n") == true)
  }

  /// Trailers are for clients that take them.
  @Test func trailersAreForWhoAsks() throws {
    let server = try server()
    let client = try server.connect()
    client.send(
      "POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "1\r\na\r\n0\r\nx-sum: 3\r\n\r\n")
    #expect(client.receive(until: "1\r\na\r\n0\r\n\r\n") != nil)
  }

  @Test func continuesWhenItIsRead() throws {
    let server = try server()
    let client = try server.connect()
    client.send(
      "POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    #expect(client.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
    client.send("ok")
    #expect(client.receive(until: "2\r\nok\r\n0\r\n\r\n")?.hasPrefix("HTTP/1.1 200 ") == true)
  }

  @Test func bothWaysAtOnceOverHTTP2() throws {
    let server = try server()
    let client = try server.connect()
    client.send(
      HTTP2Bytes.preface
        + HTTP2Bytes.head(1, "POST", "/stream", [("te", "trailers")], end: false))
    for word in ["one", "two", "three"] {
      client.send(HTTP2Bytes.data(1, Array(word.utf8), end: false))
      #expect(client.receive(until: word) != nil)
    }
    // Another stream is answered meanwhile.
    client.send(HTTP2Bytes.head(3, "GET", "/", end: true))
    #expect(client.receive(until: "Hello, world!\n") != nil)
    client.send(HTTP2Bytes.trailers(1, [("x-sum", "3")]))
    var bytes: [UInt8] = []
    while let more = client.receiveBytes(), !more.isEmpty {
      bytes += more
      var rest = bytes
      let frames = HTTP2Bytes.takeFrames(of: &rest)
      if frames.contains(where: { $0.kind == 1 && $0.stream == 1 }) { break }
    }
    // HEADERS behind the body, with END_STREAM.
    #expect(HTTP2Bytes.takeFrames(of: &bytes).contains { $0.kind == 1 && $0.stream == 1 })
    #expect(server.server.statistics.requestsAbandoned == 0)
  }

  /// A client that sends and does not read is not read from either, whatever it sends; then it gets all of it back.
  @Test func aClientThatDoesNotReadIsHeldBack() throws {
    let server = try server()
    let client = try server.connect()
    client.send("POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    // More than the kernel's buffers hold both ways.
    let chunk = [UInt8](repeating: 0x61, count: 1 << 16)
    let count = 800
    let sending = DispatchGroup()
    // SAFETY: a socket's two directions are apart; this side only receives meanwhile.
    nonisolated(unsafe) let sender = client
    DispatchQueue.global().async(group: sending) {
      for _ in 0..<count {
        unsafe sender.send(Array("10000\r\n".utf8) + chunk + Array("\r\n".utf8))
      }
      unsafe sender.send("0\r\n\r\n")
    }
    var received = 0
    var held = 0
    var before = 0
    // Nothing more comes once all is full.
    waitUntil {
      let now = server.server.statistics.bytesReceived
      defer { before = now }
      return now == before && now > 1 << 20
    }
    held = memory.heldBytes
    #expect(before < count << 16)
    var tail: [UInt8] = []
    while let bytes = client.receiveBytes(), !bytes.isEmpty {
      received += bytes.reduce(0) { $0 + ($1 == 0x61 ? 1 : 0) }
      held = max(held, memory.heldBytes)
      tail = Array((tail + bytes).suffix(5))
      if tail == Array("0\r\n\r\n".utf8) { break }
    }
    sending.wait()
    // Chunk sizes have an "a" here and there.
    #expect(received >= count << 16 && received < (count << 16) + 100_000)
    #expect(held < 2 << 20, "at most \(held) bytes were held")
    #expect(waitUntil { memory.heldBytes < 1 << 17 })
  }

  /// Over HTTP/2 that is a matter of the one stream.
  @Test func aStreamThatIsNotReadIsHeldBack() throws {
    let server = try server()
    let client = try server.connect()
    client.send(HTTP2Bytes.preface + HTTP2Bytes.head(1, "POST", "/stream", end: false))
    // The client's own windows are 65,535 bytes; the server's 1 MiB.
    let part = [UInt8](repeating: 0x61, count: 16_384)
    for _ in 0..<60 { client.send(HTTP2Bytes.data(1, part, end: false)) }
    client.send(HTTP2Bytes.head(3, "GET", "/", end: true))
    var bytes: [UInt8] = []
    var opened: [UInt8: Int] = [:]
    var echoed = 0
    var isGreeted = false
    func read(until condition: () -> Bool) {
      while !condition(), let more = client.receiveBytes(), !more.isEmpty {
        bytes += more
        for frame in HTTP2Bytes.takeFrames(of: &bytes) {
          switch (frame.kind, frame.stream) {
          case (8, let stream):
            opened[stream, default: 0] += frame.payload.reduce(0) { $0 << 8 | Int($1) }
          case (0, 1): echoed += frame.payload.count
          case (1, 3): isGreeted = true
          default: break
          }
        }
      }
    }
    read { isGreeted && echoed == 65_535 }
    // The echo has taken what waits for the client's window, and no more.
    #expect(opened[1] ?? 0 < 300_000 && memory.heldBytes < 2 << 20)
    client.send(
      HTTP2Bytes.windowUpdate(0, 1 << 30) + HTTP2Bytes.windowUpdate(1, 1 << 30)
        + HTTP2Bytes.data(1, [], end: true))
    read { echoed == 60 * 16_384 }
    #expect(echoed == 60 * 16_384)
  }

  @Test(arguments: [false, true])
  func aClientThatLeavesIsForgotten(_ isHTTP2: Bool) throws {
    let server = try server()
    do {
      let client = try server.connect()
      client.send(
        isHTTP2
          ? HTTP2Bytes.preface + HTTP2Bytes.head(1, "POST", "/stream", end: false)
            + HTTP2Bytes.data(1, Array("hello".utf8), end: false)
          : Array("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhello".utf8))
      #expect(client.receive(until: isHTTP2 ? "hello" : "hello\r\n") != nil)
    }
    #expect(waitUntil { server.server.statistics.connectionsOpen == 0 })
    #expect(server.server.statistics.requestsAbandoned == 1)
    #expect(waitUntil { memory.heldBytes == 0 })
  }
}
