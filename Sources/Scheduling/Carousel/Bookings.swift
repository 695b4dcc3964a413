import DequeModule

/// The places promised to clients who were refused and told when to come back.
///
/// Without threads or clocks. A client that comes back is recognised by its request, which is the same again. Among clients
/// that send the same, it is recognised by its connection, or by having just connected while the former one has ended. Time
/// is divided into slots, each of as many steps as the engine can do in it: the more clients are refused, the later the next
/// is told to come. Not all come back; the share that does is learned, and a slot is promised to accordingly more clients.
package struct Bookings: Sendable {
  package typealias Instant = ContinuousClock.Instant

  /// Recognises a client.
  package struct Identity: Sendable {
    /// A hash of what it sent.
    package let request: UInt64
    /// The connection over which the request came; nil where there is none.
    package let connection: UInt64?
    /// Whether it may have come over another connection before: this request is the first over its connection.
    package let mayHaveReconnected: Bool
    /// Whether its connection has ended since, so that it can't come back over it.
    package let hasLeft: @Sendable () -> Bool

    package init(
      request: UInt64, connection: UInt64? = nil, mayHaveReconnected: Bool = true,
      hasLeft: @escaping @Sendable () -> Bool = { true }
    ) {
      self.request = request
      self.connection = connection
      self.mayHaveReconnected = mayHaveReconnected
      self.hasLeft = hasLeft
    }
  }

  /// The places of the queue that a request takes.
  package struct Places: Sendable, Equatable {
    package var sequences = 0
    package var steps = 0

    package init(sequences: Int = 0, steps: Int = 0) {
      self.sequences = sequences
      self.steps = steps
    }

    fileprivate mutating func add(_ other: Places, times count: Int) {
      sequences += count * other.sequences
      steps += count * other.steps
    }
  }

  private struct Key: Hashable, Sendable {
    let request: UInt64
    let slot: Int
  }

  private struct Slot: Sendable {
    /// Steps that the slot is given to, whether their clients came or not.
    var load = 0.0
    /// Of those who were told to come in it.
    var keys: [Key] = []
    /// Clients who were told to come in it and did not yet, and what they take of the queue together.
    var expected = 0
    var places = Places()
  }

  /// Equal requests that were told to come in the same slot, and did not yet.
  private struct Promise: Sendable {
    var clients: [Identity] = []
    let places: Places
  }

  /// How long a slot is: fine enough that those of a second come one after the other.
  static let slotSeconds = 0.1
  /// How far ahead places are promised.
  static let maxWaitSeconds = 600
  /// Places promised at one time: what they take is some 100 bytes each.
  package static let maxBookings = 100_000
  /// The share of the engine's capacity that is promised; the rest makes up for requests that cost more than expected.
  static let bookableShare = 0.9
  /// The most connections of other clients that are checked for their end, for one client that has just connected.
  static let maxStrangersAsked = 256
  /// A client's timer may be this early, and its request this long on its way.
  static let earlySeconds = 0.05
  static let graceSeconds = 1.5

  private let start: Instant
  /// The slots from `first` on; there may be none beyond the last one booked.
  private var slots: Deque<Slot> = []
  private var first = 0
  private var bookings: [Key: Promise] = [:]
  /// Places promised and not taken, nor lapsed.
  package private(set) var count = 0
  /// The share of clients with a promise that come for it: a moving average.
  package private(set) var keptShare = 1.0
  /// How much of the engine's capacity is promised: less where clients came on time and found no place.
  private(set) var pace = 1.0
  /// The least that the pace falls to.
  static let minimumPace = 0.3

  package init(start: Instant = .now) { self.start = start }

  private func seconds(at now: Instant) -> Double { start.duration(to: now).seconds }

  private func slot(at seconds: Double) -> Int { Int((seconds / Self.slotSeconds).rounded(.down)) }

  /// Drops the promises of clients that did not come in time.
  package mutating func advance(to now: Instant) {
    let oldest = slot(at: seconds(at: now) - Self.graceSeconds)
    while first < oldest, let slot = slots.popFirst() {
      first += 1
      for key in slot.keys {
        guard let lapsed = bookings.removeValue(forKey: key) else { continue }
        for _ in lapsed.clients { learn(kept: false) }
      }
    }
    if slots.isEmpty { first = Swift.max(first, oldest) }
  }

  private mutating func learn(kept: Bool) {
    count -= 1
    keptShare += ((kept ? 1 : 0) - keptShare) / 64
  }

  /// Takes the place that was promised to a client who is back; false where there is none for it now.
  package mutating func redeem(_ client: Identity, now: Instant) -> Bool {
    let latest = slot(at: seconds(at: now) + Self.earlySeconds)
    guard count > 0, first <= latest else { return false }
    guard let (slot, index) = place(of: client, until: latest) else { return false }
    let key = Key(request: client.request, slot: slot)
    guard var promise = bookings[key] else { return false }
    promise.clients.remove(at: index)
    bookings[key] = promise.clients.isEmpty ? nil : promise
    slots[slot - first].expected -= 1
    slots[slot - first].places.add(promise.places, times: -1)
    learn(kept: true)
    return true
  }

  /// The index of the promise to `client`, among those up to a slot.
  ///
  /// A client that came over another connection takes the place of one whose connection has ended. Otherwise newcomers that
  /// send the same would take the places of clients that are about to come.
  private func place(of client: Identity, until latest: Int) -> (slot: Int, index: Int)? {
    func clients(in slot: Int) -> [Identity] {
      bookings[Key(request: client.request, slot: slot)]?.clients ?? []
    }
    if let connection = client.connection {
      for slot in first...latest {
        if let index = clients(in: slot).firstIndex(where: { $0.connection == connection }) {
          return (slot, index)
        }
      }
    }
    guard client.mayHaveReconnected else { return nil }
    // In the order in which they are due: nearly all clients before this one have come already.
    var left = Self.maxStrangersAsked
    for slot in first...latest {
      for (index, other) in clients(in: slot).enumerated() {
        guard left > 0 else { return nil }
        left -= 1
        if other.hasLeft() { return (slot, index) }
      }
    }
    return nil
  }

  /// Records whether a client who came for its place was admitted: promises slow down where one was not.
  package mutating func record(isHonoured: Bool) {
    pace = isHonoured ? pace + (1 - pace) / 64 : Swift.max(Self.minimumPace, pace * 0.9)
  }

  /// The part of the queue that clients may take which are due within `seconds`, or are late and may still come.
  ///
  /// As not all come, it has room for the expected number and three standard deviations more.
  package func reserved(within seconds: Double, now: Instant) -> Places {
    var (expected, places) = (0, Places())
    let latest = slot(at: self.seconds(at: now) + seconds)
    for index in slots.indices where first + index <= latest {
      expected += slots[index].expected
      places.add(slots[index].places, times: 1)
    }
    guard expected > 0 else { return Places() }
    let count = Double(expected)
    let coming = keptShare * count + 3 * (count * keptShare * (1 - keptShare)).squareRoot()
    let share = Swift.min(1, coming / count)
    return Places(
      sequences: Int((share * Double(places.sequences)).rounded(.up)),
      steps: Int((share * Double(places.steps)).rounded(.up)))
  }

  /// Promises a place.
  ///
  /// - Parameters:
  ///   - places: what the client will take of the queue.
  ///   - room: what the queue holds: no slot is promised to more, however little is known of costs.
  ///   - steps: the work of its request.
  ///   - earliest: seconds until there can be one, as far as those go who are there already.
  ///   - stepsPerSecond: what the engine is able to.
  /// - Returns: the whole seconds after which the client is to come back.
  package mutating func book(
    _ client: Identity, places: Places, room: Places, steps: Int, earliest: Double,
    stepsPerSecond: Double,
    now: Instant
  ) -> Int {
    let present = seconds(at: now)
    let soonest = Swift.min(
      Swift.max(1, Int(earliest.rounded(.up))), Self.maxWaitSeconds)
    // A client that does not come leaves its place to another.
    let capacity =
      stepsPerSecond * Self.slotSeconds * Self.bookableShare * pace
      / Swift.max(keptShare, 0.05)
    var wait = soonest
    while wait < Self.maxWaitSeconds,
      isFull(slot(at: present + Double(wait)), for: places, room: room, capacity: capacity)
    {
      wait += 1
    }
    // Beyond what can be promised: the time is the best estimate, no place is kept.
    guard count < Self.maxBookings else { return wait }
    // A thread that was held up may pass a time that is over.
    let target = Swift.max(first, slot(at: present + Double(wait)))
    let key = Key(request: client.request, slot: target)
    fill(upTo: target)
    bookings[key, default: Promise(places: places)].clients.append(client)
    count += 1
    slots[target - first].keys.append(key)
    slots[target - first].expected += 1
    slots[target - first].places.add(places, times: 1)
    load(Double(steps), from: target, capacity: capacity)
    return wait
  }

  private func isFull(_ slot: Int, for places: Places, room: Places, capacity: Double) -> Bool {
    guard slots.indices.contains(slot - first) else { return false }
    let slot = slots[slot - first]
    guard slot.load < capacity else { return true }
    let share = Swift.max(keptShare, 0.05)
    return slot.expected > 0
      && (share * Double(slot.places.sequences) + Double(places.sequences) > Double(room.sequences)
        || share * Double(slot.places.steps) + Double(places.steps) > Double(room.steps))
  }

  /// Adds steps to a slot, and to the slots after it what does not fit.
  private mutating func load(_ steps: Double, from slot: Int, capacity: Double) {
    var (remaining, slot) = (steps, slot)
    while remaining > 0 {
      fill(upTo: slot)
      let room = Swift.max(0, capacity - slots[slot - first].load)
      let isLast = slot - first >= Self.maxWaitSeconds * 10
      let share = isLast || capacity <= 0 ? remaining : Swift.min(room, remaining)
      slots[slot - first].load += share
      remaining -= share
      slot += 1
    }
  }

  private mutating func fill(upTo slot: Int) {
    while first + slots.count <= slot { slots.append(Slot()) }
  }
}
