import Synchronization
import Testing

@testable import HTTPCore

@Suite struct IncomingBodyTests {
  /// A body, what its reader got, and what was told to be read.
  private final class Reading: Sendable {
    let parts = Mutex<[IncomingBody.Part]>([])
    let counts = Mutex<[Int]>([])

    func makeBody() -> IncomingBody {
      IncomingBody { [self] count in counts.withLock { $0.append(count) } }
    }

    func read(_ body: IncomingBody) {
      body.read { [self] part in parts.withLock { $0.append(part) } }
    }
  }

  @Test func whatHasComeIsReadAtOnce() {
    let reading = Reading()
    let body = reading.makeBody()
    body.append([1])
    body.append([2, 3])
    #expect(reading.counts.withLock { $0 } == [])
    reading.read(body)
    #expect(reading.parts.withLock { $0 } == [.bytes([1, 2, 3])])
    #expect(reading.counts.withLock { $0 } == [3])
    body.append([4])
    body.end(trailers: ["a": "b"])
    for _ in 0..<3 { reading.read(body) }
    let end = IncomingBody.Part.end(trailers: ["a": "b"])
    #expect(reading.parts.withLock { $0 } == [.bytes([1, 2, 3]), .bytes([4]), end, end])
    #expect(reading.counts.withLock { $0 } == [3, 1])
  }

  /// A reader that waits says so the first time.
  @Test func whatComesIsReadByWhoWaits() {
    let reading = Reading()
    let body = reading.makeBody()
    reading.read(body)
    #expect(reading.counts.withLock { $0 } == [0])
    body.append([])
    body.append([1])
    body.append([2])
    #expect(reading.parts.withLock { $0 } == [.bytes([1])])
    reading.read(body)
    reading.read(body)
    body.end(trailers: [:])
    #expect(
      reading.parts.withLock { $0 } == [.bytes([1]), .bytes([2]), .end(trailers: [:])])
    #expect(reading.counts.withLock { $0 } == [0, 1, 1])
  }

  @Test(arguments: [false, true])
  func aCutLetsNobodyWait(_ waits: Bool) {
    let reading = Reading()
    let body = reading.makeBody()
    if waits { reading.read(body) } else { body.append([1]) }
    body.cut()
    body.append([2])
    body.end(trailers: [:])
    if !waits { reading.read(body) }
    #expect(reading.parts.withLock { $0 } == [.cut])
  }

  /// An exchange whose client leaves has no more of its body.
  @Test func aClientThatLeavesCutsItsBody() {
    let reading = Reading()
    let body = reading.makeBody()
    let exchange = HTTPExchange(
      request: HTTPRequest(method: "PUT", path: "/"), body: body, deliverPart: { _ in })
    reading.read(body)
    exchange.abandon()
    #expect(reading.parts.withLock { $0 } == [.cut])
  }
}
