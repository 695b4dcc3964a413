import Dispatch
import Inference
import Scheduling
import Synchronization

/// Sessions in a Redis, which other processes may have too.
///
/// Each request takes its sessions and a lease of each in one round trip, and moves them and gives the leases back in another;
/// scripts see to it that nothing comes between. A lease only saves work: that no move is lost is due to versions.
package final class RedisSessionStore: SessionStore {
  struct LockedState {
    var leases = SessionLeases()
    var tokenCount = 0
    /// What it answered with last that was an error; nil since it did something of that kind.
    var failure: (reason: String, isOfWrite: Bool)?
    var statistics = SessionStoreStatistics()
    /// Other models that have had a name that one has now, by its fingerprint.
    var namesakes: [String: [String]] = [:]
    var isClosed = false
  }

  package let durability: SessionDurability
  package var isShared: Bool { true }
  let limits: RedisSessionLimits
  let client: RedisClient
  let state = Mutex(LockedState())
  private let report: @Sendable (String) -> Void
  /// Tells this process's tokens from those of others.
  private let process = String(UInt64.random(in: 0...UInt64.max), radix: 36)

  /// How long whoever asks waits: less than `Sessions` would, so that it is told what is known.
  static let patience = Duration.seconds(4)
  private static let slowAfter = Duration.seconds(1)

  /// Connects to a Redis, and goes on without one that is not there yet.
  ///
  /// - Parameters:
  ///   - served: the models that are served, by name.
  ///   - report: told what operators should know, as it reads behind "the session store".
  /// - Throws: where there is one that can't do what it should.
  package convenience init(
    _ location: RedisLocation, durability: SessionDurability = .answer,
    limits: RedisSessionLimits = RedisSessionLimits(),
    served: [(name: String, fingerprint: String)] = [],
    report: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(RedisProblem) {
    try self.init(
      location, durability: durability, limits: limits, client: .init(), served: served,
      report: report)
  }

  init(
    _ location: RedisLocation, durability: SessionDurability, limits: RedisSessionLimits,
    client clientLimits: RedisClient.Limits, served: [(name: String, fingerprint: String)] = [],
    report: @escaping @Sendable (String) -> Void
  ) throws(RedisProblem) {
    self.durability = durability
    self.limits = limits
    self.report = report
    let first = Mutex<RedisClient.Status?>(nil)
    let isSettled = DispatchSemaphore(value: 0)
    client = RedisClient(location, limits: clientLimits, scripts: SessionScripts.all) { facts in
      if let warning = RedisFitness.warning(facts) { report(warning) }
      return RedisFitness.problem(facts, for: durability)
    } report: { status in
      let isFirst = first.withLock { first in
        defer { first = first ?? status }
        return first == nil
      }
      if isFirst { isSettled.signal() }
      switch status {
      case .connecting: break
      case .ready: if !isFirst { report("works again") }
      case .lost(.closed): break
      case .lost(let problem): report("fails: \(problem.reason)")
      }
    }
    let (seconds, attoseconds) = limits.patience.components
    _ = isSettled.wait(
      timeout: .now() + Double(seconds) + Double(attoseconds) * 1e-18)
    if case .lost(let problem) = first.withLock({ $0 }), problem.isForOperators {
      client.close { _ in }
      throw problem
    }
    renewLater()
    careLater(
      RedisCare(client: client, limits: limits, served: served) { [weak self] change in
        self?.state.withLock { change(&$0) }
      })
  }

  deinit { client.close { _ in } }

  package var problem: SessionStoreProblem? {
    let (status, age, oldest) = client.status
    switch status {
    case .lost(let problem): return problem.asStoreProblem
    case .connecting:
      return age > Self.slowAfter ? .slow(age) : nil
    case .ready:
      if oldest > Self.slowAfter { return .slow(oldest) }
      // Answers that left already wait for it to work again: no more may come to them.
      guard durability == .behind else { return nil }
      return state.withLock { $0.failure.map { .failing(reason: $0.reason) } }
    }
  }

  package var statistics: SessionStoreStatistics {
    let isReady = client.status.status == .ready
    return state.withLock { state in
      state.statistics.isFailing = state.failure != nil || !isReady
      return state.statistics
    }
  }

  /// Redis ends sessions by itself, those that a request has open never.
  package func attach(mayEnd: @escaping @Sendable (SessionTable.Key, SessionEnd) -> Bool) {}

  package func close(completion: @escaping @Sendable (_ isWell: Bool) -> Void) {
    let leases = state.withLock { state in
      state.isClosed = true
      return state.leases.all
    }
    giveBack(leases)
    client.close { [report] isWell in
      if !isWell { report("ends without all that it was asked") }
      completion(isWell)
    }
  }

  // MARK: - Asking

  func makeToken() -> String {
    let number = state.withLock { state in
      state.tokenCount += 1
      return state.tokenCount
    }
    return "\(process)-\(number)"
  }

  /// Has Redis run a script; tells what it returns, or why it does not.
  func run(
    _ script: RedisScript, keys: [[UInt8]], _ arguments: [[UInt8]], isWrite: Bool = false,
    waits: Bool = false, completion: @escaping @Sendable (Result<RESPValue, RedisProblem>) -> Void
  ) {
    client.ask(
      RedisRequest(
        .script(script, keys: keys, arguments: arguments),
        due: waits ? nil : .now + Self.patience, isWrite: isWrite
      ) { [weak self] result in
        self?.note(result, isOfWrite: isWrite)
        completion(result)
      })
  }

  private func note(_ result: Result<RESPValue, RedisProblem>, isOfWrite: Bool) {
    let (before, after) = state.withLock { state in
      let before = state.failure?.reason
      switch result {
      case .success:
        // What is full can be read.
        if isOfWrite || state.failure?.isOfWrite == false { state.failure = nil }
      case .failure(.closed): break
      case .failure(let problem):
        state.statistics.failures += 1
        // The rest is the connection's, which tells of itself.
        guard case .refused = problem else { break }
        state.failure = (problem.reason, isOfWrite || state.failure?.isOfWrite ?? false)
      }
      return (before, state.failure?.reason)
    }
    if before == nil, let after { report("fails: \(after)") }
    if before != nil, after == nil { report("works again") }
  }

  func reportDamage() { report("has a damaged entry, which is skipped: its client is told") }

  /// Renews the leases that requests have, three times in their life.
  private func renewLater() {
    let (seconds, attoseconds) = (limits.lease / 3).components
    DispatchQueue.global(qos: .userInitiated).asyncAfter(
      deadline: .now() + Double(seconds) + Double(attoseconds) * 1e-18
    ) { [weak self] in
      guard let self, !state.withLock({ $0.isClosed }) else { return }
      let leases = state.withLock { $0.leases.all }
      for begin in stride(from: 0, to: leases.count, by: 256) {
        let some = leases[begin..<min(begin + 256, leases.count)]
        run(
          SessionScripts.renew,
          keys: some.flatMap { [SessionKeys.session($0.key), SessionKeys.lease($0.key)] },
          [limits.lease.scriptMilliseconds, limits.idleTimeout.scriptMilliseconds]
            + some.map { Array($0.token.utf8) }
        ) { _ in }
      }
      renewLater()
    }
  }

  private func careLater(_ care: RedisCare) {
    care.run()
    DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + RedisCare.period) {
      [weak self] in
      guard let self, !state.withLock({ $0.isClosed }) else { return }
      careLater(care)
    }
  }

  func giveBack(_ leases: [(key: SessionTable.Key, token: String)]) {
    guard !leases.isEmpty else { return }
    state.withLock { $0.leases.remove(leases) }
    run(
      SessionScripts.release,
      keys: leases.flatMap { [SessionKeys.session($0.key), SessionKeys.lease($0.key)] },
      [limits.idleTimeout.scriptMilliseconds] + leases.map { Array($0.token.utf8) }
    ) { _ in }
  }
}
