import CNGHTTP2
import HTTPCore

/// An HTTP/2 connection of a server (RFC 9113), from the client's preface on, over nghttp2.
///
/// A class because nghttp2's callbacks need its address; like every connection it belongs to one
/// thread at a time.
package final class HTTP2Connection: ConnectionProtocol {
  private let limits: HTTP2Limits
  private let session: HTTP2Session
  private let streams = StreamTable()
  private let requests: RequestIntake
  private let responses: ResponseOutput
  private var output: [UInt8] = []
  private var meter: FloodMeter
  private var sawSettings = false
  private var backlog: InputBacklog
  private var scanner = FrameScanner()
  private var history = StreamHistory()
  private var ending = Ending.no

  private enum Ending {
    case no
    /// The peer is told; streams that it opened before it knew are still taken.
    case announced
    /// What is owed is answered, nothing else is taken.
    case draining
    /// Nothing more is taken or answered.
    case terminated
  }

  /// Output is made up to about this much before it is taken; a frame more may stand behind it.
  private static let outputMark = 256 * 1024

  /// A connection that has seen nothing yet, its own SETTINGS in the output.
  package init(
    limits: HTTP2Limits, date: ResponseDate = ResponseDate(),
    reception: @escaping HeadReception = { _, _ in Reception(.whole()) { _ in } }
  ) {
    self.limits = limits
    backlog = InputBacklog(maxFieldBytesAtOnce: limits.maxFieldBytesAtOnce)
    meter = FloodMeter(limits)
    session = HTTP2Session(limits)
    responses = ResponseOutput(date: date, session: session, streams: streams)
    requests = RequestIntake(
      limits: limits, reception: reception, session: session, streams: streams,
      responses: responses)
    session.attach(self)
  }

  // MARK: What the connection's owner asks for

  /// Stops after `max_field_bytes_at_once` of fields; while `hasBacklog`, a call without bytes goes on.
  package func receive(_ bytes: Span<UInt8>) -> [ConnectionEvent] {
    if let (held, start) = backlog.begin(with: bytes) {
      let count = consume(held.span.extracting(start...))
      backlog.keep(held, from: start + count)
    } else {
      let count = consume(bytes)
      backlog.keep(bytes.extracting(count...))
    }
    pump()
    if wantsClose { abandonAll() }
    return requests.takeEvents()
  }

  package func respond(_ response: HTTPResponse, to stream: StreamID) {
    guard let stream = streams.unanswered(stream) else { return }
    responses.send(response, on: stream)
  }

  package func begin(_ response: HTTPResponse, to stream: StreamID) {
    guard let stream = streams.unanswered(stream) else { return }
    responses.begin(response, on: stream)
  }

  /// Makes no frame yet: what is written before the output is taken shares one.
  package func write(_ bytes: [UInt8], to stream: StreamID) {
    guard let stream = streams.open(stream), !bytes.isEmpty else { return }
    responses.write(bytes, on: stream)
  }

  package func takeEvents() -> [ConnectionEvent] { requests.takeEvents() }

  package func readBody(_ count: Int, of stream: StreamID) {
    guard let stream = streams[Int32(truncatingIfNeeded: stream.rawValue)], stream.upload != nil
    else { return }
    requests.bodyRead(count, on: stream)
    pump()
  }

  package func end(_ stream: StreamID, trailers: HTTPFields = HTTPFields()) {
    guard let stream = streams.open(stream) else { return }
    responses.end(stream, trailers: trailers)
  }

  package func heldBytes(of stream: StreamID) -> Int {
    streams.open(stream)?.waitingBytes ?? 0
  }

  /// To be called several times in `pace`'s window, while all output is written: what waits then waits for the peer to
  /// open a window, so no other time-out sees it.
  package func resetSlowReaders(
    now: Int, pace: TransferPace
  ) -> (count: Int, events: [ConnectionEvent]) {
    let late = streams.slowReaders(
      now: now, pace: pace, window: { session.window(of: $0) })
    guard !late.isEmpty else { return (0, []) }
    for stream in late {
      requests.abandon(stream)
      session.reset(stream.id, NGHTTP2_CANCEL)
    }
    pump()
    return (late.count, requests.takeEvents())
  }

  /// Takes no more of the bodies that it refuses. The connection and its other streams live on, whatever else comes.
  ///
  /// To be called several times in `pace`'s window; where nothing of what the peer sends is read meanwhile,
  /// `pauseBodies()` in its place.
  package func refuseSlowBodies(now: Int, pace: TransferPace) -> Int {
    guard streams.haveBodies else { return 0 }
    let late = streams.slowBodies(now: now, pace: pace)
    var count = 0
    for (stream, error) in late {
      if stream.hasRest {
        requests.cutShort(stream)
      } else {
        stream.isTimedOut = true
        requests.refuse(error.response, on: stream)
        count += 1
      }
    }
    if !late.isEmpty { pump() }
    return count
  }

  package func pauseBodies() {
    if streams.haveBodies { streams.pauseBodies() }
  }

  package var hasTransfers: Bool {
    streams.haveBodies || streams.responseBytes > 0
  }

  /// Hands over about 256 KiB at most; there may be more when those are written.
  package func takeOutput() -> [UInt8] {
    pump()
    defer { output = [] }
    return output
  }

  /// Answers the requests that are not complete with 408, or where not even the head is, resets them, and takes no others;
  /// ends at once where there are neither those nor owed responses.
  package func timeOut() {
    for stream in streams.all(at: .head) { session.reset(stream.id, NGHTTP2_CANCEL) }
    let late = streams.all(at: .body)
    for stream in late { requests.refuse(HTTP2Error.timedOut.response, on: stream) }
    if late.isEmpty, phase == .idle {
      terminate(NGHTTP2_NO_ERROR)
    } else {
      drain()
    }
    pump()
  }

  package func refuseLargestBody(_ response: HTTPResponse) {
    guard let largest = streams.largestBody else { return }
    requests.refuse(response, on: largest)
    pump()
  }

  package func takeRefusals() -> [HTTPStatus] { requests.takeRefusals() }

  package func shutDown() {
    guard ending == .no else { return }
    ending = .announced
    session.announceShutdown()
    pump()
  }

  package func finishShutDown() {
    guard ending == .announced else { return }
    drain()
    pump()
  }

  package var phase: ConnectionPhase {
    if !sawSettings || streams.headCount > 0 { return .readingHead }
    // The bodies of requests have a time-out each, in `refuseSlowBodies`: what comes on one stream, or on
    // none, is no progress of another.
    // A peer that takes its time over a response is not idle; `resetSlowReaders` ends those who take too little.
    return streams.bodyCount + streams.owedCount > 0 || streams.isSending ? .answering : .idle
  }

  package var incompleteBytes: Int { streams.incompleteBytes }

  package var outputCount: Int { output.count }

  /// What nghttp2 queues beside it, acknowledgements and heads, its own limits bound.
  package var heldBytes: Int { output.capacity + backlog.capacity + streams.heldBytes }

  package var isMultiplexed: Bool { true }

  package var wantsClose: Bool { !session.wantsRead && !session.wantsWrite }

  /// True to the end, but while some waits: what a peer can make us hold is bounded by the limits, not
  /// by its reading.
  package var wantsInput: Bool { ending != .terminated && !hasBacklog }

  package var hasBacklog: Bool { backlog.isWaiting }

  /// Judges a frame by its header, where nghttp2 would pass over what is wrong with it.
  private func frameBegan(_ header: FrameScanner.Header) {
    let id = header.stream
    switch UInt32(header.type) {
    case NGHTTP2_HEADERS.rawValue where streams[id] == nil: refuse(history.headersBegan(on: id))
    case NGHTTP2_DATA.rawValue where streams[id] == nil:
      refuse(history.dataBegan(on: id))
      // The rest of an upload that was reset may be many frames, which cost no more than their bytes.
      if header.length > 0 { return }
    case NGHTTP2_RST_STREAM.rawValue where streams[id] != nil: history.resetByPeer(id)
    // RFC 9113 §6.3.
    case NGHTTP2_PRIORITY.rawValue where id == 0: terminate(NGHTTP2_PROTOCOL_ERROR)
    default: break
    }
    if meter.frameBegan() == .flood { terminate(NGHTTP2_ENHANCE_YOUR_CALM) }
  }

  private func refuse(_ verdict: StreamHistory.Verdict) {
    switch verdict {
    case .fine: break
    case .protocolError: terminate(NGHTTP2_PROTOCOL_ERROR)
    case .streamClosed: terminate(NGHTTP2_STREAM_CLOSED)
    }
  }

  /// Gives `bytes` to nghttp2, up to where `field` stops it, and returns how many that were.
  private func consume(_ bytes: Span<UInt8>) -> Int {
    var offset = 0
    while offset < bytes.count, ending != .terminated {
      let (end, header) = scanner.next(bytes, from: offset)
      if let header { frameBegan(header) }
      guard ending != .terminated else { break }
      guard let count = session.receive(bytes.extracting(offset..<end)) else {
        terminate(NGHTTP2_PROTOCOL_ERROR)
        break
      }
      let unread = end - offset - count
      offset += count
      if unread > 0 {
        scanner.putBack(unread)
        break
      }
    }
    return offset
  }

  // MARK: What the session tells

  /// The client's SETTINGS came, with which it has to begin.
  func settingsArrived() { sawSettings = true }

  /// A PING came back; the one that this side sends, at the announcement of the end, where `isOurs`.
  func pingAnswered(isOurs: Bool) {
    if isOurs, ending == .announced { drain() }
  }

  /// The first HEADERS frame of a stream began.
  func headBegan(_ id: Int32) {
    guard ending != .terminated else { return }
    streams.insert(id)
  }

  /// A field of that head, or of the trailers, was decompressed; says whether to go on now.
  ///
  /// A byte may stand for thousands of a field (RFC 7541 §7.3), so what is decompressed is counted, and
  /// text is made of what is kept only.
  func field(
    _ id: Int32, _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    guard ending != .terminated, let stream = streams[id] else { return ending != .terminated }
    let size = name.count + value.count + RequestHead.bytesPerField
    stream.fieldBytes += size
    if stream.fieldBytes > limits.maxUnpackedHeadBytes {
      terminate(NGHTTP2_ENHANCE_YOUR_CALM)
      return false
    }
    // The head of a request that is read makes room for its trailers.
    unsafe stream.head.append(name, value, limits: limits)
    return backlog.noteField(size)
  }

  /// That head is complete, and the request too where nothing follows.
  func headEnded(_ id: Int32, endsStream: Bool) {
    guard let stream = streams[id], stream.stage == .head else { return }
    requests.headEnded(on: stream, endsStream: endsStream)
    if endsStream { bodyEnded(id) }
  }

  /// A part of a request's body came; `bytes` are lent for the call.
  func bodyArrived(_ id: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
    guard !bytes.isEmpty, let stream = streams[id], ending != .terminated else { return }
    meter.progressed()
    // SAFETY: lent for the call.
    unsafe requests.bodyArrived(bytes, on: stream)
  }

  /// The peer's side of a stream is complete.
  func bodyEnded(_ id: Int32) {
    guard ending != .terminated, let stream = streams[id],
      stream.stage == .body || stream.upload != nil
    else { return }
    meter.progressed()
    requests.bodyEnded(on: stream)
  }

  /// Copies the next part of a response's body into nghttp2's buffer; returns its length.
  func readBody(
    _ id: Int32, into buffer: UnsafeMutableBufferPointer<UInt8>,
    flags: UnsafeMutablePointer<UInt32>
  ) -> Int {
    guard let stream = streams[id] else {
      return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
    }
    // SAFETY: both are nghttp2's for this call.
    return unsafe responses.readBody(of: stream, into: buffer, flags: flags)
  }

  /// HEADERS or DATA of a response went out.
  func partSent(_ id: Int32, endsStream: Bool) {
    meter.progressed()
    guard endsStream, let stream = streams[id] else { return }
    // The rest of a body may come for a while: some clients lose the answer when their upload is cut short at once.
    let hasRest = session.isRemoteOpen(id)
    streams.noteAnswer(of: stream, hasRest: hasRest)
    if hasRest, ending == .draining || stream.isTimedOut { requests.cutShort(stream) }
  }

  /// A stream is over, complete or reset by either side.
  func streamClosed(_ id: Int32, code: UInt32) {
    history.closed(
      id, isComplete: code == NGHTTP2_NO_ERROR.rawValue && !session.isRemoteOpen(id))
    guard let (stream, wasOwed) = streams.remove(id) else { return }
    requests.streamClosed(stream, wasOwed: wasOwed)
    if stream.isAnswered {
      meter.streamAnswered()
    } else if meter.streamReset() == .flood {
      terminate(NGHTTP2_ENHANCE_YOUR_CALM)
    }
  }

  // MARK: Steps

  private func drain() {
    guard ending == .no || ending == .announced else { return }
    ending = .draining
    session.goAway()
    for stream in streams.answered { requests.cutShort(stream) }
  }

  private func terminate(_ code: nghttp2_error_code) {
    guard ending != .terminated else { return }
    ending = .terminated
    backlog.drop()
    session.terminate(code)
  }

  private func abandonAll() {
    for stream in streams.all(at: .owed) { requests.abandon(stream) }
  }

  /// Has what is queued made into frames.
  private func pump() {
    guard session.wantsWrite else { return }
    var bytes: [UInt8] = []
    swap(&bytes, &output)
    while bytes.count < Self.outputMark, session.nextOutput(&bytes) {}
    output = bytes
  }
}
