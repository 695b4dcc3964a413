/// A hierarchical timing wheel: to set, to move and to expire a deadline each cost the same, whether there are ten or
/// ten thousand.
///
/// There are eight wheels of 64 slots. A slot of the first wheel is half a millisecond; a slot of each next wheel is a
/// whole turn of the wheel before. A deadline waits in the lowest wheel whose current turn includes it, and moves to a
/// lower wheel when its slot comes round (Varghese and Lauck, Hashed and Hierarchical Timing Wheels, 1987).
struct DeadlineWheel<Element> {
  /// Names an element of the wheel, which may have a deadline.
  struct Entry {
    fileprivate let index: Int
  }

  private struct Node {
    var element: Element?
    var time = Int.max
    /// The index of the node's slot, counted over all wheels; `none` when the node has no deadline.
    var slot = DeadlineWheel.none
    /// The node's neighbours in that slot's list.
    var previous = DeadlineWheel.none
    var next = DeadlineWheel.none
  }

  private static var none: Int { -1 }
  /// A tick is 2^19 ns.
  private static var tickBits: Int { 19 }
  private static var slotBits: Int { 6 }
  private static var slotCount: Int { 1 << slotBits }
  /// Enough wheels for all positive nanoseconds of an Int.
  private static var wheelCount: Int { 8 }

  private var nodes: [Node] = []
  private var free: [Int] = []
  /// The first node of each slot, wheel after wheel.
  private var heads = [Int](repeating: none, count: wheelCount * slotCount)
  /// A bit for each slot of each wheel: whether the slot has any nodes.
  private var occupied = [UInt64](repeating: 0, count: wheelCount)
  /// The current tick: all deadlines of earlier ticks have been taken out.
  private var current = 0
  /// No deadline is due before this time, in nanoseconds; `.max` when there are none.
  private(set) var next = Int.max

  /// Adds `element`, without a deadline.
  mutating func insert(_ element: Element) -> Entry {
    if let index = free.popLast() {
      nodes[index].element = element
      return Entry(index: index)
    }
    nodes.append(Node(element: element))
    return Entry(index: nodes.count - 1)
  }

  /// Removes an element and its deadline.
  mutating func remove(_ entry: Entry) {
    unlink(entry.index)
    nodes[entry.index].element = nil
    free.append(entry.index)
  }

  /// The deadline of `entry`, in nanoseconds; `.max` when it has none.
  func time(of entry: Entry) -> Int { nodes[entry.index].time }

  /// Sets the deadline of `entry` to `time`, in place of any earlier one; `.max` removes it.
  mutating func set(_ entry: Entry, to time: Int) {
    unlink(entry.index)
    guard time < .max else { return }
    nodes[entry.index].time = time
    link(entry.index)
    next = min(next, time)
  }

  /// Returns the elements whose deadlines have passed by `now`, in the order of their ticks, and removes these deadlines.
  mutating func takeDue(now: Int) -> [Element] {
    guard now >= next else { return [] }
    var due: [Element] = []
    let target = now >> Self.tickBits
    var left: [Int] = []
    while let (wheel, slot, tick) = earliestSlot, tick <= target {
      current = max(current, tick)
      var index = heads[wheel * Self.slotCount + slot]
      while index != Self.none {
        let following = nodes[index].next
        let time = nodes[index].time
        unlink(index)
        if time <= now {
          if let element = nodes[index].element { due.append(element) }
        } else if wheel == 0 {
          nodes[index].time = time
          left.append(index)
        } else {
          nodes[index].time = time
          link(index)
        }
        index = following
      }
    }
    current = max(current, target)
    // These are due later within the current tick.
    for index in left { link(index) }
    next = earliestTime
    return due
  }

  /// The occupied slot that comes round first, and the tick at which it begins; nil when there are no deadlines.
  private var earliestSlot: (wheel: Int, slot: Int, tick: Int)? {
    guard let wheel = occupied.firstIndex(where: { $0 != 0 }) else { return nil }
    let slot = occupied[wheel].trailingZeroBitCount
    let bits = wheel * Self.slotBits
    let turn = (current >> (bits + Self.slotBits)) << (bits + Self.slotBits)
    return (wheel, slot, turn | slot << bits)
  }

  private var earliestTime: Int {
    guard let (wheel, slot, tick) = earliestSlot else { return .max }
    guard wheel == 0 else { return tick << Self.tickBits }
    var earliest = Int.max
    var index = heads[slot]
    while index != Self.none {
      earliest = min(earliest, nodes[index].time)
      index = nodes[index].next
    }
    return earliest
  }

  private mutating func link(_ index: Int) {
    let tick = max(nodes[index].time >> Self.tickBits, current)
    // The highest bit in which the two ticks differ gives the lowest wheel whose current turn includes the deadline.
    let difference = UInt64(tick ^ current) | 1
    let wheel = (63 - difference.leadingZeroBitCount) / Self.slotBits
    let number = tick >> (wheel * Self.slotBits) & (Self.slotCount - 1)
    let slot = wheel * Self.slotCount + number
    let first = heads[slot]
    nodes[index].slot = slot
    nodes[index].previous = Self.none
    nodes[index].next = first
    if first != Self.none { nodes[first].previous = index }
    heads[slot] = index
    occupied[wheel] |= 1 << number
  }

  private mutating func unlink(_ index: Int) {
    let (slot, previous, next) = (nodes[index].slot, nodes[index].previous, nodes[index].next)
    nodes[index].time = .max
    guard slot != Self.none else { return }
    nodes[index].slot = Self.none
    if next != Self.none { nodes[next].previous = previous }
    if previous != Self.none {
      nodes[previous].next = next
    } else {
      heads[slot] = next
      if next == Self.none {
        occupied[slot / Self.slotCount] &= ~(1 << UInt64(slot % Self.slotCount))
      }
    }
  }
}
