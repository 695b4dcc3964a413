/// How much of its time a loop has given to one connection in the present round.
///
/// Once a connection's share is used up, the rest of its work waits for the next round, in which all others have their shares:
/// no connection gets more of a loop than another, whatever it asks.
struct LoopShare {
  /// After so much work for it in a round, in nanoseconds, a connection waits for the next.
  static let nanoseconds = 200_000

  private var round = 0
  private var spent = 0

  /// Whether nothing more is to be begun in `round`.
  func isUsedUp(in round: Int) -> Bool { self.round == round && spent >= Self.nanoseconds }

  /// Notes work that was done in `round`.
  mutating func spend(_ nanoseconds: Int, in round: Int) {
    spent = (self.round == round ? spent : 0) + nanoseconds
    self.round = round
  }
}
