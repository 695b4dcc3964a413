import HTTPCore

/// Drives the connections of a loop: passes each the events of its transport, and carries out its lifecycle's actions.
///
/// It works on transports, not sockets: its caller finds out which of them are ready, and what time it is.
final class ConnectionDriver {
  let rounds: LoopRounds
  let exchanges: ExchangeDelivery
  private(set) var connections = ConnectionTable()
  /// Whether a drain has begun.
  private(set) var isDraining = false
  private let settings: HTTPServerSettings
  private let timeouts: Timeouts
  private let counters: ServerCounters
  private let memory: BodyMemory
  private let pace: PaceCheck
  private let time: LoopTime
  /// The connections beyond `max_connections`; none are accepted before `limitExtras` sets how many may be.
  private var extras = ExtraConnections(maxCount: 0)
  private var readBuffer = [UInt8](repeating: 0, count: 64 * 1024)
  private var eventBuffer: [ConnectionEvent] = []

  init(
    settings: HTTPServerSettings, memory budget: MemoryBudget, counters: ServerCounters,
    time: LoopTime, codingQueues: CodingQueues, inbox: Inbox, application: Application
  ) {
    let settings = settings.with(maxBodyMemory: BodyMemory.bodyLimit(of: budget))
    self.settings = settings
    self.counters = counters
    self.time = time
    timeouts = Timeouts(settings)
    pace = PaceCheck(timeouts: timeouts, counters: counters)
    rounds = LoopRounds(time)
    memory = BodyMemory(
      budget, counters: counters, loopCount: settings.loopCount, rounds: rounds)
    exchanges = ExchangeDelivery(
      settings: settings, rounds: rounds, memory: memory, counters: counters,
      codingQueues: codingQueues, inbox: inbox, application: application)
  }

  /// Sets how many connections beyond `max_connections` are accepted.
  func limitExtras(to descriptors: DescriptorBudget) {
    extras = ExtraConnections(descriptors, settings)
  }

  /// The interval at which transfers are measured, in nanoseconds.
  var tick: Int { isDraining ? timeouts.drainTick : timeouts.tick }

  // MARK: Rounds

  /// Whether the next round would have nothing to do but handle the events of the loop's sockets.
  var isIdle: Bool { rounds.isIdle && exchanges.intake.isEmpty }

  /// Runs a round of the loop: serves connections that were put off, calls `handleEvents`, delivers the mail, and flushes.
  ///
  /// - Parameter isQuiet: whether the poller reported no events.
  /// - Returns: whether there were actions to run that the application had postponed.
  func round(isQuiet: Bool, _ handleEvents: () -> Void) -> Bool {
    rounds.begin()
    rounds.servePostponed { connection in
      exchanges.resume(connection)
      if !connection.lifecycle.isClosed { flush(connection) }
    }
    handleEvents()
    exchanges.deliverMail(to: connections) { askPresence(of: $0, $1, $2) }
    rounds.flushAll { flush($0) }
    return exchanges.intake.finishRound(isQuiet: isQuiet)
  }

  /// Handles `readiness`, which may be a failure, of the transport of the connection with `token`.
  func handle(_ readiness: Poller.Readiness, of token: UInt64) {
    guard let connection = connections[token] else { return }
    let readiness = connection.transport.translate(readiness)
    guard readiness.isDisjoint(with: [.hangUp, .failure]) else {
      close(connection)
      return
    }
    // A late connection loses nothing: the poller reports readiness again as long as it lasts.
    if !connection.isLate {
      if readiness.contains(.input) { serve(connection) } else { rounds.scheduleFlush(connection) }
    }
    if readiness.contains(.peerEnd) {
      carryOut(connection.peerHalfClosed(now: time.now), for: connection)
    }
  }

  // MARK: New connections

  /// Adds a connection that counts toward `max_connections`.
  @discardableResult
  func admit(
    from origin: ConnectionOrigin, _ makeTransport: (_ token: UInt64) -> any Transport
  ) -> Connection {
    let number = counters.connectionsAccepted.add(1, ordering: .relaxed).newValue
    let connection = insert(
      ConnectionLifecycle(timeouts.phases), number: UInt64(number), origin, makeTransport)
    rounds.scheduleFlush(connection)
    return connection
  }

  /// Adds a connection beyond `max_connections`; if there are too many even of these, refuses another and closes it.
  func admitExtra(from origin: ConnectionOrigin, _ makeTransport: (UInt64) -> any Transport) {
    if let surplus = extras.surplus(isRefused: isRefused), let connection = connections[surplus] {
      carryOut(connection.lifecycle.refuse(), for: connection)
      close(connection)
    }
    let lifecycle = ConnectionLifecycle(
      timeouts.phases, screeningUntil: time.now + ExtraConnections.screeningNanoseconds)
    let connection = insert(lifecycle, number: nil, origin, makeTransport)
    guard !connection.lifecycle.isClosed else { return }
    extras.append(connection.token, now: time.now)
    // Bytes that it sent while it waited in the accept queue may already show what it is.
    serve(connection)
  }

  /// Whether a connection beyond `max_connections` can be added without closing another one unheard.
  var hasRoomForExtra: Bool { extras.hasRoom(now: time.now, isRefused: isRefused) }

  private func isRefused(_ id: UInt64) -> Bool { connections[id]?.lifecycle.isRefused ?? true }

  /// Adds a connection; closes it at once if the poller can't watch it.
  private func insert(
    _ lifecycle: ConnectionLifecycle, number: UInt64?, _ origin: ConnectionOrigin,
    _ makeTransport: (_ token: UInt64) -> any Transport
  ) -> Connection {
    let connection = connections.insert { token in
      let parts = Connection.Parts(
        transport: makeTransport(token), origin: origin, memory: memory.account(),
        date: time.clock.date, deadline: time.deadlines.insert(.connection(token)),
        lifecycle: lifecycle, number: number,
        probeFilter: number == nil ? ProbeFilter(paths: extras.probePaths) : nil)
      return Connection(parts, token: token)
    }
    connection.reception = exchanges.reception(for: connection)
    if !connection.transport.watch(for: connection.watched) {
      counters.connectionsRefused.add(1, ordering: .relaxed)
      close(connection)
    }
    return connection
  }

  // MARK: Input and output

  /// Reads what the peer has sent, and sends what is answered at once before other connections are read. All of it is
  /// charged to the connection when it is flushed.
  private func serve(_ connection: Connection) {
    // So that what is read does not schedule the flush that follows here.
    connection.isFlushScheduled = true
    read(connection)
    connection.isFlushScheduled = false
    if !connection.lifecycle.isClosed { flush(connection) }
  }

  private func read(_ connection: Connection) {
    // Moved out of self, so that self can change while the buffer is read.
    var bytes: [UInt8] = []
    swap(&bytes, &readBuffer)
    defer { swap(&bytes, &readBuffer) }
    repeat {
      var buffer = bytes.mutableSpan
      switch connection.transport.read(into: &buffer) {
      case .moved(let count): handle(bytes.span.extracting(first: count), from: connection)
      case .wouldBlock: break
      case .ended: carryOut(connection.reachedEndOfInput(now: time.now), for: connection)
      case .failed: close(connection)
      }
    } while connection.transport.hasEndBehindInput && !connection.lifecycle.isClosed
  }

  private func handle(_ bytes: Span<UInt8>, from connection: Connection) {
    connection.receivedCount += bytes.count
    guard !connection.lifecycle.discardsInput else { return }
    counters.bytesReceived.add(bytes.count, ordering: .relaxed)
    connection.updateOutputRoom(isFull: memory.isFull)
    receive(bytes, from: connection)
    if isDraining, !connection.isSilent { connection.wire.shutDown() }
    memory.recountIfMuch(connection)
    memory.makeRoom()
  }

  private func receive(_ bytes: Span<UInt8>, from connection: Connection) {
    // Moved out of self, so that the storage serves the next call as well.
    var events: [ConnectionEvent] = []
    swap(&events, &eventBuffer)
    defer { swap(&events, &eventBuffer) }
    guard connection.receive(bytes, settings: settings, into: &events) else {
      return carryOut(connection.lifecycle.refuse(), for: connection)
    }
    if !bytes.isEmpty, connection.wire.phase == .readingBody { connection.lifecycle.progressed() }
    exchanges.handle(&events, from: connection)
  }

  /// Continues with requests and input that waited, sends what can be sent, and sets what the connection waits for.
  private func flush(_ connection: Connection) {
    let wire = connection.wire
    if wire.hasNews {
      var events = wire.takeEvents()
      exchanges.handle(&events, from: connection)
    }
    if connection.hasTurn, !connection.isLate { exchanges.resume(connection) }
    connection.updateOutputRoom(isFull: memory.isFull)
    if connection.waiting.isEmpty, wire.hasBacklog, !connection.isLate {
      receive([UInt8]().span, from: connection)
    }
    let result = send(connection)
    var status = wire.status
    memory.recount(connection, incomplete: status.incompleteBytes, held: status.heldBytes)
    if connection.updateOutputRoom(isFull: memory.isFull) { status = wire.status }
    if status.hasNews { wire.takeRefusals().forEach(counters.countRefusal) }
    if result != .failed { connection.reportSent() }
    switch result {
    case .failed: close(connection)
    case .blocked: connection.download.begin(count: connection.acknowledgedCount, now: time.now)
    case .paused: connection.download.pause()
    case .drained:
      connection.download.pause()
      carryOut(connection.outputDrained(status, now: time.now), for: connection)
    }
    guard !connection.lifecycle.isClosed else { return }
    let reads = connection.reads(status)
    connection.lifecycle.wait(for: connection.phase(status, reads: reads), now: time.now)
    watch(connection, status, reads: reads)
    // Requests that waited until output was sent may continue now.
    if connection.hasBacklog(status) || result == .paused {
      if rounds.isUsedUp(by: connection) {
        rounds.postpone(connection)
      } else {
        rounds.scheduleFlush(connection)
      }
    }
  }

  /// Sends until everything is sent, the peer takes no more, or the connection's share is used up.
  private func send(_ connection: Connection) -> OutputBuffer.Result {
    var sent = 0
    defer { if sent > 0 { counters.bytesSent.add(sent, ordering: .relaxed) } }
    while true {
      let result = connection.send(&sent)
      rounds.charge(connection)
      if result != .paused || rounds.isUsedUp(by: connection) { return result }
    }
  }

  /// Sets which readiness the transport reports, and when the loop checks the connection next.
  private func watch(_ connection: Connection) {
    let status = connection.wire.status
    watch(connection, status, reads: connection.reads(status))
  }

  private func watch(_ connection: Connection, _ status: ConnectionStatus, reads: Bool) {
    let look = connection.nextLook(status, now: time.now, tick: tick, isDraining: isDraining)
    // If a check is due sooner already, that one sets the next.
    if look < time.deadlines.time(of: connection.deadline) {
      time.deadlines.set(connection.deadline, to: look)
    }
    let wanted = connection.wantedReadiness(reads: reads)
    guard wanted != connection.watched else { return }
    connection.watched = wanted
    _ = connection.transport.watch(for: wanted)
  }

  // MARK: Ends

  private func carryOut(_ action: ConnectionLifecycle.Action, for connection: Connection) {
    switch action {
    case .none: break
    case .refuse:
      counters.connectionsRefused.add(1, ordering: .relaxed)
      // At once, as its place may be needed before the round is over. During a handshake nothing can be said.
      guard !connection.transport.isHandshaking else { return close(connection) }
      connection.refuse()
      flush(connection)
    case .timeOut:
      counters.connectionsTimedOut.add(1, ordering: .relaxed)
      connection.wire.timeOut()
      rounds.scheduleFlush(connection)
    case .probe:
      // Unsent output is a probe already: the peer acknowledges it or resets the connection.
      guard connection.output.count == 0, !connection.owed.isEmpty else { break }
      if connection.wire.queueProbe() { rounds.scheduleFlush(connection) }
    case .endOutput:
      exchanges.abandonAll(of: connection)
      connection.transport.endOutput()
      connection.upload.pause()
    case .close:
      connection.transport.close()
      time.deadlines.remove(connection.deadline)
      connections.remove(connection)
      if connection.isExtra {
        extras.remove(connection.token)
      } else {
        counters.connectionsOpen.subtract(1, ordering: .relaxed)
      }
      exchanges.abandonAll(of: connection)
      for answer in connection.questions.takeAll() { answer(false) }
    }
  }

  /// Closes the connection, even if it is owed answers.
  private func close(_ connection: Connection) {
    carryOut(connection.lifecycle.close(), for: connection)
  }

  /// Calls `answer` with whether the client still waits for the answer to `stream`: now, or once its kernel shows that.
  private func askPresence(
    of token: UInt64, _ stream: StreamID, _ answer: @escaping PresenceQuestions.Answer
  ) {
    guard let connection = connections[token] else { return answer(false) }
    // First read what the client has sent: that may be the reset of the stream, or the end of its side.
    if connection.watched.contains(.input), !connection.isLate { serve(connection) }
    guard connection.owed.contains(stream) else { return answer(false) }
    let peer = connection.transport.peer
    guard peer.hasLeft else { return answer(true) }
    guard connection.wire.supportsHalfClose, !peer.isBroken else {
      close(connection)
      return answer(false)
    }
    carryOut(connection.peerHalfClosed(now: time.now), for: connection)
    // The client counts as present if output is unsent already, or if no byte can be sent ahead of the answer.
    guard connection.output.count == 0, connection.wire.queueProbe() else { return answer(true) }
    flush(connection)
    guard !connection.lifecycle.isClosed else { return answer(false) }
    connection.questions.ask(count: connection.output.sentCount, now: time.now, answer)
    watch(connection)
  }

  // MARK: Time

  /// Checks the connection with `token`: measures its transfers, and handles the deadlines that have passed.
  func look(at token: UInt64) {
    guard let connection = connections[token] else { return }
    measure(connection)
    guard !connection.lifecycle.isClosed else { return }
    carryOut(connection.lifecycle.passTime(now: time.now), for: connection)
    guard !connection.lifecycle.isClosed else { return }
    guard connection.answerQuestions(now: time.now, timeouts) else { return close(connection) }
    if !connection.lifecycle.isClosed { watch(connection) }
  }

  private func measure(_ connection: Connection) {
    act(
      on: pace.checkUploads(of: connection, now: time.now, isDraining: isDraining), connection)
    guard !connection.lifecycle.isClosed else { return }
    act(on: pace.checkDownloads(of: connection, now: time.now), connection)
  }

  private func act(on finding: PaceCheck.Finding, _ connection: Connection) {
    switch finding {
    case .none: break
    case .ended(var events):
      exchanges.handle(&events, from: connection)
      rounds.scheduleFlush(connection)
    case .stalled: carryOut(connection.lifecycle.deadlinePassed(), for: connection)
    case .over: close(connection)
    }
  }

  /// Makes room in the memory budget before connections are checked one by one: another loop may have filled it.
  func makeRoom() { memory.makeRoom() }

  // MARK: Draining

  /// Makes every connection end after its last answer. Those on which nothing is under way stay open until `endGrace`,
  /// in case a request is on its way to them.
  func beginDrain() {
    isDraining = true
    for connection in connections.all {
      if connection.watched.contains(.input) { read(connection) }
      // How long nothing comes is measured from the start of the drain.
      connection.upload.pause()
      connection.wire.pauseBodies()
      guard !connection.lifecycle.isClosed else { continue }
      if !connection.lifecycle.isLingering, !connection.isSilent {
        connection.wire.shutDown()
        rounds.scheduleFlush(connection)
      }
      watch(connection)
    }
  }

  /// Closes the connections on which no request has come since the drain began. HTTP/2 connections accept no further
  /// request, even if the peer has not acknowledged GOAWAY.
  func endGrace() {
    for connection in connections.all {
      if connection.isSilent { read(connection) }
      guard !connection.lifecycle.isClosed else { continue }
      if connection.isSilent {
        close(connection)
        continue
      }
      connection.wire.finishShutDown()
      rounds.scheduleFlush(connection)
    }
  }

  /// Closes every connection, even those that are owed answers.
  func closeAll() {
    for connection in connections.all { close(connection) }
  }
}
