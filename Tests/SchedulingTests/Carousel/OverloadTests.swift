import Glibc
import TestSupport
import Testing

@testable import Scheduling

/// Newcomers at five times what the engine is able to, in simulated time: no threads, no clocks.
@Suite struct OverloadTests {
  /// By which limit clients are refused.
  enum Limit: CaseIterable {
    case deadline, sequences, fewSequences, steps

    var limits: (sequences: Int, steps: Int) {
      switch self {
      case .deadline: (1024, 1_048_576)
      case .sequences: (64, 1_048_576)
      case .fewSequences: (16, 1_048_576)
      case .steps: (1024, 5000)
      }
    }
  }

  @Test(
    .heavy, arguments: [(1, 1), (1, 0.1), (2, 1), (2, 0.1)] as [(Int, Double)], Limit.allCases)
  func whoComesBackWhenToldIsServed(
    clients: (workers: Int, obedience: Double), limit: Limit
  ) {
    let (workers, obedience) = clients
    var world = Overload(workers: workers, obedience: obedience, limit: limit, seed: 1)
    world.run(seconds: 25)
    check(world)
  }

  /// What one turn costs then says little about the next: places are promised by what gets done.
  @Test(.heavy, arguments: Limit.allCases)
  func promisesAreKeptWhereOthersUseTheCores(limit: Limit) {
    var world = Overload(workers: 2, obedience: 1, limit: limit, isUnsteady: true, seed: 1)
    world.run(seconds: 25)
    check(world)
  }

  private func check(_ world: Overload) {
    #expect(world.returns > 300)
    #expect(
      world.admittedReturns * 100 >= world.returns * 98,
      "\(world.admittedReturns) of \(world.returns)")
    #expect(world.goodput >= 0.9 * world.capacity, "\(world.goodput / world.capacity)")
    #expect(world.late * 50 <= world.admitted, "\(world.late) of \(world.admitted)")
  }
}

/// Clients, and workers that turn a carousel, each turn at its true cost.
private struct Overload {
  private enum Event {
    case newcomer
    case comesBack(client: UInt64, steps: Int)
    case turnEnds(worker: Int, Turn, seconds: Double)
  }

  /// Seconds a step of a turn: for the weights, and for each rider.
  static let (fixed, each) = (0.0004, 0.0001)
  static let seatsPerWorker = 16
  static let meanSteps = 100.0
  /// Before this the engine learns.
  static let warmUp = 5.0

  private let start = ContinuousClock.now
  private let obedience: Double
  /// Whether others use the cores too: for some milliseconds a turn takes longer, and then less again.
  private let isUnsteady: Bool
  private let timeout: Duration?
  private var carousel: Carousel
  private var costs = TurnCosts()
  private var noise: Noise
  private var events: [(time: Double, event: Event)] = []
  private var isTurning: [Bool]
  private var now = 0.0
  private var nextClient: UInt64 = 0
  private var stepsOf: [RiderID: Int] = [:]

  /// Clients who came when they were told to, and who of them were admitted then.
  private(set) var (returns, admittedReturns) = (0, 0)
  private(set) var (admitted, late) = (0, 0)
  private var doneSteps = 0
  let capacity: Double

  init(
    workers: Int, obedience: Double, limit: OverloadTests.Limit, isUnsteady: Bool = false,
    seed: UInt64
  ) {
    self.isUnsteady = isUnsteady
    let seats = Self.seatsPerWorker
    carousel = Carousel(
      limits: EngineLimits(
        maxSeats: seats * workers, maxQueuedSequences: limit.limits.sequences,
        maxQueuedSteps: limit.limits.steps), chunking: .steps, workerCount: workers,
      start: start)
    isTurning = Array(repeating: false, count: workers)
    timeout = limit == .deadline ? .seconds(1) : nil
    self.obedience = obedience
    noise = Noise(seed: seed)
    let speed =
      isUnsteady
      ? Self.slowness.reduce(0) { $0 + 1 / $1 } / Double(Self.slowness.count) : 1
    capacity = speed * Double(workers * seats) / (Self.fixed + Self.each * Double(seats))
  }

  /// Steps a second that came to an answer in time.
  var goodput: Double { Double(doneSteps) / (now - Self.warmUp) }

  private var isWarm: Bool { now >= Self.warmUp }

  mutating func run(seconds: Double) {
    schedule(.newcomer, at: 0)
    while let (time, event) = events.popLast(), time < seconds {
      now = time
      switch event {
      case .newcomer:
        arrive(client: nextClient, steps: Int.random(in: 50...150, using: &noise), isBack: false)
        nextClient += 1
        let rate = 5 * capacity / Self.meanSteps
        schedule(.newcomer, at: now + exponential(mean: 1 / rate))
      case .comesBack(let client, let steps): arrive(client: client, steps: steps, isBack: true)
      case .turnEnds(let worker, let turn, let seconds):
        end(turn, worker: worker, seconds: seconds)
      }
    }
    now = seconds
  }

  private mutating func exponential(mean: Double) -> Double {
    // 1 − u: never the logarithm of 0.
    -mean * log(1 - Double.random(in: 0..<1, using: &noise))
  }

  private mutating func schedule(_ event: Event, at time: Double) {
    // Latest first, so that the next is the last; of equal times the first scheduled comes first.
    var (low, high) = (0, events.count)
    while low < high {
      let middle = (low + high) / 2
      if events[middle].time > time { low = middle + 1 } else { high = middle }
    }
    events.insert((time, event), at: low)
  }

  private func instant(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

  private mutating func arrive(client: UInt64, steps: Int, isBack: Bool) {
    if isBack, isWarm { returns += 1 }
    do throws(Refusal) {
      let rider = try carousel.arrive(
        [.init(steps: steps)],
        terms: RideTerms(
          arrived: instant(now), timeout: timeout, identity: { .init(request: client) }),
        now: instant(now), costs: costs)[0]
      stepsOf[rider] = steps
      if isWarm { admitted += 1 }
      if isBack, isWarm { admittedReturns += 1 }
      wake()
    } catch {
      guard let wait = error.secondsUntilRoom else {
        Issue.record("refused with \(error)")
        return
      }
      #expect(wait == wait.rounded() && wait >= 1)
      if isBack || Double.random(in: 0..<1, using: &noise) < obedience {
        schedule(.comesBack(client: client, steps: steps), at: now + wait)
      }
    }
  }

  /// As the engine does: as many workers as are needed.
  private mutating func wake() {
    let missing = carousel.neededWorkers - isTurning.count { $0 }
    for worker in isTurning.indices.filter({ !isTurning[$0] }).prefix(max(0, missing)) {
      turn(worker)
    }
  }

  private mutating func turn(_ worker: Int) {
    let turn = carousel.nextTurn(worker: worker, now: instant(now), costs: costs)
    for rider in turn.expired {
      stepsOf[rider] = nil
      if isWarm { late += 1 }
    }
    isTurning[worker] = !turn.parts.isEmpty
    guard isTurning[worker] else { return }
    let seconds = cost(of: turn, at: now)
    schedule(.turnEnds(worker: worker, turn, seconds: seconds), at: now + seconds)
  }

  /// Riders who are done leave the rest of the turn to fewer.
  private func cost(of turn: Turn, at time: Double) -> Double {
    let longest = turn.parts.map(\.steps).max() ?? 0
    let cost =
      Self.fixed * Double(longest) + Self.each * Double(turn.parts.reduce(0) { $0 + $1.steps })
    return isUnsteady ? cost * Self.slowness[Int(time / 0.05) % Self.slowness.count] : cost
  }

  /// By the twentieth of a second.
  private static let slowness = [0.5, 0.6, 3, 0.5, 0.5, 4, 1, 0.5, 2, 0.5]

  private mutating func end(_ turn: Turn, worker: Int, seconds: Double) {
    costs.record(
      riders: turn.parts.count, longest: turn.parts.map(\.steps).max() ?? 0,
      total: turn.parts.reduce(0) { $0 + $1.steps }, seconds: seconds)
    carousel.turnSteps = costs.turnSteps
    for part in turn.parts where part.finishes {
      carousel.alight(seat: part.seat, worker: worker)
      let steps = stepsOf.removeValue(forKey: part.rider) ?? 0
      if isWarm { doneSteps += steps }
    }
    self.turn(worker)
  }
}
