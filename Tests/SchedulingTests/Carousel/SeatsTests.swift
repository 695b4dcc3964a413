import Testing

@testable import Scheduling

@Suite struct SeatsTests {
  private let start = ContinuousClock.now

  private func passenger(_ rider: UInt64, _ steps: Int = 9, deadline: Int? = nil) -> Passenger {
    Passenger(
      rider: RiderID(rawValue: rider), journey: .init(steps: steps),
      deadline: deadline.map { start + .milliseconds($0) })
  }

  private func seats(_ riders: UInt64, limit: Int = 8, workers: Int = 1) -> Seats {
    var seats = Seats(limit: limit, workerCount: workers)
    for rider in 0..<riders {
      let seat = seats.board(passenger(rider), worker: 0, now: start)
      #expect(seat == Int(rider))
    }
    return seats
  }

  /// Whoever is last moves into the first hole, unless it is gone too.
  @Test(
    arguments: [
      ([0], [3, 1, 2], [Turn.Move(from: 3, to: 0)]),
      ([3], [0, 1, 2], []),
      ([0, 3], [2, 1], [Turn.Move(from: 2, to: 0)]),
      ([1, 2, 3], [0], []),
      ([0, 1, 2, 3], [], []),
      ([0, 1], [3, 2], [Turn.Move(from: 3, to: 0), Turn.Move(from: 2, to: 1)]),
    ] as [([Int], [UInt64], [Turn.Move])])
  func vacatedSeatsFallFree(vacated: [Int], left: [UInt64], moves: [Turn.Move]) {
    var seats = seats(4)
    for seat in vacated { seats.vacate(seat, worker: 0) }
    #expect(seats.riderCount == left.count && seats.takenCount == 4)
    let found = seats.clear(worker: 0)
    #expect(found == moves)
    #expect(seats[0].map(\.passenger.rider.rawValue) == left)
    #expect(seats.takenCount == left.count)
  }

  @Test func whoIsGoneIsGoneOnce() {
    var seats = seats(2)
    let gone = [seats.vacate(1, worker: 0), seats.vacate(1, worker: 0)]
    #expect(gone == [true, false] && seats.riderCount == 1)
    #expect(seats.place(of: RiderID(rawValue: 1)) == nil)
    #expect(seats.place(of: RiderID(rawValue: 0))?.seat == 0)
  }

  @Test(arguments: [9, 10, 11]) func deadlinesPass(milliseconds: Int) {
    var seats = Seats(limit: 4, workerCount: 2)
    _ = seats.board(passenger(1, deadline: 10), worker: 0, now: start)
    _ = seats.board(passenger(2, deadline: 10), worker: 1, now: start)
    let now = start + .milliseconds(milliseconds)
    let late = milliseconds >= 10 ? [0] : []
    // Those of its own worker only, and once.
    let found = [seats.vacateLate(worker: 0, now: now), seats.vacateLate(worker: 0, now: now)]
    #expect(found.map { $0.map(\.seat) } == [late, []])
    #expect(found.joined().allSatisfy { $0.rider == RiderID(rawValue: 1) })
    #expect(seats.riderCount == 2 - late.count)
  }

  @Test(arguments: [8, 9, 10]) func ridersAdvance(chunk: Int) {
    var seats = seats(1)
    let part = seats.advance(worker: 0, by: chunk)
    #expect(
      part == [
        .init(rider: RiderID(rawValue: 0), seat: 0, steps: min(chunk, 9), finishes: chunk >= 9)
      ])
  }

  /// Of 9 seats and two workers: an even share of all, but no less than a share, and no more than there are.
  @Test(arguments: [(0, 0, 4), (0, 6, 4), (0, 10, 5), (3, 7, 5), (5, 9, 5)])
  func workersShareSeats(taken: UInt64, waiting: Int, bound: Int) {
    let seats = seats(taken, limit: 9, workers: 2)
    #expect(seats.bound(of: 0, waiting: waiting, share: 4) == bound)
  }

  @Test func whatIsTakenIsNotForOthers() {
    let seats = seats(5, limit: 7, workers: 2)
    #expect(seats.bound(of: 1, waiting: 20, share: 4) == 2)
  }
}
