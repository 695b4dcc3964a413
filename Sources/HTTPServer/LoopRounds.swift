import HTTPCore

/// The rounds of a loop: which connections are flushed at the end of this one, and which wait for a later one.
///
/// Each connection has a share of a round's time. Connections that have used theirs up share another one together.
final class LoopRounds {
  /// The time of a round, in nanoseconds, for all connections together whose shares of earlier rounds were used up: their
  /// number makes no difference to the others.
  static let lateNanoseconds = 200_000

  let time: LoopTime
  /// Counts rounds, for the connections' shares.
  private var round = 0
  /// The clock's nanoseconds up to which the loop's time is charged to connections.
  private var chargedUntil = 0
  /// Connections whose shares are used up, and for which more is to be done in a later round, in order.
  private var late = FIFO<Connection>()
  private var unflushed: [Connection] = []

  init(_ time: LoopTime) { self.time = time }

  /// Whether no connection waits for a later round.
  var isIdle: Bool { late.isEmpty && unflushed.isEmpty }

  /// Begins a round: reads the clock.
  func begin() {
    time.clock.update()
    chargedUntil = time.now
    round += 1
  }

  // MARK: Shares

  /// Charges `connection` for the loop's time since the last call.
  func charge(_ connection: Connection) {
    let now = time.read()
    connection.share.spend(now - chargedUntil, in: round)
    chargedUntil = now
  }

  /// Whether nothing more is to be begun for `connection` in this round.
  func isUsedUp(by connection: Connection) -> Bool { connection.share.isUsedUp(in: round) }

  /// Lets `connection` go on in a later round, after the connections that wait already.
  func putOff(_ connection: Connection) {
    guard !connection.isLate else { return }
    connection.isLate = true
    late.append(connection)
  }

  /// Calls `serve` with connections that were put off, to go on with each within its share.
  func serveLate(_ serve: (Connection) -> Void) {
    guard !late.isEmpty else { return }
    let start = chargedUntil
    // Some may be put off once more.
    for _ in 0..<late.count where chargedUntil - start < Self.lateNanoseconds {
      guard let connection = late.popFirst() else { return }
      connection.isLate = false
      if !connection.lifecycle.isClosed { serve(connection) }
    }
  }

  // MARK: The end of a round

  /// Has `connection` flushed at the end of the round.
  func scheduleFlush(_ connection: Connection) {
    guard !connection.isFlushScheduled else { return }
    connection.isFlushScheduled = true
    unflushed.append(connection)
  }

  /// Flushes the connections that are scheduled, and those that are scheduled meanwhile.
  func flushAll(_ flush: (Connection) -> Void) {
    var index = 0
    while index < unflushed.count {
      let connection = unflushed[index]
      connection.isFlushScheduled = false
      if !connection.lifecycle.isClosed { flush(connection) }
      index += 1
    }
    unflushed.removeAll(keepingCapacity: true)
  }
}
