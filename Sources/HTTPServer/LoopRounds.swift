import HTTPCore

/// The rounds of a loop: what has a share of this one, what is done at its end, and what waits for a later one.
///
/// Each connection has a share of a round, and those that ask for more have one together.
final class LoopRounds {
  /// What may be done in a round for all connections together whose shares of earlier rounds were used up, in nanoseconds:
  /// how many they are makes no difference to the others.
  static let lateNanoseconds = 200_000

  let time: LoopTime
  /// Counts rounds, for the connections' shares.
  private var round = 0
  /// Up to when connections have paid for the loop's time, in its clock's nanoseconds.
  private var chargedUntil = 0
  /// Connections whose shares are used up, and for which more is to be done in a later round, in order.
  private var late = FIFO<Connection>()
  private var unflushed: [Connection] = []

  init(_ time: LoopTime) { self.time = time }

  /// Whether nobody waits for a later round.
  var isIdle: Bool { late.isEmpty && unflushed.isEmpty }

  /// Begins a round: reads the clock.
  func begin() {
    time.clock.update()
    chargedUntil = time.now
    round += 1
  }

  // MARK: Shares

  /// Has `connection` pay for what the loop has done since the last call, for which nobody else has paid.
  func charge(_ connection: Connection) {
    let now = time.clock.read()
    connection.share.spend(now - chargedUntil, in: round)
    chargedUntil = now
  }

  /// Whether nothing more is to be begun for `connection` in this round.
  func isUsedUp(by connection: Connection) -> Bool { connection.share.isUsedUp(in: round) }

  /// Has more done for `connection` in a later round, after those that wait already.
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

  /// Flushes those who wait for it, and those who come to wait meanwhile.
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
