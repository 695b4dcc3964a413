/// The life of a connection from accept to close: which sides have ended, what is waited for, and until when.
///
/// Its owner reports each event, with the time in monotonic nanoseconds, and carries out the action that is returned. The owner
/// also knows which answers are owed and which output is unsent, and passes that where an event depends on it.
package struct ConnectionLifecycle: Equatable, Sendable {
  /// The action that the owner carries out.
  package enum Action: Equatable, Sendable {
    case none
    /// Answer the peer that there are too many connections.
    case refuse
    /// End the requests under way as ones that took too long.
    case timeOut
    /// Send a peer that is owed an answer a byte of it: where it has closed, its kernel resets the connection.
    case probe
    /// End our side; what the peer still sends is read and thrown away. To close at once would reset the connection and
    /// take the response from the peer (RFC 9112 §9.6).
    case endOutput
    /// Close the connection, whatever answers it is owed.
    case close
  }

  private enum State: Equatable {
    /// It is beyond `max_connections`; its first bytes show whether it is a health check, which is answered.
    case screening(until: Int)
    /// Requests are read and answered.
    case reading
    /// The peer has ended its side: it may have closed, or wait for answers. A byte that is sent to it tells; the next one
    /// is due at `probe`, and the one after that `interval` later.
    case halfClosed(probe: Int, interval: Int)
    /// It was refused, and its input is not read.
    case refused
    /// Our side has ended; the peer's last bytes are awaited and thrown away.
    case lingering(until: Int)
    case closed
  }

  /// The peer's side of the connection.
  private enum Input {
    case open
    /// The peer has ended it, and what it sent before that is not all read.
    case ended
    /// All is read.
    case read
  }

  private var state: State
  private var input = Input.open
  private let timeouts: PhaseTimeouts
  /// The phase that `phaseDeadline` was set for.
  private var timedPhase: ConnectionPhase?
  private var phaseDeadline = Int.max
  private var hasProgressed = false

  /// A peer that has ended its side gets so long for its answer before the first probe.
  package static let firstProbeDelay = 2_000_000
  /// The time from the first probe to the second; it doubles each time.
  package static let firstProbeInterval = 1_000_000_000

  /// A connection that is read from.
  package init(_ timeouts: PhaseTimeouts) {
    self.timeouts = timeouts
    state = .reading
  }

  /// A connection beyond `max_connections`, refused unless its first bytes show by `deadline` that it is a health check.
  package init(_ timeouts: PhaseTimeouts, screeningUntil deadline: Int) {
    self.timeouts = timeouts
    state = .screening(until: deadline)
  }

  // MARK: The present state

  package var isClosed: Bool { state == .closed }
  package var isRefused: Bool { state == .refused }

  package var isScreening: Bool {
    if case .screening = state { true } else { false }
  }

  package var isLingering: Bool {
    if case .lingering = state { true } else { false }
  }

  /// Whether what the peer sends is thrown away.
  package var discardsInput: Bool { isRefused || isLingering }
  /// Whether all that the peer sent is read.
  package var hasReadAll: Bool { input == .read }
  /// Whether the end of the peer's side has yet to be reported.
  package var awaitsPeerEnd: Bool { input == .open }

  /// When `passTime` has something to do; `.max` for never.
  package var deadline: Int {
    switch state {
    case .screening(let until), .lingering(let until): until
    case .reading: phaseDeadline
    case .halfClosed(let probe, _): min(phaseDeadline, probe)
    case .refused, .closed: .max
    }
  }

  // MARK: The first bytes

  /// The first bytes are those of a health check.
  package mutating func passScreening() {
    if isScreening { state = .reading }
  }

  /// The connection is refused.
  package mutating func refuse() -> Action {
    switch state {
    case .screening, .reading:
      state = .refused
      return .refuse
    case .halfClosed, .refused, .lingering, .closed: return .none
    }
  }

  // MARK: Ends

  /// The peer has ended its side; of what it sent before, not everything is read.
  ///
  /// - Parameters:
  ///   - mayAwaitAnswers: whether the protocol lets it wait for answers then.
  ///   - isReading: whether it is being read from, so that the end is found behind what it sent.
  package mutating func peerEnded(
    mayAwaitAnswers: Bool, isReading: Bool, now: Int
  ) -> Action {
    guard input == .open else { return .none }
    input = .ended
    switch state {
    case .reading where mayAwaitAnswers: return awaitAnswers(now: now)
    case .reading: return isReading ? .none : close()
    case .screening, .halfClosed, .refused, .lingering, .closed: return .none
    }
  }

  /// All that the peer sent is read, and it has ended its side, whether that was told before or not.
  package mutating func inputEnded(mayAwaitAnswers: Bool, now: Int) -> Action {
    input = .read
    switch state {
    case .reading: return mayAwaitAnswers ? awaitAnswers(now: now) : close()
    case .halfClosed: return .none
    // The refusal is on its way.
    case .refused: return .none
    case .screening, .lingering: return close()
    case .closed: return .none
    }
  }

  private mutating func awaitAnswers(now: Int) -> Action {
    state = .halfClosed(
      probe: PhaseTimeouts.deadline(after: Self.firstProbeDelay, from: now),
      interval: Self.firstProbeInterval)
    return .none
  }

  /// All that there is to be sent has been sent.
  ///
  /// - Parameters:
  ///   - wantsClose: whether nothing is to follow.
  ///   - owesNothing: whether no answer is owed, and no input waits to be gone on with.
  package mutating func outputDrained(wantsClose: Bool, owesNothing: Bool, now: Int) -> Action {
    switch state {
    case .lingering, .closed: return .none
    case .screening, .reading, .halfClosed, .refused:
      if input == .read { return wantsClose || owesNothing ? close() : .none }
      guard wantsClose else { return .none }
      state = .lingering(until: PhaseTimeouts.deadline(after: timeouts.linger, from: now))
      return .endOutput
    }
  }

  /// The connection is broken, or not needed any more.
  package mutating func close() -> Action {
    guard state != .closed else { return .none }
    state = .closed
    return .close
  }

  // MARK: Time

  /// A request, or a part of a body, has come, or a response left: the deadline of the phase begins anew.
  package mutating func progressed() { hasProgressed = true }

  /// The peer is waited for, for what `phase` says.
  package mutating func wait(for phase: ConnectionPhase, now: Int) {
    switch state {
    case .screening, .refused, .lingering, .closed: return
    case .reading, .halfClosed: break
    }
    guard phase != timedPhase || hasProgressed else { return }
    timedPhase = phase
    hasProgressed = false
    phaseDeadline = timeouts.deadline(for: phase, from: now)
  }

  /// Handles the deadlines that passed by `now`.
  package mutating func passTime(now: Int) -> Action {
    switch state {
    case .screening(let until): return now >= until ? refuse() : .none
    case .lingering(let until): return now >= until ? close() : .none
    case .reading, .halfClosed:
      if now >= phaseDeadline { return ranOut() }
      guard case .halfClosed(let probe, let interval) = state, now >= probe else { return .none }
      state = .halfClosed(
        probe: PhaseTimeouts.deadline(after: interval, from: now), interval: 2 * interval)
      return .probe
    case .refused, .closed: return .none
    }
  }

  /// Nothing has come for as long as a drain waits.
  package mutating func ranOut() -> Action {
    switch state {
    case .screening: return refuse()
    case .reading, .halfClosed:
      timedPhase = nil
      phaseDeadline = .max
      return .timeOut
    case .lingering: return close()
    case .refused, .closed: return .none
    }
  }
}
