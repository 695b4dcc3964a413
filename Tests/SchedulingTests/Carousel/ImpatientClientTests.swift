import Testing

@testable import Scheduling

/// A client that asks again and again, sooner than it was told. A slot has room for one request.
@Suite struct ImpatientClientTests {
  private let start = ContinuousClock.now
  private let most = Bookings.maxPromisesEach

  private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

  private func book(
    _ bookings: inout Bookings, _ request: UInt64, over connection: UInt64?, at seconds: Double = 0
  ) -> Int {
    bookings.advance(to: at(seconds))
    return bookings.book(
      .init(request: request, connection: connection) { false },
      places: .init(sequences: 1, steps: 30), room: .init(sequences: .max, steps: .max), steps: 30,
      earliest: 0, stepsPerSecond: 30 / (Bookings.slotSeconds * Bookings.bookableShare),
      now: at(seconds))
  }

  @Test func equalRequestsOfOneConnectionHaveFewPromises() {
    var bookings = Bookings(start: start)
    for wait in 1...most { #expect(book(&bookings, 7, over: 1) == wait) }
    for _ in 0..<1000 { #expect(book(&bookings, 7, over: 1) == most + 1) }
    #expect(bookings.count == most)
    // Others wait for those alone: who asks over another connection, for something else, or has no connection.
    #expect(book(&bookings, 7, over: 2) == most + 1)
    #expect(book(&bookings, 8, over: 1) == most + 2)
    #expect(book(&bookings, 7, over: nil) == most + 3)
  }

  @Test func aPlaceThatWasTakenMayBePromisedAgain() {
    var bookings = Bookings(start: start)
    for _ in 0..<most { _ = book(&bookings, 7, over: 1) }
    bookings.advance(to: at(1))
    let isRedeemed = bookings.redeem(.init(request: 7, connection: 1), now: at(1))
    #expect(isRedeemed)
    #expect(bookings.count == most - 1)
    for _ in 0..<2 { _ = book(&bookings, 7, over: 1, at: 1) }
    #expect(bookings.count == most)
  }

  @Test func placesThatLapsedMayBePromisedAgain() {
    var bookings = Bookings(start: start)
    for _ in 0..<most { _ = book(&bookings, 7, over: 1) }
    let later = Double(most) + Bookings.graceSeconds + 1
    bookings.advance(to: at(later))
    #expect(bookings.count == 0)
    for _ in 0..<(most + 5) { _ = book(&bookings, 7, over: 1, at: later) }
    #expect(bookings.count == most)
  }
}
