import Inference
import Synchronization
import TestSupport
import Testing

@testable import Scheduling

/// Sessions over a store that answers when it is told to, and what each request heard.
final class SessionsRoom: Sendable {
  let store: HeldStore
  let sessions: Sessions
  let clock = TestClock()
  private let told = Mutex<[String]>([])

  init(
    _ durability: SessionDurability = .answer,
    limits: SessionLimits = SessionLimits(maxBytes: 1 << 20),
    isShared: Bool = false, storeBytes: Int = .max
  ) {
    store = HeldStore(durability, isShared: isShared, maxBytes: storeBytes)
    sessions = Sessions(
      limits: limits, store: store,
      clock: { [clock] in clock.now })
  }

  @discardableResult
  func ask(
    _ name: String, _ openings: SessionTable.Opening..., waits: Bool = true,
    timeout: Duration? = nil
  ) -> Sessions.Waiter {
    let waiter = sessions.makeWaiter()
    sessions.open(
      openings, model: "m", floatCount: 1, waits: waits, arrived: clock.now, timeout: timeout,
      as: waiter
    ) { grant in
      switch grant {
      case .success(let states):
        let steps = states.map { $0.map { "\($0.position)" } ?? "-" }
        self.told.withLock { $0.append("\(name): \(steps.joined(separator: " "))") }
      case .failure(let refusal): self.told.withLock { $0.append("\(name): \(refusal)") }
      }
    }
    return waiter
  }

  func close(_ name: String, _ results: (id: String, steps: Int?)..., ends: Bool = false) {
    sessions.close(
      results.map { id, steps in
        (id, steps.map { SequenceState(position: $0, floats: [Float($0)]) }, ends)
      }, model: "m"
    ) { refusal in
      self.told.withLock { $0.append("\(name): \(refusal.map { "\($0)" } ?? "moved")") }
    }
  }

  /// What was told since the last time, in order.
  func heard() -> [String] {
    told.withLock { told in
      defer { told = [] }
      return told
    }
  }

  /// Lets the store answer as soon as it is asked `question` and nothing else.
  func answer(_ question: String) async throws {
    try await eventually { self.store.asked == [question] }
    store.answer()
  }

  func hear() async throws -> [String] {
    var heard: [String] = []
    try await eventually {
      heard += self.heard()
      return !heard.isEmpty
    }
    return heard
  }
}
