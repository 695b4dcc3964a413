/// Each connection has a share of a round, and those that ask for more have one together.
extension EventLoop {
  /// What may be done in a round for all connections together whose shares of earlier rounds were used up, in nanoseconds:
  /// how many they are makes no difference to the others.
  static let lateNanoseconds = 200_000

  /// Has `connection` pay for what the loop has done since the last call, for which nobody else has paid.
  func charge(_ connection: Connection) {
    let now = clock.read()
    connection.share.spend(now - chargedUntil, in: round)
    chargedUntil = now
  }

  /// Has more done for `connection` in a later round, after those that wait already.
  func putOff(_ connection: Connection) {
    guard !connection.isLate else { return }
    connection.isLate = true
    late.append(connection)
  }

  /// Goes on with connections that were put off, each within its share.
  func serveLate() {
    guard !late.isEmpty else { return }
    let start = chargedUntil
    // Some may be put off once more.
    for _ in 0..<late.count where chargedUntil - start < Self.lateNanoseconds {
      guard let connection = late.popFirst() else { return }
      connection.isLate = false
      guard connection.isOpen else { continue }
      handOutWaiting(of: connection)
      deliverMail(of: connection)
      if connection.isOpen { settle(connection) }
    }
  }
}
