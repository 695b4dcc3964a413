import DequeModule

/// The riders that wait for a seat, in order, and the sums of their steps.
struct BoardingQueue {
  typealias Instant = ContinuousClock.Instant

  /// A rider that waits.
  struct Waiting: Equatable {
    var passenger: Passenger
    /// Whether it was admitted before, and left its seat by rotation.
    var isRotated = false
    /// Whether it has so few steps that it may board before riders that came earlier (`Carousel.isBrief`).
    var isBrief = false
  }

  /// How many riders a part of the queue has, and their steps.
  struct Group: Equatable {
    var riders = 0
    /// Includes the steps that will be fed back.
    var steps = 0
  }

  let chunking: Chunking
  private var waiting: Deque<Waiting> = []

  /// The waiting riders that have a deadline; `withoutDeadline` are the others.
  private(set) var withDeadline = Group()
  private(set) var withoutDeadline = Group()
  /// A lower bound of the deadlines: it stays when the rider with the earliest one is removed. Nil before the first
  /// rider with a deadline.
  private var earliestDeadline: Instant?
  /// The number of brief riders.
  private(set) var briefCount = 0
  /// The steps of waiting riders that count against `max_queued_steps`.
  private(set) var steps = 0
  /// The part of `steps` that belongs to riders which left their seats by rotation.
  private(set) var rotatedSteps = 0
  /// The steps that will be fed back to waiting riders and are not part of `steps`.
  private(set) var following = 0

  init(chunking: Chunking) { self.chunking = chunking }

  var count: Int { waiting.count }
  var isEmpty: Bool { waiting.isEmpty }
  /// The first riders of the queue, in order.
  func prefix(_ count: Int) -> Deque<Waiting>.SubSequence { waiting.prefix(count) }

  /// Adds a rider behind all others.
  mutating func append(_ rider: Waiting) {
    waiting.append(rider)
    add(rider)
  }

  /// Adds a rider before all others.
  mutating func prepend(_ rider: Waiting) {
    waiting.prepend(rider)
    add(rider)
  }

  /// The index of the next rider to board: with `isBriefFirst` the first brief rider, if there is one, else the first
  /// of all. Nil if the queue is empty.
  func next(isBriefFirst: Bool) -> Int? {
    guard !waiting.isEmpty else { return nil }
    return isBriefFirst && briefCount > 0 ? waiting.firstIndex(where: \.isBrief) ?? 0 : 0
  }

  subscript(index: Int) -> Waiting { waiting[index] }

  /// Changes the entry of a waiting rider. `change` must leave its steps and its deadline alone: sums depend on them.
  mutating func update(_ rider: RiderID, _ change: (inout Passenger) -> Void) {
    guard let index = waiting.firstIndex(where: { $0.passenger.rider == rider }) else { return }
    change(&waiting[index].passenger)
  }

  @discardableResult
  mutating func remove(at index: Int) -> Passenger {
    let rider = waiting.remove(at: index)
    count(rider, -1)
    return rider.passenger
  }

  /// Removes a rider; returns false where it does not wait here.
  @discardableResult
  mutating func remove(_ rider: RiderID) -> Bool {
    guard let index = waiting.firstIndex(where: { $0.passenger.rider == rider }) else {
      return false
    }
    remove(at: index)
    return true
  }

  /// Removes riders, in one pass, however many they are.
  mutating func remove(_ riders: Set<RiderID>) {
    remove {
      riders.contains($0.rider)
    } with: { _ in
    }
  }

  /// Removes the riders whose deadline passed, and returns them.
  mutating func removeLate(now: Instant) -> [RiderID] {
    guard withDeadline.riders > 0, let earliestDeadline, earliestDeadline <= now else { return [] }
    var late: [RiderID] = []
    remove {
      $0.isLate(at: now)
    } with: {
      late.append($0.rider)
    }
    self.earliestDeadline = waiting.lazy.compactMap(\.passenger.deadline).min()
    return late
  }

  private mutating func remove(
    where isRemoved: (Passenger) -> Bool, with action: (Passenger) -> Void
  ) {
    for rider in waiting where isRemoved(rider.passenger) {
      action(rider.passenger)
      count(rider, -1)
    }
    waiting.removeAll { isRemoved($0.passenger) }
  }

  private mutating func add(_ rider: Waiting) {
    count(rider, 1)
    if let deadline = rider.passenger.deadline {
      earliestDeadline = Swift.min(earliestDeadline ?? deadline, deadline)
    }
  }

  /// Adds a rider to the sums (`change` is 1) or takes it out of them (-1).
  private mutating func count(_ rider: Waiting, _ change: Int) {
    let journey = rider.passenger.journey
    let (queued, all) = (chunking.queuedSteps(of: journey), journey.all)
    steps += change * queued
    following += change * (all - queued)
    if rider.isRotated { rotatedSteps += change * queued }
    if rider.isBrief { briefCount += change }
    if rider.passenger.deadline == nil {
      withoutDeadline.riders += change
      withoutDeadline.steps += change * all
    } else {
      withDeadline.riders += change
      withDeadline.steps += change * all
    }
  }
}
