import HTTPCore

/// Counts the memory that a loop's connections hold, and refuses request bodies when it is too much.
final class BodyMemory {
  /// So many bytes, or more, are counted at once, not at the end of the round: until then others would take the memory
  /// that was reserved for them.
  static let leastBytesCountedAtOnce = 4096

  private let budget: MemoryBudget
  private let counters: ServerCounters
  private let loopCount: Int
  private let rounds: LoopRounds
  /// The bytes of memory that request bodies take on this loop.
  private var bodyBytes = 0
  /// The connections with incomplete request bodies, by token.
  private var uploads: [UInt64: Connection] = [:]

  init(_ budget: MemoryBudget, counters: ServerCounters, loopCount: Int, rounds: LoopRounds) {
    self.budget = budget
    self.counters = counters
    self.loopCount = loopCount
    self.rounds = rounds
  }

  /// The most bytes that request bodies may take: half of the memory. The rest is for parsing them and for answers.
  static func bodyLimit(of memory: MemoryBudget) -> Int { memory.limit / 2 }

  private var bodyLimit: Int { Self.bodyLimit(of: budget) }

  /// Whether the budget is used up, so that nothing should be started that only adds to the memory held.
  var isFull: Bool { budget.isFull }

  /// Counts a request that was refused for lack of memory.
  func countRefusal() { budget.countRefusal() }

  /// Makes the account that counts the memory of a new connection.
  func account() -> MemoryAccount { MemoryAccount(budget) }

  /// Updates the counts with what `connection` holds now.
  func recount(_ connection: Connection) {
    let wire = connection.wire
    recount(connection, incomplete: wire.incompleteBytes, held: wire.heldBytes)
  }

  /// Updates the counts with what `connection` holds now if that is much more or less than counted. A small request is
  /// mostly answered and gone at the end of the round, when all is counted.
  func recountIfMuch(_ connection: Connection) {
    let wire = connection.wire
    let (incomplete, held) = (wire.incompleteBytes, wire.heldBytes)
    let change =
      connection.heldMemory(incomplete: incomplete, held: held).all - connection.counted.all
    if abs(change) >= Self.leastBytesCountedAtOnce
      || (incomplete > 0) != (connection.counted.incomplete > 0)
    {
      recount(connection, incomplete: incomplete, held: held)
    }
  }

  /// Updates the counts with what `connection` holds now, where its protocol has so many `incompleteBytes` and
  /// `heldBytes`.
  func recount(_ connection: Connection, incomplete: Int, held: Int) {
    let (body, incomplete, all) =
      connection.lifecycle.isClosed
      ? (0, 0, 0) : connection.heldMemory(incomplete: incomplete, held: held)
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

  /// Whether request bodies have to be refused to free memory: the whole budget is exceeded, or bodies take more than
  /// their half of it and those on this loop more than the loop's share of that half.
  private var isOverfull: Bool {
    budget.isExceeded
      || bodyBytes > bodyLimit / loopCount
        && counters.bodyBytesHeld.load(ordering: .relaxed) > bodyLimit
  }

  /// Whether a request body of `bytes` may begin to arrive. It may not when it would find no room even if all
  /// incomplete bodies were dropped: then the memory is held by requests that are being answered, or by answers that
  /// wait for slow readers.
  func hasRoom(forBody bytes: Int) -> Bool {
    let room = min(
      budget.limit - budget.heldBytes,
      max(
        bodyLimit / loopCount - bodyBytes,
        bodyLimit - counters.bodyBytesHeld.load(ordering: .relaxed)))
    return bytes <= room
      || bytes <= room + uploads.values.reduce(0) { $0 + $1.counted.incomplete }
  }

  /// Refuses the largest incomplete bodies until what is held fits; returns whether it does. So a client that fills the
  /// server with slow uploads loses them, while short requests go on, and no loop loses its share to another.
  ///
  /// It frees a sixteenth of the limit more than needed, so that the next reads need not go through all uploads again.
  @discardableResult
  func makeRoom() -> Bool {
    guard isOverfull else { return true }
    let needed = max(
      budget.heldBytes - budget.limit,
      counters.bodyBytesHeld.load(ordering: .relaxed) - bodyLimit)
    var rest = needed + bodyLimit / 16
    for upload in uploads.values.sorted(by: { $0.counted.incomplete > $1.counted.incomplete }) {
      // An HTTP/2 connection may have several incomplete bodies.
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
