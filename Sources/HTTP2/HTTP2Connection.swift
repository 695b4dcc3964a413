import CNGHTTP2
import HTTPCore

/// An HTTP/2 connection of a server (RFC 9113), from the client's preface on, over nghttp2.
///
/// A class because nghttp2's callbacks need its address; like every connection it belongs to one
/// thread at a time.
package final class HTTP2Connection: ConnectionProtocol {
  private let limits: HTTP2Limits
  private let date: ResponseDate
  private let reception: HeadReception
  private let session: HTTP2Session
  private var streams = StreamTable()
  private var events: [ConnectionEvent] = []
  private var output: [UInt8] = []
  private var meter: FloodMeter
  private var sawSettings = false
  private var backlog: InputBacklog
  private var ending = Ending.no
  private var refusals: [HTTPStatus] = []

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
    self.reception = reception
    self.date = date
    backlog = InputBacklog(maxFieldBytesAtOnce: limits.maxFieldBytesAtOnce)
    meter = FloodMeter(limits)
    session = HTTP2Session(limits)
    session.attach(self)
  }

  // MARK: What the connection's owner asks for

  /// Stops after `max_field_bytes_at_once` of fields; while `hasBacklog`, a call without bytes goes on.
  package func receive(_ bytes: Span<UInt8>) -> [ConnectionEvent] {
    if let (held, start) = backlog.begin(with: bytes) {
      let count = take(held.span.extracting(start...))
      backlog.keep(held, from: start + count)
    } else {
      let count = take(bytes)
      backlog.keep(bytes.extracting(count...))
    }
    pump()
    if wantsClose { abandonAll() }
    defer { events = [] }
    return events
  }

  package func respond(_ response: HTTPResponse, to stream: StreamID) {
    guard let stream = streams.unanswered(stream) else { return }
    send(response, on: stream)
    pump()
  }

  package func begin(_ response: HTTPResponse, to stream: StreamID) {
    guard let stream = streams.unanswered(stream) else { return }
    let head = ResponseHead(
      response, omitsBody: stream.omitsBody, isStreamed: true, date: date)
    if head.hasBody {
      streams.setResponseBody(response.body, of: stream)
      stream.isOpen = true
    } else {
      streams.move(stream, to: .sending)
    }
    session.respond(head, to: stream.id)
  }

  /// Makes no frame yet: what is written before the output is taken shares one.
  package func write(_ bytes: [UInt8], to stream: StreamID) {
    guard let stream = streams.open(stream), !bytes.isEmpty else { return }
    streams.append(bytes, toResponseOf: stream)
    resume(stream)
  }

  package func takeEvents() -> [ConnectionEvent] {
    defer { if !events.isEmpty { events = [] } }
    return events
  }

  package func readBody(_ count: Int, of stream: StreamID) {
    guard let stream = streams[Int32(truncatingIfNeeded: stream.rawValue)], stream.upload != nil
    else { return }
    streams.addUnread(-count, of: stream)
    session.openWindow(of: stream.id, by: count)
    if stream.awaitsContinue {
      stream.awaitsContinue = false
      if !stream.isOpen { session.sendContinue(stream.id) }
    }
    pump()
  }

  package func end(_ stream: StreamID, trailers: HTTPFields = HTTPFields()) {
    guard let stream = streams.open(stream) else { return }
    stream.isOpen = false
    for field in trailers.all where field.mayBeTrailer {
      stream.trailers.append(field.name, field.value)
    }
    streams.move(stream, to: .sending)
    resume(stream)
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
      abandon(stream)
      session.reset(stream.id, NGHTTP2_CANCEL)
    }
    pump()
    defer { events = [] }
    return (late.count, events)
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
        cutShort(stream)
      } else {
        stream.isTimedOut = true
        refuse(error.response, on: stream)
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
    for stream in late { refuse(HTTP2Error.timedOut.response, on: stream) }
    if late.isEmpty, phase == .idle {
      terminate(NGHTTP2_NO_ERROR)
    } else {
      drain()
    }
    pump()
  }

  package func refuseLargestBody(_ response: HTTPResponse) {
    guard let largest = streams.largestBody else { return }
    refuse(response, on: largest)
    pump()
  }

  package func takeRefusals() -> [HTTPStatus] {
    defer { if !refusals.isEmpty { refusals = [] } }
    return refusals
  }

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

  /// Gives `bytes` to nghttp2, up to where `field` stops it, and returns how many that were.
  private func take(_ bytes: Span<UInt8>) -> Int {
    guard ending != .terminated else { return 0 }
    if let count = session.receive(bytes) { return count }
    terminate(NGHTTP2_PROTOCOL_ERROR)
    return 0
  }

  // MARK: What the session tells

  /// A frame's header came.
  func frameBegan(_ type: UInt32, onStream id: Int32) {
    // RFC 9113 §6.3: nghttp2 would pass over it.
    if type == NGHTTP2_PRIORITY.rawValue, id == 0 { terminate(NGHTTP2_PROTOCOL_ERROR) }
    if meter.frameBegan() == .flood { terminate(NGHTTP2_ENHANCE_YOUR_CALM) }
  }

  /// The client's SETTINGS came, with which it has to begin.
  func settingsArrived() { sawSettings = true }

  /// The one PING that this side sends, at the announcement of the end, came back.
  func pingAnswered() {
    if ending == .announced { drain() }
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
    _ id: Int32, _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>,
    isTrailer: Bool
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
    stream.omitsBody = stream.head.method == "HEAD"
    do throws(HTTP2Error) {
      let request = try stream.head.request()
      stream.head = RequestHead()
      stream.announcedCount = endsStream ? 0 : request.contentLength
      stream.awaitsContinue = !endsStream && request.expectsContinue
      try receive(request, on: stream, endsStream: endsStream)
    } catch {
      refuse(error.response, on: stream)
    }
  }

  /// Has the body behind a head taken as its reception says.
  private func receive(
    _ request: HTTPRequest, on stream: HTTP2Stream, endsStream: Bool
  ) throws(HTTP2Error) {
    let reception = reception(request, stream.announcedCount)
    stream.answer = reception.answer
    switch reception.body {
    case .whole(let maxBytes):
      stream.headBytes = request.headBytes
      let limit = limits.bodyLimit(headBytes: stream.headBytes).and(path: maxBytes)
      if let length = stream.announcedCount, length > limit.byteCount {
        throw .bodyTooLong(limit)
      }
      stream.bodyLimit = limit
      stream.request = request
      streams.move(stream, to: .body)
      if endsStream {
        bodyEnded(stream.id)
      } else if stream.awaitsContinue {
        stream.awaitsContinue = false
        session.sendContinue(stream.id)
      }
    case .parts:
      streams.move(stream, to: .owed)
      streams.beginUpload(of: stream)
      events.append(.head(request, StreamID(Int(stream.id)), by: stream.answer))
      if endsStream { bodyEnded(stream.id) }
    case .unwanted:
      streams.move(stream, to: .owed)
      events.append(
        .head(request, StreamID(Int(stream.id)), by: stream.answer, isBodyWanted: false))
    }
  }

  /// A part of a request's body came; `bytes` are lent for the call.
  func bodyArrived(_ id: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
    let count = bytes.count
    guard count > 0, let stream = streams[id], ending != .terminated else { return }
    meter.progressed()
    stream.receivedCount += count
    // The stream's own window waits for the reader of a body that comes in parts.
    session.consume(count, of: id, opensStream: stream.upload == nil)
    if stream.upload != nil {
      // SAFETY: copied during the callback that lends it.
      unsafe passOn(Array(bytes), of: stream)
      return
    }
    guard stream.stage == .body else {
      stream.discardedBytes += count
      if stream.discardedBytes > limits.maxDiscardedBytes { cutShort(stream) }
      return
    }
    if stream.body.count + count > stream.bodyLimit.byteCount {
      refuse(HTTP2Error.bodyTooLong(stream.bodyLimit).response, on: stream)
    } else if streams.incompleteCount + count > limits.maxIncompleteBytes {
      streams.move(stream, to: .sending)
      session.reset(id, NGHTTP2_REFUSED_STREAM)
    } else {
      // SAFETY: copied during the callback that lends it.
      unsafe streams.append(
        bytes, toRequestOf: stream, total: stream.announcedCount ?? stream.bodyLimit.byteCount)
    }
  }

  /// Hands on a part of a body that is read in parts.
  private func passOn(_ bytes: [UInt8], of stream: HTTP2Stream) {
    stream.awaitsContinue = false
    guard streams.incompleteCount + bytes.count <= limits.maxIncompleteBytes else {
      abandon(stream)
      session.reset(stream.id, NGHTTP2_CANCEL)
      return
    }
    streams.addUnread(bytes.count, of: stream)
    events.append(.part(bytes, StreamID(Int(stream.id))))
  }

  /// The peer's side of a stream is complete.
  func bodyEnded(_ id: Int32) {
    guard ending != .terminated, let stream = streams[id],
      stream.stage == .body || stream.upload != nil
    else { return }
    meter.progressed()
    do throws(HTTP2Error) {
      let trailers = try stream.head.trailers()
      if let request = streams.completeRequest(of: stream, trailers: trailers) {
        events.append(.request(request, StreamID(Int(id)), by: stream.answer))
      } else {
        streams.endUpload(of: stream)
        events.append(.end(StreamID(Int(id)), trailers: trailers))
      }
    } catch {
      refuse(error.response, on: stream)
    }
  }

  /// Copies the next part of a response's body into nghttp2's buffer; returns its length.
  func readBody(
    _ id: Int32, into buffer: UnsafeMutableBufferPointer<UInt8>,
    flags: UnsafeMutablePointer<UInt32>
  ) -> Int {
    guard let stream = streams[id] else {
      return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
    }
    // SAFETY: the buffer is nghttp2's for this call.
    guard let (count, isLast) = unsafe streams.readResponse(of: stream, into: buffer) else {
      return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    }
    if isLast {
      unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
      if !stream.trailers.all.isEmpty {
        unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
        session.sendTrailers(stream.trailers, on: id)
      }
    }
    return count
  }

  /// HEADERS or DATA of a response went out.
  func partSent(_ id: Int32, endsStream: Bool) {
    meter.progressed()
    guard endsStream, let stream = streams[id] else { return }
    // The rest of a body may come for a while: some clients lose the answer when their upload is cut short at once.
    let hasRest = session.isRemoteOpen(id)
    streams.noteAnswer(of: stream, hasRest: hasRest)
    if hasRest, ending == .draining || stream.isTimedOut { cutShort(stream) }
  }

  /// A stream is over, complete or reset by either side.
  func streamClosed(_ id: Int32) {
    guard let (stream, wasOwed) = streams.remove(id) else { return }
    if wasOwed { events.append(.abandoned(StreamID(Int(id)))) }
    if stream.isAnswered {
      meter.streamAnswered()
    } else if meter.streamReset() == .flood {
      terminate(NGHTTP2_ENHANCE_YOUR_CALM)
    }
  }

  // MARK: Steps

  /// Answers a request that nobody else is to see, or takes it from whoever reads its body.
  private func refuse(_ response: HTTPResponse, on stream: HTTP2Stream) {
    refusals.append(response.status)
    if stream.stage == .owed { events.append(.abandoned(StreamID(Int(stream.id)))) }
    if stream.isOpen || stream.stage == .sending {
      // Too late to answer in another way.
      stream.isOpen = false
      streams.move(stream, to: .sending)
      session.reset(stream.id, NGHTTP2_CANCEL)
    } else {
      send(response, on: stream)
    }
  }

  private func send(_ response: HTTPResponse, on stream: HTTP2Stream) {
    streams.move(stream, to: .sending)
    streams.setResponseBody(response.body, of: stream)
    session.respond(
      ResponseHead(response, omitsBody: stream.omitsBody, date: date), to: stream.id)
  }

  /// Lets nghttp2 ask for a body again that it was told to wait for.
  private func resume(_ stream: HTTP2Stream) {
    guard stream.isDeferred else { return }
    stream.isDeferred = false
    session.resume(stream.id)
  }

  private func drain() {
    guard ending == .no || ending == .announced else { return }
    ending = .draining
    session.goAway()
    for stream in streams.answered { cutShort(stream) }
  }

  /// Stops an upload that has its response, or will have none.
  private func cutShort(_ stream: HTTP2Stream) {
    // RFC 9113 §8.1: behind a complete response, NO_ERROR asks the client to stop.
    session.reset(stream.id, stream.isAnswered ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL)
  }

  private func terminate(_ code: nghttp2_error_code) {
    guard ending != .terminated else { return }
    ending = .terminated
    backlog.drop()
    session.terminate(code)
  }

  private func abandonAll() {
    for stream in streams.all(at: .owed) { abandon(stream) }
  }

  /// Gives up the response of `stream`, or what is not sent of it.
  private func abandon(_ stream: HTTP2Stream) {
    if stream.stage == .owed { events.append(.abandoned(StreamID(Int(stream.id)))) }
    stream.isOpen = false
    streams.move(stream, to: .sending)
  }

  private func pump() {
    while output.count < Self.outputMark, session.nextOutput(&output) {}
  }
}
