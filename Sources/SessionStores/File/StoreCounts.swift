import Scheduling

/// What a file of sessions holds, by model, as its `model` table has it: so that nobody has to count.
struct StoreCounts {
  /// The numbers that stand for models in the file, by fingerprint, and the other way round.
  private(set) var models: [String: Int] = [:]
  private(set) var fingerprints: [Int: String] = [:]
  private(set) var usage: [Int: SessionTable.Usage] = [:]
  /// What all sessions take.
  private(set) var byteCount = 0
  /// The models whose usage the file has yet to be told of.
  var changedModels: Set<Int> = []
  /// Sessions that ended since the start, by how.
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
