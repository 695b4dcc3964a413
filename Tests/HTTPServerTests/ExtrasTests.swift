import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

/// Connections beyond the most that may be open.
@Suite struct ExtrasTests {
  private static let limited = DescriptorBudget(maxConnections: 1, maxExtrasPerLoop: 2)

  /// A server that descriptors allow one connection, which `client` has.
  private func fullServer(
    _ clock: TestClock = TestClock()
  ) throws -> (TestServer, client: Client) {
    let server = try TestServer(
      { $0.probePaths = ["/livez", "/readyz"] }, clock: clock, descriptors: Self.limited)
    let client = try server.connect()
    client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(client.receive(until: "GET /a ") != nil)
    return (server, client)
  }

  @Test(arguments: ["GET /livez", "HEAD /livez", "GET /readyz", "GET /readyz/"])
  func probesAreAnswered(line: String) throws {
    let (server, first) = try fullServer()
    let text = try #require(try server.answer(to: "\(line) HTTP/1.1\r\nHost: x\r\n\r\n"))
    #expect(text.hasPrefix("HTTP/1.1 200 ") && text.contains("connection: close\r\n"))
    let statistics = server.server.statistics
    #expect(statistics.connectionsRefused == 0)
    #expect(statistics.connectionsAccepted == 1)
    withExtendedLifetime(first) {}
  }

  @Test(arguments: [
    "GET /a", "GET /livezz", "GET /live", "POST /livez", "GET /livez/a", "\r", "G\r",
  ])
  func othersAreRefused(line: String) throws {
    let (server, first) = try fullServer()
    let text = try #require(try server.answer(to: "\(line) HTTP/1.1\r\nHost: x\r\n\r\n"))
    #expect(text.hasPrefix("HTTP/1.1 429 ") && text.contains("retry-after: 1\r\n"))
    #expect(server.server.statistics.connectionsRefused == 1)
    // They do not count as open, before or after.
    #expect(server.server.statistics.connectionsOpen == 1)
    withExtendedLifetime(first) {}
  }

  @Test func aProbeMayComeByteByByte() throws {
    let (server, first) = try fullServer()
    let client = try server.connect()
    for byte in "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n".utf8 { client.send([byte]) }
    #expect(client.receiveAll()?.hasPrefix("HTTP/1.1 200 ") == true)
    withExtendedLifetime(first) {}
  }

  @Test func whoSaysNothingIsRefusedInTime() throws {
    let clock = TestClock()
    let (server, first) = try fullServer(clock)
    let silent = try server.connect()
    silent.send("GET /li")
    #expect(waitUntil { server.server.statistics.bytesReceived > 28 + 6 })
    clock.advance(by: .seconds(2))
    #expect(silent.receiveAll()?.hasPrefix("HTTP/1.1 429 ") == true)
    withExtendedLifetime(first) {}
  }

  /// The oldest of them makes room after a moment, so that silent ones keep no probe out.
  @Test func silentOnesKeepNoProbeOut() throws {
    let clock = TestClock()
    let (server, first) = try fullServer(clock)
    let silent = try (0..<5).map { _ in try server.connect() }
    let probe = try server.connect()
    probe.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(
      waitUntil {
        clock.advance(by: .milliseconds(20))
        return server.server.statistics.http1Requests == 2
      })
    #expect(probe.receiveAll()?.hasPrefix("HTTP/1.1 200 ") == true)
    #expect(silent[0].receiveAll()?.hasPrefix("HTTP/1.1 429 ") == true)
    withExtendedLifetime((first, silent)) {}
  }

  /// Those who come while the first have yet to be heard wait for that, however many they are.
  @Test func aCrowdOfNewcomersClosesNoneUnheard() throws {
    let clock = TestClock()
    let (server, first) = try fullServer(clock)
    let probes = try (0..<2).map { _ in try server.connect() }
    let crowd = try (0..<50).map { _ in try server.connect() }
    for client in crowd { client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n") }
    for probe in probes { probe.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n") }
    for probe in probes { #expect(probe.receiveAll()?.hasPrefix("HTTP/1.1 200 ") == true) }
    #expect(
      waitUntil {
        clock.advance(by: .milliseconds(20))
        return server.server.statistics.connectionsRefused == crowd.count
      })
    withExtendedLifetime(first) {}
  }

  /// Where `max_connections` is the bound, an operator set it, and health checks are refused like everybody else.
  @Test func atMaxConnectionsProbesAreRefusedToo() throws {
    let server = try TestServer {
      $0.maxConnections = 1
      $0.probePaths = ["/livez"]
    }
    let first = try server.connect()
    first.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(first.receive(until: "GET /a ") != nil)
    let text = try server.answer(to: "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(text?.hasPrefix("HTTP/1.1 429 ") == true)
    // In its own protocol, whatever it asks for, though it would ask for more.
    for path in ["/a", "/livez"] {
      let client = try server.connect()
      client.send(HTTP2Bytes.preface + HTTP2Bytes.head(1, "GET", path, end: true))
      var bytes = try #require(client.receiveAllBytes())
      let frames = HTTP2Bytes.takeFrames(of: &bytes)
      // SETTINGS come first; there are a response and GOAWAY.
      #expect(frames.first?.kind == 4 && frames.contains { $0.kind == 7 })
      #expect(frames.contains { $0.kind == 1 && $0.stream == 1 })
      let content = String(
        decoding: frames.filter { $0.kind == 0 }.flatMap(\.payload), as: UTF8.self)
      #expect(content.contains("as many connections as it takes"))
    }
    #expect(server.server.statistics.connectionsRefused == 3)
    // A body that comes behind the refusal does not have its stream reset: some clients would lose the refusal.
    let client = try server.connect()
    client.send(HTTP2Bytes.preface + HTTP2Bytes.head(1, "POST", "/a", end: false))
    #expect(client.receive(until: "try again later\"}\n") != nil)
    client.send(HTTP2Bytes.data(1, [1], end: true))
    var rest = try #require(client.receiveAllBytes())
    #expect(!HTTP2Bytes.takeFrames(of: &rest).contains { $0.kind == 3 })
  }

  /// Nothing can be said to them, and they hold no place for long.
  @Test func silentOnesOfTLSGo() throws {
    let clock = TestClock()
    let server = try TestServer(
      {
        $0.tls = TLSSettings(certificates: [TLSFixtures.certificate("one")])
        $0.maxConnections = 1
      }, clock: clock)
    let first = try #require(TLSClient(port: server.port))
    let silent = try server.connect()
    #expect(
      waitUntil {
        clock.advance(by: .milliseconds(100))
        return server.server.statistics.connectionsRefused == 1
      })
    #expect(silent.receiveAll() == "")
    // Who shakes hands is told.
    let second = try #require(TLSClient(port: server.port))
    second.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
    let answer = try #require(second.receiveAll())
    #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 429 "))
    withExtendedLifetime(first) {}
  }
}

@Suite struct ExtraConnectionsTests {
  @Test func roomIsMadeByTheRefusedAndByThoseWhoWereHeardForLong() {
    var extras = ExtraConnections(maxCount: 2, probePaths: ["/livez"])
    let moment = ExtraConnections.hearingNanoseconds
    #expect(extras.hasRoom(now: 0) { _ in false })
    extras.append(1, now: 0)
    extras.append(2, now: 10)
    #expect(!extras.hasRoom(now: moment - 1) { _ in false })
    #expect(extras.hasRoom(now: moment) { _ in false })
    #expect(extras.surplus { _ in false } == 1)
    #expect(extras.hasRoom(now: 10) { $0 == 2 })
    #expect(extras.surplus { $0 == 2 } == 2)
    extras.remove(1)
    #expect(extras.hasRoom(now: 10) { _ in false })
    #expect(extras.surplus { _ in false } == nil)
  }
}

@Suite struct DescriptorBudgetTests {
  @Test func thereIsPlenty() throws {
    let budget = try DescriptorBudget(limit: 20_000, open: 20, loops: 2, wanted: 10_000)
    #expect(budget == DescriptorBudget(maxConnections: 10_000, maxExtrasPerLoop: 64))
  }

  @Test func connectionsGiveWay() throws {
    let budget = try DescriptorBudget(limit: 1024, open: 20, loops: 2, wanted: 10_000)
    #expect(budget == DescriptorBudget(maxConnections: 1024 - 20 - 48 - 32, maxExtrasPerLoop: 16))
    #expect(
      try DescriptorBudget(limit: 64, open: 12, loops: 2, wanted: 10_000)
        == DescriptorBudget(maxConnections: 64 - 12 - 16 - 8, maxExtrasPerLoop: 4))
  }

  /// Whatever there is of them, all descriptors together stay within the limit.
  @Test(arguments: [40, 64, 255, 256, 257, 1024, 1 << 20], [1, 2, 3, 8])
  func nothingIsGivenTwice(limit: Int, loops: Int) throws {
    let open = 3 + 4 * loops
    for wanted in [1, limit / 2, limit - open - 100, limit, .max] where wanted > 0 {
      guard
        let budget = try? DescriptorBudget(limit: limit, open: open, loops: loops, wanted: wanted)
      else { continue }
      let reserve = limit < 256 ? 16 : 48
      #expect(budget.maxConnections >= 1 && budget.maxConnections <= wanted)
      #expect(budget.maxExtrasPerLoop >= 4)
      #expect(
        open + reserve + budget.maxConnections + loops * budget.maxExtrasPerLoop <= limit)
    }
  }

  /// n − 1 and n descriptors.
  @Test func oneConnectionIsTheLeast() throws {
    #expect(throws: HTTPServerError.tooFewDescriptors(limit: 36, needed: 37)) {
      try DescriptorBudget(limit: 36, open: 12, loops: 2, wanted: 1)
    }
    #expect(
      try DescriptorBudget(limit: 37, open: 12, loops: 2, wanted: 5).maxConnections == 1)
  }

  @Test func openOnesAreCounted() {
    let limit = DescriptorBudget.raiseLimit()
    #expect(limit > 3)
    // At least the standard ones, if nobody closed them.
    #expect(DescriptorBudget.openCount(below: limit) > 0)
  }
}
