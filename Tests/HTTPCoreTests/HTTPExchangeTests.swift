import Synchronization
import Testing

@testable import HTTPCore

@Suite struct HTTPExchangeTests {
  /// An exchange and what became of it.
  private final class Record: Sendable {
    let statuses = Mutex<[Int]>([])
    let abandonments = Mutex(0)

    func exchange() -> HTTPExchange {
      HTTPExchange(request: HTTPRequest(method: "GET", path: "/")) { [self] response in
        statuses.withLock { $0.append(response.status.code) }
      }
    }

    func count() { abandonments.withLock { $0 += 1 } }
  }

  @Test func theFirstResponseWins() {
    let record = Record()
    let exchange = record.exchange()
    exchange.onAbandon { record.count() }
    exchange.respond(HTTPResponse(status: .ok))
    exchange.respond(HTTPResponse(status: .notFound))
    exchange.abandon()
    #expect(record.statuses.withLock { $0 } == [200])
    #expect(record.abandonments.withLock { $0 } == 0)
    #expect(!exchange.isAbandoned)
  }

  @Test func aResponseDuringTheHandOutIsReturned() {
    let record = Record()
    let exchange = record.exchange()
    exchange.onFinish { if $0 == .answered(.ok) { record.count() } }
    let response = exchange.handOut { $0.respond(HTTPResponse(status: .ok)) }
    exchange.respond(HTTPResponse(status: .notFound))
    #expect(response?.status == .ok)
    #expect(record.statuses.withLock { $0 }.isEmpty)
    #expect(record.abandonments.withLock { $0 } == 1)
  }

  @Test func aResponseBehindTheHandOutIsDelivered() {
    let record = Record()
    let exchange = record.exchange()
    #expect(exchange.handOut { _ in } == nil)
    exchange.respond(HTTPResponse(status: .ok))
    #expect(record.statuses.withLock { $0 } == [200])
  }

  @Test(arguments: [true, false])
  func abandonmentIsToldOnce(_ isListenerFirst: Bool) {
    let record = Record()
    let exchange = record.exchange()
    if isListenerFirst { exchange.onAbandon { record.count() } }
    exchange.abandon()
    exchange.abandon()
    if !isListenerFirst { exchange.onAbandon { record.count() } }
    exchange.respond(HTTPResponse(status: .ok))
    #expect(record.abandonments.withLock { $0 } == 1)
    #expect(record.statuses.withLock { $0 } == [])
    #expect(exchange.isAbandoned)
  }

  @Test func tellsTheOutcomeOnce() {
    let record = Record()
    let outcomes = Mutex<[HTTPExchange.Outcome]>([])
    let answered = record.exchange()
    answered.onFinish { outcome in outcomes.withLock { $0.append(outcome) } }
    answered.respond(HTTPResponse(status: .gone))
    answered.abandon()
    let abandoned = record.exchange()
    abandoned.onFinish { outcome in outcomes.withLock { $0.append(outcome) } }
    abandoned.abandon()
    abandoned.respond(HTTPResponse(status: .ok))
    let streamed = record.exchange()
    streamed.onFinish { outcome in outcomes.withLock { $0.append(outcome) } }
    streamed.begin(HTTPResponse(status: .ok))
    #expect(outcomes.withLock { $0 } == [.answered(.gone), .abandoned])
    streamed.end()
    streamed.end()
    #expect(outcomes.withLock { $0 } == [.answered(.gone), .abandoned, .answered(.ok)])
  }
}
