import Synchronization
import Testing

@testable import HTTPCore

/// Responses that are sent as they are made.
@Suite struct HTTPExchangeStreamingTests {
  /// What became of an exchange.
  private final class Record: Sendable {
    let parts = Mutex<[HTTPResponsePart]>([])
    let drains = Mutex(0)
    let abandonments = Mutex(0)

    func exchange(_ fields: HTTPFields = [:]) -> HTTPExchange {
      let exchange = HTTPExchange(
        request: HTTPRequest(method: "GET", path: "/", fields: fields),
        deliverPart: { [self] part in parts.withLock { $0.append(part) } })
      exchange.onAbandon { [self] in abandonments.withLock { $0 += 1 } }
      exchange.onDrain { [self] in drains.withLock { $0 += 1 } }
      return exchange
    }

    var drainCount: Int { drains.withLock { $0 } }
    var abandonmentCount: Int { abandonments.withLock { $0 } }
  }

  private let head = HTTPResponse(status: .ok, body: [1])
  private let most = HTTPExchange.maxUnsentBytes

  @Test func handsPartsOnInOrder() {
    let record = Record()
    let exchange = record.exchange()
    exchange.begin(head)
    #expect(exchange.write([2]))
    #expect(exchange.write([]))
    #expect(exchange.write([3, 4]))
    exchange.end()
    #expect(record.parts.withLock { $0 } == [.head(head), .bytes([2]), .bytes([3, 4]), .end])
  }

  /// Trailers are for clients that take them, unless nobody can do without.
  @Test(
    arguments: [
      ([:], TrailerAudience.clientsThatAsk, false), ([:], .everyClient, true),
      (["te": "trailers"], .clientsThatAsk, true),
      (["te": "gzip;q=0.5, Trailers"], .clientsThatAsk, true),
      (["te": "gzip"], .clientsThatAsk, false), (["trailer": "a"], .clientsThatAsk, false),
    ] as [(HTTPFields, TrailerAudience, Bool)])
  func trailersAreForWhoTakesThem(
    _ fields: HTTPFields, _ audience: TrailerAudience, _ areSent: Bool
  ) {
    let record = Record()
    let exchange = record.exchange(fields)
    exchange.begin(head)
    exchange.end(trailers: ["x-count": "1"], for: audience)
    #expect(
      record.parts.withLock { $0 }
        == [.head(head), areSent ? .trailers(["x-count": "1"]) : .end])
  }

  @Test func theFirstOfRespondAndBeginWins() {
    let whole = Record()
    let wholeExchange = whole.exchange()
    wholeExchange.respond(head)
    wholeExchange.begin(head)
    #expect(wholeExchange.write([2]))
    wholeExchange.end()
    #expect(whole.parts.withLock { $0 } == [.whole(head)])
    let streamed = Record()
    let streamedExchange = streamed.exchange()
    streamedExchange.begin(head)
    streamedExchange.respond(head)
    streamedExchange.begin(head)
    #expect(streamed.parts.withLock { $0 } == [.head(head)])
  }

  @Test func nothingFollowsTheEnd() {
    let record = Record()
    let exchange = record.exchange()
    exchange.begin(HTTPResponse(status: .ok))
    exchange.end()
    exchange.end()
    #expect(exchange.write([UInt8](repeating: 0, count: most + 1)))
    exchange.recordSent(1)
    exchange.abandon()
    #expect(record.parts.withLock { $0 } == [.head(HTTPResponse(status: .ok)), .end])
    #expect(record.abandonmentCount == 0)
    #expect(record.drainCount == 0)
    #expect(!exchange.isAbandoned)
  }

  @Test func abandonmentEndsAStream() {
    let record = Record()
    let exchange = record.exchange()
    exchange.begin(head)
    #expect(!exchange.write([UInt8](repeating: 0, count: most + 1)))
    exchange.abandon()
    exchange.abandon()
    #expect(exchange.isAbandoned)
    #expect(record.abandonmentCount == 1)
    #expect(exchange.write([UInt8](repeating: 0, count: most + 1)))
    exchange.end()
    exchange.recordSent(most)
    #expect(record.parts.withLock { $0.count } == 2)
    #expect(record.drainCount == 0)
  }

  /// n − 1, n and n + 1 bytes, the first of them in the head.
  @Test(arguments: [(-1, true), (0, true), (1, false)])
  func isBehindBeyondTheMost(_ extra: Int, _ keepsUp: Bool) {
    let record = Record()
    let exchange = record.exchange()
    exchange.begin(head)
    let count = most + extra
    #expect(exchange.write([UInt8](repeating: 0, count: count - 1)) == keepsUp)
    exchange.recordSent(count * 3 / 4 - 1)
    #expect(record.drainCount == 0)
    exchange.recordSent(count - (count * 3 / 4 - 1))
    #expect(record.drainCount == (keepsUp ? 0 : 1))
    #expect(exchange.write([2]))
    exchange.recordSent(1)
    #expect(record.drainCount == (keepsUp ? 0 : 1))
  }

  @Test func tellsALateListener() {
    let drains = Mutex(0)
    let exchange = HTTPExchange(
      request: HTTPRequest(method: "GET", path: "/"), deliverPart: { _ in })
    exchange.begin(head)
    #expect(!exchange.write([UInt8](repeating: 0, count: most)))
    exchange.recordSent(most + 1)
    for _ in 0..<2 {
      exchange.onDrain { drains.withLock { $0 += 1 } }
      #expect(drains.withLock { $0 } == 1)
    }
  }

  @Test func isCollectedWhereWholeResponsesAreTaken() {
    let responses = Mutex<[HTTPResponse]>([])
    let exchange = HTTPExchange(request: HTTPRequest(method: "GET", path: "/")) { response in
      responses.withLock { $0.append(response) }
    }
    exchange.begin(HTTPResponse(status: .ok, fields: ["a": "b"], body: [1]))
    #expect(exchange.write([UInt8](repeating: 2, count: most + 1)))
    #expect(responses.withLock { $0 } == [])
    exchange.end()
    let body = [1] + [UInt8](repeating: 2, count: most + 1)
    #expect(
      responses.withLock { $0 } == [HTTPResponse(status: .ok, fields: ["a": "b"], body: body)])
  }
}
