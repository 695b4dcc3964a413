/// The life of a connection from accept to close: which sides have ended, what the connection waits for, and until
/// when.
///
/// The owner reports each event, with the time in monotonic nanoseconds, and carries out the returned action. The owner
/// also knows which responses are owed and which output is unsent, and passes that where an event depends on it.
package struct ConnectionLifecycle: Equatable, Sendable {
  /// The action that the owner carries out.
  package enum Action: Equatable, Sendable {
    case none
    /// Answer the peer that there are too many connections.
    case refuse
    /// End the requests in flight: they took too long.
    case timeOut
    /// Send the peer one byte of the response that it is owed: if the peer has closed, its kernel resets the
    /// connection.
    case probe
    /// End our side; what the peer still sends is read and thrown away. Closing at once would reset the connection, and
    /// the peer could lose the response (RFC 9112 §9.6).
    case endOutput
    /// Close the connection, even if responses are owed.
    case close
  }

  private enum State: Equatable {
    /// The connection exceeds `max_connections`. It is answered only if its first bytes show that it is a health check.
    case screening(until: Int)
    /// Requests are read and answered.
    case reading
    /// The peer has ended its side: it may have closed, or be waiting for responses. Sending it a byte finds out which.
    /// The next such probe is due at `probe`, and the one after that `interval` later.
    case halfClosed(probe: Int, interval: Int)
    /// The connection was refused, and its input is not read.
    case refused
    /// Our side has ended; the peer's last bytes are read and thrown away.
    case lingering(until: Int)
    case closed
  }

  /// The peer's side of the connection.
  private enum Input {
    case open
    /// The peer has ended its side, and some of what it sent before is not read yet.
    case ended
    /// The peer has ended its side, and all that it sent is read.
    case read
  }

  private var state: State
  private var input = Input.open
  private let timeouts: PhaseTimeouts
  /// The phase that `phaseDeadline` was set for.
  private var timedPhase: ConnectionPhase?
  private var phaseDeadline = Int.max
  private var hasProgressed = false

  /// Nanoseconds from the end of the peer's side to the first probe.
  package static let firstProbeDelay = 2_000_000
  /// Nanoseconds from the first probe to the second; the interval doubles each time.
  package static let firstProbeInterval = 1_000_000_000

  /// A connection whose requests are read.
  package init(_ timeouts: PhaseTimeouts) {
    self.timeouts = timeouts
    state = .reading
  }

  /// A connection beyond `max_connections`, which is refused unless its first bytes show by `deadline` that it is a
  /// health check.
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

  /// Whether the peer's input is thrown away.
  package var discardsInput: Bool { isRefused || isLingering }
  /// Whether the peer has ended its side and all that it sent is read.
  package var hasReadAll: Bool { input == .read }
  /// Whether the owner has yet to report the end of the peer's side.
  package var awaitsPeerEnd: Bool { input == .open }

  /// When to call `passTime` next; `.max` for never.
  package var deadline: Int {
    switch state {
    case .screening(let until), .lingering(let until): until
    case .reading: phaseDeadline
    case .halfClosed(let probe, _): min(phaseDeadline, probe)
    case .refused, .closed: .max
    }
  }

  // MARK: The first bytes

  /// Records that the first bytes are a health check's.
  package mutating func passScreening() {
    if isScreening { state = .reading }
  }

  /// Refuses the connection.
  package mutating func refuse() -> Action {
    switch state {
    case .screening, .reading:
      state = .refused
      return .refuse
    case .halfClosed, .refused, .lingering, .closed: return .none
    }
  }

  // MARK: Ends

  /// Records that the peer has ended its side while some of what it sent before is not read yet.
  ///
  /// - Parameters:
  ///   - mayAwaitAnswers: whether the protocol allows a peer that has ended its side to wait for responses.
  ///   - isReading: whether the connection is being read, so that reading will reach the end of input.
  package mutating func peerHalfClosed(
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

  /// Records that the peer has ended its side and all that it sent is read, whether `peerHalfClosed` was reported before or
  /// not.
  package mutating func reachedEndOfInput(mayAwaitAnswers: Bool, now: Int) -> Action {
    input = .read
    switch state {
    case .reading: return mayAwaitAnswers ? awaitAnswers(now: now) : close()
    case .halfClosed: return .none
    // The refusal is still to be sent.
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

  /// Records that all output has been sent.
  ///
  /// - Parameters:
  ///   - wantsClose: whether the protocol wants to close after this output.
  ///   - owesNothing: whether no response is owed, and no input already received waits to be processed.
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

  /// Closes the connection, which is broken or not needed any more.
  package mutating func close() -> Action {
    guard state != .closed else { return .none }
    state = .closed
    return .close
  }

  // MARK: Time

  /// Records that a request or a part of a body came, or a response left: the next `wait` restarts the phase's
  /// deadline.
  package mutating func progressed() { hasProgressed = true }

  /// Starts the deadline of `phase`, unless it runs already and nothing has progressed since.
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

  /// Handles the deadlines that have passed by `now`.
  package mutating func passTime(now: Int) -> Action {
    switch state {
    case .screening(let until): return now >= until ? refuse() : .none
    case .lingering(let until): return now >= until ? close() : .none
    case .reading, .halfClosed:
      if now >= phaseDeadline { return deadlinePassed() }
      guard case .halfClosed(let probe, let interval) = state, now >= probe else { return .none }
      state = .halfClosed(
        probe: PhaseTimeouts.deadline(after: interval, from: now), interval: 2 * interval)
      return .probe
    case .refused, .closed: return .none
    }
  }

  /// Ends the wait for the peer: its deadline has passed, or nothing has come for the grace period of a drain.
  package mutating func deadlinePassed() -> Action {
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
