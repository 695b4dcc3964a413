import CNGHTTP2
import HTTPCore

/// An HTTP/2 connection of a server (RFC 9113), from the client's preface on, over nghttp2.
///
/// A class because nghttp2's callbacks need its address; like every connection it belongs to one
/// thread at a time.
package final class HTTP2Connection: ConnectionProtocol {
  private let limits: HTTP2Limits
  private let date: ResponseDate
  private let session: HTTP2Session
  private var streams: [Int32: HTTP2Stream] = [:]
  private var events: [ConnectionEvent] = []
  private var output: [UInt8] = []
  private var meter: FloodMeter
  /// How many bytes of responses' bodies were framed.
  private var framedCount = 0
  /// Measures them together, as the peer opens the connection's window.
  private var readingMeter = TransferMeter()
  /// How many streams are at each stage that `phase` asks for.
  private var stageCounts = (head: 0, body: 0, owed: 0)
  /// How many bytes of bodies have come that are not complete.
  private var incompleteCount = 0
  /// The memory that those bodies take, and the heads before them.
  package private(set) var incompleteBytes = 0
  /// The memory that bodies of responses take, until their streams are over or all is sent.
  private var responseBytes = 0
  private var sawSettings = false
  /// The input that `receive` stopped within, and how much of it is taken.
  private var backlog: [UInt8] = []
  private var backlogStart = 0
  /// Whether `receive` stopped before the end of its input, for others to have their turn.
  package private(set) var hasBacklog = false
  /// What the fields of heads and trailers have come to in this call of `receive`.
  private var roundFieldBytes = 0
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
  package init(limits: HTTP2Limits, date: ResponseDate = ResponseDate()) {
    self.limits = limits
    self.date = date
    meter = FloodMeter(limits)
    session = HTTP2Session(limits)
    session.attach(self)
  }

  // MARK: ConnectionProtocol

  /// Stops after `max_field_bytes_at_once` of fields; while `hasBacklog`, a call without bytes goes on.
  package func receive(_ bytes: Span<UInt8>) -> [ConnectionEvent] {
    roundFieldBytes = 0
    if hasBacklog {
      var input: [UInt8] = []
      swap(&input, &backlog)
      for index in bytes.indices { input.append(bytes[index]) }
      hasBacklog = false
      backlogStart += take(input.span.extracting(backlogStart...))
      if hasBacklog { swap(&input, &backlog) }
    } else {
      backlogStart = 0
      let count = take(bytes)
      if hasBacklog {
        backlog.reserveCapacity(bytes.count - count)
        for index in count..<bytes.count { backlog.append(bytes[index]) }
      }
    }
    pump()
    if wantsClose { abandonAll() }
    defer { events = [] }
    return events
  }

  package func respond(_ response: HTTPResponse, to stream: StreamID) {
    guard let stream = unansweredStream(stream) else { return }
    send(response, on: stream)
    pump()
  }

  package func begin(_ response: HTTPResponse, to stream: StreamID) {
    guard let stream = unansweredStream(stream) else { return }
    let head = ResponseHead(response, omitsBody: stream.omitsBody, isStreamed: true, date: date)
    if head.hasBody {
      setResponseBody(response.body, of: stream)
      stream.isOpen = true
    } else {
      move(stream, to: .sending)
    }
    session.respond(head, to: stream.id)
  }

  /// Makes no frame yet: what is written before the output is taken shares one.
  package func write(_ bytes: [UInt8], to stream: StreamID) {
    guard let stream = openStream(stream), !bytes.isEmpty else { return }
    let before = stream.body.capacity
    stream.append(bytes)
    responseBytes += stream.body.capacity - before
    resume(stream)
  }

  package func end(_ stream: StreamID) {
    guard let stream = openStream(stream) else { return }
    stream.isOpen = false
    move(stream, to: .sending)
    resume(stream)
  }

  package func heldBytes(of stream: StreamID) -> Int { openStream(stream)?.waitingBytes ?? 0 }

  /// Resets the streams whose peer takes too little of what waits for it: by stream where it is the stream's window that
  /// is closed, for all together where it is the connection's, since which of them comes first is decided here.
  ///
  /// To be called several times in `pace`'s window, while all output is written: what waits then waits for the peer to
  /// open a window, so no other time-out sees it.
  /// - Returns: how many there were, and the abandonment of those whose responses are still owed.
  package func resetSlowReaders(
    now: Int, pace: TransferPace
  ) -> (count: Int, events: [ConnectionEvent]) {
    var waiting: [HTTP2Stream] = []
    for stream in streams.values where stream.stage == .owed || stream.stage == .sending {
      if stream.waitingBytes > 0, !stream.isAnswered {
        waiting.append(stream)
      } else {
        stream.meter.pause()
      }
    }
    var late: [HTTP2Stream] = []
    var haveWindows: [HTTP2Stream] = []
    for stream in waiting {
      if session.window(of: stream.id) > 0 {
        stream.meter.pause()
        haveWindows.append(stream)
      } else if stream.meter.check(
        count: stream.framedCount, now: now, pace: pace, sharers: waiting.count) != .inTime
      {
        late.append(stream)
      }
    }
    if haveWindows.isEmpty {
      readingMeter.pause()
    } else if readingMeter.check(count: framedCount, now: now, pace: pace) != .inTime {
      readingMeter.pause()
      late += haveWindows
    }
    guard !late.isEmpty else { return (0, []) }
    for stream in late.sorted(by: { $0.id < $1.id }) {
      if stream.stage == .owed { events.append(.abandoned(StreamID(Int(stream.id)))) }
      stream.isOpen = false
      move(stream, to: .sending)
      session.reset(stream.id, NGHTTP2_CANCEL)
    }
    pump()
    defer { events = [] }
    return (late.count, events)
  }

  /// Answers the requests with 408 whose bodies come too slowly, and takes no more of them; returns how many there were.
  /// The connection and its other streams live on, whatever else comes.
  ///
  /// To be called several times in `pace`'s window; where nothing of what the peer sends is read meanwhile,
  /// `pauseBodies()` in its place.
  package func refuseSlowBodies(now: Int, pace: TransferPace) -> Int {
    let sharers = stageCounts.body
    guard sharers > 0 else { return 0 }
    var late: [(stream: HTTP2Stream, error: HTTP2Error)] = []
    for stream in streams.values where stream.stage == .body {
      switch stream.meter.check(
        count: stream.receivedCount, now: now, pace: pace, sharers: sharers)
      {
      case .inTime: break
      case .silent: late.append((stream, .timedOut))
      case .slow: late.append((stream, .bodyTooSlow(bytesPerSecond: pace.bytesPerSecond)))
      }
    }
    for (stream, error) in late.sorted(by: { $0.stream.id < $1.stream.id }) {
      stream.isTimedOut = true
      refuse(error.response, on: stream)
    }
    if !late.isEmpty { pump() }
    return late.count
  }

  /// Notes that bodies wait for this side.
  package func pauseBodies() {
    guard stageCounts.body > 0 else { return }
    for stream in streams.values where stream.stage == .body { stream.meter.pause() }
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
    for stream in streams.values where stream.stage == .head {
      session.reset(stream.id, NGHTTP2_CANCEL)
    }
    let late = streams.values.filter { $0.stage == .body }.sorted { $0.id < $1.id }
    for stream in late { refuse(HTTP2Error.timedOut.response, on: stream) }
    if late.isEmpty, phase == .idle {
      terminate(NGHTTP2_NO_ERROR)
    } else {
      drain()
    }
    pump()
  }

  package func refuseLargestBody(_ response: HTTPResponse) {
    let underWay = streams.values.filter { $0.stage == .body }
    guard let largest = underWay.max(by: { ($0.body.count, $0.id) < ($1.body.count, $1.id) })
    else { return }
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

  /// Takes no stream any more that opens after a `shutDown`, though the peer has not told that it knows of that.
  package func finishShutDown() {
    guard ending == .announced else { return }
    drain()
    pump()
  }

  package var phase: ConnectionPhase {
    if !sawSettings || stageCounts.head > 0 { return .readingHead }
    // The bodies of requests have a time-out each, in `refuseSlowBodies`: what comes on one stream, or on
    // none, is no progress of another.
    // A peer that takes its time over a response is not idle; `resetSlowReaders` ends those who take too little.
    let isSending = streams.values.contains { $0.stage == .sending && !$0.isAnswered }
    return stageCounts.body + stageCounts.owed > 0 || isSending ? .answering : .idle
  }

  package var outputCount: Int { output.count }

  /// What nghttp2 queues beside it, acknowledgements and heads, its own limits bound.
  package var heldBytes: Int {
    output.capacity + backlog.capacity + responseBytes + streams.count * Self.bytesPerStream
  }

  /// About what a stream takes beside its head and its bodies, here and in nghttp2.
  private static let bytesPerStream = 1024

  package var wantsClose: Bool { !session.wantsRead && !session.wantsWrite }

  /// True to the end, but while some waits: what a peer can make us hold is bounded by the limits, not
  /// by its reading.
  package var wantsInput: Bool { ending != .terminated && !hasBacklog }

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
    streams[id] = HTTP2Stream(id)
    stageCounts.head += 1
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
    roundFieldBytes += size
    if stream.fieldBytes > limits.maxUnpackedHeadBytes {
      terminate(NGHTTP2_ENHANCE_YOUR_CALM)
      return false
    }
    // Trailers are checked by nghttp2 and dropped: nothing here has a use for them.
    if !isTrailer { unsafe stream.head.append(name, value, limits: limits) }
    hasBacklog = roundFieldBytes >= limits.maxFieldBytesAtOnce
    return !hasBacklog
  }

  /// That head is complete, and the request too where nothing follows.
  func headEnded(_ id: Int32, endsStream: Bool) {
    guard let stream = streams[id], stream.stage == .head else { return }
    stream.omitsBody = stream.head.method == "HEAD"
    do throws(HTTP2Error) {
      let request = try stream.head.request()
      let limit = limits.bodyLimit(headBytes: request.headBytes)
      if let length = request.contentLength, length > limit.byteCount { throw .bodyTooLong(limit) }
      stream.request = request
      stream.head = RequestHead()
      stream.headBytes = request.headBytes
      move(stream, to: .body)
      if endsStream {
        bodyEnded(id)
      } else if request.expectsContinue {
        session.sendContinue(id)
      }
    } catch {
      refuse(error.response, on: stream)
    }
  }

  /// A part of a request's body came; `bytes` are lent for the call.
  func bodyArrived(_ id: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
    let count = bytes.count
    guard count > 0, let stream = streams[id], ending != .terminated else { return }
    meter.progressed()
    stream.receivedCount += count
    guard stream.stage == .body else {
      stream.discardedBytes += count
      if stream.discardedBytes > limits.maxDiscardedBytes { cutShort(stream) }
      return
    }
    let limit = limits.bodyLimit(headBytes: stream.headBytes)
    if stream.body.count + count > limit.byteCount {
      refuse(HTTP2Error.bodyTooLong(limit).response, on: stream)
    } else if incompleteCount + count > limits.maxIncompleteBytes {
      move(stream, to: .sending)
      session.reset(id, NGHTTP2_REFUSED_STREAM)
    } else {
      let before = stream.body.capacity
      stream.body.grow(
        for: count, total: stream.request?.contentLength ?? limit.byteCount)
      // SAFETY: copied during the callback that lends it.
      unsafe stream.body.append(contentsOf: bytes)
      incompleteBytes += stream.body.capacity - before
      incompleteCount += count
    }
  }

  /// The peer's side of a stream is complete.
  func bodyEnded(_ id: Int32) {
    guard let stream = streams[id], stream.stage == .body, var request = stream.request,
      ending != .terminated
    else { return }
    move(stream, to: .owed)
    request.body = stream.body
    stream.body = []
    stream.request = nil
    meter.progressed()
    events.append(.request(request, StreamID(Int(id))))
  }

  /// Copies the next part of a response's body into nghttp2's buffer; returns its length.
  func readBody(
    _ id: Int32, into buffer: UnsafeMutableBufferPointer<UInt8>,
    flags: UnsafeMutablePointer<UInt32>
  ) -> Int {
    guard let stream = streams[id] else {
      return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
    }
    let rest = stream.body[stream.sentBytes...]
    if rest.isEmpty, stream.isOpen {
      stream.isDeferred = true
      return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    }
    let count = min(rest.count, buffer.count)
    // SAFETY: `count` is within both; the two do not overlap.
    _ = unsafe buffer.update(fromContentsOf: rest.prefix(count))
    stream.sentBytes += count
    stream.framedCount += count
    framedCount += count
    if count == rest.count, !stream.isOpen {
      unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
      // The peer may leave its own side of the stream open for as long as it likes.
      setResponseBody([], of: stream)
    }
    return count
  }

  /// HEADERS or DATA of a response went out.
  func partSent(_ id: Int32, endsStream: Bool) {
    meter.progressed()
    guard endsStream, let stream = streams[id] else { return }
    stream.isAnswered = true
    if ending == .draining || stream.isTimedOut, session.isRemoteOpen(id) { cutShort(stream) }
  }

  /// A stream is over, complete or reset by either side.
  func streamClosed(_ id: Int32) {
    guard let stream = streams.removeValue(forKey: id) else { return }
    if stream.stage == .owed { events.append(.abandoned(StreamID(Int(id)))) }
    move(stream, to: .sending)
    setResponseBody([], of: stream)
    if stream.isAnswered {
      meter.streamAnswered()
    } else if meter.streamReset() == .flood {
      terminate(NGHTTP2_ENHANCE_YOUR_CALM)
    }
  }

  // MARK: Steps

  /// Answers a request that nobody else is to see.
  private func refuse(_ response: HTTPResponse, on stream: HTTP2Stream) {
    refusals.append(response.status)
    send(response, on: stream)
  }

  private func send(_ response: HTTPResponse, on stream: HTTP2Stream) {
    move(stream, to: .sending)
    setResponseBody(response.body, of: stream)
    session.respond(ResponseHead(response, omitsBody: stream.omitsBody, date: date), to: stream.id)
  }

  /// Gives a stream whose request's body is handed on, or given up, what its response begins with.
  private func setResponseBody(_ body: [UInt8], of stream: HTTP2Stream) {
    responseBytes += body.capacity - stream.body.capacity
    stream.body = body
    stream.sentBytes = 0
  }

  /// The stream of `id` while no response of it has begun.
  private func unansweredStream(_ id: StreamID) -> HTTP2Stream? {
    guard let stream = streams[Int32(truncatingIfNeeded: id.rawValue)] else { return nil }
    return stream.stage == .owed && !stream.isOpen ? stream : nil
  }

  /// The stream of `id` while the body of its response goes on.
  private func openStream(_ id: StreamID) -> HTTP2Stream? {
    guard let stream = streams[Int32(truncatingIfNeeded: id.rawValue)] else { return nil }
    return stream.isOpen ? stream : nil
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
    for stream in streams.values where stream.isAnswered { cutShort(stream) }
  }

  /// Stops an upload that has its response, or will have none.
  private func cutShort(_ stream: HTTP2Stream) {
    // RFC 9113 §8.1: behind a complete response, NO_ERROR asks the client to stop.
    session.reset(stream.id, stream.isAnswered ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL)
  }

  /// Moves `stream` on, and the counts with it.
  private func move(_ stream: HTTP2Stream, to stage: HTTP2Stream.Stage) {
    switch stream.stage {
    case .head: stageCounts.head -= 1
    case .body:
      stageCounts.body -= 1
      incompleteCount -= stream.body.count
      incompleteBytes -= stream.body.capacity + stream.headBytes
      // What has come of a body that is given up is not kept; a complete one is handed on.
      if stage != .owed {
        stream.body = []
        stream.request = nil
      }
    case .owed: stageCounts.owed -= 1
    case .sending: break
    }
    stream.stage = stage
    stream.meter.pause()
    switch stage {
    case .head: stageCounts.head += 1
    case .body:
      stageCounts.body += 1
      incompleteBytes += stream.headBytes
    case .owed: stageCounts.owed += 1
    case .sending: break
    }
  }

  private func terminate(_ code: nghttp2_error_code) {
    guard ending != .terminated else { return }
    ending = .terminated
    backlog = []
    hasBacklog = false
    session.terminate(code)
  }

  private func abandonAll() {
    for stream in streams.values.sorted(by: { $0.id < $1.id }) where stream.stage == .owed {
      stream.isOpen = false
      move(stream, to: .sending)
      events.append(.abandoned(StreamID(Int(stream.id))))
    }
  }

  private func pump() {
    while output.count < Self.outputMark, session.nextOutput(&output) {}
  }
}
