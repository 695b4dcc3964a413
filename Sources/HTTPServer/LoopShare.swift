/// How much time a loop has spent on one connection in the current round.
///
/// Once a connection's share is used up, its other work waits for a later round, in which all others have their shares:
/// no connection gets more of a loop than another, whatever it asks for.
struct LoopShare {
  /// A connection's share of each round, in nanoseconds.
  static let nanoseconds = 200_000

  private var round = 0
  private var spent = 0

  /// Whether the share of `round` is used up.
  func isUsedUp(in round: Int) -> Bool { self.round == round && spent >= Self.nanoseconds }

  /// Adds work of so many nanoseconds that was done in `round`.
  mutating func spend(_ nanoseconds: Int, in round: Int) {
    spent = (self.round == round ? spent : 0) + nanoseconds
    self.round = round
  }
}
