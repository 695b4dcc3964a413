/// One turn of a worker; the parts are done in this order.
package struct Turn: Equatable, Sendable {
  /// Riders whose deadline passed, or will before they can be done: they wait and ride no more.
  package var expired: [RiderID] = []
  /// The seats of the first of them; the others waited.
  package var expiredSeats: [Int] = []
  /// Riders that leave their seats to others and wait again, each with the state that its seat holds now, before
  /// any moves.
  package var rotations: [Rotation] = []
  /// States to move from seat to seat, since seats fell free.
  package var moves: [Move] = []
  /// Riders that take a seat now.
  package var boardings: [Boarding] = []
  /// Every rider on board, by seat, and its share of the turn.
  package var parts: [Part] = []

  package struct Move: Equatable, Sendable {
    package let from, to: Int
  }

  package struct Rotation: Equatable, Sendable {
    package let rider: RiderID
    package let seat: Int
  }

  package struct Boarding: Equatable, Sendable {
    package let rider: RiderID
    package let seat: Int
  }

  package struct Part: Equatable, Sendable {
    package let rider: RiderID
    package let seat: Int
    /// Steps to advance by.
    package let steps: Int
    /// Whether these are the rider's last; it keeps its seat until `alight`, `extend` or `pause` says what follows.
    package let finishes: Bool
  }

  /// Steps of all parts.
  var steps: Int { parts.reduce(0) { $0 + $1.steps } }
  /// The steps of the longest part.
  var longestPart: Int { parts.reduce(0) { Swift.max($0, $1.steps) } }
}
