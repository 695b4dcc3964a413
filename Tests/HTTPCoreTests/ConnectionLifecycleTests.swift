import HTTPCore
import Testing

@Suite struct ConnectionLifecycleTests {
  private static let times = PhaseTimeouts(head: 10, body: 20, idle: 30, linger: 5)

  private var reading = ConnectionLifecycle(times)
  private var screening = ConnectionLifecycle(times, screeningUntil: 100)

  private var halfClosed: ConnectionLifecycle {
    after { $0.peerHalfClosed(mayAwaitAnswers: true, isReading: true, now: 0) }
  }

  private var lingering: ConnectionLifecycle {
    after { $0.outputDrained(wantsClose: true, owesNothing: true, now: 0) }
  }

  private var closed: ConnectionLifecycle { after { $0.close() } }
  private var refused: ConnectionLifecycle { after { $0.refuse() } }

  private func after(
    _ event: (inout ConnectionLifecycle) -> ConnectionLifecycle.Action
  ) -> ConnectionLifecycle {
    var lifecycle = reading
    _ = event(&lifecycle)
    return lifecycle
  }

  private func action(
    _ lifecycle: ConnectionLifecycle,
    _ event: (inout ConnectionLifecycle) -> ConnectionLifecycle.Action
  ) -> ConnectionLifecycle.Action {
    var lifecycle = lifecycle
    return event(&lifecycle)
  }

  // MARK: Screening and refusal

  @Test func whoIsOneTooManyIsRefusedOnce() {
    #expect(action(screening) { $0.refuse() } == .refuse)
    #expect(action(reading) { $0.refuse() } == .refuse)
    for other in [refused, lingering, closed, halfClosed] {
      #expect(action(other) { $0.refuse() } == .none)
    }
  }

  @Test(arguments: [(99, ConnectionLifecycle.Action.none), (100, .refuse), (101, .refuse)])
  func screeningHasItsTime(now: Int, expected: ConnectionLifecycle.Action) {
    #expect(screening.deadline == 100)
    #expect(action(screening) { $0.passTime(now: now) } == expected)
  }

  @Test func aHealthCheckIsReadFrom() {
    var lifecycle = screening
    lifecycle.passScreening()
    #expect(lifecycle == reading && !lifecycle.isScreening)
    var other = lingering
    other.passScreening()
    #expect(other == lingering)
  }

  @Test func whatComesFromWhoIsRefusedOrDoneIsThrownAway() {
    #expect(refused.discardsInput && lingering.discardsInput)
    #expect(!reading.discardsInput && !screening.discardsInput && !halfClosed.discardsInput)
  }

  @Test func whoIsRefusedIsToldBeforeItIsClosed() {
    #expect(
      action(refused) { $0.reachedEndOfInput(mayAwaitAnswers: false, now: 1) } == .none)
    #expect(
      action(refused) {
        _ = $0.reachedEndOfInput(mayAwaitAnswers: false, now: 1)
        return $0.outputDrained(wantsClose: true, owesNothing: true, now: 1)
      } == .close)
    #expect(
      action(refused) { $0.outputDrained(wantsClose: true, owesNothing: true, now: 1) }
        == .endOutput)
  }

  // MARK: Ends

  @Test func aPeerOfHTTP1ThatEndsItsSideMayAwaitAnswers() {
    #expect(
      action(reading) { $0.peerHalfClosed(mayAwaitAnswers: true, isReading: true, now: 0) } == .none
    )
    #expect(action(reading) { $0.reachedEndOfInput(mayAwaitAnswers: true, now: 0) } == .none)
    #expect(action(halfClosed) { $0.reachedEndOfInput(mayAwaitAnswers: true, now: 0) } == .none)
  }

  @Test func aPeerOfHTTP2ThatEndsItsSideHasLeft() {
    #expect(action(reading) { $0.reachedEndOfInput(mayAwaitAnswers: false, now: 0) } == .close)
    #expect(
      action(reading) { $0.peerHalfClosed(mayAwaitAnswers: false, isReading: false, now: 0) }
        == .close)
    // What it sent before is read first.
    #expect(
      action(reading) { $0.peerHalfClosed(mayAwaitAnswers: false, isReading: true, now: 0) }
        == .none)
  }

  /// Whichever of the two is noticed first.
  @Test(arguments: [false, true])
  func thePeerThatHasEndedItsSideIsProbed(isReadFirst: Bool) {
    let half = after {
      isReadFirst
        ? $0.reachedEndOfInput(mayAwaitAnswers: true, now: 7)
        : $0.peerHalfClosed(mayAwaitAnswers: true, isReading: true, now: 7)
    }
    let first = 7 + ConnectionLifecycle.firstProbeDelay
    #expect(half.deadline == first)
    #expect(!half.awaitsPeerEnd)
    #expect(half.hasReadAll == isReadFirst)
    var lifecycle = half
    #expect(lifecycle.passTime(now: first - 1) == .none)
    var due = first
    for interval in [1, 2, 4, 8] {
      #expect(lifecycle.passTime(now: due) == .probe)
      due += interval * ConnectionLifecycle.firstProbeInterval
      #expect(lifecycle.deadline == due)
      #expect(lifecycle.passTime(now: due - 1) == .none)
    }
  }

  @Test func theEndIsNotedOnce() {
    var lifecycle = halfClosed
    #expect(lifecycle.peerHalfClosed(mayAwaitAnswers: false, isReading: false, now: 9) == .none)
    #expect(lifecycle == halfClosed)
  }

  @Test func theLastAnswerEndsThisSide() {
    let drained = { (lifecycle: inout ConnectionLifecycle) in
      lifecycle.outputDrained(wantsClose: true, owesNothing: true, now: 3)
    }
    #expect(action(reading, drained) == .endOutput)
    #expect(action(halfClosed, drained) == .endOutput)
    #expect(action(lingering, drained) == .none)
    #expect(action(closed, drained) == .none)
    // Nothing is left to be thrown away.
    #expect(
      action(reading) {
        _ = $0.reachedEndOfInput(mayAwaitAnswers: true, now: 0)
        return drained(&$0)
      } == .close)
  }

  @Test(arguments: [false, true])
  func whoHasEndedItsSideStaysAsLongAsItIsOwed(owesNothing: Bool) {
    let found = action(reading) {
      _ = $0.reachedEndOfInput(mayAwaitAnswers: true, now: 0)
      return $0.outputDrained(wantsClose: false, owesNothing: owesNothing, now: 0)
    }
    #expect(found == (owesNothing ? .close : .none))
  }

  @Test func aConnectionThatGoesOnStays() {
    #expect(
      action(reading) { $0.outputDrained(wantsClose: false, owesNothing: true, now: 0) } == .none)
  }

  @Test func aLingeringConnectionClosesWithItsPeerOrInTime() {
    #expect(lingering.deadline == 5)
    #expect(action(lingering) { $0.reachedEndOfInput(mayAwaitAnswers: true, now: 1) } == .close)
    #expect(action(lingering) { $0.passTime(now: 4) } == .none)
    #expect(action(lingering) { $0.passTime(now: 5) } == .close)
  }

  @Test func aConnectionIsClosedOnce() {
    for lifecycle in [reading, screening, halfClosed, lingering, refused] {
      #expect(action(lifecycle) { $0.close() } == .close)
    }
    #expect(action(closed) { $0.close() } == .none)
    #expect(closed.deadline == .max)
    #expect(action(closed) { $0.passTime(now: .max) } == .none)
    #expect(action(closed) { $0.deadlinePassed() } == .none)
    #expect(action(closed) { $0.reachedEndOfInput(mayAwaitAnswers: false, now: 0) } == .none)
    #expect(
      action(closed) { $0.peerHalfClosed(mayAwaitAnswers: false, isReading: false, now: 0) }
        == .none)
  }

  // MARK: Time

  @Test(arguments: [
    (ConnectionPhase.readingHead, 11), (.readingBody, 21), (.idle, 31), (.answering, .max),
  ])
  func eachPhaseHasItsTime(phase: ConnectionPhase, deadline: Int) {
    var lifecycle = reading
    lifecycle.wait(for: phase, now: 1)
    #expect(lifecycle.deadline == deadline)
    guard deadline < .max else { return }
    #expect(action(lifecycle) { $0.passTime(now: deadline - 1) } == .none)
    #expect(action(lifecycle) { $0.passTime(now: deadline) } == .timeOut)
  }

  /// Half a request head a second is no progress; a part of a body is.
  @Test func onlyProgressBeginsAPhaseAnew() {
    var lifecycle = reading
    lifecycle.wait(for: .readingHead, now: 1)
    lifecycle.wait(for: .readingHead, now: 9)
    #expect(lifecycle.deadline == 11)
    lifecycle.progressed()
    lifecycle.wait(for: .readingHead, now: 9)
    #expect(lifecycle.deadline == 19)
    lifecycle.wait(for: .readingBody, now: 10)
    #expect(lifecycle.deadline == 30)
  }

  @Test func aTimeOutIsToldOnceAndBeginsAnew() {
    var lifecycle = reading
    lifecycle.wait(for: .readingHead, now: 1)
    #expect(lifecycle.passTime(now: 11) == .timeOut)
    #expect(lifecycle.passTime(now: 12) == .none)
    lifecycle.wait(for: .readingHead, now: 12)
    #expect(lifecycle.deadline == 22)
  }

  @Test func aPhaseEndsBeforeThePeerIsProbed() {
    var lifecycle = halfClosed
    lifecycle.wait(for: .readingHead, now: 0)
    #expect(lifecycle.deadline == 10)
    #expect(lifecycle.passTime(now: 1 << 60) == .timeOut)
    #expect(lifecycle.passTime(now: 1 << 60) == .probe)
  }

  @Test func onlyWhoIsReadFromHasAPhase() {
    for lifecycle in [refused, lingering, closed, screening] {
      var waiting = lifecycle
      waiting.wait(for: .readingHead, now: 0)
      #expect(waiting == lifecycle)
    }
  }

  @Test func aDrainEndsWhoeverDoesNothing() {
    #expect(action(reading) { $0.deadlinePassed() } == .timeOut)
    #expect(action(halfClosed) { $0.deadlinePassed() } == .timeOut)
    #expect(action(screening) { $0.deadlinePassed() } == .refuse)
    #expect(action(lingering) { $0.deadlinePassed() } == .close)
    #expect(action(refused) { $0.deadlinePassed() } == .none)
  }

  @Test func deadlinesBeyondTheClockNeverCome() {
    var lifecycle = ConnectionLifecycle(
      PhaseTimeouts(head: .max, body: .max, idle: .max, linger: .max))
    lifecycle.wait(for: .idle, now: 1)
    #expect(lifecycle.deadline == .max)
    #expect(lifecycle.outputDrained(wantsClose: true, owesNothing: true, now: 1) == .endOutput)
    #expect(lifecycle.deadline == .max)
  }
}
