import Dispatch
import Testing

@testable import HTTPCore

@Suite struct MemoryBudgetTests {
  /// n − 1, n and n + 1 bytes where `held` are held already.
  @Test(arguments: [0, 1, 6000], [-1, 0, 1])
  func largeReservationsLeaveAnEighth(held: Int, extra: Int) {
    let budget = MemoryBudget(limit: 8000)
    budget.add(held)
    let reservation = budget.reserve(7000 - held + extra)
    #expect((reservation != nil) == (extra <= 0))
    #expect(budget.heldBytes == (extra <= 0 ? 7000 + extra : held))
    #expect(budget.refusalCount == (extra <= 0 ? 0 : 1))
    withExtendedLifetime(reservation) {}
  }

  @Test(arguments: [-1, 0, 1])
  func smallOnesGoUpToTheLimit(extra: Int) {
    let budget = MemoryBudget(limit: 8192)
    budget.add(8192 - 8)
    let small = budget.reserve(8 + min(extra, 0))
    #expect(small != nil)
    let more = extra > 0 ? budget.reserve(1) : nil
    #expect(more == nil)
    // The first size that is not small.
    #expect(MemoryBudget(limit: 8192).reserve(9) != nil)
    let full = MemoryBudget(limit: 8192)
    full.add(8192 - 1024)
    #expect(full.reserve(9) == nil)
    #expect(full.reserve(8) != nil)
    withExtendedLifetime(small) {}
  }

  /// n − 1, n and n + 1 bytes beside what the same request holds: the largest that is admitted then.
  @Test(arguments: [0, 1, 600, 7000, 7999, 8000, 9000], [-1, 0, 1])
  func theLargestBesideWhatIsHeld(held: Int, extra: Int) {
    let account = MemoryAccount(MemoryBudget(limit: 8000))
    account.add(held)
    let largest = account.budget.largestReservation(beside: held)
    #expect(largest >= 0)
    guard largest + extra > 0 else { return }
    #expect((account.reserve(largest + extra) != nil) == (extra <= 0))
  }

  /// n − 1, n and n + 1 bytes of which one client holds the first: only who holds little may have the last of the budget,
  /// however it is made up.
  @Test(arguments: [0, 1, 7], [-1, 0, 1])
  func whoHoldsMuchLeavesAnEighth(held: Int, extra: Int) throws {
    let budget = MemoryBudget(limit: 8192)
    let (client, other) = (MemoryAccount(budget), MemoryAccount(budget))
    budget.add(8192 - 512)
    client.add(held)
    let reservation = client.reserve(8 - held + extra)
    #expect((reservation != nil) == (extra <= 0))
    #expect(client.heldBytes == (extra <= 0 ? 8 + extra : held))
    let small = try #require(other.reserve(1))
    #expect(small.resize(to: 8) && !small.resize(to: 9))
    #expect(other.heldBytes == 8)
    // Also what was reserved before counts.
    #expect(client.reserve(9 - client.heldBytes) == nil)
    withExtendedLifetime((reservation, small)) {}
  }

  @Test func anAccountIsGivenBack() throws {
    let account = MemoryAccount(MemoryBudget(limit: 8192))
    do {
      let reservation = try #require(account.reserve(1000))
      #expect(reservation.resize(to: 10))
      account.add(5)
      #expect(account.heldBytes == 15 && account.budget.heldBytes == 15)
    }
    account.add(-5)
    #expect(account.heldBytes == 0 && account.budget.heldBytes == 0)
    account.add(1)
    #expect(account.reserve(.max) == nil)
    #expect(account.heldBytes == 1)
  }

  @Test func aReservationIsGivenBackOnce() throws {
    let budget = MemoryBudget(limit: 1 << 20)
    do {
      let first = try #require(budget.reserve(1000))
      let other = first
      #expect(budget.heldBytes == 1000)
      #expect(other.byteCount == 1000)
    }
    #expect(budget.heldBytes == 0)
  }

  @Test func resizingIsAllOrNothing() throws {
    let budget = MemoryBudget(limit: 8000)
    let reservation = try #require(budget.reserve(1000))
    #expect(!reservation.resize(to: 7001))
    #expect(reservation.byteCount == 1000 && budget.heldBytes == 1000)
    #expect(reservation.resize(to: 7000))
    #expect(budget.heldBytes == 7000)
    #expect(reservation.resize(to: 10))
    #expect(budget.heldBytes == 10)
  }

  @Test func whatIsOnlyCountedMayExceedIt() {
    let budget = MemoryBudget(limit: 100)
    budget.add(100)
    #expect(budget.isFull && !budget.isExceeded)
    budget.add(1)
    #expect(budget.isExceeded)
    #expect(budget.reserve(0) == nil)
    budget.add(-101)
    #expect(!budget.isFull && budget.heldBytes == 0)
    #expect(budget.takePeak() == 101)
    #expect(budget.takePeak() == 0)
  }

  @Test func noLimitIsReached() throws {
    let budget = MemoryBudget(limit: .max)
    let huge = try #require(budget.reserve(1 << 60))
    #expect(budget.reserve(.max) == nil)
    withExtendedLifetime(huge) {}
  }

  /// However threads meet, no more is given than there is, and all comes back.
  @Test func threadsShareIt() {
    let budget = MemoryBudget(limit: 1000)
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      for round in 0..<2000 {
        let reservation = budget.reserve((thread + round) % 300)
        #expect(budget.heldBytes <= budget.largestReservation)
        withExtendedLifetime(reservation) {}
      }
    }
    #expect(budget.heldBytes == 0)
  }
}
