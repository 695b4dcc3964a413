import Testing

@testable import Scheduling

/// What those who were promised a place find, and what newcomers leave them; riders who are fed back.
@Suite struct CarouselPromiseTests {
  private let now = ContinuousClock.now

  /// A turn of one rider costs 10 ms a step.
  private static let costs: TurnCosts = {
    var costs = TurnCosts()
    costs.record(riders: 1, longest: 1, total: 1, seconds: 0.01)
    return costs
  }()

  /// One seat, in which a rider of 10 steps waits to begin; whoever comes next is behind it.
  private func busyCarousel(sequences: Int = 20, steps: Int = 1000) throws -> Carousel {
    var carousel = Carousel(
      limits: EngineLimits(maxSeats: 1, maxQueuedSequences: sequences, maxQueuedSteps: steps),
      chunking: .steps, start: now)
    // With a deadline: it does not leave the seat to others.
    _ = try carousel.arrive(steps: [10], timeout: .seconds(3600), now: now, costs: TurnCosts())
    return carousel
  }

  // MARK: - Places

  /// Of a queue of 20 newcomers leave the place that is promised, once it is due.
  @Test(arguments: [18, 19]) func newcomersLeaveRoomInTheQueue(queued: Int) throws {
    var carousel = try busyCarousel()
    let riders = try carousel.arrive(
      steps: Array(repeating: 1, count: 19), now: now, costs: TurnCosts())
    let full = Refusal.queueFull(queued: 20, arriving: 1, limit: 20, retryAfter: 1)
    #expect(throws: full) {
      try carousel.arrive(steps: [1], now: now, costs: TurnCosts(), identity: 7)
    }
    #expect(carousel.promises.count == 1)
    for rider in riders.suffix(20 - queued) { carousel.leave(rider) }
    #expect(carousel.queuedCount == queued)
    // Long before it is due nobody waits for it.
    var early = carousel
    _ = try early.arrive(
      steps: Array(repeating: 1, count: 20 - queued), now: now, costs: TurnCosts())
    let later = now + .seconds(1)
    if queued < 19 {
      _ = try carousel.arrive(steps: [1], now: later, costs: TurnCosts())
    } else {
      #expect(throws: Refusal.queueFull(queued: 19, arriving: 1, limit: 20, retryAfter: 0)) {
        try carousel.arrive(steps: [1], now: later, costs: TurnCosts())
      }
    }
    _ = try carousel.arrive(steps: [1], now: later, costs: TurnCosts(), identity: 7)
    #expect(carousel.queuedCount == 20 && carousel.promises.count == 0)
  }

  /// Of 100 steps newcomers leave the 30 that are promised.
  @Test(arguments: [19, 20, 21]) func newcomersLeaveRoomForSteps(steps: Int) throws {
    var carousel = try busyCarousel(steps: 100)
    let rider = try carousel.arrive(steps: [50], now: now, costs: TurnCosts())[0]
    _ = try carousel.arrive(steps: [40], now: now, costs: TurnCosts())
    #expect(throws: Refusal.stepsFull(queued: 100, arriving: 30, limit: 100, retryAfter: 1)) {
      try carousel.arrive(steps: [30], now: now, costs: TurnCosts(), identity: 7)
    }
    carousel.leave(rider)
    let later = now + .seconds(1)
    if steps <= 20 {
      _ = try carousel.arrive(steps: [steps], now: later, costs: TurnCosts())
    } else {
      #expect(throws: Refusal.stepsFull(queued: 50, arriving: 21, limit: 100, retryAfter: 0)) {
        try carousel.arrive(steps: [steps], now: later, costs: TurnCosts())
      }
    }
    _ = try carousel.arrive(steps: [30], now: later, costs: TurnCosts(), identity: 7)
  }

  /// Of a queue of 3 that is full, with 2 seats or 4: those who come for their places may be 3 more, or 4.
  @Test(arguments: [2, 3, 4, 5], [2, 4]) func thePromisedMayFillTheQueueAgain(
    count: Int, seats: Int
  ) throws {
    var carousel = Carousel(
      limits: EngineLimits(maxSeats: seats, maxQueuedSequences: 3), chunking: .steps, start: now)
    for _ in 0..<seats {
      _ = try carousel.arrive(steps: [900], now: now, costs: TurnCosts())
      _ = carousel.nextTurn(now: now)
    }
    _ = try carousel.arrive(steps: [1, 1, 1], now: now, costs: TurnCosts())
    // A tenth of a second is promised to three, so the others are told later ones.
    var latest = 1.0
    for identity in 1...UInt64(count) {
      do throws(Refusal) {
        _ = try carousel.arrive(steps: [1], now: now, costs: TurnCosts(), identity: identity)
        Issue.record("admitted")
      } catch {
        latest = max(latest, try #require(error.secondsUntilRoom))
      }
    }
    let later = now + .seconds(latest)
    for identity in 1...UInt64(count) {
      let riders = try? carousel.arrive(
        steps: [1], now: later, costs: TurnCosts(), identity: identity)
      #expect((riders != nil) == (identity <= max(3, seats)))
    }
  }

  /// Whatever is promised, no seat stays empty; and whoever boards at the next turn takes no promised place.
  @Test func newcomersTakeFreeSeats() throws {
    var carousel = Carousel(
      limits: EngineLimits(maxSeats: 2, maxQueuedSequences: 3), chunking: .steps, start: now)
    _ = try carousel.arrive(steps: [900, 900], now: now, costs: TurnCosts())
    _ = carousel.nextTurn(now: now)
    let queue = try carousel.arrive(steps: [1, 1, 1], now: now, costs: TurnCosts())
    for identity in 1...3 as ClosedRange<UInt64> {
      #expect(throws: Refusal.self) {
        try carousel.arrive(steps: [1], now: now, costs: TurnCosts(), identity: identity)
      }
    }
    carousel.leave(queue)
    let later = now + .seconds(1)
    #expect(throws: Refusal.queueFull(queued: 0, arriving: 1, limit: 3, retryAfter: 0)) {
      try carousel.arrive(steps: [1], now: later, costs: TurnCosts())
    }
    carousel.alight(seat: 0)
    _ = try carousel.arrive(steps: [1], now: later, costs: TurnCosts())
    for identity in 1...3 as ClosedRange<UInt64> {
      _ = try carousel.arrive(steps: [1], now: later, costs: TurnCosts(), identity: identity)
    }
    #expect(carousel.queuedCount == 4 && carousel.promises.count == 0)
    _ = carousel.nextTurn(now: later)
    #expect(carousel.queuedCount == 3)
  }

  /// 20 steps at 10 ms: 0.2 s, of a newcomer's time-out 0.6, of one with a promise 0.9, of one amid none 0.9. Once the 10
  /// promised steps are due, a newcomer leaves the time for them too: 0.2 s, as no throughput is measured yet.
  @Test(arguments: [
    (222, false, false, false), (223, false, false, true), (333, false, false, true),
    (334, true, false, true), (666, true, false, true), (667, true, true, true),
  ])
  func newcomersLeaveTime(
    milliseconds: Int, newcomer: Bool, newcomerWhenDue: Bool, promised: Bool
  ) throws {
    var carousel = try busyCarousel()
    #expect(throws: Refusal.self) {
      try carousel.arrive(
        steps: [10], timeout: .milliseconds(150), now: now, costs: Self.costs, identity: 7)
    }
    #expect(carousel.promises.count == 1)
    let timeout = Duration.milliseconds(milliseconds)
    func arrive(_ identity: UInt64, at time: ContinuousClock.Instant) -> Bool {
      var copy = carousel
      return
        (try? copy.arrive(
          steps: [10], timeout: timeout, now: time, costs: Self.costs, identity: identity)) != nil
    }
    let later = now + .seconds(1)
    #expect(arrive(8, at: later) == newcomerWhenDue)
    #expect(arrive(7, at: now) == newcomer)
    #expect(arrive(7, at: later) == promised)
    // When the promise has lapsed, nobody is a newcomer.
    #expect(arrive(8, at: now + .seconds(3)) == promised)
  }

  /// Ten steps at 10 ms take 0.1 s even alone: nine tenths of that are too little, and no later time is better.
  @Test(arguments: [(89, false), (91, true)])
  func whatIsTooLateAloneIsPromisedNothing(milliseconds: Int, isPromised: Bool) throws {
    var carousel = try busyCarousel()
    let timeout = Duration.milliseconds(milliseconds)
    do throws(Refusal) {
      _ = try carousel.arrive(
        steps: [10], timeout: timeout, now: now, costs: Self.costs, identity: 7)
      Issue.record("admitted")
    } catch {
      #expect((error == .deadlinePassed(timeout: timeout)) == !isPromised)
    }
    #expect(carousel.promises.count == (isPromised ? 1 : 0))
  }

  /// A text that left its seat comes back whatever it may still come to.
  @Test func whoHadASeatBoardsAgain() throws {
    var carousel = Carousel(limits: EngineLimits(maxSeats: 2), chunking: .steps)
    _ = try carousel.arrive(steps: [1000], now: now, costs: TurnCosts())
    let text = try carousel.arrive(
      steps: [1], timeout: .seconds(1), now: now, costs: TurnCosts())[0]
    _ = carousel.nextTurn(now: now)
    _ = carousel.pause(seat: 1, before: .init(steps: 1, following: 4000), now: now)
    carousel.resume(text)
    let turn = carousel.nextTurn(now: now, costs: Self.costs(each: 0.01, riders: 2))
    #expect(turn.boardings.map(\.rider) == [text] && turn.expired.isEmpty)
  }

  /// Few seats a worker: others are woken when those are taken, not only at eight riders.
  @Test func aWorkerIsWokenForEachShareOfSeats() throws {
    var carousel = Carousel(limits: EngineLimits(maxSeats: 8), chunking: .steps, workerCount: 4)
    for riders in 1...8 {
      _ = try carousel.arrive(steps: [9], now: now, costs: TurnCosts())
      #expect(carousel.neededWorkers == (riders + 1) / 2)
    }
  }

  /// Ten steps at 10 ms: 0.1 s, of which nine tenths have to be left.
  @Test(arguments: [(89, false), (91, true)])
  func whoWouldBeTooLateDoesNotBoard(milliseconds: Int, boards: Bool) throws {
    var carousel = Carousel(limits: EngineLimits(maxSeats: 1), chunking: .steps)
    _ = try carousel.arrive(steps: [1], now: now, costs: TurnCosts())
    _ = carousel.nextTurn(now: now)
    // Nothing is known of costs when it comes.
    let rider = try carousel.arrive(
      steps: [10], timeout: .milliseconds(1000), now: now, costs: TurnCosts())[0]
    let other = try carousel.arrive(steps: [1000], now: now, costs: TurnCosts())[0]
    carousel.alight(seat: 0)
    // One rides already, or whoever is first would have the benefit of the doubt.
    var full = Carousel(limits: EngineLimits(maxSeats: 2), chunking: .steps)
    _ = try full.arrive(steps: [1000], now: now, costs: TurnCosts())
    _ = full.nextTurn(now: now)
    let late = try full.arrive(
      steps: [10], timeout: .milliseconds(milliseconds), now: now, costs: TurnCosts())[0]
    let turn = full.nextTurn(now: now, costs: Self.costs(each: 0.01, riders: 2))
    #expect(turn.boardings.map(\.rider) == (boards ? [late] : []))
    #expect(turn.expired == (boards ? [] : [late]))
    #expect(full.queuedCount == 0 && full.queuedSteps == 0)
    // Alone it may try, however late.
    let alone = carousel.nextTurn(
      now: now + .milliseconds(999), costs: Self.costs(each: 0.01, riders: 1))
    #expect(alone.boardings.map(\.rider).first == rider)
    #expect(carousel.queuedCount == 1 && !alone.parts.map(\.rider).contains(other))
  }

  private static func costs(each seconds: Double, riders: Int) -> TurnCosts {
    var costs = TurnCosts()
    costs.record(riders: riders, longest: 1, total: riders, seconds: seconds)
    return costs
  }

  @Test func aPromiseIsKeptOnce() throws {
    var carousel = try busyCarousel(sequences: 10)
    let riders = try carousel.arrive(
      steps: Array(repeating: 1, count: 9), now: now, costs: TurnCosts())
    for identity in [7, 8] as [UInt64] {
      #expect(throws: Refusal.self) {
        try carousel.arrive(steps: [1], now: now, costs: TurnCosts(), identity: identity)
      }
    }
    carousel.leave(riders[0])
    let later = now + .seconds(1)
    _ = try carousel.arrive(steps: [1], now: later, costs: TurnCosts(), identity: 7)
    carousel.leave(riders[1])
    #expect(throws: Refusal.queueFull(queued: 9, arriving: 1, limit: 10, retryAfter: 1)) {
      try carousel.arrive(steps: [1], now: later, costs: TurnCosts(), identity: 7)
    }
    _ = try carousel.arrive(steps: [1], now: later, costs: TurnCosts(), identity: 8)
  }

  @Test func onlyWantOfRoomIsWorthAPromise() throws {
    var carousel = try busyCarousel(sequences: 1, steps: 10)
    func identity() -> Bookings.Identity {
      Issue.record("asked who it is, where nobody was refused for want of room")
      return Bookings.Identity(request: 0)
    }
    for steps in [[11], [1, 1]] {
      #expect(throws: Refusal.self) {
        try carousel.arrive(
          steps.map { .init(steps: $0) }, terms: RideTerms(arrived: now, identity: identity),
          now: now, costs: TurnCosts())
      }
    }
    // Nor is one who won't come back promised anything: it gets the time as it is.
    #expect(
      throws: Refusal.queueFull(queued: 1, arriving: 1, limit: 1, retryAfter: 0.1)
    ) { try carousel.arrive(steps: [1], now: now, costs: Self.costs) }
    #expect(carousel.promises.count == 0)
  }

  @Test(arguments: [999, 1000, 1001]) func whoComesAfterItsDeadlineIsLate(milliseconds: Int) throws
  {
    var carousel = Carousel(limits: EngineLimits(), chunking: .steps, start: now)
    let terms = RideTerms(
      arrived: now, timeout: .seconds(1),
      identity: {
        Issue.record("who comes too late comes too late again")
        return Bookings.Identity(request: 0)
      })
    let late = now + .milliseconds(milliseconds)
    if milliseconds < 1000 {
      _ = try carousel.arrive([.init(steps: 5)], terms: terms, now: late, costs: TurnCosts())
    } else {
      #expect(throws: Refusal.deadlinePassed(timeout: .seconds(1))) {
        try carousel.arrive([.init(steps: 5)], terms: terms, now: late, costs: TurnCosts())
      }
      #expect(carousel.queuedCount == 0)
    }
  }

  // MARK: - Riders who are fed back

  @Test func whoRejoinsBoardsFirst() throws {
    var carousel = try busyCarousel()
    _ = try carousel.arrive(steps: [3], now: now, costs: TurnCosts())
    let first = carousel.nextTurn(worker: 0, now: now).parts[0].rider
    _ = carousel.pause(seat: 0, before: .init(steps: 1, following: 7), now: now)
    let second = carousel.nextTurn(worker: 0, now: now).parts[0].rider
    #expect(second != first)
    _ = try carousel.arrive(steps: [3], now: now, costs: TurnCosts())
    carousel.resume(first)
    #expect(carousel.queuedCount == 2 && carousel.queuedSteps == 4)
    carousel.alight(seat: 0)
    let turn = carousel.nextTurn(worker: 0, now: now)
    #expect(turn.boardings == [.init(rider: first, seat: 0)])
    #expect(turn.parts == [.init(rider: first, seat: 0, steps: 1, finishes: true)])
  }

  @Test func whoRejoinsTooLateGoes() throws {
    var carousel = try busyCarousel()
    let rider = carousel.nextTurn(worker: 0, now: now).parts[0].rider
    _ = carousel.pause(seat: 0, before: .init(steps: 1), now: now)
    carousel.resume(rider)
    let turn = carousel.nextTurn(worker: 0, now: now + .seconds(3600))
    #expect(turn.expired == [rider] && turn.parts.isEmpty)
  }

  /// Its old seat is cleared at the worker's next turn only: it must not be taken for the rider.
  @Test func whoRejoinsMayLeaveAtOnce() throws {
    var carousel = try busyCarousel()
    let rider = carousel.nextTurn(worker: 0, now: now).parts[0].rider
    _ = carousel.pause(seat: 0, before: .init(steps: 1), now: now)
    carousel.resume(rider)
    carousel.leave(rider)
    #expect(carousel.queuedCount == 0 && carousel.queuedSteps == 0)
    #expect(carousel.nextTurn(worker: 0, now: now).parts.isEmpty)
  }

  /// 10 steps, of a rider's own and of those fed back to it, waiting and on board: 0.1 s ahead of a newcomer's 10.
  @Test(arguments: [(10, 0), (3, 7), (1, 9)], [false, true])
  func followingStepsAreAhead(journey: (own: Int, following: Int), isSeated: Bool) throws {
    var carousel = Carousel(limits: EngineLimits(maxSeats: 1), chunking: .steps, start: now)
    carousel.turnSteps = 1
    _ = try carousel.arrive(
      [.init(steps: journey.own, following: journey.following)],
      terms: RideTerms(arrived: now, timeout: .seconds(3600)), now: now,
      costs: TurnCosts())
    var ahead = 10
    if isSeated {
      let part = carousel.nextTurn(worker: 0, now: now).parts[0]
      ahead -= part.steps
      if part.finishes {
        carousel.extend(seat: 0, by: 1)
      }
    }
    do {
      _ = try carousel.arrive(
        steps: [10], timeout: .milliseconds(150), now: now, costs: Self.costs)
      Issue.record("admitted")
    } catch {
      guard case .deadlineOutOfReach(_, let needed, _) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(abs(needed.seconds - Double(ahead + 10) * 0.01 / 0.9) < 1e-9)
    }
  }

  /// A newcomer's own following steps count too.
  @Test func followingStepsAreNeeded() throws {
    var carousel = try busyCarousel()
    let journey = Journey(steps: 2, following: 8)
    for (milliseconds, fits) in [(222, false), (223, true)] {
      let terms = RideTerms(arrived: now, timeout: .milliseconds(milliseconds))
      let riders = try? carousel.arrive([journey], terms: terms, now: now, costs: Self.costs)
      #expect((riders != nil) == fits)
    }
  }

  /// Others wait: a turn ends with the shortest rider who then leaves, not with one who stays.
  @Test(arguments: [(0, 4), (1, 256)])
  func whoIsFedBackShortensNoTurn(following: Int, chunk: Int) throws {
    var carousel = Carousel(limits: EngineLimits(maxSeats: 2), chunking: .steps, start: now)
    _ = try carousel.arrive(
      [.init(steps: 3, following: following), .init(steps: 300), .init(steps: 1)],
      terms: RideTerms(), now: now, costs: TurnCosts())
    let turn = carousel.nextTurn(worker: 0, now: now)
    #expect(turn.parts.map(\.steps) == [3, chunk])
  }

  @Test(arguments: [
    (512, 1, 512), (100, 3, 33), (15, 3, 5), (12, 3, 4), (11, 3, 4), (1, 1, 4), (1, 8, 4),
  ])
  func turnsAreAsLongAsTheyShould(turnSteps: Int, riders: Int, chunk: Int) throws {
    var carousel = Carousel(limits: EngineLimits(maxSeats: 8), chunking: .steps, start: now)
    carousel.turnSteps = turnSteps
    _ = try carousel.arrive(
      steps: Array(repeating: 900, count: riders), now: now, costs: TurnCosts())
    let turn = carousel.nextTurn(worker: 0, now: now)
    #expect(turn.parts.map(\.steps) == Array(repeating: chunk, count: riders))
  }
}
