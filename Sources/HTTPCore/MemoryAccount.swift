import Synchronization

/// The memory that one client holds of a budget.
package final class MemoryAccount: Sendable {
  package let budget: MemoryBudget
  private let held = Atomic(0)

  /// The account of a client that holds nothing.
  package init(_ budget: MemoryBudget) { self.budget = budget }

  /// The bytes that the client holds now.
  package var heldBytes: Int { held.load(ordering: .relaxed) }

  /// Reserves `bytes`, all of them or none; nil where they do not fit now.
  package func reserve(_ bytes: Int) -> MemoryReservation? {
    reserveBytes(bytes) ? MemoryReservation(self, bytes) : nil
  }

  /// Counts `growth` bytes more, or fewer where it is negative, that can't be refused.
  package func add(_ growth: Int) {
    held.add(growth, ordering: .relaxed)
    budget.add(growth)
  }

  fileprivate func reserveBytes(_ bytes: Int) -> Bool {
    let (total, overflows) = heldBytes.addingReportingOverflow(bytes)
    guard budget.reserve(bytes, total: overflows ? .max : total) else { return false }
    held.add(bytes, ordering: .relaxed)
    return true
  }
}

/// Bytes of a budget that are given back when the last reference to them goes.
package final class MemoryReservation: Sendable {
  private let account: MemoryAccount
  private let bytes: Mutex<Int>

  fileprivate init(_ account: MemoryAccount, _ bytes: Int) {
    self.account = account
    self.bytes = Mutex(bytes)
  }

  deinit { account.add(-byteCount) }

  /// How many bytes it has.
  package var byteCount: Int { bytes.withLock { $0 } }

  /// The largest that it may ever become beside `bytes` that are held for the same request.
  package func largest(beside bytes: Int) -> Int {
    account.budget.largestReservation(beside: bytes)
  }

  /// Makes it `newCount` bytes; returns false, and changes nothing, where more do not fit now.
  package func resize(to newCount: Int) -> Bool {
    bytes.withLock { bytes in
      let growth = newCount - bytes
      if growth > 0 {
        guard account.reserveBytes(growth) else { return false }
      } else {
        account.add(growth)
      }
      bytes = newCount
      return true
    }
  }
}
