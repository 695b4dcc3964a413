import Inference
import Logging
import Scheduling
import Serving
import SessionStores

/// Opens the store whose sessions survive the process, as `session_store` says; nil if sessions are kept in memory.
///
/// - Throws: if the file or the Redis can't be used, or another setting contradicts `session_store`.
func openSessionStore(
  by settings: Settings, for graphs: [ModelGraph], logger: Logger
) throws(CarouselError) -> (any SessionStore)? {
  let place = StorePlace(settings.text(.sessionStore)) ?? .memory
  let sealing = try stateSealing(by: settings, at: place)
  guard place != .memory else {
    try checkReplicas(settings, at: place, .answer)
    return nil
  }
  guard let durability = SessionDurability(rawValue: settings.text(.sessionDurability)) else {
    preconditionFailure("the table admits no other")
  }
  try checkReplicas(settings, at: place, durability)
  let idleTimeout = Duration.seconds(settings.seconds(.sessionIdleSeconds))
  let served = graphs.filter { $0.isStreamable && $0.decoder == nil }
    .map { ($0.model.description.name, ModelFingerprint($0).text) }
  switch place {
  case .memory: return nil
  case .file(let path):
    do throws(FileStoreError) {
      return try FileSessionStore(
        path: path, durability: durability,
        limits: FileSessionLimits(
          maxBytes: settings.integer(.maxSessionStoreBytes), idleTimeout: idleTimeout),
        sealing: sealing,
        served: served,
        report: { message in
          logger.error(
            "the session store \(message)", metadata: ["file": .string(path)])
        })
    } catch {
      throw .sessionStore(path: path, error)
    }
  case .redis(let location):
    let bound = settings.entry(of: .maxSessionStoreBytes)
    guard bound.source == .standard else {
      throw .badSetting(
        name: bound.source.name(of: .maxSessionStoreBytes), source: bound.source,
        found: "\(bound.value)",
        expected: "none beside a session_store in Redis, which has a bound of its own (maxmemory)")
    }
    guard !location.isCluster || durability != .behind else {
      let entry = settings.entry(of: .sessionDurability)
      throw .badSetting(
        name: entry.source.name(of: .sessionDurability), source: entry.source,
        found: durability.rawValue,
        expected:
          "answer or sync beside a cluster of Redis, one of whose nodes may be away for long")
    }
    do throws(RedisProblem) {
      return try RedisSessionStore(
        location, durability: durability,
        limits: RedisSessionLimits(
          idleTimeout: idleTimeout, replicas: settings.integer(.sessionStoreReplicas)),
        sealing: sealing, served: served,
        report: { message in
          logger.error(
            "the session store \(message)", metadata: ["redis": .string(location.description)])
        })
    } catch {
      throw .redis(location, error)
    }
  }
}

/// Refuses `session_store_replicas` where nothing waits for replicas.
private func checkReplicas(
  _ settings: Settings, at place: StorePlace, _ durability: SessionDurability
) throws(CarouselError) {
  let entry = settings.entry(of: .sessionStoreReplicas)
  guard settings.integer(.sessionStoreReplicas) > 0 else { return }
  var expected: String?
  if case .redis = place {
    if durability == .behind {
      expected = "0 beside session_durability behind, which waits for nothing"
    }
  } else {
    expected = "0 unless session_store is a Redis: nothing else has replicas"
  }
  guard let expected else { return }
  throw .badSetting(
    name: entry.source.name(of: .sessionStoreReplicas), source: entry.source,
    found: "\(settings.integer(.sessionStoreReplicas))", expected: expected)
}
