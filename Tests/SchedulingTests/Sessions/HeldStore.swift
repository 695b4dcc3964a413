import Inference
import Synchronization

@testable import Scheduling

/// A store in memory that answers when it is told to: each question waits for `answer`, in order.
final class HeldStore: SessionStore {
  typealias Key = SessionTable.Key

  private struct Held {
    var sessions: [Key: (state: SequenceState, version: Int)] = [:]
    var ends: [Key: SessionEnd] = [:]
    var questions: [(name: String, answer: @Sendable (SessionStoreProblem?) -> Void)] = []
    var mayEnd: @Sendable (Key, SessionEnd) -> Bool = { _, _ in true }
    var problem: SessionStoreProblem?
    /// What another process has, and whether a request uses it.
    var leased: [Key: Bool] = [:]
    /// What this process has kept.
    var kept: Set<Key> = []
    var released: [String] = []
  }

  let durability: SessionDurability
  private let held = Mutex(Held())

  let isShared: Bool
  let maxBytes: Int

  init(
    _ durability: SessionDurability = .answer, isShared: Bool = false, maxBytes: Int = .max
  ) {
    self.durability = durability
    self.maxBytes = maxBytes
    self.isShared = isShared
  }

  var problem: SessionStoreProblem? {
    get { held.withLock { $0.problem } }
    set { held.withLock { $0.problem = newValue } }
  }
  var statistics: SessionStoreStatistics { SessionStoreStatistics() }

  /// What it has been asked and has not answered, in order.
  var asked: [String] { held.withLock { $0.questions.map(\.name) } }

  /// Answers the first question, or fails.
  func answer(_ problem: SessionStoreProblem? = nil) {
    let question = held.withLock { $0.questions.isEmpty ? nil : $0.questions.removeFirst() }
    question?.answer(problem)
  }

  func answerAll() { while !asked.isEmpty { answer() } }

  func put(_ id: String, steps: Int, version: Int = 1) {
    held.withLock { held in
      held.sessions[Key(model: "m", id: id)] = (
        SequenceState(position: steps, floats: [Float(steps)]), version
      )
    }
  }

  /// Another process ends a session.
  func remove(_ id: String) { held.withLock { $0.sessions[Key(model: "m", id: id)] = nil } }

  func steps(_ id: String) -> Int? {
    held.withLock { $0.sessions[Key(model: "m", id: id)]?.state.position }
  }

  func end(_ id: String, _ reason: SessionEnd) -> Bool {
    let key = Key(model: "m", id: id)
    let mayEnd = held.withLock { $0.mayEnd }
    guard mayEnd(key, reason) else { return false }
    held.withLock { held in
      held.sessions[key] = nil
      held.ends[key] = reason
    }
    return true
  }

  func attach(mayEnd: @escaping @Sendable (Key, SessionEnd) -> Bool) {
    held.withLock { $0.mayEnd = mayEnd }
  }

  /// Another process takes a session, or gives it back.
  func lease(_ id: String, _ isLeased: Bool = true, isUsed: Bool = true) {
    held.withLock { $0.leased[Key(model: "m", id: id)] = isLeased ? isUsed : nil }
  }

  /// From now on this process has a session without asking.
  func keep(_ id: String) {
    held.withLock { held in _ = held.kept.insert(Key(model: "m", id: id)) }
  }

  func takeKept(_ keys: [Key], beside sources: [Key], floatCount: Int) -> [SessionFinding]? {
    guard held.withLock({ $0.kept.isSuperset(of: keys) }), sources.isEmpty else { return nil }
    return keys.map(find)
  }

  /// What was given back since the last time.
  func releases() -> [String] {
    held.withLock { held in
      defer { held.released = [] }
      return held.released
    }
  }

  func release(_ keys: [Key]) {
    guard isShared else { return }
    held.withLock { $0.released += keys.map(\.id) }
  }

  func take(
    _ keys: [Key], beside sources: [Key], floatCount: Int, freesOnly: Bool,
    completion: @escaping @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void
  ) {
    let ids = keys.map(\.id) + sources.map { "(\($0.id))" }
    ask("take \(ids.joined(separator: " "))\(freesOnly ? " to end" : "")") { [self] problem in
      if let problem { return completion(.failure(problem)) }
      if let key = (keys + sources).first(where: { key in
        held.withLock { $0.leased[key] != nil }
      }) {
        let isUsed = held.withLock { $0.leased[key] ?? false }
        return completion(.failure(.leased(id: key.id, isUsed: isUsed)))
      }
      completion(.success((keys + sources).map(find)))
    }
  }

  private func find(_ key: Key) -> SessionFinding {
    held.withLock { held in
      if let (state, version) = held.sessions[key] {
        return .session(
          SessionTable.Record(
            key: key, state: state, age: .seconds(5), idle: .seconds(3)), version: version)
      }
      return held.ends[key].map { .ended($0) } ?? .unknown
    }
  }

  private func ask(_ name: String, _ answer: @escaping @Sendable (SessionStoreProblem?) -> Void) {
    held.withLock { $0.questions.append((name, answer)) }
  }

  func fetch(
    _ keys: [Key], floatCount: Int,
    completion: @escaping @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void
  ) {
    ask("fetch \(keys.map(\.id).joined(separator: " "))") { [self] problem in
      if let problem { return completion(.failure(problem)) }
      completion(.success(keys.map(find)))
    }
  }

  func write(
    _ moves: [SessionMove],
    completion: @escaping @Sendable (Result<Void, SessionStoreProblem>) -> Void
  ) {
    let name = moves.map { "\($0.key.id):\($0.version)>\($0.state.position)\($0.ends ? "!" : "")" }
    ask("write \(name.joined(separator: " "))") { [self] problem in
      if let problem { return completion(.failure(problem)) }
      let moved = held.withLock { held -> SessionStoreProblem? in
        for move in moves where held.sessions[move.key]?.version ?? 0 != move.version {
          return .moved(id: move.key.id, steps: held.sessions[move.key]?.state.position)
        }
        for move in moves {
          held.sessions[move.key] = move.ends ? nil : (move.state, move.version + 1)
          held.ends[move.key] = move.ends ? .ended : nil
        }
        return nil
      }
      completion(moved.map { .failure($0) } ?? .success(()))
    }
  }

  func touch(_ keys: [Key]) {
    ask("touch \(keys.map(\.id).joined(separator: " "))") { _ in }
  }

  func list(
    of model: String, limit: Int,
    completion: @escaping @Sendable (Result<SessionTable.Page, SessionStoreProblem>) -> Void
  ) {
    ask("list") { [self] problem in
      if let problem { return completion(.failure(problem)) }
      completion(
        .success(
          held.withLock { held in
            var usage = SessionTable.Usage()
            usage.count = held.sessions.count
            return SessionTable.Page(
              listings: held.sessions.map { key, session in
                SessionTable.Listing(
                  id: key.id, steps: session.state.position, age: .seconds(5), idle: .seconds(3))
              }, usage: usage)
          }))
    }
  }

  func takeOver(
    _ items: [SessionHandover],
    completion: @escaping @Sendable (Result<[HandoverOutcome], SessionStoreProblem>) -> Void
  ) {
    ask("take over \(items.map(\.key.id).joined(separator: " "))") { problem in
      completion(problem.map { .failure($0) } ?? .success(items.map { _ in .taken }))
    }
  }

  func close(completion: @escaping @Sendable (Bool) -> Void) {
    ask("close") { completion($0 == nil) }
  }
}
