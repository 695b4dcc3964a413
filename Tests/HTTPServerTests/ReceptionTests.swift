import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

/// Requests that are decided by their heads, over sockets.
@Suite struct ReceptionTests {
  private static let refusal = HTTPResponse(status: .forbidden, body: Array("not you\n".utf8))

  /// Refuses all but `/in`, whose bodies may have 1000 bytes.
  private func server(memory: MemoryBudget = MemoryBudget(limit: 256 << 20)) throws -> TestServer {
    try TestServer(
      memory: memory,
      receiving: Application { head, _ in
        head.path == "/in"
          ? Reception(.whole(maxBytes: 1000), TestServer.echo) : .refusal(Self.refusal)
      })
  }

  /// The answer comes though nothing of the body has, and the connection ends where that is long.
  @Test(arguments: ["Content-Length: 16000000", "Content-Length: 5\r\nExpect: 100-continue"])
  func whoIsRefusedIsToldAtOnce(_ fields: String) throws {
    let server = try server()
    let answer = try server.answer(to: "PUT /out HTTP/1.1\r\nHost: x\r\n\(fields)\r\n\r\n")
    #expect(answer?.hasPrefix("HTTP/1.1 403 ") == true)
    #expect(answer?.contains("connection: close\r\n") == true)
  }

  /// So it does for one that sends all the same, and its connection is not reset before the answer is read.
  @Test func whoSendsAllTheSameGetsTheAnswer() throws {
    let server = try server()
    let client = try server.connect()
    client.send("PUT /out HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    client.send([UInt8](repeating: 0, count: 1_000_000))
    #expect(client.receive(until: "not you\n")?.hasPrefix("HTTP/1.1 403 ") == true)
  }

  /// Behind a small body, or chunks, the connection goes on.
  @Test(arguments: [
    "Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
  ])
  func aConnectionOutlivesARefusal(_ rest: String) throws {
    let server = try server()
    let client = try server.connect()
    for _ in 0..<3 {
      client.send("PUT /out HTTP/1.1\r\nHost: x\r\n\(rest)")
      #expect(client.receive(until: "not you\n")?.hasPrefix("HTTP/1.1 403 ") == true)
      client.send("PUT /in HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
      #expect(client.receive(until: "PUT /in abc") != nil)
    }
    #expect(server.server.statistics.connectionsAccepted == 1)
  }

  @Test(arguments: [1000, 1001])
  func whatIsWantedContinues(_ count: Int) throws {
    let server = try server()
    let client = try server.connect()
    client.send(
      "PUT /in HTTP/1.1\r\nHost: x\r\nContent-Length: \(count)\r\nExpect: 100-continue\r\n\r\n")
    guard count <= 1000 else {
      #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 413 ") == true)
      return
    }
    #expect(client.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
    client.send([UInt8](repeating: 0x61, count: count))
    #expect(client.receive(until: "aaa")?.hasPrefix("HTTP/1.1 200 ") == true)
  }

  /// Over HTTP/2 other streams go on.
  @Test(arguments: ["16000000", "5"], [false, true])
  func streamsAreRefusedAtOnce(_ length: String, _ expects: Bool) throws {
    let server = try server()
    let client = try server.connect()
    let expect = expects ? [("expect", "100-continue")] : []
    client.send(
      HTTP2Bytes.preface
        + HTTP2Bytes.head(1, "PUT", "/out", [("content-length", length)] + expect, end: false))
    #expect(client.receive(until: "not you\n") != nil)
    client.send(
      HTTP2Bytes.head(3, "PUT", "/in", [("content-length", "3")], end: false)
        + HTTP2Bytes.data(3, Array("abc".utf8), end: true))
    #expect(client.receive(until: "PUT /in abc") != nil)
    // The client has lost nothing but what nobody wanted.
    #expect(server.server.statistics.requestsAbandoned == 0)
  }

  /// What is full of answers refuses a body before it comes; what it could never hold is told so.
  @Test(arguments: [(900_000, 50_000, 200), (1 << 20, 50_000, 429), (1 << 20, 900_000, 413)])
  func whatHasNoRoomIsToldAtOnce(_ held: Int, _ length: Int, _ status: Int) throws {
    let memory = MemoryBudget(limit: 1 << 20)
    let server = try TestServer(memory: memory)
    memory.add(held)
    defer { memory.add(-held) }
    let client = try server.connect()
    client.send(
      "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: \(length)\r\nExpect: 100-continue\r\n\r\n")
    let first = try #require(client.receive(until: status == 200 ? "\r\n\r\n" : "\"}\n"))
    #expect(first.hasPrefix("HTTP/1.1 \(status == 200 ? 100 : status) "))
    if status == 429 {
      #expect(first.contains("max_memory_bytes") && memory.refusalCount == 1)
      #expect(server.server.statistics.requestsRefused[.tooManyRequests] == 1)
    }
  }

  /// One connection too many is told so before it sends.
  @Test func anExtraConnectionDoesNotSend() throws {
    let server = try TestServer(
      {
        $0.maxConnections = 1
      })
    let first = try server.connect()
    first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(first.receive(until: "GET / ") != nil)
    let answer = try server.answer(
      to: "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n")
    #expect(answer?.hasPrefix("HTTP/1.1 429 ") == true)
  }
}
