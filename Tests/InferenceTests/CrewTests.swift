import Synchronization
import Testing

@testable import Inference

@Suite struct CrewTests {
  @Test(arguments: [1, 2, 3, 7], [0, 1, 2, 5, 16, 100])
  func sharesCoverAllOnce(count: Int, items: Int) {
    let shares = (0..<count).map { Share(index: $0, count: count).of(items) }
    #expect(shares.flatMap { Array($0) } == Array(0..<items))
    #expect(shares.map(\.count).max()! - shares.map(\.count).min()! <= 1)
  }

  /// Whoever comes, the work is shared among them, and nobody passes the barrier before all have reached it.
  @Test(arguments: [1, 2, 3, 4])
  func everyoneMeets(size: Int) {
    let crew = Crew(size: size)
    let rounds = 200
    for _ in 0..<20 {
      let reached = Mutex<[Int]>([])
      let early = Atomic(0)
      crew.run { share, barrier in
        reached.withLock { if $0.isEmpty { $0 = Array(repeating: 0, count: share.count) } }
        barrier.wait()
        for round in 1...rounds {
          reached.withLock { $0[share.index] = round }
          barrier.wait()
          if !reached.withLock({ $0.allSatisfy { $0 == round } }) {
            early.add(1, ordering: .relaxed)
          }
          barrier.wait()
        }
      }
      let final = reached.withLock { $0 }
      #expect((1...size).contains(final.count) && final.allSatisfy { $0 == rounds })
      #expect(early.load(ordering: .relaxed) == 0)
    }
  }

  /// Two crews at once: the second's caller works alone rather than wait for a core.
  @Test func aSecondCrewDoesNotWait() {
    let (outer, inner) = (Crew(size: 2), Crew(size: 2))
    let counts = Mutex<[Int]>([])
    outer.run { share, _ in
      guard share.index == 0 else { return }
      inner.run { share, _ in counts.withLock { $0.append(share.count) } }
    }
    #expect(counts.withLock { $0 } == [1])
  }
}
