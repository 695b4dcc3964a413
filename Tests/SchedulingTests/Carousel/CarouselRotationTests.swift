import Testing

@testable import Scheduling

/// Riders leave their seats to those who wait, and take their turn again: nobody waits for the end of a long one.
@Suite struct CarouselRotationTests {
  private let start = ContinuousClock.now

  private func carousel(
    seats: Int, sequences: Int = 1024, steps: Int = 1 << 30, chunking: Chunking = .steps,
    workers: Int = 1
  ) -> Carousel {
    Carousel(
      limits: EngineLimits(
        maxSeats: seats, maxQueuedSequences: sequences, maxQueuedSteps: steps),
      chunking: chunking, workerCount: workers, start: start)
  }

  private func at(_ milliseconds: Int) -> ContinuousClock.Instant {
    start + .milliseconds(milliseconds)
  }

  /// 10 ms a step of one rider.
  private static let costs: TurnCosts = {
    var costs = TurnCosts()
    costs.record(riders: 1, longest: 1, total: 1, seconds: 0.01)
    return costs
  }()

  /// Ten riders on four seats: a newcomer boards in the third round, however long they ride.
  @Test(arguments: [(1000, 0), (1000, 1_000_000), (1_000_000, 0)], [1, 2])
  func aNewcomersWaitDoesNotGrowWithTheLengthOfOthers(
    length: (steps: Int, following: Int), workers: Int
  ) throws {
    var carousel = carousel(seats: 4, workers: workers)
    carousel.turnSteps = 16
    _ = try carousel.arrive(
      Array(repeating: .init(steps: length.steps, following: length.following), count: 10),
      terms: RideTerms(),
      now: start, costs: TurnCosts())
    for worker in 0..<workers { _ = carousel.nextTurn(worker: worker, now: start) }
    let newcomer = try carousel.arrive(steps: [5], now: start, costs: TurnCosts())[0]
    var boarded: Int?
    for millisecond in 1...200 where boarded == nil {
      for worker in 0..<workers {
        let turn = carousel.nextTurn(worker: worker, now: at(millisecond))
        if turn.boardings.map(\.rider).contains(newcomer) { boarded = millisecond }
        #expect(turn.rotations.count == turn.boardings.count)
        #expect(carousel.seatedCount == 4 && carousel.queuedCount == 7)
      }
    }
    #expect(boarded == 40)
  }

  /// Who is done within a turn waits a millisecond for a seat, not until those with thousands of steps had their time;
  /// one step more, and it waits for its turn.
  @Test(arguments: [(8, true), (9, false)])
  func briefRidersBoardFirst(steps: Int, isFirst: Bool) throws {
    var carousel = carousel(seats: 16)
    carousel.turnSteps = 8 * 16
    let long = try carousel.arrive(
      steps: Array(repeating: 100_000, count: 20), now: start, costs: TurnCosts())
    _ = carousel.nextTurn(now: start)
    let newcomer = try carousel.arrive(steps: [steps], now: start, costs: TurnCosts())[0]
    #expect(carousel.nextTurn(now: start + .microseconds(999)).boardings.isEmpty)
    let turn = carousel.nextTurn(now: at(1))
    #expect(turn.boardings.map(\.rider) == (isFirst ? [newcomer] : []))
    #expect(turn.rotations.map(\.rider) == (isFirst ? [long[0]] : []))
    let finishes = turn.parts.first { $0.rider == newcomer }?.finishes
    #expect(finishes == (isFirst ? true : nil))
  }

  /// However many brief riders come, those who came before get on.
  @Test func briefRidersLeaveRoomForOthers() throws {
    var carousel = carousel(seats: 16)
    carousel.turnSteps = 8 * 16
    let long = try carousel.arrive(
      steps: Array(repeating: 100_000, count: 20), now: start, costs: TurnCosts())
    var boarded: Set<RiderID> = []
    for millisecond in 0..<100 {
      _ = try carousel.arrive(
        steps: Array(repeating: 8, count: 10), now: at(millisecond), costs: TurnCosts())
      let turn = carousel.nextTurn(now: at(millisecond))
      boarded.formUnion(turn.boardings.map(\.rider))
      for part in turn.parts where part.finishes { carousel.alight(seat: part.seat) }
    }
    #expect(boarded.isSuperset(of: long))
    #expect(boarded.count >= long.count + 150)
  }

  /// Time, and a rider who waits for it: else the seat is kept.
  @Test(arguments: [(19, 3, false), (20, 3, true), (20, 2, false)])
  func aSeatIsLeftAfterItsTime(milliseconds: Int, riders: Int, leaves: Bool) throws {
    var carousel = carousel(seats: 2)
    let ids = try carousel.arrive(
      steps: Array(repeating: 9000, count: riders), now: start, costs: TurnCosts())
    _ = carousel.nextTurn(now: start)
    let turn = carousel.nextTurn(now: at(milliseconds))
    #expect(turn.rotations == (leaves ? [.init(rider: ids[0], seat: 0)] : []))
    #expect(turn.boardings == (leaves ? [.init(rider: ids[2], seat: 1)] : []))
    #expect(turn.moves == (leaves ? [.init(from: 1, to: 0)] : []))
    #expect(turn.parts.map(\.rider) == (leaves ? [ids[1], ids[2]] : [ids[0], ids[1]]))
    guard leaves else { return }
    // Its steps wait, less those that are done; it boards again when the others had their time.
    #expect(carousel.queuedSteps == 9000 - Carousel.maxTurnSteps / 2)
    let next = carousel.nextTurn(now: at(milliseconds + 1))
    #expect(next.rotations.map(\.rider) == [ids[1]] && next.boardings.map(\.rider) == [ids[0]])
  }

  @Test func freeSeatsAreTakenFirst() throws {
    var carousel = carousel(seats: 2)
    let riders = try carousel.arrive(
      steps: [9000, 300, 9000], now: start, costs: TurnCosts())
    _ = carousel.nextTurn(now: start)
    carousel.alight(seat: 1)
    let turn = carousel.nextTurn(now: at(100))
    #expect(turn.rotations.isEmpty && turn.boardings.map(\.rider) == [riders[2]])
  }

  /// 100 steps at 10 ms, two riders on one seat: twice 2 s, and half a second.
  @Test(arguments: [(4400, false), (4600, true)])
  func whoHasADeadlineLeavesOnlyWithTimeToSpare(milliseconds: Int, leaves: Bool) throws {
    var carousel = carousel(seats: 1)
    carousel.turnSteps = 1
    let rider = try carousel.arrive(
      steps: [104], timeout: .milliseconds(milliseconds + 20), now: start, costs: TurnCosts())[0]
    _ = carousel.nextTurn(now: start)
    _ = try carousel.arrive(steps: [5], now: start, costs: TurnCosts())
    let turn = carousel.nextTurn(now: at(20), costs: Self.costs)
    #expect(turn.rotations.map(\.rider) == (leaves ? [rider] : []))
  }

  /// A rider that left its seat is there as long as its time-out, and no longer.
  @Test func deadlinesPassInTheQueue() throws {
    var carousel = carousel(seats: 1)
    let rider = try carousel.arrive(
      steps: [9000], timeout: .seconds(100), now: start, costs: TurnCosts())[0]
    _ = carousel.nextTurn(now: start)
    _ = try carousel.arrive(steps: [9000, 9000], now: start, costs: TurnCosts())
    #expect(carousel.nextTurn(now: at(20)).rotations.map(\.rider) == [rider])
    #expect(carousel.nextTurn(now: at(99_999)).expired.isEmpty)
    #expect(carousel.nextTurn(now: at(100_000)).expired == [rider])
    #expect(carousel.queuedCount == 1 && carousel.seatedCount == 1)
  }

  @Test func whoLeftItsSeatMayLeaveAltogether() throws {
    var carousel = carousel(seats: 1)
    let riders = try carousel.arrive(steps: [9000, 9000, 9], now: start, costs: TurnCosts())
    _ = carousel.nextTurn(now: start)
    _ = carousel.nextTurn(now: at(20))
    carousel.leave([riders[0], riders[1]])
    #expect(carousel.queuedCount == 1 && carousel.queuedSteps == 9 && carousel.seatedCount == 0)
    #expect(carousel.nextTurn(now: at(21)).parts.map(\.rider) == [riders[2]])
  }

  /// Steps that were admitted once do not refuse newcomers, up to the limit once more.
  @Test(arguments: [(600, 400, true), (600, 401, true), (1000, 400, true), (1000, 1000, true)])
  func stepsOnTheirWayRefuseNobody(long: Int, new: Int, fits: Bool) throws {
    var carousel = carousel(seats: 1, steps: 1000)
    carousel.turnSteps = 4
    _ = try carousel.arrive(steps: [long], now: start, costs: TurnCosts())
    _ = carousel.nextTurn(now: start)
    _ = try carousel.arrive(steps: [4], now: start, costs: TurnCosts())
    _ = carousel.nextTurn(now: at(20))
    #expect(carousel.queuedSteps == long - 4)
    #expect((try? carousel.arrive(steps: [new], now: start, costs: TurnCosts())) != nil)
  }

  /// Three riders of 800 steps left their seats: 2400 steps, of which the queue of 1000 counts 1400.
  @Test func stepsOnTheirWayAreBounded() throws {
    var carousel = carousel(seats: 3, steps: 1000)
    carousel.turnSteps = 4
    for time in 0..<3 {
      _ = try carousel.arrive(steps: [804], now: at(time), costs: TurnCosts())
      _ = carousel.nextTurn(now: at(time))
    }
    _ = try carousel.arrive(steps: [9, 9, 9], now: at(3), costs: TurnCosts())
    #expect(carousel.nextTurn(now: at(30)).rotations.count == 3)
    #expect(carousel.queuedSteps > 2000)
    #expect(throws: Refusal.self) {
      try carousel.arrive(steps: [1], now: at(31), costs: TurnCosts())
    }
  }

  // MARK: - Whole sequences

  /// A graph that needs whole sequences rides one run at a time, and leaves its seat between two.
  @Test func runsTakeTurns() throws {
    var carousel = carousel(seats: 1, chunking: .wholeSequences)
    let long = try carousel.arrive(
      [.init(steps: 100, following: 101 + 102)], terms: RideTerms(), now: start,
      costs: TurnCosts())[0]
    #expect(carousel.nextTurn(now: start).parts.map(\.steps) == [100])
    carousel.extend(seat: 0, by: 101)
    let short = try carousel.arrive(steps: [7], now: start, costs: TurnCosts())[0]
    let turn = carousel.nextTurn(now: at(20))
    #expect(turn.rotations.map(\.rider) == [long] && turn.parts.map(\.rider) == [short])
    carousel.alight(seat: 0)
    #expect(carousel.queuedSteps == 101 + 102)
    #expect(carousel.nextTurn(now: at(21)).parts.map(\.steps) == [101])
  }

  /// All runs of a rider count against the queue's steps: 10 + 11 + 12.
  @Test(arguments: [32, 33, 34]) func allRunsAreAdmittedOrNone(limit: Int) throws {
    var carousel = carousel(seats: 1, steps: limit, chunking: .wholeSequences)
    let journey = Journey(steps: 10, following: 11 + 12)
    let terms = RideTerms()
    if limit >= 33 {
      _ = try carousel.arrive([journey], terms: terms, now: start, costs: TurnCosts())
      #expect(carousel.queuedSteps == 33)
    } else {
      #expect(
        throws: Refusal.tooLarge(sequences: 1, sequenceLimit: 1024, steps: 33, stepLimit: 32)
      ) { try carousel.arrive([journey], terms: terms, now: start, costs: TurnCosts()) }
    }
  }

  // MARK: - Estimates

  /// One seat, of a text of 1000 steps: a newcomer waits 60 ms for it where the text may leave it, else 10 s.
  @Test(arguments: [nil, 3600] as [Int?], [200, 12_000])
  func whoMayRotateIsNotWaitedFor(timeoutOfFirst: Int?, milliseconds: Int) throws {
    var carousel = carousel(seats: 1)
    _ = try carousel.arrive(
      steps: [1000], timeout: timeoutOfFirst.map { .seconds($0) }, now: start, costs: TurnCosts())
    let fits =
      (try? carousel.arrive(
        steps: [5], timeout: .milliseconds(milliseconds), now: start, costs: Self.costs)) != nil
    #expect(fits == (timeoutOfFirst == nil || milliseconds > 10_000))
  }

  @Test func manyLeaveAtOnce() throws {
    var carousel = carousel(seats: 2, sequences: 100_000)
    let riders = try carousel.arrive(
      steps: Array(repeating: 3, count: 50_000), now: start, costs: TurnCosts())
    _ = carousel.nextTurn(now: start)
    let last = try carousel.arrive(steps: [8], now: start, costs: TurnCosts())[0]
    carousel.leave(riders)
    #expect(carousel.queuedCount == 1 && carousel.queuedSteps == 8 && carousel.seatedCount == 0)
    #expect(carousel.nextTurn(now: start).parts.map(\.rider) == [last])
  }
}
