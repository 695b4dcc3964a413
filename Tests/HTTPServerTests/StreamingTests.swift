import Dispatch
import HTTPCore
import Synchronization
import TestSupport
import Testing

@testable import HTTPServer

/// Responses that are sent as they are made, over live sockets.
@Suite struct StreamingTests {
  private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
  private let start = HTTPResponse(status: .ok, fields: ["content-type": "text/event-stream"])

  @Test func eventsArriveOneByOne() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send("GET /a HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
    let exchange = held.wait(for: 1)[0]
    exchange.begin(start)
    let head = try #require(client.receive(until: "\r\n\r\n"))
    #expect(head.contains("transfer-encoding: chunked\r\n"))
    #expect(!head.contains("content-length") && !head.contains("content-encoding"))
    for event in ["one", "two", "six"] {
      // Each is there before the next is written.
      #expect(exchange.write(Array(event.utf8)))
      #expect(client.receive(until: "\r\n") == "3\r\n\(event)\r\n")
    }
    exchange.end()
    #expect(client.receive(until: "\r\n\r\n") == "0\r\n\r\n")
    // The connection lives on.
    client.send(get)
    held.wait(for: 2)[1].respond(HTTPResponse(status: .ok, body: Array("done".utf8)))
    #expect(client.receive(until: "done")?.hasPrefix("HTTP/1.1 200 OK\r\n") == true)
    let statistics = server.server.statistics
    #expect(statistics.connectionsAccepted == 1)
    #expect(statistics.requestsAbandoned == 0)
  }

  @Test func pipelinedResponsesKeepTheirOrder() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send(get + get + "GET /z HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    let exchanges = held.wait(for: 3)
    exchanges[2].respond(HTTPResponse(status: .ok, body: Array("<2>".utf8)))
    // A stream that waits for its turn is behind once it is over the limit.
    let drains = Tally()
    exchanges[1].onDrain(drains.raise)
    exchanges[1].begin(start)
    let part = [UInt8](repeating: 0x61, count: HTTPExchange.maxUnsentBytes + 1)
    #expect(!exchanges[1].write(part))
    exchanges[0].begin(start)
    exchanges[0].write(Array("<0>".utf8))
    #expect(client.receive(until: "<0>\r\n") != nil)
    #expect(drains.value == 0)
    exchanges[0].end()
    #expect(waitUntil { drains.value == 1 })
    exchanges[1].end()
    let text = try #require(client.receiveAll())
    #expect(text.hasPrefix("0\r\n\r\nHTTP/1.1 200 OK\r\n"))
    #expect(text.contains("\r\n4001\r\n\(String(decoding: part, as: UTF8.self))\r\n0\r\n\r\nHTTP"))
    #expect(text.hasSuffix("<2>"))
  }

  @Test func aSlowReaderGetsEverythingInOrder() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send("GET / HTTP/1.0\r\n\r\n")
    // More than the kernel's buffers hold: they fill, then the producer waits.
    let partCount = 30_000
    let producer = Producer(held.wait(for: 1)[0], partCount: partCount)
    producer.start(start)
    #expect(waitUntil { producer.isWaiting })
    #expect(!producer.isDone)
    let received = try #require(client.receiveAllBytes())
    let headEnd = try #require(received.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound)
    #expect(Array(received[headEnd...]) == (0..<partCount).flatMap(Producer.part))
    #expect(producer.isDone)
    #expect(server.server.statistics.requestsAbandoned == 0)
  }

  @Test func aClientThatReadsNothingIsHungUpOn() throws {
    let held = Held()
    let server = try TestServer(
      { $0.writeTimeout = .milliseconds(40) }, clock: TestClock(), application: held.hold)
    let client = try server.connect()
    client.shrinkReceiveBuffer()
    client.send(get)
    let exchange = held.wait(for: 1)[0]
    let abandonments = Tally()
    exchange.onAbandon(abandonments.raise)
    let producer = Producer(exchange, partCount: .max)
    producer.start(start)
    #expect(waitUntil { producer.isWaiting })
    #expect(server.letTimePass(.milliseconds(40)) { abandonments.value == 1 })
    #expect(exchange.isAbandoned)
    #expect(exchange.write([1]))
    exchange.end()
    #expect(waitUntil { server.server.statistics.connectionsOpen == 0 })
    #expect(server.server.statistics.connectionsTimedOut == 1)
    #expect(server.server.statistics.requestsAbandoned == 1)
    #expect(abandonments.value == 1)
  }

  @Test func silenceIsNoTimeOut() throws {
    let held = Held()
    let server = try TestServer(
      {
        $0.writeTimeout = .milliseconds(40)
        $0.idleTimeout = .milliseconds(40)
        $0.headTimeout = .milliseconds(40)
      }, clock: TestClock(), application: held.hold)
    let client = try server.connect()
    client.send(get)
    let exchange = held.wait(for: 1)[0]
    exchange.begin(start)
    #expect(client.receive(until: "\r\n\r\n") != nil)
    // Another connection's time-out tells that the loop has seen the time.
    #expect(try server.answer(to: "", after: .milliseconds(40)) == "")
    #expect(try server.answer(to: "", after: .milliseconds(40)) == "")
    exchange.write(Array("late".utf8))
    #expect(client.receive(until: "late\r\n") != nil)
    #expect(!exchange.isAbandoned)
  }

  @Test func aHangUpIsTold() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let abandonments = Tally()
    let exchange: HTTPExchange
    do {
      let client = try server.connect()
      client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
      exchange = held.wait(for: 1)[0]
      exchange.onAbandon(abandonments.raise)
      exchange.begin(start)
      #expect(client.receive(until: "\r\n\r\n") != nil)
    }
    // What is written finds the client gone.
    #expect(
      waitUntil {
        exchange.write([1])
        return abandonments.value == 1
      })
    #expect(waitUntil { server.server.statistics.connectionsOpen == 0 })
    #expect(server.server.statistics.requestsAbandoned == 1)
    #expect(server.server.statistics.bodyBytesHeld == 0)
  }

  @Test func aPeerThatHasEndedItsSideGetsTheRest() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send(get)
    let exchange = held.wait(for: 1)[0]
    exchange.begin(start)
    #expect(client.receive(until: "\r\n\r\n") != nil)
    client.endOutput()
    // The size of the next chunk begins with a zero, which tells the server that its peer is there.
    #expect(client.receive(until: "0") == "0")
    exchange.write(Array("rest".utf8))
    exchange.end()
    #expect(client.receiveAll() == "4\r\nrest\r\n0\r\n\r\n")
    #expect(!exchange.isAbandoned)
  }

  @Test func aDrainLetsAStreamEnd() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send(get)
    let exchange = held.wait(for: 1)[0]
    exchange.begin(start)
    #expect(client.receive(until: "\r\n\r\n") != nil)
    let stops = Tally()
    server.server.stop(within: .seconds(600)) { stops.raise() }
    #expect(waitUntil { Client(port: server.port) == nil })
    exchange.write(Array("more".utf8))
    #expect(client.receive(until: "more\r\n") != nil)
    #expect(stops.value == 0)
    exchange.end()
    #expect(client.receiveAll() == "0\r\n\r\n")
    client.endOutput()
    #expect(waitUntil { stops.value == 1 })
    #expect(!exchange.isAbandoned)
  }

  @Test func theEndOfADrainCutsAStream() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.shrinkReceiveBuffer()
    client.send(get)
    let exchange = held.wait(for: 1)[0]
    let abandonments = Tally()
    exchange.onAbandon(abandonments.raise)
    let producer = Producer(exchange, partCount: .max)
    producer.start(start)
    #expect(waitUntil { producer.isWaiting })
    let stops = Tally()
    server.server.stop(within: .milliseconds(10)) { stops.raise() }
    #expect(waitUntil { stops.value == 1 })
    #expect(waitUntil { abandonments.value == 1 })
  }

  @Test func severalThreadsMayWrite() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send("GET / HTTP/1.0\r\n\r\n")
    let exchange = held.wait(for: 1)[0]
    exchange.begin(HTTPResponse(status: .ok))
    DispatchQueue.global().async {
      DispatchQueue.concurrentPerform(iterations: 100) { _ in exchange.write(Array("<part>".utf8)) }
      exchange.end()
    }
    #expect(client.receiveAll()?.ranges(of: "<part>").count == 100)
  }
}

/// Writes numbered parts, and waits where the client is behind.
private final class Producer: Sendable {
  private let exchange: HTTPExchange
  private let partCount: Int
  private let state = Mutex((next: 0, isWaiting: false))
  private let queue = DispatchQueue(label: "producer")

  init(_ exchange: HTTPExchange, partCount: Int) {
    self.exchange = exchange
    self.partCount = partCount
  }

  var isWaiting: Bool { state.withLock { $0.isWaiting } }
  var isDone: Bool { state.withLock { $0.next == partCount } }

  static func part(_ number: Int) -> [UInt8] {
    Array("\(number)".utf8) + [UInt8](repeating: 0x2e, count: 1000)
  }

  func start(_ response: HTTPResponse) {
    exchange.onDrain { [self] in queue.async { self.go() } }
    exchange.begin(response)
    queue.async { self.go() }
  }

  private func go() {
    state.withLock { $0.isWaiting = false }
    while !exchange.isAbandoned {
      let number = state.withLock { state in
        defer { if state.next < partCount { state.next += 1 } }
        return state.next
      }
      guard number < partCount else { return exchange.end() }
      if !exchange.write(Self.part(number)) {
        state.withLock { $0.isWaiting = true }
        return
      }
    }
  }
}
