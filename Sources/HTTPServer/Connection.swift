import HTTPCore

/// A client's connection: its transport, its protocol, its lifecycle, the answers it is owed and the output it has yet to receive.
///
/// Belongs to one event loop and is touched on its queue only.
final class Connection {
  let token: UInt64
  let transport: any Transport
  private let origin: ConnectionOrigin
  /// Counts the memory that is held for it.
  let memory: MemoryAccount
  /// What its exchanges get of it, from the first request on.
  var link: HTTPExchange.Link?
  /// How responses are coded that are sent as they are made, from the first request on.
  var code: HTTPExchange.Coding?
  /// Its number among the connections that the server admitted.
  let number: UInt64
  /// Whether it is beyond `max_connections`.
  let isExtra: Bool

  var wire: any ConnectionProtocol
  /// `wire` as long as the first bytes have not shown which protocol it is.
  private var opening: OpeningConnection?
  private let date: ResponseDate
  /// Decides by a request's head what becomes of its body.
  var reception: HeadReception = { _, _ in Reception(.whole()) { _ in } }
  var lifecycle: ConnectionLifecycle
  /// Tells by the first bytes whether it is a health check, while the lifecycle screens it.
  private var probeFilter: ProbeFilter?
  var owed = OwedAnswers()
  var output = OutputBuffer()
  /// Requests that came and wait for this connection's share of the loop's time, in order; answers to all are owed.
  var waiting = FIFO<Arrival>()
  /// Requests that were handed out.
  var requestCount = 0
  /// Bodies to be inflated or compressed off the loop, in order; the first is under way.
  var codings = CodingList()
  /// Mail for it that waits until it has a share of the loop's time again, in order.
  var undelivered = FIFO<Mail>()
  /// The application's questions whether the peer is still connected.
  var questions = PresenceQuestions()

  /// The time that the loop has spent on it in the present round.
  var share = LoopShare()
  /// Whether its share of a round was used up, so that it waits for another.
  var isLate = false
  /// Whether it waits for the end of the round to be flushed.
  var isFlushScheduled = false
  /// `holdings` as last added to the loop's counts.
  var counted = (body: 0, incomplete: 0, all: 0)
  var watched: Poller.Readiness = [.input, .peerEnd]
  /// When the loop looks at it.
  let deadline: DeadlineWheel<LoopDeadline>.Entry
  /// Measures how fast the body of an HTTP/1 request comes; during a drain, how fast anything comes.
  var upload = TransferMeter()
  /// Measures how fast the peer acknowledges what the transport was given.
  var download = TransferMeter()
  /// How many bytes have been read.
  var receivedCount = 0

  /// A request that came.
  struct Arrival {
    let request: HTTPRequest
    let stream: StreamID
    /// Whether the request has its body, which may be coded.
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
    /// Nil for a connection beyond `max_connections`.
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
    isExtra = parts.number == nil
    probeFilter = parts.probeFilter
    let opening = OpeningConnection()
    self.opening = opening
    wire = opening
  }

  /// The address that the peer has, or passes on, and, once it has shown one, its name.
  var peer: HTTPPeer {
    HTTPPeer(address: transport.clientAddress ?? origin.peer.address, name: transport.peerName)
  }

  /// What it is told where it is one too many.
  var refusal: HTTPResponse { origin.refusal }

  // MARK: What it holds

  /// The memory that the bodies of its requests take, complete or not, that of those not complete, and all that grows
  /// with what the peer sends or leaves unread.
  var holdings: (body: Int, incomplete: Int, all: Int) {
    let wire = wire
    let incomplete = wire.incompleteBytes
    let body = incomplete + owed.bodyBytes
    let output = wire.heldBytes + output.capacity + owed.headBytes + transport.heldBytes
    return (body, incomplete, body + output)
  }

  /// While more than this waits for the peer's socket to take it, nothing is read from it, and none of its
  /// requests that have come is begun. Output that waits for an HTTP/2 peer to open its windows does not count: the peer
  /// opens them by what it sends.
  static let maxUnsentBytes = 256 * 1024

  /// Tells the protocol how much more output may wait. When the server's memory `isFull`, a request
  /// waits until those before it are answered and that is written.
  func updateOutputRoom(isFull: Bool) {
    if isFull {
      wire.outputRoom = owed.isEmpty && output.count == 0 ? 0 : -1
    } else {
      wire.outputRoom = Self.maxUnsentBytes - output.count
    }
  }

  /// Whether no request is under way and no output is left, so that it may simply be closed at the end of a drain's
  /// grace.
  var isSilent: Bool { wire.mayEndUnannounced && output.count == 0 }

  /// Whether input that was left behind can be gone on with: not before the requests that were read are
  /// handed out.
  var hasBacklog: Bool { waiting.isEmpty && wire.hasBacklog }

  /// Takes out everything that is owed or waits; returns the answers that were owed.
  func takeAllOwed() -> [OwedAnswers.Answer] {
    waiting = FIFO()
    undelivered = FIFO()
    return owed.removeAll()
  }

  // MARK: Input

  /// Gives `bytes` to its protocol, once that is known and they may be from a health check where it is screened; returns
  /// what they completed, nil where they are refused.
  func receive(_ bytes: Span<UInt8>, settings: HTTPServerSettings) -> [ConnectionEvent]? {
    guard lifecycle.isScreening else { return receive(unscreened: bytes, settings) }
    switch probeFilter?.receive(bytes) {
    case .undecided, nil: return []
    case .other: return nil
    case .mayBeProbe:
      lifecycle.passScreening()
      let first = probeFilter?.bytes ?? []
      probeFilter = nil
      return receive(unscreened: first.span, settings)
    }
  }

  private func receive(
    unscreened bytes: Span<UInt8>, _ settings: HTTPServerSettings
  ) -> [ConnectionEvent] {
    guard let opening else { return wire.receive(bytes) }
    let events = opening.receive(bytes)
    guard let successor = opening.successor(settings, date: date, reception: reception)
    else { return events }
    wire = successor
    self.opening = nil
    let first = opening.first
    return wire.receive(first.span)
  }

  /// Whether more is read from it now.
  var reads: Bool {
    guard !lifecycle.discardsInput else { return true }
    let wire = wire
    return wire.wantsInput && waiting.isEmpty
      && output.count + wire.outputCount <= Self.maxUnsentBytes
  }

  /// What the connection waits for its peer to send: nothing while the loop does not read from it, or while output waits
  /// for the peer to receive it.
  func phase(reads: Bool) -> ConnectionPhase {
    let phase = transport.isOpening ? .readingHead : wire.phase
    return reads && (phase != .idle || output.count == 0) ? phase : .answering
  }

  /// What its transport is to be watched for.
  func wantedReadiness(reads: Bool) -> Poller.Readiness {
    var wanted = Poller.Readiness()
    if reads, !lifecycle.hasReadAll { wanted.insert(.input) }
    if lifecycle.awaitsPeerEnd { wanted.insert(.peerEnd) }
    if output.count > 0 { wanted.insert(.output) }
    return wanted
  }

  // MARK: Output

  /// Answers, before any request, that there are too many connections.
  func refuse() {
    probeFilter = nil
    opening?.refuse(refusal, date: date)
  }

  /// Sends what there is, or a part of it; adds what was taken to `sent`.
  func send(_ sent: inout Int) -> OutputBuffer.Result {
    output.send(over: transport, &sent) { wire.takeOutput() }
  }

  /// How many bytes the peer has acknowledged. A socket says that it takes more only once a third of its buffer is free,
  /// which a slow peer may take minutes for.
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
  /// For HTTP/1 the count is exact, except where a response waits for another before it. For HTTP/2, bytes count as sent
  /// that are framed and still wait among the frames of other streams, up to the mark of its output.
  func reportSent() {
    guard output.hasCaughtUp else { return }
    let buffered = wire.isMultiplexed ? 0 : output.count
    owed.reportSent { wire.heldBytes(of: $0) + buffered }
  }

  // MARK: Ends and time

  /// The peer has ended its side, and all that it sent is read.
  func inputEnded(now: Int) -> ConnectionLifecycle.Action {
    wire.endInput()
    return lifecycle.inputEnded(mayAwaitAnswers: wire.survivesEndOfInput, now: now)
  }

  /// The peer has ended its side.
  func peerEnded(now: Int) -> ConnectionLifecycle.Action {
    lifecycle.peerEnded(
      mayAwaitAnswers: wire.survivesEndOfInput, isReading: watched.contains(.input), now: now)
  }

  /// All that there is to be sent is sent.
  func outputDrained(now: Int) -> ConnectionLifecycle.Action {
    let owesNothing = owed.isEmpty && !hasBacklog
    return lifecycle.outputDrained(
      wantsClose: wire.wantsClose, owesNothing: owesNothing, now: now)
  }

  /// When it is to be looked at next, where transfers are measured `tick` nanoseconds from `now`.
  ///
  /// - Parameter isDraining: whether it is measured too that nothing comes.
  func nextLook(now: Int, tick: Int, isDraining: Bool) -> Int {
    let deadline = min(lifecycle.deadline, questions.deadline)
    let isMeasured = isDraining || output.count > 0 || wire.hasTransfers
    return isMeasured ? min(deadline, now + tick) : deadline
  }
}
