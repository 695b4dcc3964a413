import HTTPCore

/// The rounds of a loop: which connections are flushed at the end of the current round, and which wait for a later one.
///
/// Each connection has a share of a round's time (`LoopShare`). Connections that have used up theirs have one more
/// share together.
final class LoopRounds {
  /// The time in each round, in nanoseconds, for all connections together that used up their shares of earlier rounds.
  /// So their number makes no difference to other connections.
  static let lateNanoseconds = 200_000

  let time: LoopTime
  /// The number of the current round, for which each connection has a new share.
  private var round = 0
  /// The time, in nanoseconds, up to which the loop's work has been charged to connections.
  private var chargedUntil = 0
  /// Connections that used up their shares and have more work for a later round, in order.
  private var late = FIFO<Connection>()
  private var unflushed: [Connection] = []

  init(_ time: LoopTime) { self.time = time }

  /// Whether no connection waits for a later round, or to be flushed.
  var isIdle: Bool { late.isEmpty && unflushed.isEmpty }

  /// Begins a round: reads the clock.
  func begin() {
    time.clock.update()
    chargedUntil = time.now
    round += 1
  }

  // MARK: Shares

  /// Charges `connection` for the time that has passed since the last call.
  func charge(_ connection: Connection) {
    let now = time.read()
    connection.share.spend(now - chargedUntil, in: round)
    chargedUntil = now
  }

  /// Whether `connection` has used up its share, so that no more work is begun for it in this round.
  func isUsedUp(by connection: Connection) -> Bool { connection.share.isUsedUp(in: round) }

  /// Puts off the other work for `connection` to a later round, behind the connections that wait already.
  func postpone(_ connection: Connection) {
    guard !connection.isLate else { return }
    connection.isLate = true
    late.append(connection)
  }

  /// Calls `serve` with the connections that were put off, until all had a turn or `lateNanoseconds` have passed.
  func servePostponed(_ serve: (Connection) -> Void) {
    guard !late.isEmpty else { return }
    let start = chargedUntil
    // `serve` may put a connection off once more, so only as many are served as wait now.
    for _ in 0..<late.count where chargedUntil - start < Self.lateNanoseconds {
      guard let connection = late.popFirst() else { return }
      connection.isLate = false
      if !connection.lifecycle.isClosed { serve(connection) }
    }
  }

  // MARK: The end of a round

  /// Schedules a flush of `connection` at the end of the round.
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
