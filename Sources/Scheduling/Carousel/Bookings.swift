import DequeModule

/// The places in the queue that were promised to refused clients, with the times at which they are to come back.
///
/// A state machine without threads or clocks. Time is divided into slots, each for as many steps as the engine can do
/// in it: the more clients are refused, the later the next one is told to come. Not all clients come back: the share
/// that does is measured, and a slot is promised to correspondingly more of them.
///
/// A client that comes back is recognised by its request, which is the same again. Clients that send equal requests are
/// told apart by their connections; a client that has just connected takes the place of one whose connection has ended.
/// A client with a pool of connections may come back over any of them. Therefore an equal request over a connection that
/// nothing was promised to takes a place too; but if it came from somebody else, the place's owner still gets one.
/// Equal requests over one connection have `maxPromisesEach` places at a time: whoever asks again and again, sooner than
/// told, books no more, and does not make the others wait.
package struct Bookings: Sendable {
  package typealias Instant = ContinuousClock.Instant

  /// What a client is recognised by when it comes back.
  package struct Identity: Sendable {
    /// A hash of the client's request.
    package let request: UInt64
    /// The connection over which the request came; nil where there is none.
    package let connection: UInt64?
    /// Whether the request is the first on its connection, so that the client may have been refused on an earlier one.
    package let mayHaveReconnected: Bool
    /// Whether the client's connection has ended since, so that the client can only come back on another one.
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

  /// How much of the queue a request takes.
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

  /// What the promises have in common that share an entry: the request's hash and the slot.
  private struct Key: Hashable, Sendable {
    let request: UInt64
    let slot: Int
  }

  private struct Slot: Sendable {
    /// The steps of requests that the slot was given to, whether their clients came or not.
    var load = 0.0
    /// The keys of the clients that were told to come in this slot.
    var keys: [Key] = []
    /// The clients that were told to come in this slot and have not come yet, and how much of the queue they take
    /// together.
    var expected = 0
    var places = Places()
  }

  /// The clients with equal requests that were told to come in the same slot, and have not come over their own
  /// connections yet.
  private struct Promise: Sendable {
    var clients: [Client] = []
    let places: Places
  }

  private struct Client: Sendable {
    let identity: Identity
    /// Whether the client's place was taken over another connection. It is counted no more, and given once again if the
    /// client comes over its own.
    var isTaken = false
  }

  /// Those who are told apart by nothing: the clients with equal requests over one connection.
  private struct Holder: Hashable, Sendable {
    let request: UInt64
    let connection: UInt64

    /// Nil for a client without a connection.
    init?(_ client: Identity) {
      guard let connection = client.connection else { return nil }
      self.request = client.request
      self.connection = connection
    }
  }

  /// A place that a client may take: the index of its owner among those with equal requests in a slot.
  private struct Claim {
    let slot: Int
    let index: Int
    /// Whether the client is the owner, or takes its place for good, as the owner's connection has ended.
    let isOwner: Bool
  }

  /// The length of a slot: short, so that the clients due within a second come one after the other.
  static let slotSeconds = 0.1
  /// The longest time ahead for which places are promised.
  static let maxWaitSeconds = 600
  /// The most places promised at one time; each takes some 100 bytes of memory.
  package static let maxBookings = 100_000
  /// The most places promised at one time to equal requests over one connection.
  static let maxPromisesEach = 16
  /// The share of the engine's capacity that is promised. The rest makes up for requests that cost more than expected, and
  /// for a machine that has become slower since; newcomers get what is left of it.
  static let bookableShare = 0.8
  /// The most other clients whose connections are checked for their end, for one client that has just connected.
  static let maxConnectionsChecked = 256
  /// How early a promised client may come, as timers differ, and how late (`graceSeconds`), as its request takes time
  /// to arrive.
  static let earlySeconds = 0.05
  static let graceSeconds = 1.5

  private let start: Instant
  /// The slots from number `first` up to the last one in use.
  private var slots: Deque<Slot> = []
  private var first = 0
  private var bookings: [Key: Promise] = [:]
  /// How many of the clients in `bookings` each holder is.
  private var held: [Holder: Int] = [:]
  /// The places that are promised, and neither taken nor lapsed.
  package private(set) var count = 0
  /// The share of promised clients that come for their places: a moving average.
  package private(set) var keptShare = 1.0
  /// A factor on the promised capacity: it falls when clients come on time and still find no place.
  private(set) var pace = 1.0
  /// The lowest `pace`.
  static let minimumPace = 0.3

  package init(start: Instant = .now) { self.start = start }

  /// The share that more promises than there is capacity for are based on: three standard deviations above `keptShare`, so that
  /// a few clients who were late by chance don't fill slots with more than can be done.
  private var likelyShare: Double {
    // The variance of an average whose weights fall by 63/64 from one client to the one before.
    let variance = keptShare * (1 - keptShare) / 127
    return Swift.min(1, Swift.max(keptShare + 3 * variance.squareRoot(), 0.05))
  }

  private func seconds(at now: Instant) -> Double { start.duration(to: now).seconds }

  private func slot(at seconds: Double) -> Int { Int((seconds / Self.slotSeconds).rounded(.down)) }

  /// Drops the promises of clients that did not come in time.
  package mutating func advance(to now: Instant) {
    let oldest = slot(at: seconds(at: now) - Self.graceSeconds)
    while first < oldest, let slot = slots.popFirst() {
      first += 1
      for key in slot.keys {
        guard let lapsed = bookings.removeValue(forKey: key) else { continue }
        for client in lapsed.clients {
          changeHeld(of: client.identity, by: -1)
          if !client.isTaken { learn(kept: false) }
        }
      }
    }
    if slots.isEmpty { first = Swift.max(first, oldest) }
  }

  private mutating func changeHeld(of client: Identity, by change: Int) {
    guard let holder = Holder(client) else { return }
    let count = held[holder, default: 0] + change
    held[holder] = count == 0 ? nil : count
  }

  private func mayHold(another client: Identity) -> Bool {
    guard let holder = Holder(client) else { return true }
    return held[holder, default: 0] < Self.maxPromisesEach
  }

  private mutating func learn(kept: Bool) {
    count -= 1
    keptShare += ((kept ? 1 : 0) - keptShare) / 64
  }

  /// Redeems the promise to a client that is back. Returns false if no promise to it is due now.
  package mutating func redeem(_ client: Identity, now: Instant) -> Bool {
    let latest = slot(at: seconds(at: now) + Self.earlySeconds)
    guard !bookings.isEmpty, first <= latest, let claim = claim(of: client, until: latest) else {
      return false
    }
    let key = Key(request: client.request, slot: claim.slot)
    guard var promise = bookings[key] else { return false }
    let wasTaken = promise.clients[claim.index].isTaken
    if claim.isOwner {
      changeHeld(of: promise.clients.remove(at: claim.index).identity, by: -1)
    } else {
      promise.clients[claim.index].isTaken = true
    }
    bookings[key] = promise.clients.isEmpty ? nil : promise
    guard !wasTaken else { return true }
    slots[claim.slot - first].expected -= 1
    slots[claim.slot - first].places.add(promise.places, times: -1)
    learn(kept: true)
    return true
  }

  /// The place in the slots up to `latest` that `client` may take; nil if there is none.
  private func claim(of client: Identity, until latest: Int) -> Claim? {
    func clients(in slot: Int) -> [Client] {
      bookings[Key(request: client.request, slot: slot)]?.clients ?? []
    }
    var another: Claim?
    for slot in first...latest {
      for (index, other) in clients(in: slot).enumerated() {
        if let connection = client.connection, other.identity.connection == connection {
          return Claim(slot: slot, index: index, isOwner: true)
        }
        if another == nil, !other.isTaken {
          another = Claim(slot: slot, index: index, isOwner: false)
        }
      }
    }
    if client.mayHaveReconnected, let claim = claimOfLeft(until: latest, clients) { return claim }
    return another
  }

  /// The first place whose owner's connection has ended.
  ///
  /// Places are looked at in the order in which they are due, so that few connections are checked: nearly all clients due
  /// before this one have come already.
  private func claimOfLeft(until latest: Int, _ clients: (_ slot: Int) -> [Client]) -> Claim? {
    var left = Self.maxConnectionsChecked
    for slot in first...latest {
      for (index, other) in clients(slot).enumerated() {
        guard left > 0 else { return nil }
        left -= 1
        if other.identity.hasLeft() { return Claim(slot: slot, index: index, isOwner: true) }
      }
    }
    return nil
  }

  /// Records whether a client that came for its promised place was admitted. If it was not, fewer places are promised.
  package mutating func record(isHonoured: Bool) {
    pace = isHonoured ? pace + (1 - pace) / 64 : Swift.max(Self.minimumPace, pace * 0.9)
  }

  /// The part of the queue to keep free for promised clients that are due within `seconds`, or are late and may still
  /// come.
  ///
  /// As not all of them come, the part is for the expected number and three standard deviations more.
  package func reserved(within seconds: Double, now: Instant) -> Places {
    var (expected, places) = (0, Places())
    let latest = slot(at: self.seconds(at: now) + seconds)
    for due in slots.prefix(Swift.max(0, latest + 1 - first)) {
      expected += due.expected
      places.add(due.places, times: 1)
    }
    guard expected > 0 else { return Places() }
    let count = Double(expected)
    let coming = keptShare * count + 3 * (count * keptShare * (1 - keptShare)).squareRoot()
    let share = Swift.min(1, coming / count)
    return Places(
      sequences: Int((share * Double(places.sequences)).rounded(.up)),
      steps: Int((share * Double(places.steps)).rounded(.up)))
  }

  /// The steps of the promised clients that are likely to come within `seconds`. Those who are late don't count: most of
  /// them don't come any more.
  package func expectedSteps(within seconds: Double, now: Instant) -> Double {
    let present = self.seconds(at: now)
    let due = slot(at: present) - first..<slot(at: present + seconds) + 1 - first
    let steps = slots[slots.indices.clamped(to: due)].reduce(0) { $0 + $1.places.steps }
    return keptShare * Double(steps)
  }

  /// Promises a place to a refused client.
  ///
  /// - Parameters:
  ///   - places: how much of the queue the client will take.
  ///   - room: how much the queue holds: no slot is promised to more, even while little is known of costs.
  ///   - steps: the steps of the client's request, those fed back included.
  ///   - earliest: the seconds until there can be a place, counting only the riders that are there now.
  ///   - stepsPerSecond: the engine's capacity.
  /// - Returns: the whole seconds after which the client is to come back.
  package mutating func book(
    _ client: Identity, places: Places, room: Places, steps: Int, earliest: Double,
    stepsPerSecond: Double,
    now: Instant
  ) -> Int {
    let present = seconds(at: now)
    let soonest = Swift.min(
      Swift.max(1, Int(earliest.rounded(.up))), Self.maxWaitSeconds)
    // More is promised than there is, as some clients will not come for their places.
    let capacity =
      stepsPerSecond * Self.slotSeconds * Self.bookableShare * pace / likelyShare
    var wait = soonest
    while wait < Self.maxWaitSeconds,
      isFull(slot(at: present + Double(wait)), for: places, room: room, capacity: capacity)
    {
      wait += 1
    }
    // No more places can be promised: the time returned is the best estimate, and no place is kept.
    guard count < Self.maxBookings, mayHold(another: client) else { return wait }
    // A thread that was held up may pass a time before the first slot.
    let target = Swift.max(first, slot(at: present + Double(wait)))
    let key = Key(request: client.request, slot: target)
    fill(upTo: target)
    bookings[key, default: Promise(places: places)].clients.append(Client(identity: client))
    changeHeld(of: client, by: 1)
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
    let share = likelyShare
    return slot.expected > 0
      && (share * Double(slot.places.sequences) + Double(places.sequences) > Double(room.sequences)
        || share * Double(slot.places.steps) + Double(places.steps) > Double(room.steps))
  }

  /// Adds steps to a slot, and what does not fit to the slots after it.
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
