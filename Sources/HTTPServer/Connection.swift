import CLinux
import Glibc
import HTTPCore

/// A client's connection: its socket, its protocol, what it is owed and what it has yet to take.
///
/// Belongs to one event loop and is touched on its queue only.
final class Connection {
  /// A request whose response is owed.
  struct Owed {
    let stream: StreamID
    /// The memory that the request's body takes.
    var bodyBytes: Int
    /// About what the rest of the request takes.
    let headBytes: Int
    let answer: HTTPAnswer
    /// The request's body, where that comes in parts.
    let body: IncomingBody?
    /// Nil until the request's body is inflated.
    var exchange: HTTPExchange?
    /// What the wire was handed of the response's streamed body and the exchange not yet told that
    /// the socket has taken.
    var untoldBytes = 0
  }

  /// A request that came.
  struct Arrival {
    let request: HTTPRequest
    let stream: StreamID
    /// Whether the request has its body, which may be coded.
    let isWhole: Bool
  }

  /// What an attempt to write came to.
  enum WriteResult {
    /// Everything is written.
    case drained
    /// The peer takes no more for now.
    case blocked
    /// As much is written as was to be at once.
    case paused
    /// The connection is broken.
    case failed
  }

  let socket: Descriptor
  /// Who is at the other end.
  let origin: HTTPPeer
  /// Tells others whether the peer has left.
  let peer: PeerWatch
  /// Where what is held for it is counted.
  let memory: MemoryAccount
  /// What its exchanges are given to ask; made once, as each request would have one made otherwise.
  let hasLeft: @Sendable () -> Bool
  var askPresence: HTTPExchange.ConnectionReference.AskPresence = { $1(true) }
  let token: UInt64
  var wire: any ConnectionProtocol
  /// The same while its first bytes have not told which protocol it speaks.
  private var opening: OpeningConnection?
  private let date: ResponseDate
  /// How its requests are received by their heads.
  var reception: HeadReception = { _, _ in Reception(.whole()) { _ in } }
  private(set) var owed: [Owed] = []
  /// Requests that came and wait for this connection's share of the loop's time, in order; all in `owed`.
  var waiting = FIFO<Arrival>()
  /// What the loop has spent on it.
  var share = LoopShare()
  /// What was posted for it and waits for its share, in order.
  var undelivered = FIFO<Mail>()
  /// Whether it waits for another round, since its share of one was used up.
  var isLate = false
  /// Bodies to be inflated or compressed off the loop, in order; the first is under way.
  var codings = CodingList()
  /// What the bodies of requests in `owed` take together.
  private var owedBytes = 0
  /// What the heads of those requests take together.
  private var headBytes = 0
  /// What `untoldBytes` of `owed` are together.
  private var untoldBytes = 0
  /// What the loop has counted of `bodyBytes`, of `wire.incompleteBytes` and of all that is held.
  var counted = (body: 0, incomplete: 0, all: 0)
  var watched: Poller.Readiness = [.input, .peerEnd]
  var isOpen = true
  /// Whether it waits for its turn to be settled.
  var isUnsettled = false
  /// Whether the peer has ended its side, and all that it sent is read.
  var hasInputEnded = false
  /// Whether the peer has ended its side; it may have closed, or wait for answers.
  var hasPeerEnded = false
  /// When that peer is next sent a byte to learn which, in monotonic nanoseconds.
  var presenceCheck = Int.max
  /// How long after that one the next follows.
  var presenceInterval = 1_000_000_000
  /// Whether our side has ended, and the peer's last bytes are awaited and discarded: closing at
  /// once would reset the connection and take the response from the peer (RFC 9112 §9.6).
  var isLingering = false {
    didSet { if isLingering { peer.end() } }
  }
  /// Tells it from all others of the server that were admitted.
  var number: UInt64 = 0
  /// Requests that were handed out.
  var requestCount = 0
  /// Whether it is one more than may be open.
  let isExtra: Bool
  /// Whether it was told that it is one too many.
  private(set) var isRefused = false
  /// What judges its first bytes, where it is and may be a health check.
  var probeFilter: ProbeFilter?
  /// Whether a request, or part of a body, has come or a response left since the deadline was set.
  var hasProgressed = false
  /// The phase that `readDeadline` was set for.
  var timedPhase: ConnectionPhase?
  /// Monotonic nanoseconds; `.max` is never.
  var readDeadline = Int.max
  /// Measures the body of an HTTP/1 request as it comes.
  var upload = TransferMeter()
  /// Measures what the socket is given, as the peer acknowledges it.
  var download = TransferMeter()
  /// How many bytes have been read.
  var receivedCount = 0
  /// How many bytes the socket has taken.
  private(set) var writtenCount = 0

  private var unsent: [UInt8] = []
  private var sentCount = 0
  /// Whether the last `write` got to the end of what had been taken from the wire before.
  private var hasCaughtUp = false

  init(
    _ accepted: consuming AcceptedSocket, token: UInt64, memory: MemoryAccount,
    date: ResponseDate = ResponseDate(), isExtra: Bool = false
  ) {
    let opening = OpeningConnection()
    self.opening = opening
    wire = opening
    self.date = date
    self.memory = memory
    origin = accepted.peer
    let peer = PeerWatch(accepted.socket.number)
    self.peer = peer
    hasLeft = { peer.hasLeft }
    socket = accepted.socket
    self.token = token
    self.isExtra = isExtra
  }

  /// Before the socket is closed.
  deinit { peer.end() }

  /// How many bytes wait for the peer to take them.
  var unsentCount: Int { unsent.count - sentCount }

  /// The memory that the bodies of its requests take, complete or not.
  var bodyBytes: Int { wire.incompleteBytes + owedBytes }

  /// The memory that all else takes which grows with what the peer sends or leaves unread.
  var outputBytes: Int { wire.heldBytes + unsent.capacity + headBytes }

  /// While more than this waits for the peer to take it, nothing is read from it, and none of its
  /// requests that have come is begun.
  static let maxUnsentBytes = 256 * 1024

  /// Whether more waits for the peer's socket than may while it sends more. What waits for a peer of HTTP/2 to open
  /// its windows does not count: that comes with what it sends.
  var isBehind: Bool { unsentCount + wire.outputCount > Self.maxUnsentBytes }

  /// Tells the protocol how much more output may wait. When the server's memory `isFull`, a request
  /// waits until those before it are answered and that is written.
  func updateOutputRoom(isFull: Bool) {
    if isFull {
      wire.outputRoom = owed.isEmpty && unsentCount == 0 ? 0 : -1
    } else {
      wire.outputRoom = Self.maxUnsentBytes - unsentCount
    }
  }

  /// Whether nothing is under way, as far as has come, and nothing left to say: at the end of a drain's grace it may
  /// be closed without ado.
  var isSilent: Bool {
    wire.mayEndUnannounced && unsentCount == 0
  }

  /// Gives `bytes` to its protocol, once that is known; returns what they completed.
  func receive(_ bytes: Span<UInt8>, settings: HTTPServerSettings) -> [ConnectionEvent] {
    guard let opening else { return wire.receive(bytes) }
    let events = opening.receive(bytes)
    guard let successor = opening.successor(settings, date: date, reception: reception)
    else { return events }
    wire = successor
    self.opening = nil
    return wire.receive(opening.first.span)
  }

  /// Says that the server has as many connections as it takes, in place of any protocol.
  func refuse() {
    isRefused = true
    opening?.refuse(.tooManyConnections, date: date)
  }

  /// So many bytes are written at once: about as many as a socket takes in 50 µs.
  private static let maxBytesWrittenAtOnce = 64 * 1024

  /// Writes what there is, or a part of it, until the socket takes no more; adds what it took to `written`.
  func write(_ written: inout Int) -> WriteResult {
    hasCaughtUp = false
    var rest = Self.maxBytesWrittenAtOnce
    while true {
      if unsentCount == 0 {
        hasCaughtUp = true
        unsent = wire.takeOutput()
        sentCount = 0
        if unsent.isEmpty { return .drained }
      }
      guard rest > 0 else { return .paused }
      let count = unsafe unsent.withUnsafeBytes { bytes in
        // SAFETY: sentCount < count, so base address and length stay within the array.
        unsafe send(
          socket.number, bytes.baseAddress! + sentCount, min(rest, bytes.count - sentCount),
          CInt(MSG_NOSIGNAL))
      }
      if count > 0 {
        sentCount += count
        writtenCount += count
        written += count
        rest -= count
      } else if errno == EAGAIN {
        return .blocked
      } else if errno != EINTR {
        return .failed
      }
    }
  }

  /// How many bytes the peer has acknowledged. A socket says that it takes more only once a third of its buffer is free,
  /// which a slow peer may take minutes for.
  var acknowledgedCount: Int {
    writtenCount - Int(clinux_unacknowledged_bytes(socket.number))
  }

  /// Whether the peer has acknowledged everything, the end of this side with it.
  var isAcknowledged: Bool { clinux_unacknowledged_bytes(socket.number) == 0 }

  /// Notes that a response to `request` is owed to `stream`.
  func owe(
    _ stream: StreamID, _ request: HTTPRequest, by answer: @escaping HTTPAnswer,
    body: IncomingBody?
  ) {
    let new = Owed(
      stream: stream, bodyBytes: request.body.capacity, headBytes: request.headBytes,
      answer: answer, body: body)
    owed.append(new)
    owedBytes += new.bodyBytes
    headBytes += new.headBytes
  }

  /// Whether a response is owed to `stream`.
  func owes(_ stream: StreamID) -> Bool { owed.contains { $0.stream == stream } }

  /// Whether input that was left behind can be gone on with: not before the requests that were read are
  /// handed out.
  var hasBacklog: Bool { waiting.isEmpty && wire.hasBacklog }

  /// Takes out what is owed to `stream`, if it still is.
  func takeOwed(_ stream: StreamID) -> Owed? {
    guard let index = owed.firstIndex(where: { $0.stream == stream }) else { return nil }
    owedBytes -= owed[index].bodyBytes
    headBytes -= owed[index].headBytes
    untoldBytes -= owed[index].untoldBytes
    return owed.remove(at: index)
  }

  /// Takes out everything that is owed.
  func takeAllOwed() -> [Owed] {
    waiting = FIFO()
    undelivered = FIFO()
    defer { (owed, owedBytes, headBytes, untoldBytes) = ([], 0, 0, 0) }
    return owed
  }

  /// The exchange whose response is owed to `stream`.
  func exchange(for stream: StreamID) -> HTTPExchange? {
    owed.first { $0.stream == stream }?.exchange
  }

  /// The body of the request of `stream`, where that comes in parts.
  func body(of stream: StreamID) -> IncomingBody? { owed.last { $0.stream == stream }?.body }

  /// Notes the exchange of a stream; returns what answers it, nil when the stream is gone.
  func setExchange(_ exchange: HTTPExchange, for stream: StreamID) -> HTTPAnswer? {
    guard let index = owed.lastIndex(where: { $0.stream == stream }) else { return nil }
    owedBytes += exchange.request.body.capacity - owed[index].bodyBytes
    owed[index].bodyBytes = exchange.request.body.capacity
    owed[index].exchange = exchange
    return owed[index].answer
  }

  /// Queues a part of the streamed body that is owed to `stream`; drops it when the stream is gone.
  func stream(_ bytes: [UInt8], to stream: StreamID) {
    guard noteStreamed(bytes.count, to: stream) else { return }
    wire.write(bytes, to: stream)
  }

  /// Queues the head of `response`, whose body is streamed; drops it when the stream is gone.
  func beginStream(_ response: HTTPResponse, to stream: StreamID) {
    guard noteStreamed(response.body.count, to: stream) else { return }
    wire.begin(response, to: stream)
  }

  private func noteStreamed(_ count: Int, to stream: StreamID) -> Bool {
    guard let index = owed.firstIndex(where: { $0.stream == stream }) else { return false }
    owed[index].untoldBytes += count
    untoldBytes += count
    return true
  }

  /// Tells the exchanges of streamed bodies what the socket has taken of them since the last time.
  ///
  /// HTTP/1's share is exact, but for what waits for a response before it. HTTP/2's counts as taken
  /// what is framed and waits with the frames of other streams, up to the mark of its output.
  func tellTaken() {
    guard untoldBytes > 0, hasCaughtUp else { return }
    let buffered = wire.isMultiplexed ? 0 : unsentCount
    for index in owed.indices where owed[index].untoldBytes > 0 {
      let left = min(
        owed[index].untoldBytes, wire.heldBytes(of: owed[index].stream) + buffered)
      let taken = owed[index].untoldBytes - left
      guard taken > 0 else { continue }
      owed[index].untoldBytes = left
      untoldBytes -= taken
      owed[index].exchange?.take(taken)
    }
  }

  /// Whether more is read from it now.
  var reads: Bool { isLingering || (wire.wantsInput && !isBehind && waiting.isEmpty) }

  /// What the peer is waited for: nothing while it is not read from, or has yet to take what it is sent.
  private var phase: ConnectionPhase {
    let phase = wire.phase
    return reads && (phase != .idle || unsentCount == 0) ? phase : .answering
  }

  /// Sets the deadline of the phase when it is new, or begins anew.
  func armReadDeadline(_ timeouts: Timeouts, now: Int) {
    let phase = phase
    guard phase != timedPhase || hasProgressed else { return }
    timedPhase = phase
    hasProgressed = false
    readDeadline = timeouts.deadline(for: phase, from: now)
  }
}
