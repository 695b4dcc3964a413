import Dispatch
import Glibc
import HTTPCore
import Synchronization

/// An event loop: a serial queue that owns one epoll descriptor and the sockets it watches.
///
/// The queue is busy with the loop's rounds until a drain is over, and waits in epoll between them; `perform` interrupts
/// them for other work. `ConnectionDriver` handles the events of connections.
// Sendable: all mutable state is touched on `queue` only, except that of types which lock for themselves.
final class EventLoop: @unchecked Sendable {
  private let queue: DispatchQueue
  private let counters: ServerCounters
  private let time: LoopTime
  private let inbox: Inbox
  private let waker: WakeupEvent
  private let driver: ConnectionDriver
  private let acceptor: Acceptor
  private let poller: Poller
  /// Nil when no listener speaks TLS.
  private let tls: TLSReference?
  private let timer: LoopTimer
  private let settings: HTTPServerSettings
  /// Nil when connections per address are not limited.
  private let shares: AddressShares?
  /// The loop's own deadlines: when accepting resumes, when a drain's grace ends, and when a drain is cut off.
  private let accepting: DeadlineWheel<LoopDeadline>.Entry
  private let grace: DeadlineWheel<LoopDeadline>.Entry
  private let stop: DeadlineWheel<LoopDeadline>.Entry
  /// How many calls of `perform` wait for the queue.
  private let errandCount = Atomic(0)
  /// When the timer fires next.
  private var timerDeadline = Int.max
  /// When the last round began. Bytes that had arrived by then have been read, so a deadline before then was really missed.
  private var lastRound = Int.min
  /// How many rounds in a row the poller had as many events as it can report, so that there may be more.
  private var fullRounds = 0
  private var isGraceOver = false
  private var isOver = false
  private var onDrained: (@Sendable () -> Void)?
  /// Called when accepting pauses, with the errno.
  private let reportPause: @Sendable (CInt) -> Void
  private var nextPauseReport = Int.min

  /// The most rounds for which deadlines wait while there are more events than one round handles.
  private static let maxFullRounds = 64
  /// The least time between two reports of pauses in accepting, in nanoseconds.
  private static let pauseReportInterval = 60_000_000_000

  init(
    name: String, listeners: [Listener], tls: TLSReference?, settings: HTTPServerSettings,
    memory: MemoryBudget, shares: AddressShares?,
    counters: ServerCounters, clock: LoopClock, codingQueues: CodingQueues,
    reportPause: @escaping @Sendable (CInt) -> Void, application: Application
  ) throws(HTTPServerError) {
    let queue = DispatchQueue(label: name, qos: .userInitiated)
    let waker = try WakeupEvent()
    let inbox = Inbox { waker.signal() }
    let time = LoopTime(clock)
    self.queue = queue
    self.tls = tls
    self.waker = waker
    self.inbox = inbox
    self.time = time
    self.counters = counters
    self.reportPause = reportPause
    driver = ConnectionDriver(
      settings: settings, memory: memory, counters: counters, time: time,
      codingQueues: codingQueues, inbox: inbox, application: application)
    acceptor = Acceptor(
      listeners: listeners, counters: counters, shares: shares, proxies: settings.trustedProxies
    ) { [driver] in driver.hasRoomForExtra }
    poller = try Poller()
    timer = try LoopTimer()
    self.settings = settings
    self.shares = shares
    accepting = time.deadlines.insert(.accepting)
    grace = time.deadlines.insert(.grace)
    stop = time.deadlines.insert(.stop)
  }

  /// Begins to accept connections and to serve them.
  func start(_ descriptors: DescriptorBudget) {
    perform { [self] in
      driver.limitExtras(to: descriptors)
      acceptor.open(poller, maxConnections: descriptors.maxConnections)
      waker.register(with: poller)
      timer.register(with: poller)
    }
  }

  /// Calls `work` on the loop's queue, between two rounds.
  private func perform(_ work: @escaping @Sendable () -> Void) {
    errandCount.add(1, ordering: .relaxed)
    queue.async { [self] in
      errandCount.subtract(1, ordering: .relaxed)
      work()
      run()
    }
    // Behind the work: when the loop wakes up, its queue goes on with that.
    waker.signal()
  }

  // MARK: Rounds

  /// Runs rounds until the loop is over, or `perform` wants the queue.
  ///
  /// No dispatch source watches the epoll descriptor: one would cost the sender of each request a second queue's lock
  /// on the way to this one's, even while it rests.
  private func run() {
    inbox.wake()
    var isQuiet = false
    while !isOver, errandCount.load(ordering: .relaxed) == 0 {
      // All reported events are handled in this round: the poller reports each event of the timer and the waker only once.
      let eventCount = poller.poll(waits: isQuiet)
      if isQuiet { inbox.wake() }
      let hadPutOff = driver.round(isQuiet: eventCount == 0) {
        for index in 0..<eventCount {
          let (token, readiness) = poller.event(index)
          handle(readiness, of: token)
        }
      }
      let wasDue = passTime(isFull: eventCount == Poller.maxEvents)
      endIfDrained()
      isQuiet =
        eventCount == 0 && !hadPutOff && !wasDue && driver.isIdle && setTimer() && inbox.rest()
      // Connections that use more than their share should delay neither other connections nor other threads.
      if !driver.rounds.isIdle { sched_yield() }
    }
  }

  private func handle(_ readiness: Poller.Readiness, of token: UInt64) {
    switch token {
    case WakeupEvent.token: break
    case LoopTimer.token: timerDeadline = .max
    case _ where Acceptor.owns(token):
      acceptOrPause { () throws(Acceptor.Pause) in
        try acceptor.accept(token) { admit($0) }
      }
    default: driver.handle(readiness, of: token)
    }
  }

  // MARK: Connections

  private func admit(_ newcomer: consuming Acceptor.Newcomer) {
    switch consume newcomer {
    case .admitted(let accepted, let place):
      let origin = ConnectionOrigin(peer: accepted.peer, place: place)
      let isTLS = accepted.isTLS
      var socket: Descriptor? = accepted.takeSocket()
      driver.admit(from: origin) { transport(&socket, isTLS: isTLS, origin.peer, token: $0) }
    case .extra(let accepted, let isBeyondShare):
      let origin = ConnectionOrigin(peer: accepted.peer, isBeyondShare: isBeyondShare)
      let isTLS = accepted.isTLS
      var socket: Descriptor? = accepted.takeSocket()
      driver.admitExtra(from: origin) { transport(&socket, isTLS: isTLS, origin.peer, token: $0) }
    }
  }

  private func transport(
    _ socket: inout Descriptor?, isTLS: Bool, _ peer: HTTPPeer, token: UInt64
  ) -> any Transport {
    guard let descriptor = socket.take() else { preconditionFailure("asked for twice") }
    let number = descriptor.number
    let transport: any Transport
    if isTLS, let tls {
      transport = TLSTransport(
        descriptor, context: tls.current, counters: counters, poller: poller, token: token)
    } else {
      transport = SocketTransport(descriptor, poller: poller, token: token)
    }
    guard settings.expectsProxyHeader, settings.trustedProxies.contains(peer.address) else {
      return transport
    }
    return ProxiedTransport(transport, number: number, counters: counters, shares: shares)
  }

  /// Calls `accept`; if that throws, stops accepting for as long as the `Pause` says.
  private func acceptOrPause(_ accept: () throws(Acceptor.Pause) -> Void) {
    do throws(Acceptor.Pause) {
      try accept()
    } catch {
      if case .exhausted(let number) = error { recordPause(number) }
      acceptor.watch(false, poller)
      time.deadlines.set(accepting, to: time.now + error.nanoseconds)
    }
  }

  private func recordPause(_ number: CInt) {
    counters.acceptPauses.add(1, ordering: .relaxed)
    guard time.now >= nextPauseReport else { return }
    nextPauseReport = time.now + Self.pauseReportInterval
    reportPause(number)
  }

  // MARK: Time

  /// Handles the deadlines that have passed; returns whether there are any.
  ///
  /// Bytes that arrived before a deadline count as in time, even if this loop is late. So deadlines are compared with
  /// the start of the previous round: what had arrived by then has been read. While the poller has more events than it can
  /// report at once, deadlines wait, as those events may be bytes that came in time; but for `maxFullRounds` at most.
  private func passTime(isFull: Bool) -> Bool {
    defer { lastRound = time.now }
    fullRounds = isFull ? fullRounds + 1 : 0
    guard lastRound >= time.deadlines.next, !isFull || fullRounds >= Self.maxFullRounds else {
      // If a deadline has passed, another round follows at once.
      return time.now >= time.deadlines.next
    }
    fullRounds = 0
    driver.makeRoom()
    for deadline in time.deadlines.takeDue(now: lastRound) {
      switch deadline {
      case .connection(let token): driver.look(at: token)
      case .accepting: acceptor.watch(true, poller)
      case .grace: endGrace()
      case .stop: driver.closeAll()
      }
    }
    return true
  }

  /// Sets the timer for the next deadline; returns false if that has passed already.
  ///
  /// A clock other than the kernel's may run faster, so the timer fires each tick at least.
  private func setTimer() -> Bool {
    let next = time.deadlines.next
    guard next < .max else { return true }
    let delay = next - time.read()
    guard delay > 0 else { return false }
    let deadline = time.now + min(delay, driver.tick)
    if deadline < timerDeadline {
      timerDeadline = deadline
      timer.set(after: min(delay, driver.tick))
    }
    return true
  }

  // MARK: Draining

  /// Waits until the loop's queue has run all work that was submitted so far; must not be called on that queue.
  func wait() {
    let isReached = DispatchSemaphore(value: 0)
    perform { isReached.signal() }
    isReached.wait()
  }

  /// Accepts no new connections, keeps idle ones open for `drain_grace` in case a request is on its way, and calls
  /// `completion` when the grace is over and the last connection is closed. After `limit` nanoseconds all connections
  /// are closed, even those that are owed answers.
  func drain(within limit: Int, _ completion: @escaping @Sendable () -> Void) {
    perform { [self] in
      onDrained = completion
      time.clock.update()
      // Connections in the accept queue, and bytes already received, are served before the drain begins.
      acceptor.dropNewcomers()
      acceptAll()
      driver.beginDrain()
      time.deadlines.set(
        grace, to: PhaseTimeouts.deadline(after: settings.drainGrace.nanoseconds, from: time.now))
      time.deadlines.set(stop, to: PhaseTimeouts.deadline(after: limit, from: time.now))
    }
  }

  /// Accepts the connections in the kernel's accept queues; if descriptors run out, the rest stays there.
  private func acceptAll() {
    try? acceptor.acceptAll { admit($0) }
  }

  /// Ends the drain's grace: TCP handshakes that were under way when the drain began are complete, so the listeners close.
  private func endGrace() {
    acceptAll()
    acceptor.close()
    driver.endGrace()
    isGraceOver = true
  }

  /// Ends the loop once the grace is over and the last connection is gone.
  private func endIfDrained() {
    guard isGraceOver, driver.connections.count == 0, let onDrained else { return }
    self.onDrained = nil
    isOver = true
    onDrained()
  }
}
