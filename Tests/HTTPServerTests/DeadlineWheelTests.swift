import TestSupport
import Testing

@testable import HTTPServer

@Suite struct DeadlineWheelTests {
  /// A bit over half a millisecond: a slot of the first wheel.
  private static let tick = 1 << 19

  @Test(arguments: [
    0, 1, 1000, tick - 1, tick, tick + 1, 63 * tick, 64 * tick - 1, 64 * tick, 64 * tick + 1,
    4095 * tick, 4096 * tick, 4097 * tick + 5, 1 << 40, 1 << 50, 1 << 60, .max - 1,
  ])
  func whoHasADeadlineIsHandedOutAtItAndOnce(time: Int) {
    for start in [0, 5, 1_000_000_007, 1 << 45] where start <= time {
      var wheel = DeadlineWheel<Int>()
      let other = wheel.insert(1)
      wheel.set(other, to: start)
      #expect(wheel.takeDue(now: start) == [1])
      let entry = wheel.insert(7)
      wheel.set(entry, to: time)
      #expect(wheel.time(of: entry) == time && wheel.next == time)
      if time > start { #expect(wheel.takeDue(now: time - 1) == []) }
      #expect(wheel.next <= time)
      #expect(wheel.takeDue(now: time) == [7])
      #expect(wheel.time(of: entry) == .max && wheel.next == .max)
      #expect(wheel.takeDue(now: .max) == [])
    }
  }

  @Test func thoseDueComeInTheOrderOfTheirTicks() {
    var wheel = DeadlineWheel<Int>()
    for number in [5, 2, 70, 1, 4097, 300_000] {
      wheel.set(wheel.insert(number), to: number * Self.tick)
    }
    #expect(wheel.takeDue(now: 4096 * Self.tick) == [1, 2, 5, 70])
    #expect(wheel.takeDue(now: 300_000 * Self.tick) == [4097, 300_000])
  }

  @Test func withinATickNobodyIsEarly() {
    var wheel = DeadlineWheel<Int>()
    let start = 10 * Self.tick
    for offset in [30, 10, 20] { wheel.set(wheel.insert(offset), to: start + offset) }
    #expect(wheel.takeDue(now: start + 9) == [])
    #expect(wheel.takeDue(now: start + 10) == [10])
    #expect(wheel.next == start + 20)
    #expect(wheel.takeDue(now: start + 29) == [20])
    #expect(wheel.takeDue(now: start + 30) == [30])
  }

  @Test func aDeadlineCanBeMovedAndTakenBack() {
    var wheel = DeadlineWheel<Int>()
    let (first, second) = (wheel.insert(1), wheel.insert(2))
    wheel.set(first, to: 1000)
    wheel.set(second, to: 1000)
    wheel.set(first, to: 5 << 30)
    #expect(wheel.takeDue(now: 1000) == [2])
    wheel.set(first, to: 2000)
    #expect(wheel.takeDue(now: 2000) == [1])
    wheel.set(first, to: 3000)
    wheel.set(first, to: .max)
    #expect(wheel.takeDue(now: 5 << 30) == [] && wheel.next == .max)
    wheel.set(first, to: 6 << 30)
    wheel.remove(first)
    #expect(wheel.takeDue(now: 7 << 30) == [])
  }

  @Test func aClockThatStandsStillOrGoesBackFindsNone() {
    var wheel = DeadlineWheel<Int>()
    let entry = wheel.insert(1)
    wheel.set(entry, to: 1 << 30)
    #expect(wheel.takeDue(now: 0) == [])
    #expect(wheel.takeDue(now: 1 << 30) == [1])
    // What should have come by then comes at once.
    wheel.set(entry, to: 5)
    #expect(wheel.takeDue(now: 4) == [])
    #expect(wheel.takeDue(now: 1 << 30) == [1])
  }

  /// Against a list that is looked through from end to end.
  @Test(arguments: 0..<20 as Range<UInt64>)
  func agreesWithAList(seed: UInt64) {
    var noise = Noise(seed: seed)
    var wheel = DeadlineWheel<Int>()
    var times: [Int: Int] = [:]
    var entries: [Int: DeadlineWheel<Int>.Entry] = [:]
    var now = Int.random(in: 0...(1 << 50), using: &noise)
    for number in 0..<2000 {
      let key = Int.random(in: 0..<100, using: &noise)
      switch Int.random(in: 0..<10, using: &noise) {
      case 0..<6:
        let reach = 1 << Int.random(in: 0..<45, using: &noise)
        let entry = entries[key] ?? wheel.insert(key)
        entries[key] = entry
        times[key] = now + Int.random(in: 0..<reach, using: &noise)
        wheel.set(entry, to: times[key] ?? 0)
      case 6:
        if let entry = entries.removeValue(forKey: key) { wheel.remove(entry) }
        times[key] = nil
      default:
        now += 1 << Int.random(in: 0..<40, using: &noise)
        let due = times.filter { $0.value <= now }
        #expect(wheel.takeDue(now: now).sorted() == due.keys.sorted(), "step \(number)")
        for key in due.keys { times[key] = nil }
        #expect(wheel.next > now && wheel.next <= times.values.min() ?? .max)
      }
    }
  }
}
