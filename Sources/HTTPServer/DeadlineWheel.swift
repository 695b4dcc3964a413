/// Deadlines, found as they come due without a look at the others: to set one, to move it and to hand it out each cost the
/// same whether there are ten or ten thousand.
///
/// Eight wheels of 64 slots. A slot of the first is half a millisecond, one of each next wheel a whole turn of the wheel
/// before. A deadline waits in the first wheel that it and the present are on the same turn of, and moves down a wheel when
/// its slot comes round (Varghese and Lauck, Hashed and Hierarchical Timing Wheels, 1987).
struct DeadlineWheel<Element> {
  /// One who may have a deadline.
  struct Entry {
    fileprivate let index: Int
  }

  private struct Node {
    var element: Element?
    var time = Int.max
    /// The slot that it waits in, of all wheels; `none` where it has no deadline.
    var slot = DeadlineWheel.none
    /// Its neighbours there.
    var previous = DeadlineWheel.none
    var next = DeadlineWheel.none
  }

  private static var none: Int { -1 }
  /// 2^19 ns.
  private static var tickBits: Int { 19 }
  private static var slotBits: Int { 6 }
  private static var slotCount: Int { 1 << slotBits }
  /// All of an Int's positive nanoseconds.
  private static var wheelCount: Int { 8 }

  private var nodes: [Node] = []
  private var free: [Int] = []
  /// The first node of each slot, wheel after wheel.
  private var heads = [Int](repeating: none, count: wheelCount * slotCount)
  /// Which slots of each wheel hold anyone: a bit each.
  private var occupied = [UInt64](repeating: 0, count: wheelCount)
  /// The tick up to which everything is handed out.
  private var current = 0
  /// Before this time nobody is due; `.max` where nobody has a deadline.
  private(set) var next = Int.max

  /// Adds one without a deadline.
  mutating func insert(_ element: Element) -> Entry {
    if let index = free.popLast() {
      nodes[index].element = element
      return Entry(index: index)
    }
    nodes.append(Node(element: element))
    return Entry(index: nodes.count - 1)
  }

  /// Removes one, with its deadline.
  mutating func remove(_ entry: Entry) {
    unlink(entry.index)
    nodes[entry.index].element = nil
    free.append(entry.index)
  }

  /// When `entry` is handed out; `.max` for never.
  func time(of entry: Entry) -> Int { nodes[entry.index].time }

  /// Has `entry` handed out at `time` instead of when it was before, not at all where that is `.max`.
  mutating func set(_ entry: Entry, to time: Int) {
    unlink(entry.index)
    guard time < .max else { return }
    nodes[entry.index].time = time
    link(entry.index)
    next = min(next, time)
  }

  /// Takes out all whose deadlines have come by `now`, in the order of their ticks; they have none then.
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
    // They are due later within this tick.
    for index in left { link(index) }
    next = earliestTime
    return due
  }

  /// The slot that comes round first, and the tick with which it begins.
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
    // The highest bit in which the two differ tells from which wheel on they are on the same turn.
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
