import Synchronization

/// The part of a memory budget that one client holds.
package final class MemoryAccount: Sendable {
  package let budget: MemoryBudget
  private let held = Atomic(0)

  /// The account of a client that holds nothing.
  package init(_ budget: MemoryBudget) { self.budget = budget }

  /// The bytes that the client holds now.
  package var heldBytes: Int { held.load(ordering: .relaxed) }

  /// Reserves `bytes`, all or nothing; nil where they do not fit now.
  package func reserve(_ bytes: Int) -> MemoryReservation? {
    reserveBytes(bytes) ? MemoryReservation(self, bytes) : nil
  }

  /// Counts `growth` more bytes, or fewer where it is negative; the bytes can't be refused.
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

/// Reserved bytes of a budget, released when the last reference to this object goes.
package final class MemoryReservation: Sendable {
  private let account: MemoryAccount
  private let bytes: Mutex<Int>

  fileprivate init(_ account: MemoryAccount, _ bytes: Int) {
    self.account = account
    self.bytes = Mutex(bytes)
  }

  deinit { account.add(-byteCount) }

  /// The number of reserved bytes.
  package var byteCount: Int { bytes.withLock { $0 } }

  /// The largest size that the reservation may ever have beside `bytes` that are held for the same request.
  package func largest(beside bytes: Int) -> Int {
    account.budget.largestReservation(beside: bytes)
  }

  /// Resizes the reservation; returns false, and changes nothing, where the growth does not fit now.
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
