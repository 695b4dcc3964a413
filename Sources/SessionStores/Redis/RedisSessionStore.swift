import Dispatch
import Inference
import Scheduling
import Synchronization

/// Sessions in a Redis, which other processes may have too.
///
/// Each request takes its sessions and a lease of each in one round trip, and moves them and gives the leases back in another;
/// scripts see to it that nothing comes between. Of a session that this process moves again and again, the lease is kept between requests
/// (`SessionLeases`), which then take one round trip. A lease only saves work: that no move is lost is due to versions.
package final class RedisSessionStore: SessionStore {
  struct LockedState {
    var statistics = SessionStoreStatistics()
    /// Other models that have had a name that one has now, by its fingerprint.
    var namesakes: [String: [String]] = [:]
    var isClosed = false
    /// What each server's memory has and may have, by its place.
    var memory: [String: (used: Int, limit: Int)] = [:]
    /// What there is of a model's sessions in each group.
    var groups: [String: [Int: SessionTable.Usage]] = [:]
  }

  package let durability: SessionDurability
  package var isShared: Bool { true }
  let limits: RedisSessionLimits
  let codec: StateCodec
  let client: any RedisAsking
  let health: RedisHealth
  let runner: ScriptRunner
  let keeper: LeaseKeeper
  let state = Mutex(LockedState())

  private static let slowAfter = Duration.seconds(1)

  /// Connects to a Redis, and goes on without one that is not there yet.
  ///
  /// - Parameters:
  ///   - sealing: encrypts the states; nil where they are written as they are.
  ///   - served: the models that are served, by name.
  ///   - report: told what operators should know, as it reads behind "the session store".
  /// - Throws: where there is one that can't do what it should.
  package convenience init(
    _ location: RedisLocation, durability: SessionDurability = .answer,
    limits: RedisSessionLimits = RedisSessionLimits(), sealing: StateSealing? = nil,
    served: [(name: String, fingerprint: String)] = [],
    report: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(RedisProblem) {
    try self.init(
      location, durability: durability, limits: limits, client: .init(), sealing: sealing,
      served: served, report: report)
  }

  init(
    _ location: RedisLocation, durability: SessionDurability, limits: RedisSessionLimits,
    client clientLimits: RedisClient.Limits, sealing: StateSealing? = nil,
    served: [(name: String, fingerprint: String)] = [],
    report: @escaping @Sendable (String) -> Void
  ) throws(RedisProblem) {
    self.durability = durability
    self.limits = limits
    codec = StateCodec(sealing)
    if location.isCluster {
      client = RedisCluster(
        location, limits: clientLimits, replicas: limits.replicas, scripts: SessionScripts.all)
    } else {
      client = RedisClient(
        location, limits: clientLimits, replicas: limits.replicas, scripts: SessionScripts.all)
    }
    let names = SessionKeys(isCluster: location.isCluster)
    health = RedisHealth(isAskedWhileFailing: durability != .behind, report: report)
    runner = ScriptRunner(client: client, names: names, health: health)
    keeper = LeaseKeeper(runner, limits: limits)
    if let problem = connect() { throw problem }
    keeper.renewLater()
    scheduleMaintenance(
      RedisCare(
        client: client, names: names, limits: limits, served: served, health: health,
        change: { [weak self] change in self?.state.withLock { change(&$0) } }))
  }

  /// Begins to connect, and waits for the first connection for as long as `limits.patience`.
  ///
  /// - Returns: why the Redis that is there can't do what it should.
  private func connect() -> RedisProblem? {
    let first = Mutex<RedisClient.Status?>(nil)
    let isSettled = DispatchSemaphore(value: 0)
    client.start(
      RedisClient.Listener(
        channel: SessionKeys.channel(of: keeper.process),
        greeting: {
          [health, durability, replicas = limits.replicas, isCluster = runner.names.isCluster] facts
          in
          for warning in RedisFitness.warnings(facts, replicas: replicas) { health.report(warning) }
          return RedisFitness.problem(facts, for: durability, isCluster: isCluster)
        },
        message: { [keeper] message in keeper.giveWanted(message) },
        report: { [keeper, health] status in
          let isFirst = first.withLock { first in
            defer { first = first ?? status }
            return first == nil
          }
          if isFirst { isSettled.signal() }
          // Nobody hears who wants what is kept.
          if case .lost = status { keeper.withLeases { $0.forgetKept() } }
          if case .ready = status { keeper.giveBackLate() }
          health.note(status)
        }))
    let (seconds, attoseconds) = limits.patience.components
    _ = isSettled.wait(
      timeout: .now() + Double(seconds) + Double(attoseconds) * 1e-18)
    if case .lost(let problem) = first.withLock({ $0 }), problem.isForOperators {
      client.close { _ in }
      return problem
    }
    return nil
  }

  deinit { client.close { _ in } }

  var finder: SessionFinder {
    SessionFinder(runner: runner, codec: codec, limits: limits) { [weak self] in
      self?.state.withLock { $0.statistics.endCounts[.damaged, default: 0] += 1 }
      self?.health.noteDamage()
    }
  }

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
      return health.failure.map { .failing(reason: $0) }
    }
  }

  package var statistics: SessionStoreStatistics {
    var statistics = state.withLock { $0.statistics }
    statistics.isFailing = health.failure != nil || client.status.status != .ready
    statistics.failures = health.failureCount
    return statistics
  }

  /// Redis ends sessions by itself, those that a request has open never.
  package func attach(mayEnd: @escaping @Sendable (SessionTable.Key, SessionEnd) -> Bool) {}

  package func close(completion: @escaping @Sendable (_ isWell: Bool) -> Void) {
    state.withLock { $0.isClosed = true }
    keeper.close()
    client.close { [health] isWell in
      if !isWell { health.report("ends without all that it was asked") }
      completion(isWell)
    }
  }

  private func scheduleMaintenance(_ care: RedisCare) {
    care.run()
    DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + RedisCare.period) {
      [weak self] in
      guard let self, !state.withLock({ $0.isClosed }) else { return }
      scheduleMaintenance(care)
    }
  }
}
