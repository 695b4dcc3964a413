import HTTPCore

/// A client's connection: its transport, its protocol, its lifecycle, the answers that it is owed and the output that
/// it has yet to receive.
///
/// Belongs to one event loop and is touched on its queue only.
final class Connection {
  /// Names the connection on its loop: in the table, in the poller's events, in the deadline wheel and in mail.
  let token: UInt64
  let transport: any Transport
  private let origin: ConnectionOrigin
  /// Counts the memory that is held for this connection.
  let memory: MemoryAccount
  /// What exchanges of this connection share; set by its first request.
  var link: HTTPExchange.Link?
  /// The connection's number among those that the server admitted; 0 when it is beyond a limit.
  let number: UInt64
  /// Whether the connection is beyond `max_connections`, or beyond the share of its address.
  var isExtra: Bool { probeFilter != nil }

  /// The protocol that the peer speaks; an `ProtocolDetector` until the first bytes show which one that is.
  var wire: any ConnectionProtocol
  /// The same object as `wire` until the first bytes show which protocol the peer speaks; nil from then on.
  private var opening: ProtocolDetector?
  /// The `maxQueuedOutput` that the protocol has; nil until it was set once.
  private var outputRoom: Int?
  /// Whether `wire` is, as its property of that name says.
  private(set) var isMultiplexed = false
  private let date: ResponseDate
  /// Decides by a request's head what becomes of its body.
  var reception: HeadReception = { _, _ in Reception(.whole()) { _ in } }
  var lifecycle: ConnectionLifecycle
  /// Tells by the first bytes whether the peer may be a health check, and by a request whether it is; nil for a
  /// connection within the limits.
  private var probeFilter: ProbeFilter?
  /// Whether a request was refused as the connection is beyond a limit.
  private(set) var isTurnedAway = false
  var owed = OwedAnswers()
  var output = OutputBuffer()
  /// Received requests that wait for their turn, or until the connection has a share of the loop's time, in order. Each
  /// has an answer in `owed`.
  var waiting = FIFO<Arrival>()
  /// Whether the request that was handed out last has a safe method.
  private var isLastSafe = true
  /// How many requests were handed out to the application.
  var requestCount = 0
  /// Bodies that wait to be inflated or compressed off the loop, one at a time, in order.
  var codings = CodingList()
  /// Mail that waits until the connection has a share of the loop's time again, in order.
  var undelivered = FIFO<Mail>()
  /// The application's questions whether the peer is still connected.
  var questions = PresenceQuestions()

  /// The time that the loop has spent on this connection in the current round.
  var share = LoopShare()
  /// Whether the connection used up its share of a round and waits for a later one.
  var isLate = false
  /// Whether the connection will be flushed at the end of the round.
  var isFlushScheduled = false
  /// The `heldMemory` that the loop's counts include.
  var counted = (body: 0, incomplete: 0, all: 0)
  /// The events that the transport is watched for.
  var watched: Poller.Readiness = [.input, .peerEnd]
  /// The connection's entry in the deadline wheel: when the loop checks it next.
  let deadline: DeadlineWheel<LoopDeadline>.Entry
  /// Measures how fast the body of an HTTP/1 request arrives; during a drain, how fast any input arrives.
  var upload = TransferMeter()
  /// Measures how fast the peer acknowledges the bytes that the transport took.
  var download = TransferMeter()
  /// How many bytes were read from the transport.
  var receivedCount = 0

  /// A received request.
  struct Arrival {
    let request: HTTPRequest
    let stream: StreamID
    /// Whether `request` holds its body, perhaps with a content coding; false when the body follows in parts or is not
    /// wanted.
    let isWhole: Bool
  }

  /// What a connection is made from.
  struct Parts {
    let transport: any Transport
    let origin: ConnectionOrigin
    let memory: MemoryAccount
    let date: ResponseDate
    let deadline: DeadlineWheel<LoopDeadline>.Entry
    let lifecycle: ConnectionLifecycle
    /// Nil for a connection beyond a limit.
    let number: UInt64?
    var probeFilter: ProbeFilter?
  }

  init(_ parts: Parts, token: UInt64) {
    self.token = token
    transport = parts.transport
    origin = parts.origin
    memory = parts.memory
    date = parts.date
    deadline = parts.deadline
    lifecycle = parts.lifecycle
    number = parts.number ?? 0
    probeFilter = parts.probeFilter
    let opening = ProtocolDetector()
    self.opening = opening
    wire = opening
  }

  /// The client: its address, as a proxy names it or as the socket has it, and the name in its certificate if it has
  /// shown one.
  var peer: HTTPPeer {
    HTTPPeer(address: transport.clientAddress ?? origin.peer.address, name: transport.peerName)
  }

  /// The response to `request` where the connection is one too many and it is no health check that is answered.
  func refusal(of request: HTTPRequest) -> HTTPResponse? {
    guard let probeFilter, !probeFilter.isProbe(request) else { return nil }
    isTurnedAway = true
    return origin.refusal
  }

  /// Ends the connection after the answers to the requests that have come.
  func takeNoMore() {
    wire.shutDown()
    wire.finishShutDown()
  }

  // MARK: Requests in turn

  /// Whether a request waits that may be handed out. Over HTTP/1 one that may change something waits for the answers to
  /// all before it, and all behind it wait for its own (RFC 9112 §9.3.2).
  var hasTurn: Bool {
    guard let next = waiting.first else { return false }
    return isMultiplexed || owed.count <= waiting.count || (next.request.isSafe && isLastSafe)
  }

  /// Removes and returns the next request that may be handed out.
  func takeTurn() -> Arrival? {
    guard hasTurn, let next = waiting.popFirst() else { return nil }
    isLastSafe = next.request.isSafe
    return next
  }

  // MARK: Memory held

  /// The memory in bytes that this connection holds: `body` for request bodies, `incomplete` for those of them that are
  /// not complete, `all` for these and everything else that grows with what the peer sends or leaves unread.
  ///
  /// - Parameters:
  ///   - incomplete: the protocol's `incompleteBytes`.
  ///   - held: its `heldBytes`.
  func heldMemory(incomplete: Int, held: Int) -> (body: Int, incomplete: Int, all: Int) {
    let body = incomplete + owed.bodyBytes
    let output = held + output.capacity + owed.headBytes + transport.heldBytes
    return (body, incomplete, body + output)
  }

  /// While more output than this waits for the socket, nothing is read from the peer, and none of its received requests
  /// is started. Output that waits for an HTTP/2 flow-control window does not count: to see the peer open the window,
  /// the loop has to read.
  static let maxUnsentBytes = 256 * 1024

  /// Tells the protocol how much more output may wait; returns whether that is news to it. When the server's memory
  /// `isFull`, a request waits until the requests before it are answered and their answers sent.
  @discardableResult
  func updateOutputRoom(isFull: Bool) -> Bool {
    let room =
      isFull
      ? (owed.isEmpty && output.count == 0 ? 0 : -1) : Self.maxUnsentBytes - output.count
    guard room != outputRoom else { return false }
    outputRoom = room
    wire.maxQueuedOutput = room
    return true
  }

  /// Whether no request is under way and no output is left, so that the connection may simply be closed at the end of a
  /// drain's grace.
  var isSilent: Bool { wire.canCloseSilently && output.count == 0 }

  /// Whether the protocol can continue with input that it left unparsed: only once all parsed requests are handed out.
  func hasBacklog(_ status: ConnectionStatus) -> Bool { waiting.isEmpty && status.hasBacklog }

  /// Removes all waiting requests, undelivered mail and owed answers; returns the answers.
  func takeAllOwed() -> [OwedAnswers.Answer] {
    waiting = FIFO()
    undelivered = FIFO()
    return owed.removeAll()
  }

  // MARK: Input

  /// Passes `bytes` to the protocol and appends the events that they complete to `events`. While the connection is
  /// screened, or its protocol is not known, the bytes are kept and there are no events. Returns false when screening
  /// shows that the peer is no health check, so that the connection is to be refused.
  func receive(
    _ bytes: Span<UInt8>, settings: HTTPServerSettings, into events: inout [ConnectionEvent]
  ) -> Bool {
    defer { if isTurnedAway { takeNoMore() } }
    guard lifecycle.isScreening else {
      receive(unscreened: bytes, settings, into: &events)
      return true
    }
    switch probeFilter?.receive(bytes) {
    case .undecided, nil: return true
    case .other: return false
    case .mayBeProbe:
      lifecycle.passScreening()
      let first = probeFilter?.takeBytes() ?? []
      receive(unscreened: first.span, settings, into: &events)
      return true
    }
  }

  private func receive(
    unscreened bytes: Span<UInt8>, _ settings: HTTPServerSettings,
    into events: inout [ConnectionEvent]
  ) {
    guard let opening else { return wire.receive(bytes, into: &events) }
    opening.receive(bytes, into: &events)
    guard
      let successor = opening.successor(
        settings, agreed: transport.agreedProtocol, date: date, reception: reception)
    else { return }
    if let outputRoom { successor.maxQueuedOutput = outputRoom }
    wire = successor
    isMultiplexed = successor.isMultiplexed
    self.opening = nil
    let first = opening.first
    successor.receive(first.span, into: &events)
  }

  /// Whether the loop reads from the peer now.
  func reads(_ status: ConnectionStatus) -> Bool {
    guard !lifecycle.discardsInput else { return true }
    return status.wantsInput && waiting.isEmpty
      && output.count + status.outputCount <= Self.maxUnsentBytes
  }

  /// The phase whose time-out applies to the peer. It is `answering`, which has none, while the loop does not read, and
  /// instead of `idle` while output waits to be sent.
  func phase(_ status: ConnectionStatus, reads: Bool) -> ConnectionPhase {
    let phase = transport.isHandshaking ? .readingHead : status.phase
    return reads && (phase != .idle || output.count == 0) ? phase : .answering
  }

  /// The events that the transport is to be watched for.
  func wantedReadiness(reads: Bool) -> Poller.Readiness {
    var wanted = Poller.Readiness()
    if reads, !lifecycle.hasReadAll { wanted.insert(.input) }
    if lifecycle.awaitsPeerEnd { wanted.insert(.peerEnd) }
    if output.count > 0 { wanted.insert(.output) }
    return wanted
  }

  // MARK: Output

  /// Queues the response that there are too many connections, before any request.
  func refuse() {
    opening?.refuse(origin.refusal, date: date)
  }

  /// Sends the output, or a part of it; adds the number of bytes that the transport took to `sent`.
  func send(_ sent: inout Int) -> OutputBuffer.Result {
    let wire = wire
    return output.send(over: transport, &sent) { wire.takeOutput() }
  }

  /// How many bytes the peer has acknowledged. What the socket takes would be too coarse a measure: it becomes writable
  /// only once a third of its buffer is free, which may take a slow peer minutes.
  var acknowledgedCount: Int { output.sentCount - transport.unacknowledgedCount }

  /// Queues a part of the streamed body that is owed to `stream`; drops it when the stream is gone.
  func stream(_ bytes: [UInt8], to stream: StreamID) {
    guard owed.noteStreamed(bytes.count, to: stream) else { return }
    wire.write(bytes, to: stream)
  }

  /// Queues the head of `response`, whose body is streamed; drops it when the stream is gone.
  func beginStream(_ response: HTTPResponse, to stream: StreamID) {
    guard owed.noteStreamed(response.body.count, to: stream) else { return }
    wire.begin(response, to: stream)
  }

  /// Reports to the exchanges of streamed bodies how many of their bytes the transport has sent since the last call.
  ///
  /// For HTTP/1 the count is exact, unless a response waits for an earlier one. For HTTP/2, bytes that are framed but
  /// still queued among the frames of other streams, about 256 KiB at most, count as sent.
  func reportSent() {
    guard owed.haveUnreported, output.hasCaughtUp else { return }
    let buffered = isMultiplexed ? 0 : output.count
    owed.reportSent { wire.heldBytes(of: $0) + buffered }
  }

  // MARK: Ends and time

  /// Answers the application's questions to which the peer's acknowledgements are the answer; returns false if the peer
  /// has left, or acknowledges too slowly.
  func answerQuestions(now: Int, _ timeouts: Timeouts) -> Bool {
    guard now >= questions.deadline else { return true }
    guard !transport.peer.isBroken,
      !questions.isOverdue(now: now, window: timeouts.download.window)
    else { return false }
    for answer in questions.takeAcknowledged(acknowledgedCount, now: now) { answer(true) }
    return true
  }

  /// Called when the peer has ended its side and all that it sent is read; returns what to do.
  func reachedEndOfInput(now: Int) -> ConnectionLifecycle.Action {
    wire.endInput()
    return lifecycle.reachedEndOfInput(mayAwaitAnswers: wire.supportsHalfClose, now: now)
  }

  /// Called when the peer has ended its side, though input may be unread; returns what to do.
  func peerHalfClosed(now: Int) -> ConnectionLifecycle.Action {
    lifecycle.peerHalfClosed(
      mayAwaitAnswers: wire.supportsHalfClose, isReading: watched.contains(.input), now: now)
  }

  /// Called when all output is sent; returns what to do.
  func outputDrained(_ status: ConnectionStatus, now: Int) -> ConnectionLifecycle.Action {
    let owesNothing = owed.isEmpty && !hasBacklog(status)
    return lifecycle.outputDrained(
      wantsClose: status.wantsClose, owesNothing: owesNothing, now: now)
  }

  /// When the loop has to check the connection next: at its deadline, or in `tick` nanoseconds if a transfer is
  /// measured and that is earlier.
  ///
  /// - Parameter isDraining: whether a drain is under way, in which the loop also measures how long nothing comes.
  func nextLook(_ status: ConnectionStatus, now: Int, tick: Int, isDraining: Bool) -> Int {
    let deadline = min(lifecycle.deadline, questions.deadline)
    let isMeasured = isDraining || output.count > 0 || status.hasTransfers
    return isMeasured ? min(deadline, now + tick) : deadline
  }
}
