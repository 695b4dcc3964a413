import Compression
import Dispatch
import HTTPCore
import Synchronization
import TestSupport
import Testing

@testable import HTTPServer

/// What one connection may take of a loop that others wait for.
@Suite struct LoopShareTests {
  @Test func aShareIsUsedUpInItsRound() {
    var share = LoopShare()
    #expect(!share.isUsedUp(in: 1))
    share.spend(LoopShare.nanoseconds - 1, in: 1)
    #expect(!share.isUsedUp(in: 1))
    share.spend(1, in: 1)
    #expect(share.isUsedUp(in: 1))
    #expect(!share.isUsedUp(in: 2))
    share.spend(LoopShare.nanoseconds + 1, in: 2)
    #expect(share.isUsedUp(in: 2))
    share.spend(1, in: 3)
    #expect(!share.isUsedUp(in: 3))
  }

  @Test func elementsLeaveInTheirOrder() {
    var queue = FIFO<Int>()
    var appended = 0
    var taken = 0
    #expect(queue.popFirst() == nil)
    for round in 0..<50 {
      for _ in 0..<(round % 7) {
        queue.append(appended)
        appended += 1
      }
      for _ in 0..<(round % 5) where taken < appended {
        #expect(queue.popFirst() == taken)
        taken += 1
      }
      #expect(queue.count == appended - taken)
      #expect(queue.isEmpty == (appended == taken))
    }
    while let next = queue.popFirst() {
      #expect(next == taken)
      taken += 1
    }
    #expect(taken == appended)
  }

  /// Between two requests of one connection that cost more than a share, others are answered.
  @Test func whoAsksForMuchLetsOthersBetween() throws {
    let clock = TestClock()
    let paths = Mutex<[String]>([])
    let isSent = Atomic(false)
    let isUnderWay = Atomic(false)
    let server = try TestServer(clock: clock) { exchange in
      let path = exchange.request.path
      let isFirst = paths.withLock { paths in
        paths.append(path)
        return paths.count == 2
      }
      if isFirst {
        isUnderWay.store(true, ordering: .releasing)
        // Nobody else reads on the loop meanwhile, so what is sent now has come when it goes on.
        waitUntil { isSent.load(ordering: .acquiring) }
      }
      if path != "/other" { clock.advance(by: .nanoseconds(LoopShare.nanoseconds)) }
      exchange.respond(HTTPResponse(status: .ok))
    }
    let other = try server.connect()
    other.send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(other.receive(until: "\r\n\r\n") != nil)
    let busy = try server.connect()
    busy.send(
      String(repeating: "GET /busy HTTP/1.1\r\nHost: x\r\n\r\n", count: 5)
        + "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    #expect(waitUntil { isUnderWay.load(ordering: .acquiring) })
    other.send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n")
    isSent.store(true, ordering: .releasing)
    #expect(other.receive(until: "\r\n\r\n") != nil)
    #expect(busy.receiveAll() != nil)
    let found = paths.withLock { $0 }
    #expect(found.count == 8)
    #expect(found.last == "/last")
    // The poll at the beginning of the round may have been before it was sent.
    #expect(found.lastIndex(of: "/other").map { $0 <= 3 } == true, "\(found)")
  }

  /// How many connections ask for more than their shares makes no difference to the others.
  @Test func thoseWhoAskForMuchHaveOneShareTogether() throws {
    let clock = TestClock()
    let paths = Mutex<[String]>([])
    let sentCount = Atomic(0)
    let busyCount = 8
    let server = try TestServer(clock: clock) { exchange in
      let path = exchange.request.path
      let count = paths.withLock { paths in
        paths.append(path)
        return paths.count
      }
      // Nobody else reads on the loop meanwhile: at first, and when all have had their first shares.
      if count == 1 { waitUntil { sentCount.load(ordering: .acquiring) == 1 } }
      if count == busyCount + 2 { waitUntil { sentCount.load(ordering: .acquiring) == 2 } }
      if path != "/other" { clock.advance(by: .nanoseconds(LoopRounds.lateNanoseconds)) }
      exchange.respond(HTTPResponse(status: .ok))
    }
    let other = try server.connect()
    let busy = try (0..<busyCount).map { _ in try server.connect() }
    #expect(waitUntil { server.server.statistics.connectionsAccepted == busyCount + 1 })
    other.send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(waitUntil { paths.withLock { $0.count } == 1 })
    for client in busy {
      client.send(
        String(repeating: "GET /busy HTTP/1.1\r\nHost: x\r\n\r\n", count: 5)
          + "GET /busy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    }
    sentCount.store(1, ordering: .releasing)
    #expect(waitUntil { paths.withLock { $0.count } == busyCount + 2 })
    other.send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n")
    sentCount.store(2, ordering: .releasing)
    for _ in 0..<2 { #expect(other.receive(until: "\r\n\r\n") != nil) }
    for client in busy { #expect(client.receiveAll() != nil) }
    let found = paths.withLock { $0 }
    #expect(found.count == 2 + 6 * busyCount)
    // Of those who waited one had its turn in the round that was under way, and one in that of the question.
    #expect(found.lastIndex(of: "/other").map { $0 <= busyCount + 3 } == true, "\(found)")
  }

  /// Where a round does next to nothing for each connection, all get their answers still, in order.
  @Test func answersAreWholeWhateverIsPutOff() throws {
    let time = Atomic(0)
    let answering = DispatchQueue(label: "answers")
    var settings = HTTPServerSettings()
    settings.port = 0
    settings.loops = 1
    // Each look at the clock takes a share.
    let server = try Server(
      settings: settings, memory: MemoryBudget(limit: 64 << 20),
      monotonic: { time.add(LoopShare.nanoseconds, ordering: .relaxed).newValue },
      application: Application { exchange in
        let body = Array(repeating: 0x61, count: 100_000) + Array("\(exchange.request.path) ".utf8)
        answering.async { exchange.respond(HTTPResponse(status: .ok, body: body)) }
      })
    server.start()
    defer { server.stop(within: .zero) {} }
    let clients = try (0..<3).map { _ in try #require(Client(port: server.port)) }
    for client in clients {
      for number in 0..<20 {
        client.send("GET /\(number) HTTP/1.1\r\nHost: x\r\n\r\n")
      }
      client.send("GET /20 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    }
    for client in clients {
      let text = try #require(client.receiveAll())
      let bodies = text.split(separator: "aaa/").dropFirst().map { $0.prefix { $0 != " " } }
      #expect(bodies == (0...20).map { Substring("\($0)") })
      #expect(text.utf8.count > 21 * 100_000)
    }
  }

  /// A peer that ends its side while its requests wait for their share gets all answers.
  @Test func requestsThatWaitOutliveTheEndOfInput() throws {
    let clock = TestClock()
    let server = try TestServer(clock: clock) { exchange in
      clock.advance(by: .nanoseconds(2 * LoopShare.nanoseconds))
      TestServer.echo(exchange)
    }
    let client = try server.connect()
    client.send(String(repeating: "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", count: 20))
    client.endOutput()
    let text = try #require(client.receiveAll())
    #expect(text.split(separator: "GET /a ", omittingEmptySubsequences: false).count == 21)
  }

  /// While content codings have no thread, the loop goes on with all that needs none of them.
  @Test func codingsThatTakeLongLeaveTheLoopToOthers() throws {
    let paths = Mutex<[String]>([])
    let server = try TestServer(application: { exchange in
      paths.withLock { $0.append(exchange.request.path) }
      TestServer.echo(exchange)
    })
    let queue = server.server.codingQueues[0]
    queue.suspend()
    let gate = Gate(queue)
    let inflates = try bytes(ExchangeDelivery.maxInflatedBytesOnLoop + 1)
    #expect(inflates.count < 1000)
    let coded = try server.connect()
    let bombs = put("/bomb", inflates) + put("/bomb", inflates, close: true)
    coded.send(bombs)
    #expect(waitUntil { server.server.statistics.bytesReceived == bombs.count })
    let other = try server.connect()
    other.send(put("/small", try bytes(ExchangeDelivery.maxInflatedBytesOnLoop)))
    let small = try #require(other.receive(until: "\0"))
    #expect(small.contains("PUT /small "))
    #expect(paths.withLock { $0 } == ["/small"])
    gate.open()
    let answers = try #require(coded.receiveAll())
    #expect(answers.split(separator: "PUT /bomb ", omittingEmptySubsequences: false).count == 3)
  }

  /// Answers are compressed elsewhere from a few KB on.
  @Test func largeAnswersAreCompressedOffTheLoop() throws {
    let server = try TestServer(application: { exchange in
      let count = Int(exchange.request.path.dropFirst()) ?? 0
      exchange.respond(
        HTTPResponse(
          status: .ok, fields: ["content-type": "text/plain"],
          body: [UInt8](repeating: 0x61, count: count)))
    })
    let queue = server.server.codingQueues[0]
    queue.suspend()
    let gate = Gate(queue)
    func get(_ count: Int) -> String {
      "GET /\(count) HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    }
    let large = try server.connect()
    large.send(get(ExchangeDelivery.maxCodedBytesOnLoop + 1))
    let small = try #require(try server.answer(to: get(ExchangeDelivery.maxCodedBytesOnLoop)))
    #expect(small.contains("content-encoding: gzip"))
    gate.open()
    #expect(large.receiveAll()?.contains("content-encoding: gzip") == true)
  }

  @Test func oneCodingOfAConnectionIsUnderWay() {
    var list = CodingList()
    #expect(list.begin { _ in true } == nil)
    for stream in 0..<4 {
      list.append(
        { Mail(connection: 0, stream: StreamID(stream), content: .part(.end)) },
        for: StreamID(stream))
    }
    #expect(list.begin { _ in true }?().stream == StreamID(0))
    #expect(list.begin { _ in true } == nil)
    list.finish()
    // Nobody waits for those between any more.
    #expect(list.begin { $0 == StreamID(2) }?().stream == StreamID(2))
    list.finish()
    #expect(list.begin { $0 == StreamID(1) } == nil)
    #expect(list.begin { _ in true } == nil)
  }

  private func bytes(_ count: Int) throws -> [UInt8] {
    try #require(try gzipped([UInt8](repeating: 0, count: count).span, level: 9))
  }

  private func put(_ path: String, _ coded: [UInt8], close: Bool = false) -> [UInt8] {
    Array(
      """
      PUT \(path) HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nConnection: \
      \(close ? "close" : "keep-alive")\r\nContent-Length: \(coded.count)\r\n\r\n
      """.utf8) + coded
  }
}

/// Opens a suspended queue, at the latest when it goes: a queue must not be let go of suspended.
private final class Gate {
  private let queue: DispatchQueue
  private var isOpen = false

  init(_ queue: DispatchQueue) { self.queue = queue }

  deinit { open() }

  func open() {
    if !isOpen { queue.resume() }
    isOpen = true
  }
}
