import Scheduling

/// A job for the thread that reads and writes a file of sessions.
enum FileStoreJob: Sendable {
  case write([SessionMove], @Sendable (Result<Void, SessionStoreProblem>) -> Void)
  case fetch(
    [SessionTable.Key], floatCount: Int,
    @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void)
  case touch([SessionTable.Key])
  case takeOver(
    [SessionHandover], @Sendable (Result<[HandoverOutcome], SessionStoreProblem>) -> Void)
  case expire
  case close(@Sendable (_ isWell: Bool) -> Void)

  var isWrite: Bool { if case .write = self { true } else { false } }

  var isClose: Bool { if case .close = self { true } else { false } }

  var moves: [SessionMove] { if case .write(let moves, _) = self { moves } else { [] } }

  /// Calls the job's completion, as the job is not done because of `problem`.
  func refuse(_ problem: SessionStoreProblem) {
    switch self {
    case .write(_, let completion): completion(.failure(problem))
    case .fetch(_, _, let completion): completion(.failure(problem))
    case .takeOver(_, let completion): completion(.failure(problem))
    case .touch, .expire: break
    case .close(let completion): completion(true)
    }
  }
}
