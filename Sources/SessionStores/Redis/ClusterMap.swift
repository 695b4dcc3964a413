/// Which node of a cluster has which slots.
struct ClusterMap: Sendable, Equatable {
  typealias Place = RedisLocation.Place

  private var ranges: [(slots: ClosedRange<Int>, place: Place)] = []
  /// Slots that have moved since, as nodes said.
  private var moved: [Int: Place] = [:]

  static func == (left: Self, right: Self) -> Bool {
    left.moved == right.moved && left.ranges.elementsEqual(right.ranges) { $0 == $1 }
  }

  init() {}

  /// Reads an answer to CLUSTER SLOTS.
  ///
  /// - Parameter host: of the node that answered: it may leave out its own.
  /// - Throws: `malformed` where it is none.
  init(_ reply: RESPValue, from host: String) throws(RedisProblem) {
    guard let rows = reply.elements else { throw .malformed }
    for row in rows {
      guard let fields = row.elements, fields.count >= 3, let first = fields[0].number,
        let last = fields[1].number, first >= 0, first <= last, last < HashSlot.count,
        let node = fields[2].elements, node.count >= 2, let port = node[1].number,
        (1...65_535).contains(port)
      else { throw .malformed }
      let name = node[0].text ?? ""
      ranges.append(
        (first...last, Place(host: name.isEmpty || name == "?" ? host : name, port: port)))
    }
  }

  /// The primaries, each once.
  var primaries: [Place] {
    var found: [Place] = []
    for place in ranges.map(\.place) + moved.values where !found.contains(place) {
      found.append(place)
    }
    return found
  }

  /// Nil where no node has the slot.
  func place(of slot: Int) -> Place? {
    moved[slot] ?? ranges.first { $0.slots.contains(slot) }?.place
  }

  /// Whether all slots are some node's.
  var isWhole: Bool { ranges.reduce(0) { $0 + $1.slots.count } >= HashSlot.count }

  mutating func move(_ slot: Int, to place: Place) { moved[slot] = place }

  /// A node's answer that another one has a key.
  struct Redirection: Equatable {
    let slot: Int
    let place: Place
    /// Whether for this question only: the slot is on its way (ASK).
    let isOnce: Bool

    /// Nil where the text says nothing of it: `MOVED 3999 HOST:PORT` or `ASK …`, alone or in a sentence.
    init?(_ text: String, from host: String) {
      let words = text.split(separator: " ")
      guard let start = words.firstIndex(where: { $0 == "MOVED" || $0 == "ASK" }),
        words.count > start + 2, let slot = Int(words[start + 1]),
        (0..<HashSlot.count).contains(slot)
      else { return nil }
      let target = words[start + 2]
      guard let colon = target.lastIndex(of: ":"),
        let port = Int(target[target.index(after: colon)...]),
        (1...65_535).contains(port)
      else { return nil }
      let name = String(target[..<colon])
      self.slot = slot
      place = Place(host: name.isEmpty || name == "?" ? host : name, port: port)
      isOnce = words[start] == "ASK"
    }
  }
}
