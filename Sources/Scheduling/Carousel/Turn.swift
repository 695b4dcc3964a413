/// One turn of a worker, as planned; the worker carries out the members in this order.
package struct Turn: Equatable, Sendable {
  /// Riders whose deadline passed, or would pass before they are done; the carousel has removed them.
  package var expired: [RiderID] = []
  /// The seats of the first riders in `expired`, in order; the other riders there were waiting.
  package var expiredSeats: [Int] = []
  /// Riders that leave their seats to others and wait again. Each takes along the state that its seat holds before
  /// `moves`.
  package var rotations: [Rotation] = []
  /// States to move between seats, to close the gaps where seats fell free.
  package var moves: [Move] = []
  /// Riders that take a seat now.
  package var boardings: [Boarding] = []
  /// Every rider on board, by seat, and its share of the turn.
  package var parts: [Part] = []

  /// The state in seat `from` moves to seat `to`.
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
    /// Whether these are the rider's last steps. It keeps its seat until `alight`, `extend` or `pause` is called for
    /// it.
    package let finishes: Bool
  }

  /// Steps of all parts.
  var steps: Int { parts.reduce(0) { $0 + $1.steps } }
  /// The steps of the longest part.
  var longestPart: Int { parts.reduce(0) { Swift.max($0, $1.steps) } }
}
