import Testing

@testable import Scheduling

@Suite struct TurnCostsTests {
  /// What a pass over the weights costs, and what a rider adds, in seconds a step.
  private func costs(_ riders: [Int], fixed: Double, each: Double) -> TurnCosts {
    var costs = TurnCosts()
    for riders in riders {
      costs.record(
        riders: riders, longest: 8, total: 8 * riders,
        seconds: 8 * (fixed + each * Double(riders)))
    }
    return costs
  }

  @Test func nothingIsKnownBeforeTheFirstTurn() {
    #expect(TurnCosts().seconds(steps: 100, riders: 4, workers: 2, seats: 64) == 0)
  }

  @Test func ridersShareTheWeights() {
    let costs = costs([1, 2, 4, 8], fixed: 1, each: 0.5)
    // One rider of 10 steps; eight of 10 each, in one turn, at 5 seconds a step.
    #expect(abs(costs.seconds(steps: 10, riders: 1, workers: 1, seats: 64) - 15) < 1e-9)
    #expect(abs(costs.seconds(steps: 80, riders: 8, workers: 1, seats: 64) - 50) < 1e-9)
    // Two workers take four each.
    #expect(abs(costs.seconds(steps: 80, riders: 8, workers: 2, seats: 64) - 30) < 1e-9)
    // With two seats, four rounds of two.
    #expect(abs(costs.seconds(steps: 80, riders: 8, workers: 1, seats: 2) - 80) < 1e-9)
  }

  /// From one rider's cost a burst's is forecastValues within a factor of two, whatever the weights' part of it.
  @Test(arguments: [(1.0, 0.3), (1.0, 1.0), (0.5, 1.0)], [2, 8, 64])
  func guessesWhatItHasNotSeen(cost: (fixed: Double, each: Double), riders: Int) {
    let known = costs([1], fixed: cost.fixed, each: cost.each)
    let exact = Double(riders) * cost.each + cost.fixed
    let guess = known.seconds(steps: riders, riders: riders, workers: 1, seats: 64)
    #expect(guess / exact > 0.5 && guess / exact < 2.3)
  }
}
