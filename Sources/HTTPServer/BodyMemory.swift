import HTTPCore

/// The memory that a loop's connections take, and what happens where it is too much.
final class BodyMemory {
  private let budget: MemoryBudget
  private let counters: ServerCounters
  private let loopCount: Int
  private let rounds: LoopRounds
  /// The memory that the bodies of requests take on this loop.
  private var bodyBytes = 0
  /// The connections whose requests' bodies are not complete, by token.
  private var uploads: [UInt64: Connection] = [:]

  init(_ budget: MemoryBudget, counters: ServerCounters, loopCount: Int, rounds: LoopRounds) {
    self.budget = budget
    self.counters = counters
    self.loopCount = loopCount
    self.rounds = rounds
  }

  /// Bodies may take half of the memory: the rest is for reading them and for answers.
  static func bodyLimit(of memory: MemoryBudget) -> Int { memory.limit / 2 }

  private var bodyLimit: Int { Self.bodyLimit(of: budget) }

  /// Whether nothing more should be begun that only adds to what is held.
  var isFull: Bool { budget.isFull }

  /// Counts a request that was refused for want of it.
  func countRefusal() { budget.countRefusal() }

  /// Where a new connection's share of it is counted.
  func account() -> MemoryAccount { MemoryAccount(budget) }

  /// Brings the counts of what is held up to date with `connection`.
  func recount(_ connection: Connection) {
    let (body, incomplete, all) = connection.lifecycle.isClosed ? (0, 0, 0) : connection.holdings
    let before = connection.counted
    connection.counted = (body, incomplete, all)
    if all != before.all { connection.memory.add(all - before.all) }
    if body != before.body {
      bodyBytes += body - before.body
      counters.bodyBytesHeld.add(body - before.body, ordering: .relaxed)
    }
    if (incomplete > 0) != (before.incomplete > 0) {
      uploads[connection.token] = incomplete > 0 ? connection : nil
    }
  }

  /// Whether bodies have to make room: they take more than their half, and on this loop more than its
  /// share of that, or all that is held is too much.
  private var isOverfull: Bool {
    budget.isExceeded
      || bodyBytes > bodyLimit / loopCount
        && counters.bodyBytesHeld.load(ordering: .relaxed) > bodyLimit
  }

  /// Whether a body of `bytes` may begin to come. It may not where it would find no room even if all that are under way
  /// made some for it: then what is held is being answered, or waits for slow readers.
  func hasRoom(forBody bytes: Int) -> Bool {
    let room = min(
      budget.limit - budget.heldBytes,
      max(
        bodyLimit / loopCount - bodyBytes,
        bodyLimit - counters.bodyBytesHeld.load(ordering: .relaxed)))
    return bytes <= room
      || bytes <= room + uploads.values.reduce(0) { $0 + $1.counted.incomplete }
  }

  /// Whether there is room for what is held. The largest bodies that are under way make room for the
  /// others: whoever sends slowly to fill the server loses, not who asks a short question. And no
  /// loop loses its share to another.
  ///
  /// Where it is too full, a sixteenth more room is made than is needed, so that not every read of many
  /// uploads looks at them all.
  @discardableResult
  func makeRoom() -> Bool {
    guard isOverfull else { return true }
    let needed = max(
      budget.heldBytes - budget.limit,
      counters.bodyBytesHeld.load(ordering: .relaxed) - bodyLimit)
    var rest = needed + bodyLimit / 16
    for upload in uploads.values.sorted(by: { $0.counted.incomplete > $1.counted.incomplete }) {
      // A connection of HTTP/2 may have several.
      while rest > 0, upload.wire.incompleteBytes > 0 {
        let before = upload.wire.incompleteBytes
        upload.wire.refuseLargestBody(.full)
        guard upload.wire.incompleteBytes < before else { break }
        rest -= before - upload.wire.incompleteBytes
        budget.countRefusal()
      }
      recount(upload)
      rounds.scheduleFlush(upload)
      if rest <= 0 { break }
    }
    return !isOverfull
  }
}
