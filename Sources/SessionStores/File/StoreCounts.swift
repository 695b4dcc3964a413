import Scheduling

/// How many sessions of each model a file holds, and their size: a copy of its `model` table, so that no rows need
/// counting.
struct StoreCounts {
  /// The number that stands for each model in the file, by fingerprint, and the reverse.
  private(set) var models: [String: Int] = [:]
  private(set) var fingerprints: [Int: String] = [:]
  private(set) var usage: [Int: SessionTable.Usage] = [:]
  /// The bytes that all sessions take, counted as in memory.
  private(set) var byteCount = 0
  /// The models whose usage has changed and is not yet written to the file.
  var changedModels: Set<Int> = []
  /// The number of sessions that ended since the start, by reason.
  var ends: [SessionEnd: Int] = [:]

  mutating func add(_ model: Int, fingerprint: String) {
    models[fingerprint] = model
    fingerprints[model] = fingerprint
  }

  mutating func count(_ model: Int, sessions: Int, bytes: Int) {
    usage[model, default: .init()].count += sessions
    usage[model, default: .init()].byteCount += bytes
    byteCount += bytes
    changedModels.insert(model)
  }

  /// The usage by the models' fingerprints.
  var usageByModel: [String: SessionTable.Usage] {
    Dictionary(
      usage.compactMap { number, usage in fingerprints[number].map { ($0, usage) } },
      uniquingKeysWith: { first, _ in first })
  }
}
