import Dispatch
import Scheduling
import Synchronization

/// Keeps a process's leases as they should be in Redis: renews those that requests use, and gives back what others want.
final class LeaseKeeper: Sendable {
  private struct LockedState {
    var leases = SessionLeases()
    var late = LateLeases()
    var isClosed = false
  }

  private let state = Mutex(LockedState())
  private let tokenCount = Atomic<UInt64>(0)
  private let runner: ScriptRunner
  private let limits: RedisSessionLimits
  /// Tells this process's tokens from those of others.
  let process = RedisToken.randomProcess()

  init(_ runner: ScriptRunner, limits: RedisSessionLimits) {
    self.runner = runner
    self.limits = limits
  }

  func makeToken() -> RedisToken {
    RedisToken(
      process: process, number: tokenCount.add(1, ordering: .relaxed).newValue)
  }

  func withLeases<Value>(_ body: (inout SessionLeases) -> sending Value) -> sending Value {
    state.withLock { body(&$0.leases) }
  }

  /// - Parameter isLate: whether Redis may yet take them, as it has not answered.
  func giveBack(_ leases: [SessionLeases.Held], isLate: Bool = false) {
    guard !leases.isEmpty else { return }
    state.withLock { state in
      for lease in leases { state.leases.remove(lease.key, lease.token) }
      if isLate { state.late.add(leases) }
    }
    release(leases)
  }

  private func release(_ leases: [SessionLeases.Held]) {
    runner.run(SessionScripts.release, over: leases, [limits.idleMilliseconds]) {
      [weak self] asked, result in
      guard let self else { return }
      state.withLock { state in
        switch result {
        case .success(let reply):
          let returned = Set(
            (reply.elements ?? []).compactMap(\.number).filter { asked.indices.contains($0 - 1) }
              .map { asked[$0 - 1] })
          state.late.note(asked: asked, returned: returned, now: .now, life: limits.lease)
        case .failure(.refused):
          state.late.note(asked: asked, returned: [], now: .now, life: limits.lease)
        case .failure:
          let known = Set(state.late.all)
          state.late.add(asked.filter { !known.contains($0) })
        }
      }
    }
  }

  /// Gives back what could not be given back when it should have been, where Redis answers.
  func giveBackLate() {
    guard runner.client.status.status == .ready else { return }
    release(state.withLock { $0.late.all })
  }

  /// A request does not use sessions any more, which have not moved: what was kept before, and that nobody has asked for, is
  /// kept still.
  func release(_ keys: [SessionTable.Key]) {
    giveBack(
      withLeases { leases in
        let held = leases.held(keys)
        return held.filter { lease in
          leases[lease.key]?.isMarked != false
            || !leases.keep(lease.key, lease.token, limit: limits.maxKeptBytes) { _ in }
        }
      })
  }

  /// Another process wants a lease: its message has the lease's token and key.
  func giveWanted(_ message: [UInt8]) {
    guard let token = RedisToken(message.prefix(RedisToken.byteCount)),
      let key = runner.names.key(ofLease: message.dropFirst(RedisToken.byteCount))
    else { return }
    switch withLeases({ $0.want(key, token) }) {
    case .none: break
    case .mark:
      runner.run(
        .script(SessionScripts.mark, keys: [runner.names.lease(key)], arguments: [token.bytes]),
        .frees)
    case .giveBack: giveBack([.init(key: key, token: token)])
    }
  }

  /// Renews the leases that requests have, three times in their life, and forgets those that are kept and not used.
  func renewLater() {
    let (seconds, attoseconds) = (limits.lease / 3).components
    DispatchQueue.global(qos: .userInitiated).asyncAfter(
      deadline: .now() + Double(seconds) + Double(attoseconds) * 1e-18
    ) { [weak self] in
      guard let self, !state.withLock({ $0.isClosed }) else { return }
      let used = withLeases { leases in
        leases.forgetKept(renewedBefore: .now - limits.lease)
        return leases.used
      }
      runner.run(
        SessionScripts.renew, over: used,
        [limits.leaseMilliseconds, limits.idleMilliseconds])
      giveBackLate()
      renewLater()
    }
  }

  /// Gives all back.
  func close() {
    let leases = state.withLock { state in
      state.isClosed = true
      return state.leases.all
    }
    giveBack(leases)
  }
}
