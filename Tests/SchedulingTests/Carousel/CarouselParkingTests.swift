import Testing

@testable import Scheduling

/// Riders whose readers are behind: parked without a seat, until their readers catch up, leave, or are late.
@Suite struct CarouselParkingTests {
  private let start = ContinuousClock.now
  private let journey = Journey(steps: 1, following: 4)

  private func at(_ milliseconds: Int) -> ContinuousClock.Instant {
    start + .milliseconds(milliseconds)
  }

  /// Riders on board that have drawn a token, each with a time-out in milliseconds or none.
  private func carousel(
    _ timeouts: [Int?], queue: Int = 8, steps: Int = 3
  ) throws -> (carousel: Carousel, riders: [RiderID]) {
    var carousel = Carousel(
      limits: EngineLimits(maxSeats: timeouts.count, maxQueuedSequences: queue), chunking: .steps,
      start: start)
    let riders = try timeouts.map { timeout in
      try carousel.arrive(
        steps: [steps], timeout: timeout.map { .milliseconds($0) }, now: start, costs: TurnCosts()
      )[0]
    }
    let turn = carousel.nextTurn(now: start)
    #expect(turn.parts.allSatisfy(\.finishes) && turn.parts.count == timeouts.count)
    return (carousel, riders)
  }

  @Test func aParkedRiderHasNoSeat() throws {
    var (carousel, riders) = try carousel([nil, nil])
    let pause = carousel.pause(seat: 0, before: journey, now: start)
    #expect(pause == .parked(checkAgainAt: nil))
    #expect(carousel.parkedCount == 1 && carousel.seatedCount == 1 && carousel.queuedCount == 0)
    carousel.extend(seat: 1, by: 1)
    let turn = carousel.nextTurn(now: start)
    #expect(turn.moves == [.init(from: 1, to: 0)] && turn.parts.map(\.rider) == [riders[1]])
  }

  @Test func whoCatchesUpBoardsAgain() throws {
    var (carousel, riders) = try carousel([nil])
    _ = carousel.pause(seat: 0, before: journey, now: start)
    #expect(carousel.nextTurn(now: start).parts.isEmpty)
    carousel.resume(riders[0])
    #expect(carousel.parkedCount == 0 && carousel.queuedSteps == 1)
    let turn = carousel.nextTurn(now: start)
    #expect(turn.parts == [.init(rider: riders[0], seat: 0, steps: 1, finishes: true)])
    // Once only: the next pause parks it again.
    let pause = carousel.pause(seat: 0, before: journey, now: start)
    #expect(pause == .parked(checkAgainAt: nil))
  }

  /// A reader that caught up before its rider is parked keeps it from being parked, once, wherever the rider was then.
  @Test(arguments: ["waiting", "riding", "rotated"])
  func whoCaughtUpBeforeDoesNotPause(place: String) throws {
    var carousel = Carousel(limits: EngineLimits(maxSeats: 1), chunking: .steps, start: start)
    carousel.turnSteps = 4
    let rider = try carousel.arrive(steps: [8], now: start, costs: TurnCosts())[0]
    if place == "waiting" { carousel.resume(rider) }
    _ = carousel.nextTurn(now: start)
    if place == "riding" { carousel.resume(rider) }
    if place == "rotated" {
      let other = try carousel.arrive(steps: [4], now: start, costs: TurnCosts())[0]
      #expect(carousel.nextTurn(now: at(20)).rotations.map(\.rider) == [rider])
      carousel.resume(rider)
      carousel.leave(other)
    }
    #expect(carousel.nextTurn(now: at(21)).parts.map(\.finishes) == [true])
    let pause = carousel.pause(seat: 0, before: .init(steps: 4, following: 4), now: at(21))
    #expect(pause == .goesOn && carousel.parkedCount == 0)
    #expect(carousel.nextTurn(now: at(22)).parts.map(\.rider) == [rider])
    let next = carousel.pause(seat: 0, before: .init(steps: 4), now: at(22))
    #expect(next == .parked(checkAgainAt: nil))
  }

  /// A client that left while the turn ran is not parked.
  @Test func whoLeftIsGone() throws {
    var (carousel, riders) = try carousel([nil])
    carousel.leave(riders[0])
    let pause = carousel.pause(seat: 0, before: journey, now: start)
    #expect(pause == .gone && carousel.parkedCount == 0 && carousel.seatedCount == 0)
  }

  @Test(arguments: [1, 2]) func aParkedRiderMayLeave(count: Int) throws {
    var (carousel, riders) = try carousel([nil, nil])
    for seat in 0..<2 { _ = carousel.pause(seat: seat, before: journey, now: start) }
    carousel.leave(Array(riders.prefix(count)))
    #expect(carousel.parkedCount == 2 - count)
    // Nobody resumes it.
    carousel.resume(riders[0])
    #expect(carousel.queuedCount == 0)
  }

  /// As many are parked as may wait; the next go on.
  @Test func theParkedAreBounded() throws {
    var (carousel, riders) = try carousel([nil, nil, nil, nil], queue: 4)
    for seat in 0..<4 {
      let pause = carousel.pause(seat: seat, before: journey, now: start)
      #expect(pause == .parked(checkAgainAt: nil))
    }
    let next = try carousel.arrive(steps: [1], now: start, costs: TurnCosts())[0]
    _ = carousel.nextTurn(now: start)
    var pause = carousel.pause(seat: 0, before: journey, now: start)
    #expect(pause == .goesOn && carousel.parkedCount == 4 && carousel.seatedCount == 1)
    #expect(carousel.nextTurn(now: start).parts.map(\.rider) == [next])
    carousel.leave(riders[0])
    pause = carousel.pause(seat: 0, before: journey, now: start)
    #expect(pause == .parked(checkAgainAt: nil) && carousel.parkedCount == 4)
  }

  // MARK: - Deadlines

  /// A look is due at the earliest deadline; a later one is no news.
  @Test func theEarliestDeadlineIsLookedAt() throws {
    var (carousel, riders) = try carousel([300, 400, nil, 200])
    let pauses = (0..<4).map { carousel.pause(seat: $0, before: journey, now: start) }
    #expect(
      pauses == [
        .parked(checkAgainAt: at(300)), .parked(checkAgainAt: nil), .parked(checkAgainAt: nil),
        .parked(checkAgainAt: at(200)),
      ])
    var look = carousel.removeLateParked(now: at(199))
    #expect(look.late == [] && look.checkAgainAt == nil && carousel.parkedCount == 4)
    look = carousel.removeLateParked(now: at(200))
    #expect(look.late == [riders[3]] && look.checkAgainAt == at(300))
    // The one that was due before the earlier deadline came finds nothing new to do.
    look = carousel.removeLateParked(now: at(300))
    #expect(look.late == [riders[0]] && look.checkAgainAt == at(400))
    look = carousel.removeLateParked(now: at(300))
    #expect(look.late == [] && look.checkAgainAt == nil)
    look = carousel.removeLateParked(now: at(400))
    #expect(look.late == [riders[1]] && look.checkAgainAt == nil && carousel.parkedCount == 1)
  }

  /// Many deadlines one after the other are no look each.
  @Test func looksAreApart() throws {
    var (carousel, riders) = try carousel([100, 101, 149, 151], steps: 1)
    for seat in 0..<4 { _ = carousel.pause(seat: seat, before: journey, now: start) }
    var look = carousel.removeLateParked(now: at(100))
    #expect(look.late == [riders[0]] && look.checkAgainAt == at(150))
    look = carousel.removeLateParked(now: at(150))
    #expect(look.late == [riders[1], riders[2]] && look.checkAgainAt == at(200))
    // One that pauses meanwhile and is due before is looked at in time.
    let rider = try carousel.arrive(
      steps: [1], timeout: .milliseconds(20), now: at(150), costs: TurnCosts())[0]
    _ = carousel.nextTurn(now: at(150))
    let pause = carousel.pause(seat: 0, before: journey, now: at(150))
    #expect(pause == .parked(checkAgainAt: at(170)))
    look = carousel.removeLateParked(now: at(170))
    #expect(look.late == [riders[3], rider].sorted() && look.checkAgainAt == nil)
  }

  /// Where those with deadlines have all gone on, looking ends; and begins again with the next.
  @Test func lookingEnds() throws {
    var (carousel, riders) = try carousel([100])
    _ = carousel.pause(seat: 0, before: journey, now: start)
    carousel.resume(riders[0])
    let look = carousel.removeLateParked(now: at(100))
    #expect(look.late == [] && look.checkAgainAt == nil)
    let next = try carousel.arrive(
      steps: [1], timeout: .milliseconds(200), now: at(100), costs: TurnCosts())[0]
    // The rider that went on is late now, too.
    let turn = carousel.nextTurn(now: at(100))
    #expect(turn.expired == riders && turn.boardings.map(\.rider) == [next])
    let pause = carousel.pause(seat: 0, before: journey, now: at(100))
    #expect(pause == .parked(checkAgainAt: at(300)))
  }

  // MARK: - Workers

  @Test func workersAreWokenOnce() throws {
    let share = Carousel.workerShare
    var carousel = Carousel(
      limits: EngineLimits(maxSeats: 100), chunking: .steps, workerCount: 3, start: start)
    var woken = carousel.claimIdleWorkers()
    #expect(woken == [])
    _ = try carousel.arrive(
      steps: Array(repeating: 9, count: 2 * share), now: start, costs: TurnCosts())
    woken = carousel.claimIdleWorkers()
    #expect(woken == [0, 1])
    woken = carousel.claimIdleWorkers()
    #expect(woken == [] && carousel.turningCount == 2)
    // A worker that finds nobody turns no more.
    let parts = (0..<2).map { carousel.nextTurn(worker: $0, now: start).parts }
    for (worker, parts) in parts.enumerated() {
      for part in parts { carousel.alight(seat: part.seat, worker: worker) }
    }
    #expect(carousel.nextTurn(worker: 0, now: start).parts.isEmpty && carousel.turningCount == 1)
  }

  /// Who took a worker's turn leaves it the riders that are left or came meanwhile.
  @Test(arguments: [0, 1, 20]) func aTurnIsHandedOver(others: Int) throws {
    var carousel = Carousel(
      limits: EngineLimits(maxSeats: 100), chunking: .steps, workerCount: 2, start: start)
    _ = try carousel.arrive(steps: [3], now: start, costs: TurnCosts())
    #expect(carousel.loneRider == .init(steps: 3))
    _ = carousel.nextTurn(now: start)
    #expect(carousel.loneRider == nil)
    _ = try carousel.arrive(
      steps: Array(repeating: 9, count: others), now: start, costs: TurnCosts())
    #expect(carousel.loneRider == nil)
    carousel.alight(seat: 0)
    let wake = carousel.handOver(worker: 0)
    #expect(wake == (others == 0 ? [] : others == 1 ? [0] : [0, 1]))
    #expect(carousel.turningCount == wake.count)
  }
}
