import Scheduling
import Synchronization

/// How a Redis does, by its answers, and what operators are told of it.
final class RedisHealth: Sendable {
  private struct LockedState {
    /// What it answered with last that was an error, and the most that failed; nil since it did as much.
    var failure: (problem: RedisProblem, effect: ScriptEffect)?
    var failureCount = 0
    var news = FailureNews()
    var connectionNews = FailureNews()
    /// Whether it was told that keys are missing.
    var hasReportedMissingKey = false

    /// - Returns: what to tell.
    mutating func end() -> String? {
      failure = nil
      return news.works() ? "works again" : nil
    }
  }

  private let state = Mutex(LockedState())
  /// Whether requests go on asking while it fails, so that they find out when it works again.
  private let isAskedWhileFailing: Bool
  /// Told what operators should know, as it reads behind "the session store".
  let report: @Sendable (String) -> Void

  init(isAskedWhileFailing: Bool, report: @escaping @Sendable (String) -> Void) {
    self.isAskedWhileFailing = isAskedWhileFailing
    self.report = report
  }

  var failure: String? { state.withLock { $0.failure?.problem.reason } }
  var failureCount: Int { state.withLock { $0.failureCount } }

  /// Notes what a script came to.
  func note(_ result: Result<RESPValue, RedisProblem>, _ effect: ScriptEffect) {
    let news = state.withLock { state -> String? in
      switch result {
      case .success:
        // What is full can be read, and has room for a lease where it has none for a state.
        return state.failure.map { effect >= $0.effect } == true ? state.end() : nil
      case .failure(.closed): return nil
      case .failure(let problem):
        state.failureCount += 1
        switch problem {
        case .refused, .unreplicated: break
        // The connection tells of these itself.
        case .unreachable, .slow, .malformed, .unfit, .full, .closed, .unsure: return nil
        }
        state.failure = (problem, max(effect, state.failure?.effect ?? effect))
        return state.news.fails(at: .now) ? "fails: \(problem.reason)" : nil
      }
    }
    if let news { report(news) }
  }

  /// Notes that it runs a script that may take memory: whatever was wrong with all of it is mended, also where no request asks.
  func noteThatItTakesWrites() {
    let news = state.withLock { state in
      state.failure.map { !isAskedWhileFailing || $0.problem.isOfWhole } == true
        ? state.end() : nil
    }
    if let news { report(news) }
  }

  func note(_ status: RedisClient.Status) {
    let news = state.withLock { state -> String? in
      switch status {
      case .connecting, .lost(.closed): return nil
      case .ready: return state.connectionNews.works() ? "works again" : nil
      case .lost(let problem):
        return state.connectionNews.fails(at: .now) ? "fails: \(problem.reason)" : nil
      }
    }
    if let news { report(news) }
  }

  /// Notes that a session's state is encrypted with a key that is not there.
  ///
  /// - Returns: what its request is refused with.
  func noteMissingKey(_ missing: MissingKey, of key: SessionTable.Key) -> SessionStoreProblem {
    let problem = "session \(key.id) \(missing.explanation())"
    let isNews = state.withLock { state in
      defer { state.hasReportedMissingKey = true }
      return !state.hasReportedMissingKey
    }
    if isNews { report("needs another key: \(problem)") }
    return .failing(reason: problem)
  }

  func noteDamage() { report("has a damaged entry, which is skipped: its client is told") }
}
