import Testing

@testable import Scheduling

/// Admission by itself: it is told who is there. What it decides amid a carousel is in `CarouselTests` and
/// `CarouselPromiseTests`.
@Suite struct AdmissionTests {
  private let now = ContinuousClock.now

  /// `queued` riders of 10 steps, and `seated`, at 10 ms a step of one.
  private func crowd(
    queued: Int = 0, seated: Int = 0, seats limit: Int = 1, deadline: Bool = true
  ) -> EngineLoad {
    var (queue, seats) = (
      BoardingQueue(chunking: .steps), Seats(limit: limit, workerCount: 1)
    )
    func passenger(_ number: Int) -> Passenger {
      Passenger(
        rider: RiderID(rawValue: UInt64(number)), journey: .init(steps: 10),
        deadline: deadline ? now + .seconds(3600) : nil)
    }
    for number in 0..<queued { queue.append(.init(passenger: passenger(number))) }
    for number in 0..<seated {
      _ = seats.board(passenger(queued + number), worker: 0, now: now)
    }
    var costs = TurnCosts()
    costs.record(riders: 1, longest: 1, total: 1, seconds: 0.01)
    return EngineLoad(queue: queue, seats: seats, costs: costs, turnSteps: 512)
  }

  private func admission(sequences: Int = 4, steps: Int = 100, seats: Int = 1) -> Admission {
    Admission(
      limits: EngineLimits(
        maxSeats: seats, maxQueuedSequences: sequences, maxQueuedSteps: steps), start: now)
  }

  private func admits(
    _ admission: Admission, _ steps: [Int], timeout: Duration? = nil, to crowd: EngineLoad
  ) -> Bool {
    var admission = admission
    let terms = RideTerms(arrived: now, timeout: timeout)
    return
      (try? admission.admit(steps.map { .init(steps: $0) }, terms: terms, to: crowd, now: now))
      != nil
  }

  @Test(arguments: 0...5) func sequencesAreBounded(queued: Int) {
    let fits = admits(admission(), [1], to: crowd(queued: queued))
    #expect(fits == (queued < 4))
  }

  @Test(arguments: [79, 80, 81]) func stepsAreBounded(steps: Int) {
    #expect(admits(admission(), [steps], to: crowd(queued: 2)) == (steps <= 80))
  }

  /// Who rides holds no place in the queue.
  @Test func ridersOnBoardHoldNoPlaces() {
    #expect(admits(admission(), [100], to: crowd(seated: 1)))
  }

  /// One seat, of a rider with a deadline: 10 steps ahead at 10 ms, and 10 of its own.
  @Test(arguments: [(222, false), (223, true)]) func whoWouldBeLateIsRefused(
    milliseconds: Int, fits: Bool
  ) {
    let timeout = Duration.milliseconds(milliseconds)
    #expect(admits(admission(), [10], timeout: timeout, to: crowd(seated: 1)) == fits)
    #expect(admits(admission(), [10], timeout: timeout, to: crowd(queued: 1)) == fits)
    // Nobody is ahead: the attempt itself tells.
    #expect(admits(admission(), [10], timeout: timeout, to: crowd()))
  }

  // MARK: - Estimates

  /// Nobody waits for seats that are free; then for those who are done first; then for the mean of all who wait.
  @Test(arguments: [(1, 1), (0, 2), (1, 2), (2, 1), (3, 2), (4, 2), (9, 3)])
  func seatsFallFree(queued: Int, seated: Int) {
    let crowd = crowd(queued: queued, seated: seated, seats: 3)
    let unit = crowd.rideSeconds(steps: 1, arriving: 1)
    let all = crowd.seconds(steps: 1, arriving: 1)
    let found = crowd.waitSeconds(of: [.init(steps: 10)])
    let needed = queued + seated + 1 - 3
    let expected =
      needed <= 0 ? 0 : needed <= 3 ? 10 * unit : 10 * unit + Double(needed - 3) * 10 * all
    #expect(abs(found - expected) < 1e-12)
  }

  /// A rider without a deadline is waited for no longer than it keeps its seat: 20 ms, and a turn.
  @Test(arguments: [(true, 10), (false, 2 + Carousel.minimumChunk)])
  func whoMayRotateIsNotWaitedFor(deadline: Bool, steps: Int) {
    let crowd = crowd(seated: 1, deadline: deadline)
    #expect(
      abs(
        crowd.waitSeconds(of: [.init(steps: 1)]) - Double(steps)
          * crowd.rideSeconds(
            steps: 1, arriving: 1)) < 1e-12)
  }
}
