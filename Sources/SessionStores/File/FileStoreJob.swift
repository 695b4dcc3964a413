import Scheduling

/// What the thread of a file of sessions is asked.
enum FileStoreJob: Sendable {
  case write([SessionMove], @Sendable (Result<Void, SessionStoreProblem>) -> Void)
  case fetch(
    [SessionTable.Key], floatCount: Int,
    @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void)
  case touch([SessionTable.Key])
  case expire
  case close(@Sendable (_ isWell: Bool) -> Void)

  var isWrite: Bool { if case .write = self { true } else { false } }

  var isClose: Bool { if case .close = self { true } else { false } }

  var moves: [SessionMove] { if case .write(let moves, _) = self { moves } else { [] } }

  /// Tells whoever waits for it that it is not done.
  func refuse(_ problem: SessionStoreProblem) {
    switch self {
    case .write(_, let completion): completion(.failure(problem))
    case .fetch(_, _, let completion): completion(.failure(problem))
    case .touch, .expire: break
    case .close(let completion): completion(true)
    }
  }
}
