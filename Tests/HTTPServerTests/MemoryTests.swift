import Compression
import HTTPCore
import Synchronization
import TestSupport
import Testing

@testable import HTTPServer

/// What clients can make a server hold, over live sockets.
@Suite struct MemoryTests {
  private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

  /// A client that pipelines and does not read waits with its requests; once it reads, each is answered in order.
  @Test func pipelinedRequestsWaitForTheirReader() throws {
    let memory = MemoryBudget(limit: 64 << 20)
    let body = [UInt8](repeating: 0x61, count: 16 << 10)
    let number = Atomic(0)
    let server = try TestServer(memory: memory) { exchange in
      let count = number.add(1, ordering: .relaxed).newValue
      exchange.respond(HTTPResponse(status: .ok, body: body + Array("<\(count)>".utf8)))
    }
    let client = try server.connect()
    let count = 1500
    client.send(String(repeating: get, count: count))
    // The kernel's buffers fill, then the requests that are left wait unread.
    #expect(waitUntil { number.load(ordering: .relaxed) > 20 })
    var text = ""
    while !text.hasSuffix("<\(count)>"), let piece = client.receiveBytes(), !piece.isEmpty {
      text += String(decoding: piece, as: UTF8.self)
    }
    let order = text.matches(of: /<([0-9]+)>/).map { Int($0.1) }
    #expect(order == Array(1...count))
    // All answers together are 24 MB.
    #expect(memory.takePeak() < 2 << 20)
    #expect(waitUntil { memory.heldBytes < 10_000 })
  }

  /// While the server's memory is full, a connection's next requests wait until what it was answered is gone.
  @Test func aFullServerAnswersWhoReads() throws {
    let memory = MemoryBudget(limit: 1 << 20)
    let server = try TestServer(memory: memory)
    memory.add(2 << 20)
    let client = try server.connect()
    client.send(String(repeating: get, count: 200) + "GET /z HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(client.receive(until: "GET /z ") != nil)
    // A body finds no room.
    client.send("PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
    let answer = try #require(client.receive(until: "later\"}\n"))
    #expect(answer.hasPrefix("HTTP/1.1 429 ") && answer.contains("max_memory_bytes"))
    memory.add(-2 << 20)
    client.send("PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
    #expect(client.receive(until: "PUT /b abc") != nil)
  }

  /// Clients with closed windows that have one answer after the other made fill what others have no use for; who holds
  /// little is answered.
  @Test func answersBehindClosedWindowsLeaveRoom() throws {
    let memory = MemoryBudget(limit: 8 << 20)
    let (asked, count) = (Tally(), 7000)
    let server = try TestServer(memory: memory) { exchange in
      if let reservation = exchange.connection?.memory?.reserve(count) {
        exchange.keep(reservation)
        exchange.respond(
          HTTPResponse(status: .ok, body: [UInt8](repeating: 0x61, count: count)))
      } else {
        exchange.respond(HTTPResponse(status: .tooManyRequests))
      }
      asked.raise()
    }
    // SETTINGS with windows of none, then GET / on each stream (RFC 9113 §6.5.2, RFC 7541 Appendix A).
    var bytes =
      Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [
        0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0,
      ]
    for stream in 0..<256 {
      let id = 2 * stream + 1
      bytes += [0, 0, 6, 1, 5, 0, 0, UInt8(id >> 8), UInt8(id & 255)]
      bytes += [0x82, 0x86, 0x84, 0x41, 1, 0x78]
    }
    let clients = try (0..<6).map { _ in try server.connect() }
    for client in clients { client.send(bytes) }
    #expect(waitUntil { asked.value == 6 * 256 })
    #expect(memory.refusalCount > 0)
    #expect(memory.heldBytes > memory.limit / 2)
    let answer = try server.answer(to: "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    #expect(answer?.hasPrefix("HTTP/1.1 200 ") == true)
    #expect(clients.count == 6)
  }

  /// A body that could have no room on a server without others is told so; what it has room for is answered.
  @Test(arguments: [false, true], [(500_000, 200), (524_289, 413), (1_200_000, 413)])
  func aBodyThatNeverFits(isChunked: Bool, body: (count: Int, status: Int)) throws {
    let memory = MemoryBudget(limit: 1 << 20)
    let server = try TestServer(memory: memory) { exchange in
      exchange.respond(HTTPResponse(status: .ok, body: Array("end".utf8)))
    }
    let client = try server.connect()
    client.send(
      "PUT /b HTTP/1.1\r\nHost: x\r\n"
        + (isChunked
          ? "Transfer-Encoding: chunked\r\n\r\n\(String(body.count, radix: 16))\r\n"
          : "Content-Length: \(body.count)\r\n\r\n"))
    client.send([UInt8](repeating: 0x61, count: body.count))
    if isChunked { client.send("\r\n0\r\n\r\n") }
    client.endOutput()
    let answer = try #require(client.receiveAll())
    #expect(answer.hasPrefix("HTTP/1.1 \(body.status) "))
    #expect(answer.contains("half of max_memory_bytes is for bodies") == (body.status == 413))
    #expect(memory.refusalCount == 0)
  }

  /// A body that inflates counts as inflated; it may come later only where it could fit.
  @Test(arguments: [(16, 0, 200), (4096, 0, 413), (200, 800_000, 429), (200, 0, 200)])
  func inflatedBodiesCount(kibibytes: Int, others: Int, status: Int) throws {
    let memory = MemoryBudget(limit: 1 << 20)
    memory.add(others)
    let held = Held()
    let server = try TestServer(memory: memory, application: held.hold)
    let plain = [UInt8](repeating: 0x20, count: kibibytes << 10)
    // Large enough to be inflated off the loop, too.
    let noise = (0..<(kibibytes > 100 ? 30_000 : 100)).map { _ in UInt8.random(in: 0...255) }
    let coded = try #require(try gzipped((noise + plain).span, level: 9))
    let client = try server.connect()
    client.send(
      "PUT / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: \(coded.count)\r\n\r\n"
    )
    client.send(coded)
    if status != 200 {
      let answer = try #require(client.receive(until: "\"}\n"))
      #expect(answer.hasPrefix("HTTP/1.1 \(status) ") && answer.contains("max_memory_bytes"))
      #expect(waitUntil { memory.heldBytes < others + 10_000 })
    } else {
      let exchange = held.wait(for: 1)[0]
      #expect(exchange.request.body.count == plain.count + noise.count)
      #expect(waitUntil { memory.heldBytes >= plain.count })
      exchange.respond(HTTPResponse(status: .ok))
      #expect(client.receive(until: "\r\n\r\n") != nil)
      #expect(waitUntil { memory.heldBytes < 10_000 })
    }
  }

  /// A response that is sent as it is made is compressed part by part, and its producer told when to go on.
  @Test func streamedTextIsCompressed() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send(
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n")
    let exchange = held.wait(for: 1)[0]
    let parts = (0..<200).map { part in (0..<2000).map { UInt8(truncatingIfNeeded: $0 * part) } }
    let next = Mutex(0)
    @Sendable func write() {
      next.withLock { next in
        while next < parts.count {
          next += 1
          guard exchange.write(parts[next - 1]) else { return }
        }
        exchange.end()
      }
    }
    exchange.onDrain(write)
    exchange.begin(HTTPResponse(status: .ok, fields: ["content-type": "application/json"]))
    write()
    let received = try #require(client.receiveAllBytes())
    let headEnd = try #require(received.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound)
    let head = String(decoding: received[..<headEnd], as: UTF8.self)
    #expect(head.contains("content-encoding: gzip\r\n") && head.contains("vary: accept-encoding"))
    let coded = try #require(unchunked(Array(received[headEnd...])))
    let limits = InflateLimits(maxBytes: 1 << 20, maxRatio: 1032)
    #expect(try inflated(coded.span, from: .gzip, limits: limits) == parts.flatMap(\.self))
  }

  /// The content of a chunked body.
  private func unchunked(_ body: [UInt8]) -> [UInt8]? {
    var content: [UInt8] = []
    var rest = body[...]
    while let line = rest.firstRange(of: Array("\r\n".utf8)),
      let count = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16)
    {
      if count == 0 { return content }
      content += rest[line.upperBound...].prefix(count)
      rest = rest[line.upperBound...].dropFirst(count + 2)
    }
    return nil
  }
}
