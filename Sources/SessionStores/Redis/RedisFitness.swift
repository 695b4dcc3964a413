import Scheduling

/// Whether a Redis can do what sessions need of it.
enum RedisFitness {
  /// What is wrong with it; nil where nothing is.
  static func problem(
    _ facts: RedisServerFacts, for durability: SessionDurability, isCluster: Bool = false
  ) -> RedisProblem? {
    let version = facts.info["redis_version"] ?? ""
    guard let major = version.split(separator: ".").first.flatMap({ Int($0) }), major >= 5 else {
      return .unfit(
        "found Redis \(version.isEmpty ? "of no version" : version), expected 5 or later")
    }
    let isNode = facts.info["cluster_enabled"] == "1"
    guard isNode == isCluster else {
      return .unfit(
        isNode
          ? "found a node of a Redis Cluster, expected a Redis that has all keys; redis+cluster:// is for a cluster"
          : "found a Redis that is in no cluster, expected a node of one; redis:// is for a Redis alone"
      )
    }
    // A replica knows its cluster, and sends what is to be written to its primary.
    guard isCluster || facts.info["role"] != "slave" else { return .refused("READONLY") }
    guard durability == .sync else { return nil }
    guard let found = facts.appendSettings else {
      return .unfit(
        "session_durability sync needs appendonly yes and appendfsync always, and CONFIG GET does not show them: \(facts.appendRefusal)"
      )
    }
    let (isOn, when) = (found["appendonly"] ?? "?", found["appendfsync"] ?? "?")
    guard isOn == "yes", when == "always" else {
      return .unfit(
        "session_durability sync: found appendonly \(isOn) and appendfsync \(when), expected yes and always"
      )
    }
    guard found["no-appendfsync-on-rewrite"] != "yes" else {
      return .unfit(
        "session_durability sync: found no-appendfsync-on-rewrite yes, expected no, by which it syncs at all times"
      )
    }
    return nil
  }

  /// What its operator should know, though it works.
  static func warnings(_ facts: RedisServerFacts, replicas: Int) -> [String] {
    var warnings: [String] = []
    let policy = facts.info["maxmemory_policy"] ?? "noeviction"
    if facts.number("maxmemory") > 0, policy != "noeviction" {
      warnings.append(
        "may drop sessions by itself: found maxmemory-policy \(policy), expected noeviction, by which it says when it is full"
      )
    }
    let found = facts.number("connected_slaves")
    if found < replicas, facts.info["role"] != "slave" {
      warnings.append(
        "has too few replicas: found \(found), expected \(replicas) (session_store_replicas); until they are there, requests that move sessions get 503"
      )
    }
    return warnings
  }
}
