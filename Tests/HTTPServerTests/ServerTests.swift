import Compression
import Dispatch
import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

/// The server over live sockets.
@Suite struct ServerTests {
  private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
  private let last = "GET /z HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

  @Test func keepsConnectionsAlive() throws {
    let server = try TestServer()
    let client = try server.connect()
    for _ in 0..<3 {
      client.send(get)
      let text = client.receive(until: "GET /a ")
      #expect(text?.hasPrefix("HTTP/1.1 200 OK\r\nserver: carousel\r\ndate: ") == true)
    }
    client.send(last)
    #expect(client.receiveAll()?.contains("connection: close\r\n") == true)
    let statistics = server.server.statistics
    #expect(statistics.connectionsAccepted == 1)
    #expect(statistics.http1Requests == 4)
    #expect(statistics.requestsAbandoned == 0)
  }

  @Test func answersPipelinedRequestsInOrder() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send(get + get + last)
    for (index, exchange) in held.wait(for: 3).enumerated().reversed() {
      exchange.respond(HTTPResponse(status: .ok, body: Array("<\(index)>".utf8)))
    }
    let text = try #require(client.receiveAll())
    let positions = try (0..<3).map { index in
      try #require(text.firstRange(of: "<\(index)>")?.lowerBound)
    }
    #expect(positions == positions.sorted())
  }

  @Test func takesMoreThanItHandsOutAtATime() throws {
    let server = try TestServer { $0.http1.maxPipelined = 2 }
    let text = try server.answer(to: String(repeating: get, count: 999) + last)
    #expect(text?.ranges(of: "HTTP/1.1 200 OK").count == 1000)
  }

  @Test func takesBodies() throws {
    let server = try TestServer()
    let sized = "POST /s HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    let chunked =
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    let text = try #require(try server.answer(to: sized + chunked + last))
    #expect(text.contains("POST /s hello") && text.contains("POST /c hello"))
    let large = String(repeating: "0123456789abcdef", count: 65_536)
    let head = "POST /l HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1048576\r\n\r\n"
    #expect(try server.answer(to: head + large)?.hasSuffix("POST /l \(large)") == true)
  }

  @Test func answersHeadWithoutABody() throws {
    let server = try TestServer()
    let text = try server.answer(
      to: "HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    #expect(text?.contains("content-length: 8\r\n") == true)
    #expect(text?.hasSuffix("\r\n\r\n") == true)
  }

  @Test func continues() throws {
    let server = try TestServer()
    let client = try server.connect()
    client.send("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    #expect(client.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
    client.send("ok")
    #expect(client.receive(until: "PUT / ok") != nil)
  }

  @Test(arguments: [
    ("BAD\r\n", 400), ("POST / HTTP/1.1\r\nHost: \r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413),
    ("GET /" + String(repeating: "a", count: 9000) + " HTTP/1.1\r\n", 414),
    ("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx", 415),
    ("GET / HTTP/1.1\r\nExpect: x\r\n\r\n", 417),
    ("GET / HTTP/1.1\r\n" + String(repeating: "a: b\r\n", count: 101) + "\r\n", 431),
    ("GET / HTTP/1.1\r\na: " + String(repeating: "a", count: 20_000), 431),
    ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: br, chunked\r\n\r\n", 501),
    ("GET / HTTP/2.0\r\n", 505), ("PRI / HTTP/2.0\r\n", 505),
  ])
  func refuses(_ request: String, _ status: Int) throws {
    let server = try TestServer()
    let client = try server.connect()
    client.send(request)
    if status == 415 { client.send(last) }
    let text = try #require(client.receiveAll())
    #expect(text.hasPrefix("HTTP/1.1 \(status) "))
    #expect(text.contains("{\"error\":\""))
  }

  @Test func aRefusalReachesAPeerThatIsStillSending() throws {
    let server = try TestServer { $0.http1.maxBodyBytes = 10 }
    let client = try server.connect()
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n")
    for _ in 0..<40 { client.send([UInt8](repeating: 0, count: 100_000)) }
    client.endOutput()
    #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 413 ") == true)
  }

  /// What HTTP allows and the server does not do is no fault of the client's, nor of the server's; each is counted.
  @Test(arguments: [
    ("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    ("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    ("GET / HTTP/2.1\r\nHost: x\r\n\r\n", 505),
    ("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
    ("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413),
    (
      "PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Encoding: br\r\n"
        + "Content-Length: 1\r\n\r\n0", 415
    ),
  ])
  func refusalsAreCounted(text: String, code: Int) throws {
    let server = try TestServer()
    let status = HTTPStatus(code)
    let answer = try #require(try server.answer(to: text))
    #expect(answer.hasPrefix("HTTP/1.1 \(code) \(status.reason)\r\n"))
    #expect(!status.reason.isEmpty && answer.contains("connection: close\r\n"))
    #expect(waitUntil { server.server.statistics.requestsRefused == [status: 1] })
  }

  @Test func timesOut() throws {
    let passed = Duration.milliseconds(40)
    let server = try TestServer(
      {
        $0.headTimeout = passed
        $0.bodyTimeout = passed
        $0.idleTimeout = passed
      }, clock: TestClock())
    func answer(_ text: String) throws -> String? { try server.answer(to: text, after: passed) }
    #expect(try answer("") == "")
    #expect(try answer("PRI * HT") == "")
    #expect(try answer("GET / HTTP/1.1\r\nHo")?.hasPrefix("HTTP/1.1 408 ") == true)
    let body = "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"
    #expect(try answer(body)?.hasPrefix("HTTP/1.1 408 ") == true)
    #expect(waitUntil { server.server.statistics.bodyBytesHeld == 0 })
    // How long it is idle counts from its answer, whose time nobody sees.
    let idle = try server.connect()
    idle.send(get)
    server.letTimePass(passed) { server.server.statistics.connectionsTimedOut == 5 }
    #expect(idle.receiveAll()?.hasSuffix("GET /a ") == true)
    #expect(server.server.statistics.requestsRefused == [.requestTimeout: 2])
    #expect(server.server.statistics.connectionsTimedOut == 5)
  }

  @Test func cutsOffAPeerThatDoesNotRead() throws {
    let server = try TestServer(
      {
        $0.writeTimeout = .milliseconds(40)
        $0.idleTimeout = .seconds(1_000_000)
      }, clock: TestClock(),
      application: { exchange in
        exchange.respond(HTTPResponse(status: .ok, body: [UInt8](repeating: 0, count: 32 << 20)))
      })
    let client = try server.connect()
    client.shrinkReceiveBuffer()
    client.send(get)
    #expect(waitUntil { server.server.statistics.bytesSent > 0 })
    #expect(
      server.letTimePass(.milliseconds(40)) { server.server.statistics.connectionsTimedOut == 1 })
    #expect(waitUntil { server.server.statistics.connectionsOpen == 0 })
  }

  @Test func answersAPeerThatHasEndedItsSide() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send(get)
    client.endOutput()
    let exchange = held.wait(for: 1)[0]
    exchange.respond(HTTPResponse(status: .ok, body: Array("late".utf8)))
    #expect(client.receiveAll()?.hasSuffix("late") == true)
    #expect(!exchange.isAbandoned)
  }

  /// What nothing can complete is not waited for.
  @Test(arguments: [
    "P", "GET /li", "GET / HTTP/1.1\r\nHost: x\r\n",
    "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
    "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
  ])
  func closesWhereTheInputEndsEarly(text: String) throws {
    let server = try TestServer {
      $0.headTimeout = .seconds(100)
      $0.bodyTimeout = .seconds(100)
    }
    for before in ["", get] where text != "P" || before.isEmpty {
      let client = try server.connect()
      client.send(before + text)
      client.endOutput()
      let answer = try #require(client.receiveAll())
      #expect(answer.ranges(of: "HTTP/1.1 ").count == (before.isEmpty ? 0 : 1))
    }
  }

  /// A little less and more of bodies on one loop than half of the memory, which they may take.
  ///
  /// To the byte nobody knows it: the allocator may give either of them 16 bytes more than the other time.
  @Test(arguments: [(-64, 200), (64, 429)])
  func holdsSoMuchOfBodies(extra: Int, status: Int) throws {
    let held = Held()
    let count = 10_000
    let bodies = [90_000, count].reduce(0) { $0 + [UInt8](reserving: $1).capacity }
    let server = try TestServer(
      {
        $0.http1.maxBodyBytes = 90_000
        $0.http2.maxBodyBytes = 90_000
      }, memory: MemoryBudget(limit: 2 * (bodies - extra) + 1), application: held.hold)
    let first = try server.connect()
    first.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n")
    first.send([UInt8](repeating: 0, count: 90_000))
    let exchange = held.wait(for: 1)[0]
    let second = try server.connect()
    second.send(
      "PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: \(count)\r\n\r\n")
    second.send([UInt8](repeating: 0, count: count))
    if status == 200 { held.wait(for: 2)[1].respond(HTTPResponse(status: .ok)) }
    let answer = try #require(second.receiveAll())
    #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
    #expect(!answer.contains("retry-after:"))
    // Requests without a body are taken, and an answer makes room.
    let third = try server.connect()
    third.send(get)
    held.wait(for: status == 200 ? 3 : 2).last?.respond(HTTPResponse(status: .ok))
    #expect(third.receive(until: "\r\n\r\n")?.hasPrefix("HTTP/1.1 200 ") == true)
    exchange.respond(HTTPResponse(status: .ok))
    #expect(first.receive(until: "\r\n\r\n")?.hasPrefix("HTTP/1.1 200 ") == true)
    third.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n")
    third.send([UInt8](repeating: 0, count: 90_000))
    held.wait(for: status == 200 ? 4 : 3).last?.respond(HTTPResponse(status: .ok))
    #expect(third.receive(until: "\r\n\r\n")?.hasPrefix("HTTP/1.1 200 ") == true)
  }

  @Test func theLargestBodyMakesRoomForOthers() throws {
    let server = try TestServer(
      {
        $0.http1.maxBodyBytes = 100_000
        $0.http2.maxBodyBytes = 100_000
      }, memory: MemoryBudget(limit: 220_000))
    let (large, small) = (try server.connect(), try server.connect())
    for (client, count) in [(large, 90_000), (small, 5000)] {
      client.send("PUT /p HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
      client.send([UInt8](repeating: 0x61, count: count))
    }
    #expect(waitUntil { server.server.statistics.bytesReceived == 95_104 })
    small.send([UInt8](repeating: 0x61, count: 95_000))
    #expect(small.receive(until: "PUT /p " + String(repeating: "a", count: 100_000)) != nil)
    #expect(large.receive(until: "\n")?.hasPrefix("HTTP/1.1 429 ") == true)
    #expect(waitUntil { server.server.statistics.bodyBytesHeld == 0 })
  }

  @Test func capsItsConnections() throws {
    let server = try TestServer { $0.maxConnections = 2 }
    let first = try server.connect()
    let second = try server.connect()
    first.send(get)
    second.send(get)
    #expect(first.receive(until: "GET /a ") != nil && second.receive(until: "GET /a ") != nil)
    let text = try #require(try server.answer(to: get))
    #expect(text.hasPrefix("HTTP/1.1 429 ") && text.contains("retry-after: 1\r\n"))
    #expect(server.server.statistics.connectionsRefused == 1)
    first.send(last)
    #expect(first.receiveAll() != nil)
    first.endOutput()
    waitUntil { server.server.statistics.connectionsOpen == 1 }
    #expect(try server.answer(to: last)?.hasPrefix("HTTP/1.1 200 ") == true)
  }

  @Test(arguments: [("::", "::1"), ("::", "127.0.0.1"), ("localhost", "localhost")])
  func listensOnIPv6AndIPv4(_ address: String, _ host: String) throws {
    let server = try TestServer {
      $0.address = address
      $0.loops = 2
    }
    let client = try server.connect(host: host)
    client.send(last)
    #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 200 ") == true)
  }

  @Test func saysWhyItCannotListen() throws {
    let server = try TestServer()
    let port = server.port
    #expect(throws: HTTPServerError.addressInUse(address: "::", port: port)) {
      _ = try TestServer { $0.port = port }
    }
    #expect(throws: HTTPServerError.self) { _ = try TestServer { $0.address = "256.0.0.1" } }
  }

  @Test func stopsWhenWhatItOwesIsAnswered() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let idle = try server.connect()
    idle.send(get)
    held.wait(for: 1)[0].respond(HTTPResponse(status: .ok, body: Array("done".utf8)))
    #expect(idle.receive(until: "done") != nil)
    let busy = try server.connect()
    busy.send(get)
    let exchange = held.wait(for: 2)[1]
    let stops = Tally()
    server.server.stop(within: .seconds(600)) { stops.raise() }
    #expect(idle.receiveAll() == "")
    #expect(Client(port: server.port) == nil)
    #expect(stops.value == 0)
    exchange.respond(HTTPResponse(status: .ok, body: Array("done".utf8)))
    let text = try #require(busy.receiveAll())
    #expect(text.contains("connection: close\r\n") && text.hasSuffix("done"))
    busy.endOutput()
    #expect(waitUntil { stops.value == 1 })
  }

  @Test func stopsInTheEndWhateverItOwes() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send(get)
    let exchange = held.wait(for: 1)[0]
    let stops = Tally()
    server.server.stop(within: .milliseconds(10)) { stops.raise() }
    #expect(waitUntil { stops.value == 1 })
    #expect(exchange.isAbandoned)
  }

  /// Small bodies are coded on the loop, large ones off it.
  @Test(arguments: [5000, 1_000_000])
  func undoesAndAppliesContentCodings(_ size: Int) throws {
    let server = try TestServer(application: { exchange in
      exchange.respond(
        HTTPResponse(
          status: .ok, fields: ["content-type": "application/json"], body: exchange.request.body))
    })
    var noise = Noise(seed: 1)
    let plain = (0..<size).map { _ in UInt8.random(in: 48...57, using: &noise) }
    let coded = try #require(try gzipped(plain.span, level: 1))
    let client = try server.connect()
    client.send(
      "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: gzip\r\n"
        + "Content-Encoding: gzip\r\nContent-Length: \(coded.count)\r\n\r\n")
    client.send(coded)
    let received = try #require(client.receiveAllBytes())
    let headEnd = try #require(received.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound)
    let head = String(decoding: received[..<headEnd], as: UTF8.self)
    #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.contains("content-encoding: gzip\r\n"))
    let body = Array(received[headEnd...])
    let limits = InflateLimits(maxBytes: size, maxRatio: 10)
    #expect(try inflated(body.span, from: .gzip, limits: limits) == plain)
  }

  @Test func recognisesHTTP2ByItsPreface() throws {
    let server = try TestServer()
    let client = try server.connect()
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    client.send([0, 0, 0, 4, 0, 0, 0, 0, 0])
    // The server's SETTINGS: type 4, flags 0, stream 0.
    let frame = try #require(client.receiveBytes())
    #expect(frame.count >= 9 && Array(frame[3..<9]) == [4, 0, 0, 0, 0, 0])
  }

  @Test func answersFromManyThreads() throws {
    let server = try TestServer(application: { exchange in
      DispatchQueue.global().async { TestServer.echo(exchange) }
    })
    let text = try server.answer(to: String(repeating: get, count: 500) + last)
    #expect(text?.ranges(of: "HTTP/1.1 200 OK").count == 501)
  }
}

extension [UInt8] {
  /// An array without elements that has room for `count`.
  fileprivate init(reserving count: Int) {
    self = []
    reserveCapacity(count)
  }
}
