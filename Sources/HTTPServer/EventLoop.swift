import Dispatch
import Glibc
import HTTPCore
import Synchronization

/// An event loop: a serial queue that owns one epoll descriptor and the connections it watches.
///
/// One dispatch source watches the epoll descriptor; when it fires, the loop asks epoll again and
/// again, without waiting, until nothing is ready.
// Sendable: everything that varies, but for `inbox` and `counters`, which lock for themselves, is
// touched on `queue` only.
final class EventLoop: @unchecked Sendable {
  let queue: DispatchQueue
  let settings: HTTPServerSettings
  let counters: ServerCounters
  let application: Application
  let coding: ContentCoding
  let inbox = Inbox()
  let bell: Bell
  let timeouts: Timeouts
  let acceptor: Acceptor

  private(set) var connections = ConnectionTable()
  var clock: LoopClock
  var mail: [Mail] = []
  let memory: MemoryBudget
  /// The memory that the bodies of requests take on this loop.
  var bodyBytes = 0
  /// The connections whose requests' bodies are not complete, by token.
  var uploads: [UInt64: Connection] = [:]
  private var poller: Poller
  private(set) var source: (any DispatchSourceRead)?
  /// Connections beyond the most that may be open, the oldest first; some may have closed.
  var extras: [UInt64] = []
  /// How many of them the loop may hold.
  private(set) var maxExtras = 0
  /// Whether health checks are answered on them.
  private(set) var answersProbes = false
  /// Told of pauses in accepting, with the errno.
  private let reportPause: @Sendable (CInt) -> Void
  private var nextPauseReport = Int.min
  private var nextTick: DispatchWorkItem?
  var isDraining = false
  var isGraceOver = false
  /// What the application does at the end of an intake, and whether the round in which that began is over.
  private var postponed: [@Sendable (Bool) -> Void] = []
  private var hasTakenIn = false
  private(set) lazy var postpone: HTTPExchange.Postpone = { [unowned self] in postponed.append($0) }
  var onDrained: (@Sendable () -> Void)?
  private var unsettled: [Connection] = []
  /// Connections whose shares are used up, and for which more is to be done in a later round, in order.
  var late = FIFO<Connection>()
  /// Counts rounds, for the connections' shares.
  private(set) var round = 0
  /// Up to when connections have paid for the loop's time, in its clock's nanoseconds.
  var chargedUntil = 0
  let codingQueues: CodingQueues
  private var readBuffer = [UInt8](repeating: 0, count: 64 * 1024)

  /// Rounds of one turn, so that a busy loop lets its timer in.
  private static let maxRounds = 64
  /// Between two reports of pauses in accepting.
  private static let pauseReportInterval = 60_000_000_000
  /// How long a turn waits for more. Other work of the queue waits as long.
  private static let waitMilliseconds: CInt = 1
  /// Bodies above this are inflated or compressed off the loop.
  static let maxCodedBytesOnLoop = 4 * 1024
  /// So are those of which more than this comes out.
  static let maxInflatedBytesOnLoop = 16 * 1024

  init(
    name: String, listeners: [Listener], settings: HTTPServerSettings, memory: MemoryBudget,
    counters: ServerCounters, clock: LoopClock, codingQueues: CodingQueues,
    reportPause: @escaping @Sendable (CInt) -> Void, application: Application
  ) throws(HTTPServerError) {
    self.clock = clock
    self.codingQueues = codingQueues
    queue = DispatchQueue(label: name, qos: .userInitiated)
    self.settings = settings.with(maxBodyMemory: Self.bodyLimit(of: memory))
    timeouts = Timeouts(settings)
    self.memory = memory
    self.counters = counters
    self.application = application
    coding = ContentCoding(settings.contentCoding)
    acceptor = Acceptor(listeners: listeners, counters: counters)
    self.reportPause = reportPause
    bell = try Bell()
    poller = try Poller()
  }

  /// Begins to accept and to answer.
  func start(_ descriptors: DescriptorBudget) {
    queue.async { [self] in
      maxExtras = descriptors.maxExtrasPerLoop
      answersProbes =
        descriptors.maxConnections < settings.maxConnections && !settings.probePaths.isEmpty
      let source = DispatchSource.makeReadSource(
        fileDescriptor: poller.descriptor.number, queue: queue)
      source.setEventHandler { self.turn() }
      // The source keeps the loop, and with it the descriptor, until it is cancelled.
      source.setCancelHandler { self.source = nil }
      self.source = source
      acceptor.open(poller, maxConnections: descriptors.maxConnections)
      _ = bell.hang(in: poller)
      source.activate()
    }
  }

  // MARK: Turns

  /// Takes all that is ready, and waits a moment for more before it leaves the waiting to Dispatch: whoever is
  /// answered often asks again at once, and to be woken by Dispatch takes two threads.
  func turn() {
    inbox.wake()
    var eventCount = poller.poll()
    for _ in 0..<Self.maxRounds {
      clock.update()
      chargedUntil = clock.now
      round += 1
      serveLate()
      for index in 0..<eventCount {
        let (token, readiness) = poller.event(index)
        take(readiness, of: token)
      }
      deliverMail()
      settleAll()
      let wasBusy = finishIntake(isQuiet: eventCount == 0) || eventCount > 0
      guard !wasBusy, postponed.isEmpty, late.isEmpty, inbox.rest(.waiting) else {
        eventCount = poller.poll()
        continue
      }
      eventCount = poller.poll(waiting: Self.waitMilliseconds)
      inbox.wake()
      if eventCount == 0, inbox.rest(.asleep) { return }
    }
    // Others may have their turn on the queue; what the poller told is told again.
    queue.async { self.turn() }
  }

  /// Does what was postponed in the round before this one; returns whether there was anything.
  private func finishIntake(isQuiet: Bool) -> Bool {
    guard hasTakenIn else {
      hasTakenIn = !postponed.isEmpty
      return false
    }
    hasTakenIn = false
    var actions: [@Sendable (Bool) -> Void] = []
    swap(&actions, &postponed)
    for action in actions { action(isQuiet) }
    return true
  }

  private func take(_ readiness: Poller.Readiness, of token: UInt64) {
    if token == Bell.token { return }
    if Acceptor.owns(token) {
      pausingOnExhaustion { () throws(Listener.Exhaustion) in
        try acceptor.accept(token) { admit($0) }
      }
    } else if let connection = connections[token] {
      if !readiness.isDisjoint(with: [.hangUp, .failure]) {
        hangUp(connection)
      } else {
        // What is ready is told again while it is.
        if !connection.isLate {
          if readiness.contains(.input) { read(connection) }
          unsettle(connection)
        }
        if readiness.contains(.peerEnd) { notePeerEnd(of: connection) }
      }
    }
  }

  /// Has `connection` settled at the end of the round.
  func unsettle(_ connection: Connection) {
    guard !connection.isUnsettled else { return }
    connection.isUnsettled = true
    unsettled.append(connection)
  }

  private func settleAll() {
    var index = 0
    while index < unsettled.count {
      let connection = unsettled[index]
      connection.isUnsettled = false
      if connection.isOpen { settle(connection) }
      index += 1
    }
    unsettled.removeAll(keepingCapacity: true)
  }

  // MARK: Connections

  func admit(_ newcomer: consuming Acceptor.Newcomer) {
    switch consume newcomer {
    case .admitted(let accepted):
      let number = counters.connectionsAccepted.add(1, ordering: .relaxed).newValue
      let connection = insert(accepted, isExtra: false)
      connection.number = UInt64(number)
      unsettle(connection)
    case .extra(let accepted):
      admitExtra(accepted)
    }
  }

  /// Has `accept` called; where descriptors or memory are used up, nobody is accepted for a moment.
  private func pausingOnExhaustion(_ accept: () throws(Listener.Exhaustion) -> Void) {
    do throws(Listener.Exhaustion) {
      try accept()
    } catch {
      counters.acceptPauses.add(1, ordering: .relaxed)
      if clock.now >= nextPauseReport {
        nextPauseReport = clock.now + Self.pauseReportInterval
        reportPause(error.errno)
      }
      acceptor.watch(false, poller)
      queue.asyncAfter(deadline: .now() + .milliseconds(Acceptor.pauseMilliseconds)) {
        self.acceptor.watch(true, self.poller)
        self.turn()
      }
    }
  }

  /// Adds a connection; it is closed at once where it can't be watched.
  func insert(_ accepted: consuming AcceptedSocket, isExtra: Bool) -> Connection {
    let connection = connections.insert(
      accepted, memory: MemoryAccount(memory), date: clock.date, isExtra: isExtra)
    connection.reception = reception(for: connection)
    if !poller.add(connection.socket, for: connection.watched, token: connection.token) {
      counters.connectionsRefused.add(1, ordering: .relaxed)
      hangUp(connection)
    }
    tickLater()
    return connection
  }

  func read(_ connection: Connection) {
    let count = unsafe readBuffer.withUnsafeMutableBytes { buffer in
      // SAFETY: the kernel writes at most the buffer's own count of bytes.
      unsafe Glibc.read(connection.socket.number, buffer.baseAddress, buffer.count)
    }
    if count > 0 {
      connection.receivedCount += count
      guard !connection.isLingering else { return }
      counters.bytesReceived.add(count, ordering: .relaxed)
      connection.updateOutputRoom(isFull: memory.isFull)
      let events: [ConnectionEvent]
      if connection.probeFilter != nil {
        guard let bytes = filter(Array(readBuffer[..<count]), of: connection) else { return }
        events = receive(bytes.span, from: connection)
      } else {
        events = receive(readBuffer.span.extracting(first: count), from: connection)
      }
      if connection.wire.phase == .readingBody { connection.hasProgressed = true }
      take(events, from: connection)
      if isDraining, !connection.isSilent { connection.wire.shutDown() }
      recount(connection)
      _ = makeRoom()
    } else if count == 0 {
      connection.hasInputEnded = true
      connection.wire.endInput()
      if connection.isLingering || !connection.wire.survivesEndOfInput { hangUp(connection) }
    } else if errno != EAGAIN, errno != EINTR {
      hangUp(connection)
    }
  }

  /// Goes on with what was left behind, writes what can be written, and arranges what to wait for.
  func settle(_ connection: Connection) {
    defer { for status in connection.wire.takeRefusals() { counters.countRefusal(status) } }
    let events = connection.wire.takeEvents()
    if !events.isEmpty { take(events, from: connection) }
    connection.updateOutputRoom(isFull: memory.isFull)
    if connection.hasBacklog, !connection.isLate {
      take(receive([UInt8]().span, from: connection), from: connection)
    }
    var written = 0
    var result = Connection.WriteResult.paused
    repeat {
      result = connection.write(&written)
      charge(connection)
    } while result == .paused && !connection.share.isUsedUp(in: round)
    recount(connection)
    connection.updateOutputRoom(isFull: memory.isFull)
    if written > 0 { counters.bytesSent.add(written, ordering: .relaxed) }
    if result != .failed { connection.tellTaken() }
    switch result {
    case .failed:
      hangUp(connection)
      return
    case .blocked: connection.download.begin(count: connection.acknowledgedCount, now: clock.now)
    case .paused: connection.download.pause()
    case .drained:
      connection.download.pause()
      if connection.wire.wantsClose {
        finish(connection)
        if !connection.isOpen { return }
      } else if connection.hasInputEnded, connection.owed.isEmpty, !connection.hasBacklog {
        hangUp(connection)
        return
      }
    }
    if !connection.isLingering, connection.probeFilter == nil {
      connection.armReadDeadline(timeouts, now: clock.now)
    }
    watch(connection)
    // What was written may have made room for requests that waited.
    if connection.hasBacklog || result == .paused {
      if connection.share.isUsedUp(in: round) { putOff(connection) } else { unsettle(connection) }
    }
  }

  private func receive(_ bytes: Span<UInt8>, from connection: Connection) -> [ConnectionEvent] {
    defer { charge(connection) }
    return connection.receive(bytes, settings: settings)
  }

  private func watch(_ connection: Connection) {
    var wanted = Poller.Readiness()
    if connection.reads, !connection.hasInputEnded { wanted.insert(.input) }
    if !connection.hasPeerEnded { wanted.insert(.peerEnd) }
    if connection.unsentCount > 0 { wanted.insert(.output) }
    guard wanted != connection.watched else { return }
    connection.watched = wanted
    poller.modify(connection.socket, for: wanted, token: connection.token)
  }

  /// Ends our side of a connection whose last response is written.
  private func finish(_ connection: Connection) {
    guard !connection.isLingering else { return }
    if connection.hasInputEnded {
      hangUp(connection)
    } else {
      abandonOwed(of: connection)
      _ = shutdown(connection.socket.number, CInt(SHUT_WR))
      connection.isLingering = true
      connection.upload.pause()
      connection.readDeadline = timeouts.deadline(after: timeouts.linger, from: clock.now)
    }
  }

  /// Closes the connection; what it is owed will not come.
  func hangUp(_ connection: Connection) {
    guard connection.isOpen else { return }
    connection.isOpen = false
    abandonOwed(of: connection)
    connections.remove(connection)
    if connection.isExtra {
      if let index = extras.firstIndex(of: connection.token) { extras.remove(at: index) }
    } else {
      counters.connectionsOpen.subtract(1, ordering: .relaxed)
    }
    poller.remove(connection.socket)
    endIfDrained()
  }

  private func abandonOwed(of connection: Connection) {
    for entry in connection.takeAllOwed() { abandon(entry) }
    recount(connection)
  }

  /// Tells the application that a client has left.
  func abandon(_ owed: Connection.Owed) {
    counters.requestsAbandoned.add(1, ordering: .relaxed)
    owed.exchange?.abandon()
    owed.body?.cut()
  }

  // MARK: Time

  /// Has the connections looked at in a while, and again as long as there are any.
  func tickLater() {
    guard nextTick == nil else { return }
    let next = DispatchWorkItem { [self] in
      nextTick = nil
      tick()
      if connections.count > 0 { tickLater() }
    }
    nextTick = next
    let interval = isDraining ? timeouts.drainTick : timeouts.tick
    queue.asyncAfter(deadline: .now() + .nanoseconds(interval), execute: next)
  }

  /// Has the next look come at the interval of a drain.
  func tickAsDraining() {
    nextTick?.cancel()
    nextTick = nil
    tickLater()
  }

  private func tick() {
    // What has come by now has come in time, if only this side was late.
    turn()
    clock.update()
    // Another loop may have filled what this one holds beyond its share.
    _ = makeRoom()
    for connection in connections.all {
      checkPace(of: connection)
      guard connection.isOpen else { continue }
      if clock.now >= connection.readDeadline {
        timeOut(connection)
      } else if clock.now >= connection.presenceCheck {
        connection.presenceInterval *= 2
        connection.presenceCheck = clock.now + connection.presenceInterval
        checkPresence(of: connection)
      }
    }
    turn()
  }

  /// Ends what its peer was too slow for.
  func timeOut(_ connection: Connection) {
    guard !connection.isLingering else {
      hangUp(connection)
      return
    }
    if connection.probeFilter != nil {
      refuse(connection)
      return
    }
    counters.connectionsTimedOut.add(1, ordering: .relaxed)
    connection.timedPhase = nil
    connection.wire.timeOut()
    unsettle(connection)
  }
}
