import Inference
import Scheduling

/// The moves of a request, as Redis is asked to make them.
struct RedisMoves {
  /// How often in a row a process moves a session before it keeps the lease: where requests go to any of several processes,
  /// keeping one only makes the next one ask for it.
  static let runBeforeKeeping = 3

  struct Move {
    let key: SessionTable.Key
    /// What Redis has then, but for when a session that begins was created.
    let entry: RedisEntry
    let expected: Int
    let kind: Kind
    let lease: SessionLeases.Lease?
    /// Whether the lease is to be kept.
    let keeps: Bool
  }

  enum Kind: Character {
    case moves = "m"
    case begins = "b"
    case ends = "e"
  }

  let token: RedisToken
  let moves: [Move]
  let limits: RedisSessionLimits
  let asked: ContinuousClock.Instant

  /// - Parameters:
  ///   - leases: of each move what this process has.
  ///   - mayKeep: whether this process would hear of others who want a lease.
  init(
    _ moves: [SessionMove], leases: [SessionLeases.Lease?], token: RedisToken, process: [UInt8],
    mayKeep: Bool, limits: RedisSessionLimits, now: ContinuousClock.Instant
  ) {
    self.token = token
    self.limits = limits
    asked = now
    self.moves = zip(moves, leases).map { move, lease in
      let begins = move.isAnew || move.version == 0
      let last = begins ? nil : lease?.entry
      let run = last.map { $0.token.isOf(process: process) ? $0.run + 1 : 1 } ?? 1
      return Move(
        key: move.key,
        entry: RedisEntry(
          version: move.version == 0 ? RedisEntry.firstVersion() : move.version + 1,
          created: last?.created ?? 0, token: token, run: run, state: move.state),
        expected: move.version, kind: move.ends ? .ends : begins ? .begins : .moves, lease: lease,
        keeps: mayKeep && !move.ends && run >= Self.runBeforeKeeping && lease?.isWanted == false)
    }
  }

  /// Those that end sessions, and nothing else, a Redis makes that is full.
  var effect: ScriptEffect {
    moves.allSatisfy { $0.kind == .ends && $0.expected != 0 } ? .frees : .moves
  }

  /// Whether this is one step of a session that is kept, and listed: what a shorter script does.
  private var isStep: Bool {
    guard moves.count == 1, moves[0].kind == .moves, moves[0].keeps, let lease = moves[0].lease,
      let listed = lease.listed
    else { return false }
    return listed + limits.listing > asked
  }

  /// Whether a step sets the lease anew.
  private func renews(_ lease: SessionLeases.Lease) -> Bool {
    !isStep || lease.isMarked || lease.renewed + limits.lease / 3 <= asked
  }

  func body(by codec: StateCodec, names: SessionKeys) -> RedisRequest.Body {
    if isStep, let lease = moves[0].lease {
      let move = moves[0]
      return .script(
        SessionScripts.step, keys: [names.session(move.key), names.lease(move.key)],
        arguments: [
          RedisEntry.bytes(of: move.expected), limits.idleMilliseconds,
          move.entry.bytes(of: move.key, by: codec), limits.leaseMilliseconds,
          renews(lease) ? lease.token.bytes : [],
        ])
    }
    return .script(
      SessionScripts.move, keys: moves.flatMap { names.all(of: $0.key) },
      arguments: [
        token.bytes, limits.idleMilliseconds,
        limits.endsMilliseconds, limits.leaseMilliseconds,
      ]
        + moves.flatMap { move -> [[UInt8]] in
          [
            move.lease?.token.bytes ?? [], Array(move.keeps ? "1".utf8 : "0".utf8),
            Array(move.key.id.utf8),
            RedisEntry.bytes(of: move.expected), Array(String(move.kind.rawValue).utf8),
            move.kind == .ends ? [] : move.entry.bytes(of: move.key, by: codec),
          ]
        })
  }

  enum Outcome: Equatable {
    /// All moved; whether the leases that were to be kept are still this process's.
    case done(keeps: Bool)
    /// A session has another version, and so many steps; none where it is not there.
    case moved(id: String, steps: Int?)
  }

  /// What a script's reply says; nil where it says nothing.
  func outcome(of reply: RESPValue) -> Outcome? {
    func moved(_ index: Int, _ steps: [UInt8]) -> Outcome? {
      guard moves.indices.contains(index) else { return nil }
      return .moved(
        id: moves[index].key.id, steps: steps.isEmpty ? nil : RedisEntry.number(steps))
    }
    switch reply {
    case .integer(let number): return number == 0 || number == 1 ? .done(keeps: number == 0) : nil
    case .bytes(let steps): return moved(0, steps)
    case .array(let parts):
      guard parts.count == 2, case .integer(let index) = parts[0], case .bytes(let steps) = parts[1]
      else { return nil }
      return moved(index - 1, steps)
    case .simple, .error, .null, .push: return nil
    }
  }

  /// Has leases kept, or forgotten, as they are in Redis now.
  ///
  /// - Returns: those that have to be given back.
  func settle(
    _ outcome: Outcome?, in leases: inout SessionLeases
  ) -> [SessionLeases.Held] {
    var returned: [SessionLeases.Held] = []
    for move in moves {
      guard let lease = move.lease else { continue }
      if move.keeps, outcome == .done(keeps: true),
        leases.keep(
          move.key, lease.token, limit: limits.maxKeptBytes,
          change: { lease in
            lease.entry = move.entry
            if !isStep { lease.listed = asked }
            if renews(lease) { lease.renewed = asked }
            lease.isMarked = false
          })
      {
        continue
      }
      leases.remove(move.key, lease.token)
      // What was not to be kept, the script has given back.
      if move.keeps || outcome == nil { returned.append(.init(key: move.key, token: lease.token)) }
    }
    return returned
  }
}
