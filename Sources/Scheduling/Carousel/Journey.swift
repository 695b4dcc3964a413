/// Names a rider for as long as the carousel knows of it.
package struct RiderID: Hashable, Sendable, Comparable {
  package let rawValue: UInt64

  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The steps of a rider: its own (`steps`), and those fed back to it after them (`following`, an upper bound).
package struct Journey: Equatable, Sendable {
  package let steps: Int
  package let following: Int

  package init(steps: Int, following: Int = 0) {
    precondition(steps > 0 && following >= 0)
    self.steps = steps
    self.following = following
  }

  var all: Int { steps + following }
}

/// How riders may be advanced.
package enum Chunking: Sendable, Equatable {
  /// Any number of steps at a time: a streamable graph.
  case steps
  /// All of a sequence in one turn: a graph with an op that needs the whole of it.
  case wholeSequences

  /// Steps of a rider that count against `max_queued_steps`. A graph that needs whole sequences runs again, from the
  /// beginning, for each step that is fed back: all those runs count.
  func queuedSteps(of journey: Journey) -> Int {
    switch self {
    case .steps: journey.steps
    case .wholeSequences: journey.all
    }
  }
}

/// What the carousel knows of a rider, wherever it is: waiting, on board or parked.
struct Passenger: Equatable, Sendable {
  let rider: RiderID
  /// When its client stops waiting for the answer.
  let deadline: ContinuousClock.Instant?
  /// Steps until it is done, or until something is fed back to it.
  var steps: Int
  /// Steps that will be fed back to it after those.
  var following: Int
  /// Whether it had a seat before; then its remaining steps are only an upper bound.
  var hasBoarded = false
  /// Whether its reader caught up while the rider was not parked: its next pause is ignored.
  var isResumed = false

  init(rider: RiderID, journey: Journey, deadline: ContinuousClock.Instant?) {
    self.rider = rider
    self.deadline = deadline
    steps = journey.steps
    following = journey.following
  }

  /// The steps that it still has. Call only while `steps` is above 0.
  var journey: Journey { Journey(steps: steps, following: following) }

  var allSteps: Int { steps + following }

  func isLate(at now: ContinuousClock.Instant) -> Bool { deadline.map { $0 <= now } ?? false }
}
