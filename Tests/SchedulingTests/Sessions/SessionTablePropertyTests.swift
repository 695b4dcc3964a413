import Inference
import TestSupport
import Testing

@testable import Scheduling

/// Random requests, clocks and ends against a plain dictionary and a list.
@Suite struct SessionTablePropertyTests {
  @Test(arguments: 1...40)
  func behavesAsAPlainModel(seed: UInt64) {
    var world = World(seed: seed)
    for _ in 0..<600 {
      world.step()
      world.check()
    }
  }

  private struct World {
    typealias Noise = TestSupport.Noise
    typealias Key = SessionTable.Key
    typealias Opening = SessionTable.Opening

    struct Session: Equatable {
      var state: SequenceState?
      var used: Duration
      var created: Duration
      var isOpen = false
      var isAnew = false
    }

    var noise: Noise
    let limits: SessionLimits
    var table: SessionTable
    let start = ContinuousClock.now
    var clock = Duration.zero
    var now: ContinuousClock.Instant { start + clock }

    var sessions: [Key: Session] = [:]
    /// The least recently used first.
    var order: [Key] = []
    var ends: [Key: SessionEnd] = [:]
    var endCounts: [SessionEnd: Int] = [:]
    /// What requests have open.
    var requests: [(model: String, openings: [Opening])] = []
    var steps = 0

    let floatCounts = ["m": 3, "n": 50]

    init(seed: UInt64) {
      noise = Noise(seed: seed)
      limits = SessionLimits(
        maxBytes: Int.random(in: 0...6000, using: &noise),
        idleTimeout: .seconds(Int.random(in: 20...200, using: &noise)))
      table = SessionTable(limits: limits)
    }

    func size(_ key: Key) -> Int {
      floatCounts[key.model]! * 4 + key.id.utf8.count + SessionTable.overheadBytes
    }

    var bytes: Int { sessions.keys.reduce(0) { $0 + size($1) } }

    mutating func step() {
      clock += .milliseconds(Int.random(in: 0...4000, using: &noise))
      switch Int.random(in: 0...9, using: &noise) {
      case 0...4: open()
      case 5...7: close()
      case 8: end()
      default: expireBoth()
      }
    }

    mutating func drop(_ key: Key, _ reason: SessionEnd) {
      sessions[key] = nil
      order.removeAll { $0 == key }
      ends[key] = reason
      endCounts[reason, default: 0] += 1
    }

    mutating func expire() {
      for key in order {
        let session = sessions[key]!
        if !session.isOpen, clock - session.used >= limits.idleTimeout { drop(key, .expired) }
      }
    }

    mutating func expireBoth() {
      table.expire(now: now)
      expire()
    }

    func missing(_ key: Key) -> SessionRefusal {
      ends[key].map { .gone(key.id, $0) } ?? .unknown(key.id)
    }

    /// What the table must say; changes nothing beyond what has expired.
    mutating func expectation(
      _ openings: [Opening], _ model: String
    ) -> Result<[SequenceState?], SessionRefusal> {
      var states: [SequenceState?] = []
      for opening in openings {
        let key = Key(model: model, id: opening.id)
        if let session = sessions[key] {
          if session.isOpen { return .failure(.busy(opening.id)) }
          if opening.way != .resume, !opening.replaces {
            return .failure(.exists(opening.id, steps: session.state!.position))
          }
        }
        let source: Key
        switch opening.way {
        case .begin:
          states.append(nil)
          continue
        case .resume: source = key
        case .fork(let id): source = Key(model: model, id: id)
        }
        guard let session = sessions[source] else {
          if case .fork = opening.way, ends[source] == nil {
            return .failure(.unknownSource(source.id, fork: opening.id))
          }
          return .failure(missing(source))
        }
        if session.isOpen { return .failure(.busy(source.id)) }
        let position = session.state!.position
        if let at = opening.at, at != position {
          return .failure(.stepsMismatch(source.id, found: position, expected: at))
        }
        states.append(session.state)
      }
      let keys = openings.map { Key(model: model, id: $0.id) }
      let needed = keys.reduce(0) { $0 + size($1) }
      if needed > limits.maxBytes {
        return .failure(.tooLarge(needed: needed, limit: limits.maxBytes))
      }
      let open = sessions.filter { $0.value.isOpen }.keys
      if open.reduce(needed, { $0 + size($1) }) > limits.maxBytes {
        return .failure(.full(limit: limits.maxBytes))
      }
      return .success(states)
    }

    mutating func open() {
      let model = Bool.random(using: &noise) ? "m" : "n"
      let ids = (0..<8).map { String(repeating: "k", count: $0 + 1) }.shuffled(using: &noise)
      let openings = ids.prefix(Int.random(in: 1...3, using: &noise)).map { id in
        switch Int.random(in: 0...5, using: &noise) {
        case 0...2: Opening(id, .begin, replaces: Int.random(in: 0...3, using: &noise) > 0)
        case 3:
          Opening(
            id, .fork(from: ids.randomElement(using: &noise)!),
            replaces: Bool.random(using: &noise))
        default:
          // Often that of one that was closed last.
          Opening(
            id, at: Bool.random(using: &noise) ? nil : steps - .random(in: 0...4, using: &noise))
        }
      }
      expire()
      let expected = expectation(openings, model)
      let found = Result { () throws(SessionRefusal) in
        try table.open(openings, model: model, floatCount: floatCounts[model]!, now: now)
      }
      #expect(found == expected)
      guard case .success = expected else { return }
      for opening in openings {
        let key = Key(model: model, id: opening.id)
        if sessions[key] != nil {
          sessions[key]?.isOpen = true
          sessions[key]?.isAnew = opening.way != .resume
        }
      }
      for case .fork(let id) in openings.map(\.way) {
        let source = Key(model: model, id: id)
        sessions[source]?.used = clock
        order.removeAll { $0 == source }
        order.append(source)
      }
      let keys = openings.map { Key(model: model, id: $0.id) }
      let needed = keys.filter { sessions[$0] == nil }.reduce(0) { $0 + size($1) }
      for key in order where bytes + needed > limits.maxBytes {
        if !sessions[key]!.isOpen { drop(key, .evicted) }
      }
      for key in keys where sessions[key] == nil {
        sessions[key] = Session(used: clock, created: clock, isOpen: true, isAnew: true)
        order.append(key)
        ends[key] = nil
      }
      requests.append((model, openings))
    }

    mutating func close() {
      guard !requests.isEmpty else { return }
      let request = requests.remove(at: .random(in: 0..<requests.count, using: &noise))
      let fails = Int.random(in: 0...3, using: &noise) == 0
      for opening in request.openings {
        let key = Key(model: request.model, id: opening.id)
        steps += 1
        let state =
          fails
          ? nil
          : SequenceState(
            position: steps,
            floats: Array(repeating: Float(steps), count: floatCounts[request.model]!))
        table.close(key, with: state, now: now)
        var session = sessions[key]!
        #expect(session.isOpen)
        session.isOpen = false
        session.state = state ?? session.state
        if state != nil, session.isAnew { session.created = clock }
        session.used = clock
        order.removeAll { $0 == key }
        sessions[key] = session.state == nil ? nil : session
        if session.state != nil { order.append(key) }
      }
    }

    mutating func end() {
      let key = Key(
        model: Bool.random(using: &noise) ? "m" : "n",
        id: String(repeating: "k", count: .random(in: 1...8, using: &noise)))
      expire()
      let found = Result { () throws(SessionRefusal) in try table.end(key, now: now) }
      guard let session = sessions[key] else {
        return #expect(found.failure == missing(key))
      }
      #expect(found.failure == (session.isOpen ? .busy(key.id) : nil))
      if !session.isOpen { drop(key, .ended) }
    }

    mutating func check() {
      #expect(table.count == sessions.count)
      #expect(table.byteCount == bytes)
      #expect(table.byteCount <= limits.maxBytes)
      #expect(table.endCounts == endCounts)
      for model in ["m", "n"] {
        let keys = sessions.keys.filter { $0.model == model }
        let usage = table.usage[model] ?? .init()
        #expect(usage.count == keys.count)
        #expect(usage.byteCount == keys.reduce(0) { $0 + size($1) })
      }
      let records = order.compactMap { key in
        sessions[key]!.state.map {
          SessionTable.Record(
            key: key, state: $0, age: clock - sessions[key]!.created,
            idle: clock - sessions[key]!.used)
        }
      }
      var walk = table.walk()
      #expect(table.records(&walk, now: now) == records)
      #expect(table.records(&walk, now: now) == [])
    }
  }
}

extension Result where Success == Void {
  fileprivate var failure: Failure? {
    if case .failure(let error) = self { error } else { nil }
  }
}
