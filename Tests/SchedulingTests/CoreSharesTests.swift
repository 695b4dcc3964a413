import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import Scheduling

@Suite struct CoreSharesTests {
  @Test func coresThatAreIdleAreHadAtOnce() {
    var shares = CoreShares(cores: 2, joined: 2)
    #expect(shares.request(0) == nil && shares.request(0) == nil && shares.idleCores == 0)
    #expect(!shares.isShared(by: 0) && shares.isShared(by: 1))
    let waiter = shares.request(1)
    #expect(waiter?.model == 1 && shares.isShared(by: 0))
    #expect(shares.release(0, after: 1) == waiter)
    #expect(shares.release(0, after: 1) == nil && shares.release(1, after: 1) == nil)
    #expect(shares.idleCores == 2 && !shares.isShared(by: 0) && !shares.isShared(by: 1))
  }

  /// Who has used less keeps the core, though others wait.
  @Test func theCoreIsTheirsWhoHaveUsedLess() {
    var shares = CoreShares(cores: 1, joined: 2)
    _ = shares.request(0)
    let b = shares.request(1)!
    let first = shares.goOn(0, after: 0.05)
    #expect(first.next == b)
    for _ in 0..<4 {
      let turn = shares.goOn(1, after: 0.01)
      #expect(turn.next == turn.waiter && turn.next.model == 1)
    }
    // Level: whoever waits for longer.
    #expect(shares.goOn(1, after: 0.01).next == first.waiter)
  }

  /// Models of one to three workers each, whose turns last 1 to 20 ms, on one to three cores.
  @Test(arguments: 1...3, 1...20) func sharesAreEqualInTheLongRun(cores: Int, seed: UInt64) {
    var noise = TestSupport.Noise(seed: seed)
    let models = Int.random(in: 2...3, using: &noise)
    let turns = (0..<models).map { _ in Double.random(in: 0.001...0.02, using: &noise) }
    let workers = (0..<models).map { _ in cores + Int.random(in: 0...2, using: &noise) }
    var world = SharedCores(cores: cores, workers: workers, turns: turns)
    for model in 0..<models { world.begin(model) }
    world.run(until: 20)
    let even = 20 * Double(cores) / Double(models)
    // Each core may be one turn ahead.
    for used in world.used { #expect(abs(used - even) <= 0.02 * Double(cores) + 1e-9) }
    #expect(world.isWorkConserving)
  }

  /// However short its turns: a model with one worker on one core has half of it, beside one with three.
  @Test func oneWorkerIsAsGoodAsThree() {
    var world = SharedCores(cores: 1, workers: [1, 3], turns: [0.0005, 0.013])
    world.begin(0)
    world.begin(1)
    world.run(until: 10)
    #expect(abs(world.used[0] - 5) <= 0.014 && abs(world.used[1] - 5) <= 0.014)
  }

  /// A model that was idle for long, and one that came to nothing but an idle machine, start level.
  @Test(arguments: 1...2) func nobodySavesUpTime(cores: Int) {
    var world = SharedCores(cores: cores, workers: [2, 2], turns: [0.01, 0.01])
    world.begin(0)
    world.run(until: 100)
    // One alone has all of the cores.
    #expect(abs(world.used[0] - 100 * Double(cores)) <= 0.02 * Double(cores))
    let before = world.used
    world.begin(1)
    world.run(until: 102)
    #expect(abs(world.used[1] - Double(cores)) <= 0.03 * Double(cores))
    #expect(abs(world.used[0] - before[0] - Double(cores)) <= 0.03 * Double(cores))
  }

  /// What a model used while no other wanted the cores is not held against it: not even where all were idle between.
  @Test func nobodyPaysForIdleTime() {
    var world = SharedCores(cores: 1, workers: [2, 2], turns: [0.01, 0.01])
    world.begin(0)
    world.run(until: 100)
    world.end(0)
    world.run(until: 101)
    world.begin(1)
    world.run(until: 102)
    let before = world.used
    world.begin(0)
    world.run(until: 104)
    #expect(abs(world.used[0] - before[0] - 1) <= 0.03)
    #expect(abs(world.used[1] - before[1] - 1) <= 0.03)
  }

  /// One that wanted a single core of three, and then wants all, is no more than `maxLag` behind.
  @Test func whoWantsLittleSavesNothingUp() {
    var world = SharedCores(cores: 3, workers: [3, 3], turns: [0.01, 0.01])
    world.begin(0)
    world.begin(1, workers: 1)
    world.run(until: 100)
    #expect(abs(world.used[1] - 100) <= 1)
    let before = world.used
    world.begin(1, workers: 2)
    world.run(until: 110)
    #expect(abs(world.used[0] - before[0] - 15) <= 0.3)
    #expect(abs(world.used[1] - before[1] - 15) <= 0.3)
  }

  /// Who comes starts level with those who are there, and who has gone is nobody's rival.
  @Test func modelsComeAndGo() {
    var shares = CoreShares(cores: 1, joined: 2)
    _ = shares.request(0)
    let other = shares.request(1)!
    #expect(shares.goOn(0, after: 5).next == other)
    _ = shares.release(1, after: 5)
    let newcomer = shares.join()
    #expect(newcomer == 2)
    let waiter = shares.request(newcomer)!
    #expect(shares.isShared(by: 0) && shares.isShared(by: newcomer))
    // Level with the first: a turn decides, not the five seconds before.
    let turn = shares.goOn(0, after: 0.01)
    #expect(turn.next == waiter)
    #expect(shares.release(newcomer, after: 0.02) == turn.waiter)
    shares.leave(newcomer)
    shares.leave(1)
    #expect(!shares.isShared(by: 0))
    #expect(shares.release(0, after: 1) == nil && shares.idleCores == 1)
  }

  @Test(.endsHangs) func threadsTakeTurns() async {
    let cores = Cores(count: 2)
    let shares = (0..<3).map { _ in cores.share() }
    let inside = Atomic(0)
    let most = Atomic(0)
    let turns = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: 8) { worker in
      let model = worker % 3
      for _ in 0..<20 {
        shares[model].enter()
        for turn in 0..<10 {
          let now = inside.add(1, ordering: .relaxed).newValue
          _ = most.max(now, ordering: .relaxed)
          turns.add(1, ordering: .relaxed)
          inside.subtract(1, ordering: .relaxed)
          let seconds = Double(1 + model) * 1e-3
          if turn < 9 {
            shares[model].goOn(after: seconds)
          } else {
            shares[model].leave(after: seconds)
          }
        }
      }
    }
    #expect(turns.load(ordering: .relaxed) == 1600)
    #expect((1...2).contains(most.load(ordering: .relaxed)))
    #expect(!shares.contains { $0.isShared })
  }
}

extension CoreShares {
  /// Cores that so many models share from the start.
  fileprivate init(cores: Int, joined count: Int) {
    self.init(cores: cores)
    for model in 0..<count { #expect(join() == model) }
  }
}

/// Workers of several models that compute turn after turn, in simulated time.
private struct SharedCores {
  private var shares: CoreShares
  private let cores: Int
  /// Of each model: workers, and the seconds that its turns last.
  private let workers: [Int]
  private let turns: [Double]
  private var now = 0.0
  /// When each turn under way ends.
  private var running: [(end: Double, model: Int)] = []
  private var waiting: Set<CoreShares.Waiter> = []
  /// How many of each model's workers are to stop after their turns.
  private var stopping: [Int]
  private(set) var used: [Double]
  /// Whether no core was ever idle while a worker waited.
  private(set) var isWorkConserving = true

  init(cores: Int, workers: [Int], turns: [Double]) {
    shares = CoreShares(cores: cores, joined: workers.count)
    self.cores = cores
    self.workers = workers
    self.turns = turns
    stopping = workers.map { _ in 0 }
    used = workers.map { _ in 0 }
  }

  mutating func begin(_ model: Int, workers: Int? = nil) {
    for _ in 0..<(workers ?? self.workers[model]) {
      if let waiter = shares.request(model) { waiting.insert(waiter) } else { start(model) }
    }
  }

  mutating func end(_ model: Int) { stopping[model] = workers[model] }

  private mutating func start(_ model: Int) {
    running.append((now + turns[model], model))
    check()
  }

  private mutating func check() {
    #expect(running.count <= cores)
    if !waiting.isEmpty, running.count < cores { isWorkConserving = false }
  }

  mutating func run(until end: Double) {
    while let next = running.indices.min(by: { running[$0].end < running[$1].end }),
      running[next].end <= end
    {
      let (time, model) = running.remove(at: next)
      now = time
      used[model] += turns[model]
      let granted: CoreShares.Waiter?
      if stopping[model] > 0 {
        stopping[model] -= 1
        granted = shares.release(model, after: turns[model])
      } else {
        let turn = shares.goOn(model, after: turns[model])
        waiting.insert(turn.waiter)
        granted = turn.next
      }
      if let granted {
        #expect(waiting.remove(granted) != nil)
        start(granted.model)
      }
      check()
    }
    now = end
  }
}
