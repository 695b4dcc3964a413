import Dispatch
import Inference

/// Gets sessions of a shared store for a request: takes them in the store, and asks again while another process has
/// one.
struct SessionTaking: Sendable {
  let sessions: Sessions
  let store: any SessionStore
  let request: Sessions.Waiting
  /// The sessions to take; they are reserved for this request among the requests of this process.
  let keys: [SessionTable.Key]

  /// The pauses before asking again for a session that another process has: the first one, doubled each time up to the
  /// last.
  private static let pause = (first: Duration.milliseconds(1), last: Duration.milliseconds(50))

  /// Asks the store until the request has all its sessions, or is refused.
  func begin() { ask(pause: Self.pause.first) }

  private func ask(pause: Duration) {
    let sources = request.sources.filter { !keys.contains($0) }
    sessions.addPendingRequest(of: request)
    // Whether the request ends sessions that exist, and does nothing else.
    let freesOnly = request.openings.allSatisfy { $0.ends && $0.way == .resume }
    store.take(
      keys, beside: sources, floatCount: request.floatCount, freesOnly: freesOnly
    ) { result in
      let found = Dictionary(
        zip(keys + sources, (try? result.get()) ?? []), uniquingKeysWith: { $1 })
      let (outcome, goesOn) = sessions.state.withLock { state -> (Sessions.Outcome?, Bool) in
        let isAwaited = state.questions.remove(request.waiter.number) != nil
        switch result {
        case .success: return (isAwaited ? state.open(request, findings: found) : nil, false)
        case .failure(.leased(let id, let isUsed)):
          // A session that its process does not use is about to be given back, so it counts as free.
          if isAwaited, request.mayWait || !isUsed { return (nil, true) }
          return (isAwaited ? .grant(.failure(.busy(id))) : nil, false)
        case .failure(let problem):
          return (isAwaited ? .grant(.failure(.store(problem))) : nil, false)
        }
      }
      if goesOn { return askLater(pause: pause) }
      if (try? result.get()) != nil, outcome?.isGranted != true {
        // Released before the requests of this process that wait for these sessions ask the store.
        store.release(keys)
      }
      giveUpReservation()
      if let outcome { sessions.tell(request, outcome) }
    }
  }

  private func giveUpReservation() {
    let tells = sessions.state.withLock { state in
      state.reserved.subtract(keys)
      return state.admitWaiters(of: keys.map(\.id), model: request.model)
    }
    if tells { sessions.tellWaiters() }
  }

  /// Asks again in a while, unless the request's client leaves or stops waiting before.
  private func askLater(pause: Duration) {
    let number = request.waiter.number
    let startsClock = sessions.state.withLock { state in
      // A lease does not outlive its process for long, so the wait is bounded even if the request has no deadline.
      let deadline = request.due?.deadline ?? state.clock() + .seconds(86_400)
      let late = SessionRefusal.deadlinePassed(timeout: request.due?.timeout ?? .zero)
      state.questions.insert(
        .init(isFetch: true, deadline: deadline, late: late) { request.completion(.failure($0)) },
        number)
      return state.startWatch()
    }
    if startsClock { sessions.refuseLateLater() }
    let nanoseconds = Int((pause * Double.random(in: 0.5..<1.5)).attoseconds / 1_000_000_000)
    timers.asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) {
      guard sessions.state.withLock({ $0.questions.remove(number) != nil }) else {
        return giveUpReservation()
      }
      ask(pause: min(pause * 2, Self.pause.last))
    }
  }
}
