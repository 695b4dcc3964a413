import Testing

@testable import Scheduling

@Suite struct WorkDivisionTests {
  /// The ways that `turns` turns of `riders` take, where a step costs so much either way.
  private func ways(
    _ division: inout WorkDivision, turns: Int, riders: Int, alone: Double, together: Double
  ) -> [WorkDivision.Way] {
    (0..<turns).map { _ in
      let way = division.choose(riders: riders)
      division.record(riders: riders, way, secondsPerStep: way == .alone ? alone : together)
      return way
    }
  }

  @Test(arguments: [(1.0, 0.6, WorkDivision.Way.together), (1.0, 1.2, .alone)])
  func takesTheCheaperWayAfterTryingBoth(
    alone: Double, together: Double, better: WorkDivision.Way
  ) {
    var division = WorkDivision()
    let taken = ways(&division, turns: 1000, riders: 1, alone: alone, together: together)
    #expect(taken[0] == .alone && taken[1] == .together)
    let others = taken.dropFirst(2).count { $0 != better }
    // Tried again, ever more rarely: after 16, 32, 64, … turns.
    #expect((5...7).contains(others))
  }

  @Test func changesItsMindWhenCostsChange() {
    var division = WorkDivision()
    #expect(ways(&division, turns: 45, riders: 1, alone: 1, together: 2).last == .alone)
    let later = ways(&division, turns: 2000, riders: 1, alone: 1, together: 0.1)
    #expect(later.suffix(100).count { $0 == .together } >= 99)
  }

  @Test func learnsForEachNumberOfRiders() {
    var division = WorkDivision()
    #expect(ways(&division, turns: 10, riders: 1, alone: 2, together: 1).last == .together)
    #expect(ways(&division, turns: 10, riders: 8, alone: 1, together: 2).last == .alone)
    #expect(division.choose(riders: 1) == .together)
    // As many to within a power of two.
    #expect(division.choose(riders: 5) == .alone)
  }
}
