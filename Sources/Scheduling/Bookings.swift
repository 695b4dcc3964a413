import DequeModule

/// The places promised to clients who were refused and told when to come back.
///
/// Without threads or clocks. A client is known again by its request, which is the same when it comes back. Time is
/// divided into slots; each takes as many steps as the engine is able to, so the more clients are refused, the later the
/// next is told to come. Not all come back: how many do is learned, and a slot is promised to so many more.
package struct Bookings: Sendable {
  package typealias Instant = ContinuousClock.Instant

  /// Tells a request from others: a hash of what was sent.
  package typealias Identity = UInt64

  private struct Key: Hashable, Sendable {
    let identity: Identity
    let slot: Int
  }

  private struct Slot: Sendable {
    /// Steps that the slot is given to, whether their clients came or not.
    var load = 0.0
    /// Of those who were told to come in it.
    var keys: [Key] = []
  }

  /// How long a slot is: fine enough that those of a second come one after the other.
  static let slotSeconds = 0.1
  /// How far ahead places are promised.
  static let maxWaitSeconds = 600
  /// Places promised at one time: what they take is some 80 bytes each.
  package static let maxBookings = 100_000
  /// How much of what the engine can do is promised; the rest makes up for what turns out dearer than it seemed.
  static let bookableShare = 0.9
  /// A client's timer may be this early, and its request this long on its way.
  static let earlySeconds = 0.05
  static let graceSeconds = 1.5

  private let start: Instant
  /// The slots from `first` on; there may be none beyond the last one booked.
  private var slots: Deque<Slot> = []
  private var first = 0
  /// How many of the same request were told to come in the same slot, and did not yet.
  private var bookings: [Key: Int] = [:]
  /// Places promised and not taken, nor lapsed.
  package private(set) var count = 0
  /// The share of those promised a place who come for it: a moving average.
  package private(set) var keptShare = 1.0

  package init(start: Instant = .now) { self.start = start }

  private func seconds(at now: Instant) -> Double { start.duration(to: now).seconds }

  private func slot(at seconds: Double) -> Int { Int((seconds / Self.slotSeconds).rounded(.down)) }

  /// Lets the places lapse whose clients did not come.
  package mutating func advance(to now: Instant) {
    let oldest = slot(at: seconds(at: now) - Self.graceSeconds)
    while first < oldest, let slot = slots.popFirst() {
      first += 1
      for key in slot.keys {
        guard let lapsed = bookings.removeValue(forKey: key) else { continue }
        for _ in 0..<lapsed { learn(kept: false) }
      }
    }
    if slots.isEmpty { first = Swift.max(first, oldest) }
  }

  private mutating func learn(kept: Bool) {
    count -= 1
    keptShare += ((kept ? 1 : 0) - keptShare) / 64
  }

  /// Takes the place that was promised to a client who is back; false where there is none for it now.
  package mutating func redeem(_ identity: Identity, now: Instant) -> Bool {
    let latest = slot(at: seconds(at: now) + Self.earlySeconds)
    guard count > 0, first <= latest else { return false }
    for slot in first...latest {
      let key = Key(identity: identity, slot: slot)
      guard let count = bookings[key] else { continue }
      bookings[key] = count > 1 ? count - 1 : nil
      learn(kept: true)
      return true
    }
    return false
  }

  /// Promises a place.
  ///
  /// - Parameters:
  ///   - earliest: seconds until there can be one, as far as those go who are there already.
  ///   - stepsPerSecond: what the engine is able to.
  /// - Returns: the whole seconds after which the client is to come back.
  package mutating func book(
    _ identity: Identity, steps: Int, earliest: Double, stepsPerSecond: Double,
    now: Instant
  ) -> Int {
    let present = seconds(at: now)
    let soonest = Swift.min(
      Swift.max(1, Int(earliest.rounded(.up))), Self.maxWaitSeconds)
    // Whoever does not come leaves a place to another.
    let capacity =
      stepsPerSecond * Self.slotSeconds * Self.bookableShare / Swift.max(keptShare, 0.05)
    var wait = soonest
    while wait < Self.maxWaitSeconds, load(of: slot(at: present + Double(wait))) >= capacity {
      wait += 1
    }
    // More than can be promised: the time is as true as can be told, the place is not kept.
    guard count < Self.maxBookings else { return wait }
    // A thread that was held up may bring a time that is past.
    let target = Swift.max(first, slot(at: present + Double(wait)))
    let key = Key(identity: identity, slot: target)
    fill(upTo: target)
    bookings[key, default: 0] += 1
    count += 1
    slots[target - first].keys.append(key)
    load(Double(steps), from: target, capacity: capacity)
    return wait
  }

  private func load(of slot: Int) -> Double {
    slots.indices.contains(slot - first) ? slots[slot - first].load : 0
  }

  /// Gives steps to a slot, and to those that follow it what is more than it takes.
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
