import Inference

/// What `Sessions` asks of a store, and does with the answers. Completions are called without the lock.
extension Sessions {
  /// Asks the store for sessions that are not in the table, and then opens the request's sessions with the findings.
  func fetch(_ keys: [SessionTable.Key], for request: Waiting) {
    guard let store else { preconditionFailure("only a cache misses sessions") }
    addPendingRequest(of: request)
    store.fetch(keys, floatCount: request.floatCount) { [self] result in
      // The findings hold until this closure returns, so the sessions are opened in it.
      let outcome = state.withLock { state -> Outcome? in
        guard state.questions.remove(request.waiter.number) != nil else { return nil }
        return switch result {
        case .success(let findings):
          state.open(
            request, findings: Dictionary(zip(keys, findings), uniquingKeysWith: { $1 }))
        case .failure(let problem): .grant(.failure(.store(problem)))
        }
      }
      if let outcome { tell(request, outcome) }
    }
  }

  /// Notes that a request waits for the store's answer, until its own deadline or for `PendingStoreRequests.patience`.
  func addPendingRequest(of request: Waiting) {
    let startsClock = state.withLock { state in
      let patience = state.clock() + PendingStoreRequests.patience
      let (deadline, late): (ContinuousClock.Instant, SessionRefusal) =
        if let due = request.due, due.deadline < patience {
          (due.deadline, .deadlinePassed(timeout: due.timeout))
        } else {
          (patience, .store(.slow(PendingStoreRequests.patience)))
        }
      state.questions.insert(
        .init(isFetch: true, deadline: deadline, late: late) { request.completion(.failure($0)) },
        request.waiter.number)
      return state.startWatch()
    }
    if startsClock { refuseLateLater() }
  }

  /// Has the store make the moves of a request that is done. The sessions stay open until the store has made them, or
  /// with `behind` are closed at once.
  func write(
    _ results: [Closing], model: String, to store: any SessionStore,
    completion: @escaping @Sendable (SessionRefusal?) -> Void
  ) {
    let unmoved = results.filter { $0.state == nil }
    if !unmoved.isEmpty { store.release(unmoved.map { .init(model: model, id: $0.id) }) }
    let number = nextNumber()
    let isBehind = store.durability == .behind
    let (moves, startsClock) = state.withLock { state -> ([SessionMove]?, Bool) in
      guard !state.table.isFrozen else { return (nil, false) }
      let moves = results.compactMap { result in
        result.state.flatMap {
          state.table.move(
            of: .init(model: model, id: result.id), to: $0, ends: result.ends)
        }
      }
      if isBehind {
        // Within the lock, so that moves reach the store in the order in which they are made, and none after `freeze`.
        store.write(moves) { [self] outcome in discard(outcome, model: model) }
        return (moves, false)
      }
      state.questions.insert(
        .init(
          isFetch: false, deadline: state.clock() + PendingStoreRequests.patience,
          late: PendingStoreRequests.lateMove, refuse: completion), number)
      return (moves, state.startWatch())
    }
    guard let moves else { return completion(.frozen) }
    if startsClock { refuseLateLater() }
    if isBehind {
      if state.withLock({ $0.close(results, model: model) }) { tellWaiters() }
      completion(nil)
    } else {
      // Outside the lock, so that other requests need not wait for it: until the store answers, the sessions are this
      // request's. Moves that reach the store after `freeze` are made if it is not closed yet, else refused.
      store.write(moves) { [self] outcome in
        finish(results, model: model, outcome, number, completion)
      }
    }
  }

  /// Closes the sessions of a request with the states that the store has now, and tells its client, unless the client
  /// was already told that the store is slow.
  private func finish(
    _ results: [Closing], model: String, _ outcome: Result<Void, SessionStoreProblem>,
    _ number: UInt64, _ completion: @Sendable (SessionRefusal?) -> Void
  ) {
    let (isAwaited, refusal, tells) = state.withLock { state -> (Bool, SessionRefusal?, Bool) in
      let isAwaited = state.questions.remove(number) != nil
      switch outcome {
      case .success: return (isAwaited, nil, state.close(results, model: model))
      case .failure(let problem):
        let refusal = state.refusal(for: problem, model: model)
        let kept: [Closing] = results.map { (id: $0.id, state: nil, ends: false) }
        return (isAwaited, refusal, state.close(kept, model: model))
      }
    }
    if tells { tellWaiters() }
    if isAwaited { completion(refusal) }
  }

  /// Removes from the table a session whose move the store refused after the answer had left.
  private func discard(_ outcome: Result<Void, SessionStoreProblem>, model: String) {
    guard case .failure(let problem) = outcome else { return }
    state.withLock { _ = $0.refusal(for: problem, model: model) }
  }

  // MARK: - Pages

  /// The count and bytes of sessions by model, and how many ended since the start, by reason.
  package var usage: (sessions: [String: SessionTable.Usage], ends: [SessionEnd: Int]) {
    if let statistics = store?.statistics { return (statistics.usage, statistics.endCounts) }
    return withTable { ($0.usage, $0.endCounts) }
  }

  /// The store's figures, and its problem if it has one; nil without a store.
  package var storeStatistics: (SessionStoreStatistics, problem: SessionStoreProblem?)? {
    store.map { ($0.statistics, takeover.problem(of: $0)) }
  }

  /// The session called `key`, as its client or an operator sees it.
  package func listing(
    of key: SessionTable.Key, floatCount: Int,
    completion: @escaping @Sendable (Result<SessionTable.Listing, SessionRefusal>) -> Void
  ) {
    let found = state.withLock { state -> Result<SessionTable.Listing, SessionRefusal> in
      do throws(SessionRefusal) {
        return .success(try state.table.listing(of: key, now: state.clock()))
      } catch {
        return .failure(error)
      }
    }
    guard let store, case .failure = found else { return completion(found) }
    if let problem = takeover.problem(of: store) { return completion(.failure(.store(problem))) }
    store.fetch([key], floatCount: floatCount) { result in
      completion(
        result.mapError { .store($0) }.flatMap { findings in
          switch findings.first {
          case .session(let record, _): .success(SessionTable.Listing(record))
          case .ended(let reason): .failure(.gone(key.id, reason))
          case .unknown, nil: .failure(.unknown(key.id))
          }
        })
    }
  }

  /// Gets up to `limit` sessions of `model`, the last used first, and the count and bytes of all of them.
  package func listings(
    of model: String, limit: Int,
    completion: @escaping @Sendable (Result<SessionTable.Page, SessionRefusal>) -> Void
  ) {
    let here = state.withLock { $0.table.page(of: model, limit: limit, now: $0.clock()) }
    guard let store else { return completion(.success(here)) }
    if let problem = takeover.problem(of: store) { return completion(.failure(.store(problem))) }
    store.list(of: model, limit: limit) { result in
      completion(
        result.mapError { .store($0) }.map { stored in
          // The table has recently used sessions in exact order, the store as exactly as it keeps it.
          let known = Set(here.listings.map(\.id))
          let all = here.listings + stored.listings.filter { !known.contains($0.id) }
          return .init(
            listings: Array(all.sorted { $0.idle < $1.idle }.prefix(limit)), usage: stored.usage)
        })
    }
  }

  /// Ends a session as its client asks for it.
  package func end(
    _ key: SessionTable.Key, floatCount: Int,
    completion: @escaping @Sendable (SessionRefusal?) -> Void
  ) {
    guard store != nil else {
      do throws(SessionRefusal) {
        try state.withLock { state throws(SessionRefusal) in
          try state.table.end(key, now: state.clock())
        }
      } catch { return completion(error) }
      return completion(nil)
    }
    // Like a request that opens the session and does nothing but end it.
    open(
      [.init(key.id, ends: true)], model: key.model, floatCount: floatCount, waits: false,
      arrived: .now, timeout: nil, as: makeWaiter()
    ) { [self] grant in
      switch grant {
      case .failure(let refusal): completion(refusal)
      case .success(let states):
        close([(key.id, states[0], true)], model: key.model, completion: completion)
      }
    }
  }

  /// Ends the service of sessions: none moves any more. `completion` is told whether the store has everything.
  package func shutDown(completion: @escaping @Sendable (_ isWell: Bool) -> Void) {
    freeze()
    guard let store else { return completion(true) }
    store.close(completion: completion)
  }
}

extension Sessions.LockedState {
  /// The refusal for a request whose moves the store did not make. A session that another process moved leaves the table.
  mutating func refusal(for problem: SessionStoreProblem, model: String) -> SessionRefusal {
    guard case .moved(let id, let steps) = problem else { return .store(problem) }
    table.discard(.init(model: model, id: id))
    return .movedElsewhere(id, steps: steps)
  }
}

extension SessionTable.Listing {
  fileprivate init(_ record: SessionTable.Record) {
    self.init(
      id: record.key.id, steps: record.state.position, age: record.age, idle: record.idle)
  }
}
