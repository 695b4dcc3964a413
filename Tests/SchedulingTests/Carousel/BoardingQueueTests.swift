import TestSupport
import Testing

@testable import Scheduling

@Suite struct BoardingQueueTests {
  private let start = ContinuousClock.now

  private func waiting(
    _ rider: UInt64, _ steps: Int = 5, following: Int = 0, deadline: Int? = nil,
    isBrief: Bool = false, isRotated: Bool = false
  ) -> BoardingQueue.Waiting {
    BoardingQueue.Waiting(
      passenger: Passenger(
        rider: RiderID(rawValue: rider), journey: .init(steps: steps, following: following),
        deadline: deadline.map { start + .milliseconds($0) }),
      isRotated: isRotated, isBrief: isBrief)
  }

  private func id(_ rider: UInt64) -> RiderID { RiderID(rawValue: rider) }

  @Test func whoComesFirstIsNext() {
    var queue = BoardingQueue(chunking: .steps)
    #expect(queue.next(isBriefFirst: true) == nil)
    queue.append(waiting(1))
    queue.append(waiting(2))
    queue.prepend(waiting(3))
    #expect(queue.prefix(9).map(\.passenger.rider) == [id(3), id(1), id(2)])
    #expect(queue.next(isBriefFirst: true) == 0)
  }

  @Test func theFirstBriefOneIsNextWhereThoseGoFirst() {
    var queue = BoardingQueue(chunking: .steps)
    for rider in [waiting(1), waiting(2, isBrief: true), waiting(3, isBrief: true)] {
      queue.append(rider)
    }
    #expect(queue.briefCount == 2)
    #expect(queue.next(isBriefFirst: true) == 1 && queue.next(isBriefFirst: false) == 0)
    queue.remove(at: 1)
    #expect(queue.briefCount == 1 && queue.next(isBriefFirst: true) == 1)
  }

  /// Steps that are fed back run again only where a graph needs whole sequences.
  @Test(arguments: [(Chunking.steps, 3, 4), (.wholeSequences, 7, 0)])
  func stepsAreCounted(chunking: Chunking, steps: Int, following: Int) {
    var queue = BoardingQueue(chunking: chunking)
    queue.append(waiting(1, 3, following: 4, isRotated: true))
    #expect(queue.steps == steps && queue.following == following && queue.rotatedSteps == steps)
    queue.remove(id(1))
    #expect(queue.steps == 0 && queue.following == 0 && queue.rotatedSteps == 0)
  }

  @Test(arguments: [9, 10, 11]) func deadlinesPass(milliseconds: Int) {
    var queue = BoardingQueue(chunking: .steps)
    for rider in [waiting(1, deadline: 20), waiting(2), waiting(3, deadline: 10)] {
      queue.append(rider)
    }
    let late = queue.removeLate(now: start + .milliseconds(milliseconds))
    #expect(late == (milliseconds >= 10 ? [id(3)] : []))
    // The next deadline is the earliest of those who are left.
    let before = queue.removeLate(now: start + .milliseconds(19))
    #expect(before == (late.isEmpty ? [id(3)] : []))
    let last = queue.removeLate(now: start + .milliseconds(20))
    #expect(last == [id(1)])
    #expect(queue.count == 1 && queue.withDeadline == .init())
  }

  /// Against a plain list, whatever comes and goes.
  @Test(arguments: [Chunking.steps, .wholeSequences], 1...20)
  func countsAreThoseOfAPlainList(chunking: Chunking, seed: UInt64) {
    var noise = Noise(seed: seed)
    var queue = BoardingQueue(chunking: chunking)
    var list: [BoardingQueue.Waiting] = []
    for number in 0..<300 as Range<UInt64> {
      let rider = waiting(
        number, .random(in: 1...99, using: &noise), following: .random(in: 0...9, using: &noise),
        deadline: Bool.random(using: &noise) ? .random(in: 0...400, using: &noise) : nil,
        isBrief: .random(using: &noise), isRotated: .random(using: &noise))
      switch Int.random(in: 0..<9, using: &noise) {
      case 0:
        queue.prepend(rider)
        list.insert(rider, at: 0)
      case 1:
        let gone = list.randomElement(using: &noise)?.passenger.rider ?? id(number)
        let found = queue.remove(gone)
        #expect(found == !list.isEmpty)
        list.removeAll { $0.passenger.rider == gone }
      case 2:
        let gone = Set(list.map(\.passenger.rider).filter { _ in Bool.random(using: &noise) })
        queue.remove(gone)
        list.removeAll { gone.contains($0.passenger.rider) }
      case 3:
        let now = start + .milliseconds(Int(number))
        let late = list.filter { $0.passenger.isLate(at: now) }
        let found = queue.removeLate(now: now)
        #expect(found == late.map(\.passenger.rider))
        list.removeAll { $0.passenger.isLate(at: now) }
      default:
        queue.append(rider)
        list.append(rider)
      }
      check(queue, list)
    }
  }

  private func check(_ queue: BoardingQueue, _ list: [BoardingQueue.Waiting]) {
    func sum(_ value: (BoardingQueue.Waiting) -> Int) -> Int { list.reduce(0) { $0 + value($1) } }
    func queued(_ rider: BoardingQueue.Waiting) -> Int {
      queue.chunking == .steps ? rider.passenger.steps : rider.passenger.allSteps
    }
    func group(_ hasDeadline: Bool) -> BoardingQueue.Group {
      let members = list.filter { ($0.passenger.deadline != nil) == hasDeadline }
      return .init(
        riders: members.count, steps: members.reduce(0) { $0 + $1.passenger.allSteps })
    }
    #expect(Array(queue.prefix(.max)) == list)
    #expect(queue.count == list.count && queue.steps == sum(queued))
    #expect(queue.following == sum { $0.passenger.allSteps - queued($0) })
    #expect(queue.rotatedSteps == sum { $0.isRotated ? queued($0) : 0 })
    #expect(queue.briefCount == sum { $0.isBrief ? 1 : 0 })
    #expect(queue.withDeadline == group(true) && queue.withoutDeadline == group(false))
  }
}
