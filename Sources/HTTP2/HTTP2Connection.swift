import CNGHTTP2
import HTTPCore

/// The server's side of an HTTP/2 connection (RFC 9113), from the client's preface on, over nghttp2.
///
/// A class because nghttp2's callbacks need its address; like every connection it belongs to one thread at a time.
package final class HTTP2Connection: ConnectionProtocol {
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
    /// GOAWAY was sent; streams that the peer opens before it has seen GOAWAY are still accepted.
    case announced
    /// Responses that are owed are still sent; no new stream is accepted.
    case draining
    /// Nothing more is received or answered.
    case terminated
  }

  /// Output is made up to about this many bytes before the owner takes it; the last frame may exceed that.
  private static let outputMark = 256 * 1024
  /// Room for a few small answers, so that it does not grow by each.
  private static let leastOutput = 1024

  /// A connection that has received nothing yet, with its own SETTINGS queued.
  package init(
    limits: HTTP2Limits, date: ResponseDate = ResponseDate(),
    reception: @escaping HeadReception = { _, _ in Reception(.whole()) { _ in } }
  ) {
    backlog = InputBacklog(maxFieldBytesAtOnce: limits.maxFieldBytesAtOnce)
    meter = FloodMeter(limits)
    session = HTTP2Session(limits)
    responses = ResponseOutput(date: date, session: session, streams: streams)
    requests = RequestIntake(
      limits: limits, reception: reception, session: session, streams: streams,
      responses: responses)
    session.attach(self)
  }

  // MARK: Calls of the connection's owner

  /// Stops after unpacking `max_field_bytes_at_once` of fields; while `hasBacklog`, a call without bytes continues.
  package func receive(_ bytes: Span<UInt8>, into events: inout [ConnectionEvent]) {
    if let (held, start) = backlog.begin(with: bytes) {
      // nghttp2 may have paused at a frame's last field: then it takes no more bytes, and has to be called all the same.
      let isBehindFrame = start == held.count
      let count = consume(held.span.extracting(start...), callsAnyway: isBehindFrame)
      backlog.keep(held, from: start + count)
    } else {
      let count = consume(bytes)
      backlog.keep(bytes.extracting(count...))
    }
    pump()
    if wantsClose { streams.all(at: .owed).forEach(requests.abandon) }
    requests.moveEvents(into: &events)
  }

  package func respond(_ response: consuming HTTPResponse, to stream: StreamID) {
    guard let stream = streams.unanswered(stream) else { return }
    responses.send(response, on: stream)
  }

  package func begin(_ response: HTTPResponse, to stream: StreamID) {
    guard let stream = streams.unanswered(stream) else { return }
    responses.begin(response, on: stream)
  }

  /// Makes no frame yet: all that is written before the owner takes the output shares one.
  package func write(_ bytes: [UInt8], to stream: StreamID) {
    guard let stream = streams.open(stream), !bytes.isEmpty else { return }
    responses.write(bytes, on: stream)
  }

  package var hasNews: Bool { requests.hasNews }

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

  /// To be called several times in the window of `pace`, while all output is written. Bytes that still wait then wait
  /// for the peer to open a flow-control window, so no other time-out applies.
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

  /// Receives no more of the bodies that it refuses. The connection and its other streams go on.
  ///
  /// To be called several times in the window of `pace`; while the owner reads nothing from the peer, it calls
  /// `pauseBodies()` instead.
  package func refuseSlowBodies(now: Int, pace: TransferPace) -> Int {
    guard streams.haveBodies else { return 0 }
    let late = streams.slowBodies(now: now, pace: pace)
    var count = 0
    for (stream, error) in late {
      if stream.hasRemainingUpload {
        requests.resetUpload(stream)
      } else {
        stream.isUploadOver = true
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

  /// Hands over about 256 KiB at most; there may be more once these are written.
  package func takeOutput() -> [UInt8] {
    pump()
    defer { output = [] }
    return output
  }

  /// Answers the requests whose bodies are incomplete with 408, resets the streams whose heads are incomplete, and
  /// accepts no new streams. Ends the connection at once if no request is under way.
  package func timeOut() {
    for stream in streams.all(at: .head) { session.reset(stream.id, NGHTTP2_CANCEL) }
    let late = streams.all(at: .body)
    for stream in late {
      stream.isUploadOver = true
      requests.refuse(HTTP2Error.timedOut.response, on: stream)
    }
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
    // Each request body has its own time-out, in `refuseSlowBodies`: what comes on one stream is no progress of
    // another. A peer that is slow to receive a response is not idle; `resetSlowReaders` resets streams that are too
    // slow.
    return streams.bodyCount + streams.owedCount > 0 || streams.isSending ? .answering : .idle
  }

  package var incompleteBytes: Int { streams.incompleteBytes }

  package var outputCount: Int { output.count }

  /// Not counted are the acknowledgements and heads that nghttp2 queues: its own limits bound them.
  package var heldBytes: Int { output.capacity + backlog.capacity + streams.heldBytes }

  package var isMultiplexed: Bool { true }

  package var wantsClose: Bool { !session.wantsRead && !session.wantsWrite }

  /// True to the end, except while input waits in the backlog: the limits bound what a peer can make the server hold,
  /// even if it does not read.
  package var wantsInput: Bool { ending != .terminated && !hasBacklog }

  package var hasBacklog: Bool { backlog.isWaiting }

  /// Checks a frame by its header for errors that nghttp2 ignores, and for floods.
  private func frameBegan(_ header: FrameScanner.Header) {
    let id = header.stream
    switch UInt32(header.type) {
    case NGHTTP2_HEADERS.rawValue where streams[id] == nil: refuse(history.headersBegan(on: id))
    case NGHTTP2_DATA.rawValue where streams[id] == nil:
      refuse(history.dataBegan(on: id))
      // The rest of an upload that was reset may be many frames; they cost no more than their bytes, so they don't count.
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

  /// Passes `bytes` to nghttp2 until `field` pauses it; returns how many bytes nghttp2 took.
  ///
  /// - Parameter callsAnyway: whether nghttp2 is called even if there are no bytes.
  private func consume(_ bytes: Span<UInt8>, callsAnyway: Bool = false) -> Int {
    var offset = 0
    if callsAnyway, ending != .terminated, session.receive(bytes) == nil {
      terminate(NGHTTP2_PROTOCOL_ERROR)
    }
    while offset < bytes.count, ending != .terminated {
      let (end, header) = scanner.next(bytes, from: offset)
      if let header { frameBegan(header) }
      guard ending != .terminated else { break }
      guard !scanner.isWithinHeader else { return end }
      let split = scanner.split ?? (bytes: [], earlier: 0)
      offset += split.bytes.count - split.earlier
      guard let count = session.receive(bytes.extracting(offset..<end), behind: split.bytes) else {
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

  // MARK: Calls of the session's callbacks

  /// The client's SETTINGS frame, which has to be its first, has come.
  func settingsArrived() { sawSettings = true }

  /// The client acknowledged a PING; `isOurs` for the one that this side sends when it announces the end.
  func pingAnswered(isOurs: Bool) {
    if isOurs, ending == .announced { drain() }
  }

  /// The first HEADERS frame of a stream began.
  func headBegan(_ id: Int32) {
    guard ending != .terminated else { return }
    streams.insert(id)
    requests.fieldsBegan(on: nil)
  }

  /// The HEADERS frame of a request's trailers began.
  func trailersBegan(_ id: Int32) { requests.fieldsBegan(on: streams[id]) }

  /// A field of a head, or of trailers, was unpacked; returns whether nghttp2 is to continue now.
  ///
  /// A byte may unpack to thousands (RFC 7541 §7.3), so unpacked bytes are counted.
  func field(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Bool {
    guard ending != .terminated else { return false }
    let size = name.count + value.count + RequestHead.bytesPerField
    // SAFETY: valid during this call.
    guard unsafe requests.fieldArrived(name, value, size: size) else {
      terminate(NGHTTP2_ENHANCE_YOUR_CALM)
      return false
    }
    return backlog.noteField(size)
  }

  /// A request's head is complete; with `endsStream` the whole request is.
  func headEnded(_ id: Int32, endsStream: Bool) {
    guard let stream = streams[id], stream.stage == .head else { return }
    requests.headEnded(on: stream, endsStream: endsStream)
    guard endsStream else { return }
    meter.progressed()
    bodyEnded(stream)
  }

  /// A part of a request's body has come; `bytes` are valid during the call only.
  func bodyArrived(_ id: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
    guard !bytes.isEmpty, let stream = streams[id], ending != .terminated else { return }
    meter.progressed()
    // SAFETY: `bytes` are valid during the call.
    unsafe requests.bodyArrived(bytes, on: stream)
  }

  /// The peer has ended its side of a stream, by DATA or by trailers.
  func bodyEnded(_ id: Int32, hasTrailers: Bool) {
    if let stream = streams[id] { bodyEnded(stream, hasTrailers: hasTrailers) }
  }

  private func bodyEnded(_ stream: HTTP2Stream, hasTrailers: Bool = false) {
    guard ending != .terminated, stream.stage == .body || stream.upload != nil else { return }
    meter.progressed()
    requests.bodyEnded(on: stream, hasTrailers: hasTrailers)
  }

  /// Copies the next part of a response's body into nghttp2's buffer; returns its length, or an error of nghttp2's.
  func readBody(
    _ id: Int32, into buffer: UnsafeMutableBufferPointer<UInt8>,
    flags: UnsafeMutablePointer<UInt32>
  ) -> Int {
    guard let stream = streams[id] else {
      return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
    }
    // SAFETY: nghttp2 keeps both pointers valid during this call.
    return unsafe responses.readBody(of: stream, into: buffer, flags: flags)
  }

  /// A HEADERS or DATA frame of a response is in the output.
  func partSent(_ id: Int32, endsStream: Bool) {
    meter.progressed()
    guard endsStream, let stream = streams[id] else { return }
    // The rest of the request's body may come for a while: some clients lose the answer if their upload is reset at once.
    streams.noteAnswer(of: stream, hasRemainingUpload: session.isRemoteOpen(id))
    if ending == .draining { stream.isUploadOver = true }
  }

  /// RST_STREAM or GOAWAY with `code` is in the output.
  func endSent(_ code: UInt32) { requests.noteEnd(code) }

  /// A stream has closed: it is complete, or was reset by either side.
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

  // MARK: Ends and output

  private func drain() {
    guard ending == .no || ending == .announced else { return }
    ending = .draining
    session.goAway()
    for stream in streams.answered { stream.isUploadOver = true }
  }

  private func terminate(_ code: nghttp2_error_code) {
    guard ending != .terminated else { return }
    ending = .terminated
    backlog.drop()
    session.terminate(code)
  }

  /// Has nghttp2 turn what it has queued into output.
  private func pump() {
    // A client that said GOAWAY, and has no stream left, is told which was its last one (RFC 9113 §6.8).
    defer { if wantsClose { drain() } }
    guard session.wantsWrite else { return }
    var bytes: [UInt8] = []
    swap(&bytes, &output)
    if bytes.isEmpty { bytes.reserveCapacity(Self.leastOutput) }
    while bytes.count < Self.outputMark, session.nextOutput(&bytes) {}
    output = bytes
  }
}
