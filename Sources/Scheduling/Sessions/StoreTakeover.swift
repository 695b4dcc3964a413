import Synchronization

/// Whether a store is being filled with what was kept elsewhere, so that nothing may be asked of it yet.
package final class StoreTakeover: Sendable {
  private let isUnderWay = Atomic(false)

  package func set(_ isUnderWay: Bool) { self.isUnderWay.store(isUnderWay, ordering: .releasing) }

  /// Why nothing is asked of `store` at the moment; nil where it works.
  func problem(of store: any SessionStore) -> SessionStoreProblem? {
    isUnderWay.load(ordering: .acquiring)
      ? .failing(reason: "what session_file kept is being taken over") : store.problem
  }
}
