import HTTPCore
import TestSupport
import Testing

@testable import HTTPServer

/// Responses over HTTP/2 that are sent as they are made, over live sockets.
@Suite struct HTTP2StreamingTests {
  private static let start = HTTPResponse(status: .ok)

  /// The client's preface and SETTINGS, its initial window `window` (RFC 9113 §6.5.2), then GET / on
  /// stream 1: `:method GET`, `:scheme http`, `:path /` by HPACK's static table, `:authority x`.
  private func greeting(window: UInt8) -> [UInt8] {
    Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
      + [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, window]
      + [0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x41, 1, 0x78]
  }

  /// The next frame of stream 1.
  private func frame(_ client: Client, _ unread: inout [UInt8]) -> Frame? {
    while true {
      if unread.count >= 9 {
        let count = Int(unread[1]) << 8 | Int(unread[2])
        if unread.count >= 9 + count {
          let frame = Frame(
            type: unread[3], flags: unread[4], payload: Array(unread[9..<9 + count]))
          let stream = unread[8]
          unread.removeFirst(9 + count)
          if stream == 1 { return frame }
          continue
        }
      }
      guard let piece = client.receiveBytes(), !piece.isEmpty else { return nil }
      unread += piece
    }
  }

  private struct Frame: Equatable {
    let type: UInt8
    var flags: UInt8 = 0
    var payload: [UInt8] = []

    var isHead: Bool { type == 1 }

    static func data(_ payload: [UInt8]) -> Frame { Frame(type: 0, payload: payload) }
    static let end = Frame(type: 0, flags: 1)
    static let cancel = Frame(type: 3, payload: [0, 0, 0, 8])
  }

  @Test func eventsArriveOneByOne() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send(greeting(window: 100))
    let exchange = held.wait(for: 1)[0]
    var unread: [UInt8] = []
    exchange.begin(Self.start)
    #expect(frame(client, &unread)?.isHead == true)
    for event in 1...3 {
      // Each is there before the next is written.
      #expect(exchange.write([UInt8(event)]))
      #expect(frame(client, &unread) == .data([UInt8(event)]))
    }
    exchange.end()
    #expect(frame(client, &unread) == .end)
    #expect(server.server.statistics.requestsAbandoned == 0)
  }

  @Test func aWindowThatOpensLetsTheProducerGoOn() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send(greeting(window: 0))
    let exchange = held.wait(for: 1)[0]
    let drains = Tally()
    exchange.onDrain(drains.raise)
    exchange.begin(Self.start)
    #expect(!exchange.write([UInt8](repeating: 7, count: HTTPExchange.maxUnsentBytes + 1)))
    var unread: [UInt8] = []
    #expect(frame(client, &unread)?.isHead == true)
    #expect(drains.value == 0)
    // WINDOW_UPDATE of stream 1 by 0x4000, all but one byte.
    client.send([0, 0, 4, 8, 0, 0, 0, 0, 1, 0, 0, 0x40, 0])
    #expect(waitUntil { drains.value == 1 })
    #expect(frame(client, &unread)?.payload.count == 0x4000)
    client.send([0, 0, 4, 8, 0, 0, 0, 0, 1, 0, 0, 0x40, 0])
    #expect(frame(client, &unread) == .data([7]))
    #expect(exchange.write([8]))
    #expect(frame(client, &unread) == .data([8]))
    exchange.end()
    #expect(frame(client, &unread) == .end)
  }

  /// More than may wait for a socket comes as far as the windows open, which the server goes on to read of.
  @Test func aLargeResponseComesAsItsWindowsOpen() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send(greeting(window: 0))
    let count = 3 * Connection.maxUnsentBytes
    held.wait(for: 1)[0].respond(
      HTTPResponse(status: .ok, body: [UInt8](repeating: 7, count: count)))
    var unread: [UInt8] = []
    #expect(frame(client, &unread)?.isHead == true)
    var received = 0
    while received < count {
      // WINDOW_UPDATE of stream 1 and of the connection, by 0x4000.
      client.send([0, 0, 4, 8, 0, 0, 0, 0, 1, 0, 0, 0x40, 0])
      client.send([0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0x40, 0])
      guard let part = frame(client, &unread) else { break }
      received += part.payload.count
    }
    #expect(received == count)
  }

  @Test func aStreamWhoseWindowStaysClosedIsReset() throws {
    let held = Held()
    let server = try TestServer(
      {
        $0.writeTimeout = .milliseconds(40)
        $0.idleTimeout = .seconds(1_000_000)
      }, clock: TestClock(), application: held.hold)
    let client = try server.connect()
    client.send(greeting(window: 0))
    let exchange = held.wait(for: 1)[0]
    let abandonments = Tally()
    exchange.onAbandon(abandonments.raise)
    exchange.begin(Self.start)
    exchange.write([1])
    var unread: [UInt8] = []
    #expect(frame(client, &unread)?.isHead == true)
    #expect(server.letTimePass(.milliseconds(40)) { abandonments.value == 1 })
    #expect(frame(client, &unread) == .cancel)
    #expect(server.server.statistics.connectionsOpen == 1)
    #expect(server.server.statistics.requestsAbandoned == 1)
  }

  /// The body of stream 1 stalls while PINGs go on: its stream ends, with 408, and nothing else.
  @Test func aStalledBodyEndsItsStreamAlone() throws {
    let server = try TestServer(
      {
        $0.bodyTimeout = .milliseconds(40)
        $0.idleTimeout = .seconds(1_000_000)
      }, clock: TestClock())
    let client = try server.connect()
    // HEADERS with POST that does not end its stream, DATA of a byte, PING.
    var start = greeting(window: 255)
    start[start.count - 6] = 0x83
    start[start.count - 11] = 4
    client.send(start + [0, 0, 1, 0, 0, 0, 0, 0, 1, 7])
    client.send([0, 0, 8, 6, 0, 0, 0, 0, 0] + [UInt8](repeating: 1, count: 8))
    #expect(waitUntil { server.server.statistics.bodyBytesHeld > 0 })
    server.letTimePass(.milliseconds(40)) {
      server.server.statistics.requestsRefused == [.requestTimeout: 1]
    }
    var unread: [UInt8] = []
    #expect(frame(client, &unread)?.isHead == true)
    let body = try #require(frame(client, &unread))
    #expect(String(decoding: body.payload, as: UTF8.self).contains("did not arrive in time"))
    #expect(body.flags == 1)
    // The reset comes with the next check.
    server.letTimePass(.milliseconds(40)) { !unread.isEmpty || client.hasInput }
    #expect(frame(client, &unread) == Frame(type: 3, payload: [0, 0, 0, 0]))
    #expect(waitUntil { server.server.statistics.bodyBytesHeld == 0 })
    #expect(server.server.statistics.connectionsOpen == 1)
    #expect(server.server.statistics.connectionsTimedOut == 0)
  }

  @Test func aResetIsTold() throws {
    let held = Held()
    let server = try TestServer(application: held.hold)
    let client = try server.connect()
    client.send(greeting(window: 0))
    let exchange = held.wait(for: 1)[0]
    let abandonments = Tally()
    exchange.onAbandon(abandonments.raise)
    exchange.begin(Self.start)
    #expect(!exchange.write([UInt8](repeating: 7, count: HTTPExchange.maxUnsentBytes + 1)))
    // RST_STREAM of stream 1 with CANCEL.
    client.send([0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8])
    #expect(waitUntil { abandonments.value == 1 })
    #expect(exchange.write([1]))
  }
}
