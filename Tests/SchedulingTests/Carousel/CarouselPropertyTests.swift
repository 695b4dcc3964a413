import TestSupport
import Testing

@testable import Scheduling

/// The carousel under random arrivals, departures, extensions and pauses, against a plain account of who is where.
@Suite struct CarouselPropertyTests {
  @Test(arguments: [Chunking.steps, .wholeSequences], 1...40)
  func everybodyRidesToTheEnd(chunking: Chunking, seed: UInt64) throws {
    var world = World(chunking: chunking, seed: seed)
    for _ in 0..<60 {
      try world.arrive()
      world.leave()
      world.rejoin()
      world.turn()
    }
    // Nobody comes any more: those who are left finish within a turn a step.
    var turns = 0
    while world.turn() || !world.parked.isEmpty, turns < 20_000 {
      world.rejoin()
      turns += 1
    }
    #expect(world.owed.isEmpty)
    #expect(world.carousel.queuedCount == 0 && world.carousel.queuedSteps == 0)
    #expect(world.carousel.seatedCount == 0)
    #expect(world.arrived > 20)
    #expect(world.rejoined > 0)
    #expect(world.rotated > 0 || world.limits.maxSeats > 8 || chunking == .wholeSequences)
  }

  /// The carousel beside what it should know.
  private struct World {
    var carousel: Carousel
    let limits: EngineLimits
    let chunking: Chunking
    var noise: Noise
    /// Steps that each rider has yet to run; gone when it is done or has left.
    var owed: [RiderID: Int] = [:]
    /// Who waits, in the order of arrival.
    var queue: [(rider: RiderID, steps: Int, isRotated: Bool)] = []
    var brief: Set<RiderID> = []
    /// Whose state each row of each worker's matrix holds.
    var rows: [[RiderID?]]
    /// How often a rider may still be extended.
    var extensions: [RiderID: Int] = [:]
    /// Who gave up its seat, to board again later.
    var parked: [RiderID] = []
    var (arrived, rejoined, rotated) = (0, 0, 0)
    var now = ContinuousClock.now

    init(chunking: Chunking, seed: UInt64) {
      noise = Noise(seed: seed)
      self.chunking = chunking
      limits = EngineLimits(
        maxSeats: Int.random(in: 1...20, using: &noise), maxQueuedSequences: 30,
        maxQueuedSteps: 4000)
      carousel = Carousel(
        limits: limits, chunking: chunking, workerCount: Int.random(in: 1...3, using: &noise))
      rows = Array(
        repeating: Array(repeating: nil, count: carousel.seatsPerWorker),
        count: carousel.workerCount)
    }

    mutating func arrive() throws {
      let steps = (0..<Int.random(in: 0...4, using: &noise)).map { _ in
        Int.random(in: 1...(Bool.random(using: &noise) ? 9 : 700), using: &noise)
      }
      let more = steps.map { _ in Int.random(in: 0...2, using: &noise) }
      let all = zip(steps, more).map { queuedSteps($0, following: 5 * $1) }
      let rotated = queue.reduce(0) { $0 + ($1.isRotated ? $1.steps : 0) }
      let queued = queue.reduce(0) { $0 + $1.steps } - min(rotated, limits.maxQueuedSteps)
      let fits =
        queue.count + steps.count <= limits.maxQueuedSequences
        && queued + all.reduce(0, +) <= limits.maxQueuedSteps
      do throws(Refusal) {
        let riders = try carousel.arrive(
          zip(steps, more).map { .init(steps: $0, following: 5 * $1) }, terms: RideTerms(),
          now: .now, costs: TurnCosts())
        #expect(fits)
        arrived += riders.count
        for (index, rider) in riders.enumerated() {
          owed[rider] = steps[index]
          queue.append((rider, all[index], false))
          if carousel.isBrief(.init(steps: steps[index], following: 5 * more[index])) {
            brief.insert(rider)
          }
          extensions[rider] = more[index]
        }
      } catch {
        #expect(!fits)
      }
      checkQueue()
    }

    /// Sometimes a client leaves, whether it waits or rides.
    mutating func leave() {
      guard Int.random(in: 0...3, using: &noise) == 0,
        let rider = owed.keys.sorted().randomElement(using: &noise)
      else { return }
      carousel.leave(rider)
      owed[rider] = nil
      queue.removeAll { $0.rider == rider }
      parked.removeAll { $0 == rider }
      checkQueue()
    }

    /// Sometimes one that gave up its seat comes back, before all who wait.
    mutating func rejoin() {
      guard Bool.random(using: &noise), let rider = parked.popLast() else { return }
      rejoined += 1
      carousel.resume(rider)
      queue.insert(
        (rider, queuedSteps(5, following: 5 * (extensions[rider] ?? 0)), false), at: 0)
      // Its old seat may not have been cleared yet.
      if Int.random(in: 0...9, using: &noise) == 0 {
        carousel.leave(rider)
        owed[rider] = nil
        queue.removeFirst()
      }
      checkQueue()
    }

    /// One turn of a random worker, then of the others; false when nobody turned.
    @discardableResult mutating func turn() -> Bool {
      var turned = false
      carousel.turnSteps = Int.random(in: 1...600, using: &noise)
      for worker in (0..<carousel.workerCount).shuffled(using: &noise) {
        now += .milliseconds(Int.random(in: 0...15, using: &noise))
        let turn = carousel.nextTurn(worker: worker, now: now)
        guard !turn.parts.isEmpty else { continue }
        turned = true
        follow(turn, worker: worker)
      }
      return turned
    }

    private mutating func follow(_ turn: Turn, worker: Int) {
      for rotation in turn.rotations {
        rotated += 1
        #expect(rows[worker][rotation.seat] == rotation.rider)
        guard let left = owed[rotation.rider] else {
          Issue.record("a rider that is done or gone leaves its seat")
          continue
        }
        let following = 5 * (extensions[rotation.rider] ?? 0)
        queue.append((rotation.rider, queuedSteps(left, following: following), true))
      }
      for move in turn.moves { rows[worker][move.to] = rows[worker][move.from] }
      for (place, boarding) in turn.boardings.enumerated() {
        // First come, first served; but the brief first, so far as that has room.
        let firstBrief = queue.first { brief.contains($0.rider) }
        let next = place < carousel.briefSeats ? firstBrief ?? queue.first : queue.first
        #expect(next?.rider == boarding.rider)
        queue.removeAll { $0.rider == boarding.rider }
        brief.remove(boarding.rider)
        rows[worker][boarding.seat] = boarding.rider
      }
      checkQueue()
      #expect(turn.parts.map(\.seat) == Array(0..<turn.parts.count))
      #expect(turn.parts.count <= carousel.seatsPerWorker)
      #expect(carousel.seatedCount <= limits.maxSeats)
      let chunk = turn.parts.map(\.steps).max() ?? 0
      if chunking == .steps {
        #expect(
          turn.parts.reduce(0) { $0 + $1.steps }
            <= max(carousel.turnSteps, Carousel.minimumChunk * turn.parts.count))
      }
      for part in turn.parts {
        #expect(rows[worker][part.seat] == part.rider)
        guard let left = owed[part.rider] else {
          Issue.record("a rider that is done or gone rides")
          continue
        }
        #expect(part.steps > 0 && part.steps <= left)
        #expect(part.finishes == (part.steps == left))
        #expect(part.finishes || (chunking == .steps && part.steps == chunk))
        owed[part.rider] = left - part.steps
        guard part.finishes else { continue }
        if let more = extensions[part.rider], more > 0 {
          extensions[part.rider] = more - 1
          owed[part.rider] = 5
          if Bool.random(using: &noise) {
            carousel.extend(seat: part.seat, worker: worker, by: 5)
            continue
          }
          let pause = carousel.pause(
            seat: part.seat, worker: worker, before: .init(steps: 5, following: 5 * (more - 1)),
            now: now)
          let isFull = parked.count >= limits.maxQueuedSequences
          #expect(pause == (isFull ? .goesOn : .parked(checkAgainAt: nil)))
          if !isFull { parked.append(part.rider) }
          #expect(carousel.parkedCount == parked.count)
        } else {
          carousel.alight(seat: part.seat, worker: worker)
          owed[part.rider] = nil
        }
      }
    }

    private func queuedSteps(_ steps: Int, following: Int) -> Int {
      chunking == .wholeSequences ? steps + following : steps
    }

    private func checkQueue() {
      #expect(carousel.queuedCount == queue.count)
      #expect(carousel.queuedSteps == queue.reduce(0) { $0 + $1.steps })
    }
  }
}
