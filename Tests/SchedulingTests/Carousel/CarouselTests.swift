import Testing

@testable import Scheduling

@Suite struct CarouselTests {
  private func carousel(
    seats: Int = 4, sequences: Int = 8, steps: Int = 1000,
    chunking: Chunking = .steps
  ) -> Carousel {
    Carousel(
      limits: EngineLimits(
        maxSeats: seats, maxQueuedSequences: sequences, maxQueuedSteps: steps),
      chunking: chunking)
  }

  @Test func nobodyNoTurn() {
    var carousel = carousel()
    let turn = carousel.nextTurn()
    #expect(turn == nil)
  }

  @Test func oneRiderRidesToItsEnd() throws {
    var carousel = carousel()
    let rider = try carousel.arrive(steps: [10], now: .now, costs: TurnCosts())[0]
    #expect(carousel.queuedCount == 1 && carousel.queuedSteps == 10)
    let turn = try carousel.turn()
    #expect(turn.boardings == [.init(rider: rider, seat: 0)])
    #expect(turn.parts == [.init(rider: rider, seat: 0, steps: 10, finishes: true)])
    #expect(carousel.queuedCount == 0 && carousel.queuedSteps == 0)
    carousel.alight(seat: 0)
    let after = carousel.nextTurn()
    #expect(after == nil)
    #expect(carousel.seatedCount == 0)
  }

  @Test func aLongRiderAdvancesByChunks() throws {
    var carousel = carousel()
    _ = try carousel.arrive(steps: [Carousel.maxTurnSteps + 3], now: .now, costs: TurnCosts())
    let turn1 = try carousel.turn()
    #expect(turn1.parts.map(\.steps) == [Carousel.maxTurnSteps])
    let turn2 = try carousel.turn()
    #expect(turn2.parts.map(\.finishes) == [true])
  }

  @Test func newcomersBoardARunningBatch() throws {
    var carousel = carousel(steps: 10_000)
    let first = try carousel.arrive(steps: [2000], now: .now, costs: TurnCosts())[0]
    _ = carousel.nextTurn()
    let second = try carousel.arrive(steps: [1], now: .now, costs: TurnCosts())[0]
    let turn = try carousel.turn()
    #expect(turn.parts.map(\.rider) == [first, second])
    #expect(turn.parts.map(\.finishes) == [false, true])
  }

  @Test func theLastMovesIntoAFreeSeat() throws {
    var carousel = carousel()
    let riders = try carousel.arrive(steps: [900, 1, 40], now: .now, costs: TurnCosts())
    _ = carousel.nextTurn()
    carousel.alight(seat: 1)
    let turn = try carousel.turn()
    #expect(turn.moves.first == .init(from: 2, to: 1))
    #expect(turn.parts.map(\.rider) == [riders[0], riders[2]])
    #expect(turn.parts.map(\.seat) == [0, 1])
  }

  @Test func neighbouringSeatsFallFreeTogether() throws {
    var carousel = carousel()
    let riders = try carousel.arrive(steps: [1, 1, 1, 500], now: .now, costs: TurnCosts())
    _ = carousel.nextTurn()
    for seat in 0..<3 { carousel.alight(seat: seat) }
    let turn = try carousel.turn()
    #expect(turn.moves == [.init(from: 3, to: 0)])
    #expect(turn.parts.map(\.rider) == [riders[3]])
  }

  @Test func aFullCarouselStopsForItsShortestRider() throws {
    var carousel = carousel(seats: 2)
    _ = try carousel.arrive(steps: [300, 7, 5], now: .now, costs: TurnCosts())
    let turn1 = try carousel.turn()
    #expect(turn1.parts.map(\.steps) == [7, 7])
  }

  @Test func extendingKeepsTheSeat() throws {
    var carousel = carousel()
    let rider = try carousel.arrive(steps: [5], now: .now, costs: TurnCosts())[0]
    _ = carousel.nextTurn()
    carousel.extend(seat: 0, by: 12)
    let turn = try carousel.turn()
    #expect(turn.boardings.isEmpty)
    #expect(turn.parts == [.init(rider: rider, seat: 0, steps: 12, finishes: true)])
  }

  @Test func whoLeavesTheQueueIsForgotten() throws {
    var carousel = carousel(seats: 1)
    let riders = try carousel.arrive(steps: [900, 3, 4], now: .now, costs: TurnCosts())
    _ = carousel.nextTurn()
    carousel.leave(riders[1])
    #expect(carousel.queuedCount == 1 && carousel.queuedSteps == 4)
    carousel.leave(riders[0])
    let turn = try carousel.turn()
    #expect(turn.moves.isEmpty)
    #expect(turn.parts.map(\.rider) == [riders[2]])
  }

  @Test func wholeSequencesRideInOneTurn() throws {
    var carousel = carousel(steps: 10_000, chunking: .wholeSequences)
    _ = try carousel.arrive(
      steps: [Carousel.maxTurnSteps * 2, 3, 4], now: .now, costs: TurnCosts())
    let turn1 = try carousel.turn()
    #expect(turn1.parts.map(\.steps) == [Carousel.maxTurnSteps * 2])
    carousel.alight(seat: 0)
    let turn = try carousel.turn()
    #expect(turn.parts.map(\.steps) == [3, 4])
    #expect(turn.parts.map(\.finishes) == [true, true])
  }

  @Test func workersShareTheQueue() throws {
    let share = Carousel.workerShare
    var carousel = Carousel(
      limits: EngineLimits(maxSeats: 100), chunking: .steps, workerCount: 2)
    _ = try carousel.arrive(
      steps: Array(repeating: 900, count: share), now: .now, costs: TurnCosts())
    #expect(carousel.neededWorkers == 1)
    let riders = try carousel.arrive(
      steps: Array(repeating: 900, count: share), now: .now, costs: TurnCosts())
    #expect(carousel.neededWorkers == 2)
    let first = carousel.nextTurn(worker: 0)
    let second = carousel.nextTurn(worker: 1)
    #expect(first?.parts.count == share)
    #expect(second?.parts.map(\.rider) == riders)
    #expect(second?.parts.map(\.seat) == Array(0..<share))
    // Two more each: an even share of what rides and waits.
    _ = try carousel.arrive(steps: [1, 1, 1, 1], now: .now, costs: TurnCosts())
    let third = carousel.nextTurn(worker: 1)
    let fourth = carousel.nextTurn(worker: 0)
    #expect(third?.parts.count == share + 2 && fourth?.parts.count == share + 2)
    carousel.leave(riders[0])
    let fifth = carousel.nextTurn(worker: 1)
    #expect(fifth?.parts.map(\.rider).contains(riders[0]) == false)
  }

  @Test func aWorkerWithoutASeatIsNone() {
    let carousel = Carousel(limits: EngineLimits(maxSeats: 3), chunking: .steps, workerCount: 8)
    #expect(carousel.workerCount == 3 && carousel.seatsPerWorker == 1)
  }

  @Test(arguments: [18, 19, 20])
  func seatsAreBounded(riders: Int) throws {
    var carousel = Carousel(limits: EngineLimits(maxSeats: 19), chunking: .steps, workerCount: 2)
    _ = try carousel.arrive(
      steps: Array(repeating: 900, count: riders), now: .now, costs: TurnCosts())
    for worker in [0, 1, 0] { _ = carousel.nextTurn(worker: worker) }
    #expect(carousel.seatedCount == min(riders, 19))
    #expect(carousel.queuedCount == max(0, riders - 19))
  }

  @Test(arguments: [7, 8, 9])
  func queuedSequencesAreBounded(count: Int) throws {
    var carousel = carousel(sequences: 9)
    _ = try carousel.arrive(steps: [1], now: .now, costs: TurnCosts())
    let steps = Array(repeating: 2, count: count)
    if count <= 8 {
      let riders = try carousel.arrive(steps: steps, now: .now, costs: TurnCosts())
      #expect(riders.count == count)
    } else {
      #expect(
        throws: Refusal.queueFull(queued: 1, arriving: 9, limit: 9, retryAfter: 0)
      ) {
        try carousel.arrive(steps: steps, now: .now, costs: TurnCosts())
      }
      #expect(carousel.queuedCount == 1)
    }
  }

  @Test(arguments: [89, 90, 91])
  func queuedStepsAreBounded(steps: Int) throws {
    var carousel = carousel(steps: 100)
    _ = try carousel.arrive(steps: [10], now: .now, costs: TurnCosts())
    if steps <= 90 {
      let riders = try carousel.arrive(steps: [steps], now: .now, costs: TurnCosts())
      #expect(riders.count == 1)
    } else {
      #expect(
        throws: Refusal.stepsFull(queued: 10, arriving: 91, limit: 100, retryAfter: 1.875)
      ) {
        var costs = TurnCosts()
        costs.record(riders: 1, longest: 1, total: 1, seconds: 0.25)
        _ = try carousel.arrive(steps: [steps], now: .now, costs: costs)
      }
    }
  }

  @Test func whatCanNeverWaitIsTooLarge() {
    var carousel = carousel(steps: 100)
    #expect(
      throws: Refusal.tooLarge(sequences: 1, sequenceLimit: 8, steps: 101, stepLimit: 100)
    ) {
      try carousel.arrive(steps: [101], now: .now, costs: TurnCosts())
    }
  }

  // MARK: - Deadlines

  /// A turn of one rider costs 10 ms a step.
  private static let costs: TurnCosts = {
    var costs = TurnCosts()
    costs.record(riders: 1, longest: 1, total: 1, seconds: 0.01)
    return costs
  }()

  /// The wait may come to nine tenths of the time-out.
  @Test(arguments: [221, 222, 223, 224])
  func whatCannotBeReadyInTimeIsRefused(milliseconds: Int) throws {
    var carousel = carousel(seats: 1, steps: 100)
    let now = Carousel.Instant.now
    // With a deadline: it does not leave the seat to others.
    _ = try carousel.arrive(steps: [10], timeout: .seconds(3600), now: now, costs: Self.costs)
    let timeout = Duration.milliseconds(milliseconds)
    do throws(Refusal) {
      _ = try carousel.arrive(steps: [10], timeout: timeout, now: now, costs: Self.costs)
      #expect(milliseconds >= 223)
      #expect(carousel.queuedCount == 2)
    } catch {
      #expect(milliseconds <= 222)
      #expect(carousel.queuedCount == 1 && carousel.queuedSteps == 10)
      guard case .deadlineOutOfReach(timeout, let needed, let wait) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(abs(needed.seconds - 0.2 / 0.9) < 1e-9)
      #expect(abs(wait - (0.2 - 0.9 * timeout.seconds)) < 1e-9)
    }
  }

  /// Estimates may be wrong; where nobody is ahead, nothing is refused for them.
  @Test func whoeverComesAloneMayTry() throws {
    var carousel = carousel(steps: 100)
    let riders = try carousel.arrive(
      steps: [100], timeout: .milliseconds(1), now: .now, costs: Self.costs)
    #expect(riders.count == 1)
  }

  /// Nobody at all is never late.
  @Test func nobodyMayCome() throws {
    var carousel = carousel(seats: 1)
    _ = try carousel.arrive(steps: [5], now: .now, costs: Self.costs)
    _ = carousel.nextTurn()
    let nobody = try carousel.arrive(
      steps: [], timeout: .milliseconds(1), now: .now, costs: Self.costs)
    #expect(nobody.isEmpty)
  }

  @Test func whoWaitsTooLongGoes() throws {
    var carousel = carousel(seats: 1, steps: 100)
    let now = Carousel.Instant.now
    let free = TurnCosts()
    let first = try carousel.arrive(steps: [50], now: now, costs: free)[0]
    let late = try carousel.arrive(
      steps: [5, 6], timeout: .milliseconds(10), now: now, costs: free)
    let patient = try carousel.arrive(
      steps: [7], timeout: .milliseconds(11), now: now, costs: free)[0]
    #expect(carousel.nextTurn(now: now + .milliseconds(9)).expired == [])
    let turn = carousel.nextTurn(now: now + .milliseconds(10))
    #expect(turn.expired == late)
    #expect(turn.parts.map(\.rider) == [first])
    #expect(carousel.queuedCount == 1 && carousel.queuedSteps == 7)
    #expect(carousel.nextTurn(now: now + .milliseconds(11)).expired == [patient])
    #expect(carousel.queuedCount == 0 && carousel.queuedSteps == 0)
  }

  @Test func whoRidesTooLongFreesItsSeat() throws {
    var carousel = carousel(seats: 1, steps: 2000)
    let now = Carousel.Instant.now
    let rider = try carousel.arrive(
      steps: [1500], timeout: .seconds(1), now: now, costs: TurnCosts())[0]
    #expect(carousel.nextTurn(now: now).parts.map(\.rider) == [rider])
    let next = try carousel.arrive(steps: [1], now: now, costs: TurnCosts())[0]
    let turn = carousel.nextTurn(now: now + .seconds(1))
    #expect(turn.expired == [rider])
    #expect(turn.boardings.map(\.rider) == [next] && turn.parts.map(\.rider) == [next])
    // Once gone, always gone.
    #expect(carousel.nextTurn(now: now + .seconds(2)).expired == [])
  }
}

extension Carousel {
  /// Queues riders of so many steps each.
  mutating func arrive(
    steps: [Int], timeout: Duration? = nil, now: Instant, costs: TurnCosts,
    identity: UInt64? = nil
  ) throws(Refusal) -> [RiderID] {
    try arrive(
      steps.map { Journey(steps: $0) },
      terms: RideTerms(
        arrived: now, timeout: timeout,
        identity: identity.map { value in { Bookings.Identity(request: value) } }), now: now,
      costs: costs)
  }

  private static let instant = Instant.now

  /// The next turn, where anybody rides in it; no time passes from one to the next.
  mutating func nextTurn(worker: Int = 0) -> Turn? {
    let turn = nextTurn(worker: worker, now: Self.instant)
    return turn.parts.isEmpty ? nil : turn
  }

  /// The next turn, where there must be one.
  fileprivate mutating func turn() throws -> Turn {
    let turn: Turn? = nextTurn()
    return try #require(turn)
  }
}
