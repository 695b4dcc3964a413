import TestSupport
import Testing

@testable import Scheduling

/// The carousel under random arrivals, departures and extensions, against a plain account of who is where.
@Suite struct CarouselPropertyTests {
  @Test(arguments: [Carousel.Chunking.steps, .wholeSequences], 1...40)
  func everybodyRidesToTheEnd(chunking: Carousel.Chunking, seed: UInt64) throws {
    var world = World(chunking: chunking, seed: seed)
    for _ in 0..<60 {
      try world.arrive()
      world.leave()
      world.turn()
    }
    // Nobody comes any more: those who are left finish within a turn a step.
    var turns = 0
    while world.turn(), turns < 20_000 { turns += 1 }
    #expect(world.owed.isEmpty)
    #expect(world.carousel.queuedCount == 0 && world.carousel.queuedSteps == 0)
    #expect(world.carousel.seatedCount == 0)
    #expect(world.arrived > 20)
  }

  /// The carousel beside what it should know.
  private struct World {
    var carousel: Carousel
    let limits: EngineLimits
    let chunking: Carousel.Chunking
    var noise: Noise
    /// Steps that each rider has yet to run; gone when it is done or has left.
    var owed: [Carousel.RiderID: Int] = [:]
    /// Who waits, in the order of arrival.
    var queue: [(rider: Carousel.RiderID, steps: Int)] = []
    /// Whose state each row of each worker's matrix holds.
    var rows: [[Carousel.RiderID?]]
    /// How often a rider may still be extended.
    var extensions: [Carousel.RiderID: Int] = [:]
    var arrived = 0

    init(chunking: Carousel.Chunking, seed: UInt64) {
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
      let queued = queue.reduce(0) { $0 + $1.steps }
      let fits =
        queue.count + steps.count <= limits.maxQueuedSequences
        && queued + steps.reduce(0, +) <= limits.maxQueuedSteps
      do throws(Refusal) {
        let riders = try carousel.arrive(steps: steps, now: .now, costs: TurnCosts())
        #expect(fits)
        arrived += riders.count
        for (rider, steps) in zip(riders, steps) {
          owed[rider] = steps
          queue.append((rider, steps))
          extensions[rider] = Int.random(in: 0...1, using: &noise)
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
      checkQueue()
    }

    /// One turn of a random worker, then of the others; false when nobody turned.
    @discardableResult mutating func turn() -> Bool {
      var turned = false
      for worker in (0..<carousel.workerCount).shuffled(using: &noise) {
        guard let turn = carousel.nextTurn(worker: worker) else { continue }
        turned = true
        follow(turn, worker: worker)
      }
      return turned
    }

    private mutating func follow(_ turn: Carousel.Turn, worker: Int) {
      for move in turn.moves { rows[worker][move.to] = rows[worker][move.from] }
      for boarding in turn.boardings {
        // First come, first served.
        #expect(queue.first?.rider == boarding.rider)
        queue.removeFirst()
        rows[worker][boarding.seat] = boarding.rider
      }
      checkQueue()
      #expect(turn.parts.map(\.seat) == Array(0..<turn.parts.count))
      #expect(turn.parts.count <= carousel.seatsPerWorker)
      #expect(carousel.seatedCount <= limits.maxSeats)
      let chunk = turn.parts.map(\.steps).max() ?? 0
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
          carousel.extend(seat: part.seat, worker: worker, by: 5)
          owed[part.rider] = 5
        } else {
          carousel.alight(seat: part.seat, worker: worker)
          owed[part.rider] = nil
        }
      }
    }

    private func checkQueue() {
      #expect(carousel.queuedCount == queue.count)
      #expect(carousel.queuedSteps == queue.reduce(0) { $0 + $1.steps })
    }
  }
}
