/// The server's side of an HTTP/1 connection: keep-alive, pipelining, bodies, refusals.
///
/// Requests are handed out as they come, while at most `maxPipelined` wait for responses; responses leave in the order
/// of the requests, whatever order the application gives them in. Input beyond that stays in a backlog: after a
/// response, the owner calls `receive` without bytes while `hasBacklog` is true.
package final class HTTP1Connection: ConnectionProtocol {
  package var maxQueuedOutput = Int.max

  private let limits: HTTP1Limits
  private let reception: HeadReception
  private var reader: HTTP1RequestReader
  private var responses: HTTP1ResponseQueue
  private var backlog: [UInt8] = []
  /// Whether the backlog waits for room and not for more bytes.
  private var isHeldBack = false
  /// What the response needs to know of the request whose body is being buffered.
  private var gathered: HTTP1ResponseQueue.Request?
  /// The request whose body is passed on in parts.
  private var upload: Upload?
  /// Whether nothing is read after the current body.
  private var isLast = false
  /// Whether the peer has ended its side.
  private var hasInputEnded = false
  /// Whether the connection is shutting down: requests not yet read will stay unanswered.
  private var isDraining = false
  private var refusals: [HTTPStatus] = []
  /// Events of calls that do not return any, until `takeEvents`.
  private var events: [ConnectionEvent] = []

  /// A body that the application reads in parts.
  private struct Upload {
    let stream: StreamID
    /// The bytes passed on that the application has not read yet.
    var unreadBytes = 0
    /// Whether the peer waits for 100 Continue, which is sent when the application begins to read the body.
    var expectsContinue: Bool
  }

  /// A connection that has seen no bytes.
  package init(
    limits: HTTP1Limits = HTTP1Limits(), date: ResponseDate = ResponseDate(),
    reception: @escaping HeadReception = { _, _ in Reception(.whole()) { _ in } }
  ) {
    self.limits = limits
    self.reception = reception
    reader = HTTP1RequestReader(limits: limits)
    responses = HTTP1ResponseQueue(date: date)
  }

  /// The phase is `answering` while a 100 Continue is owed: it has to follow the earlier responses, so the peer waits
  /// for this side.
  package var phase: ConnectionPhase { responses.owesContinue ? .answering : inputPhase }

  private var inputPhase: ConnectionPhase {
    if reader.isAtHead, hasRoom, reader.isHeadUnderWay || !backlog.isEmpty { return .readingHead }
    if reader.isAtHead || reader.hasEnded {
      // A peer whose requests wait until it reads its responses is not idle.
      return responses.count == 0 && !hasBacklogWithoutRoom ? .idle : .answering
    }
    // A body that is passed on in parts may be waiting for the application, too.
    return hasRoom && upload?.expectsContinue != true ? .readingBody : .answering
  }

  /// False while earlier input waits for room: that input is processed first.
  package var wantsInput: Bool { !isHeldBack || backlog.isEmpty }

  /// Whether leftover input can be processed now: the owner then calls `receive` without bytes.
  package var hasBacklog: Bool { isHeldBack && hasRoom && !backlog.isEmpty }

  /// Whether there is room for the next thing to be read: a request, or a part of a body.
  private var hasRoom: Bool {
    if let upload { return reader.isBodyPassedOn || upload.unreadBytes < limits.maxUnreadBytes }
    return !reader.isAtHead
      || responses.count < limits.maxPipelined && outputBytes <= maxQueuedOutput
  }

  private var hasBacklogWithoutRoom: Bool { isHeldBack && !hasRoom && !backlog.isEmpty }

  /// The bytes of memory of the responses that the owner has not fetched yet.
  package var outputBytes: Int { responses.heldBytes }

  package var outputCount: Int { responses.outputCount }

  package var heldBytes: Int { outputBytes + backlog.capacity + reader.heldBytes }

  package var incompleteBytes: Int { reader.gatheredBytes + (upload?.unreadBytes ?? 0) }

  package var canCloseSilently: Bool { phase == .idle && !wantsClose }

  package var supportsHalfClose: Bool { true }

  // MARK: Input

  package func receive(_ bytes: Span<UInt8>, into events: inout [ConnectionEvent]) {
    if backlog.isEmpty {
      let used = consume(bytes, &events)
      if used < bytes.count { backlog.append(copying: bytes.extracting(used...)) }
    } else {
      backlog.append(copying: bytes)
      // Moved out of `self`, so that it can be read while the rest of `self` changes.
      var held: [UInt8] = []
      swap(&held, &backlog)
      let used = consume(held.span, &events)
      if used < held.count {
        held.removeFirst(used)
        swap(&held, &backlog)
      }
    }
  }

  /// Reads requests from `bytes` while there is room for more; returns how many bytes were read.
  private func consume(_ bytes: Span<UInt8>, _ events: inout [ConnectionEvent]) -> Int {
    var offset = 0
    isHeldBack = false
    do throws(HTTP1Error) {
      while true {
        guard hasRoom else {
          isHeldBack = true
          if offset == bytes.count { breakOffIfCut(&events) }
          return offset
        }
        guard let step = try reader.read(bytes, &offset) else {
          breakOffIfCut(&events)
          return offset
        }
        try handle(step, isMoreHere: offset < bytes.count, &events)
      }
    } catch {
      refuse(error.response)
      events += takeEvents()
      return bytes.count
    }
  }

  private func handle(
    _ step: consuming HTTP1RequestReader.Step, isMoreHere: Bool, _ events: inout [ConnectionEvent]
  ) throws(HTTP1Error) {
    switch step {
    case .head(let head):
      try receive(head, isMoreHere: isMoreHere, &events)
    case .request(let request, let answer):
      guard let gathered else { return }
      self.gathered = nil
      responses.dropContinue()
      events.append(.request(request, add(gathered), by: answer))
      endBody()
    case .part(let bytes):
      guard let stream = upload?.stream else { return }
      upload?.unreadBytes += bytes.count
      events.append(.part(bytes, stream))
    case .end(let trailers):
      guard let stream = upload?.stream else { return }
      upload = nil
      events.append(.end(stream, trailers: trailers))
      endBody()
    case .discarded: endBody()
    case .tooMuchDiscarded: closeAfterLastResponse()
    }
  }

  /// Arranges for the body after a head to be read as the application's reception says.
  private func receive(
    _ head: consuming HTTP1Head, isMoreHere: Bool, _ events: inout [ConnectionEvent]
  ) throws(HTTP1Error) {
    let bodyBytes = head.framing.announcedBytes
    let reception = reception(head.request, bodyBytes)
    var request = HTTP1ResponseQueue.Request(
      isHEAD: head.request.method == "HEAD", isHTTP10: head.isHTTP10,
      keepsAlive: head.keepsAlive, fields: reception.fields)
    // A client that has already begun to send its body does not wait for 100 Continue.
    let expectsContinue = head.expectsContinue && !isMoreHere
    switch reception.body {
    case .whole where bodyBytes == 0:
      events.append(.request(head.request, add(request), by: reception.answer))
      endBody()
    case .whole(let maxBytes):
      let headBytes = head.request.headBytes
      let limit = limits.bodyLimit(headBytes: headBytes).and(path: maxBytes)
      reader.gather(head, limit: limit, headBytes: headBytes, for: reception.answer)
      gathered = request
      if let bodyBytes, bodyBytes > limit.byteCount { throw .bodyTooLong(limit) }
      if expectsContinue { responses.sendContinue(to: responses.nextStream) }
    case .parts:
      let stream = add(request)
      events.append(.head(head.request, stream, by: reception.answer))
      guard bodyBytes != 0 else {
        events.append(.end(stream, trailers: HTTPFields()))
        endBody()
        return
      }
      upload = Upload(stream: stream, expectsContinue: expectsContinue)
      reader.passOn(head)
    case .unwanted:
      // After a final response in place of 100 Continue, the client may send the body or not (RFC 9110 §10.1.1).
      let discards = reader.mayDiscard(announced: bodyBytes) && !(expectsContinue && bodyBytes != 0)
      if !discards { request.keepsAlive = false }
      events.append(
        .head(head.request, add(request), by: reception.answer, isBodyWanted: false))
      if discards { reader.discard(head) } else { endBody() }
    }
  }

  /// Adds a request to those that await responses.
  private func add(_ request: HTTP1ResponseQueue.Request) -> StreamID {
    var request = request
    if isDraining { request.keepsAlive = false }
    isLast = !request.keepsAlive
    let stream = responses.nextStream
    responses.add(request)
    return stream
  }

  /// Ends reading if the request whose body is complete was the last one.
  private func endBody() {
    if isLast { reader.end() }
  }

  /// Answers a request that can't be read, after all earlier responses; the connection then closes.
  private func refuse(_ response: HTTPResponse) {
    guard !reader.isDiscarding else { return closeAfterLastResponse() }
    refusals.append(response.status)
    responses.dropContinue()
    let isHEAD = reader.method == "HEAD"
    reader.end()
    let fields = gathered?.fields ?? HTTPFields()
    gathered = nil
    guard let stream = upload?.stream else {
      responses.add(
        .init(isHEAD: isHEAD, isHTTP10: false, keepsAlive: false, fields: fields),
        response: response)
      return
    }
    upload = nil
    if responses.isUnanswered(stream) {
      responses.respond(response, to: stream, closes: true)
    } else {
      responses.breakOff(stream)
    }
    events.append(.abandoned(stream))
  }

  package func endInput() {
    hasInputEnded = true
    guard !isHeldBack || backlog.isEmpty else { return }
    var cut: [ConnectionEvent] = []
    breakOffIfCut(&cut)
    events += cut
  }

  /// Abandons a request whose body the peer cut short by ending its side.
  private func breakOffIfCut(_ events: inout [ConnectionEvent]) {
    guard hasInputEnded, let stream = upload?.stream else { return }
    upload = nil
    reader.end()
    responses.dropContinue()
    responses.breakOff(stream)
    events.append(.abandoned(stream))
  }

  // MARK: Output

  package func respond(_ response: consuming HTTPResponse, to stream: StreamID) {
    guard responses.isUnanswered(stream) else { return }
    responses.respond(response, to: stream, closes: !stopUpload(of: stream))
  }

  package func begin(_ response: HTTPResponse, to stream: StreamID) {
    guard responses.begin(response, to: stream) else { return }
    // Nothing can follow this response, so no later request is answered; the rest of this request's own body still
    // comes.
    if upload?.stream == stream { isLast = true } else { closeAfterLastResponse() }
  }

  package func write(_ bytes: [UInt8], to stream: StreamID) {
    responses.write(bytes, to: stream)
  }

  package func end(_ stream: StreamID, trailers: HTTPFields = HTTPFields()) {
    guard responses.isStreaming(stream) else { return }
    if !stopUpload(of: stream) { responses.closeBehindLast() }
    responses.end(stream, trailers: trailers)
  }

  package func readBody(_ count: Int, of stream: StreamID) {
    guard upload?.stream == stream else { return }
    upload?.unreadBytes -= count
    guard upload?.expectsContinue == true else { return }
    upload?.expectsContinue = false
    responses.sendContinue(to: stream)
  }

  /// Stops passing on the body of a request that has its response.
  ///
  /// - Returns: false where the rest of the body is too long to be read and thrown away, so that the connection has to
  ///   close.
  private func stopUpload(of stream: StreamID) -> Bool {
    guard let upload, upload.stream == stream else { return true }
    self.upload = nil
    guard reader.mayDiscard(announced: reader.announcedRest), !upload.expectsContinue else {
      backlog = []
      reader.end()
      return false
    }
    reader.discardRest()
    return true
  }

  package func heldBytes(of stream: StreamID) -> Int { responses.waitingBytes(of: stream) }

  package func takeOutput() -> [UInt8] { responses.takeOutput() }

  package func queueProbe() -> Bool { responses.queueProbe() }

  // MARK: Ends

  package var wantsClose: Bool { responses.wantsClose }

  package func timeOut() {
    switch phase {
    case .idle: closeAfterLastResponse()
    case .readingHead: refuse(HTTP1Error.timedOut(reading: "head").response)
    case .readingBody: refuse(HTTP1Error.timedOut(reading: "body").response)
    case .answering: break
    }
  }

  package var hasNews: Bool { !events.isEmpty || !refusals.isEmpty }

  package func takeEvents() -> [ConnectionEvent] {
    defer { if !events.isEmpty { events = [] } }
    return events
  }

  package func takeRefusals() -> [HTTPStatus] {
    defer { if !refusals.isEmpty { refusals = [] } }
    return refusals
  }

  package func refuseLargestBody(_ response: HTTPResponse) {
    if !reader.isAtHead, !reader.hasEnded { refuse(response) }
  }

  package func shutDown() {
    switch inputPhase {
    // The request whose head is being read still counts as accepted; its response closes the connection.
    case .readingHead: isDraining = true
    case .readingBody, .answering:
      guard upload != nil || gathered != nil else { return closeAfterLastResponse() }
      isDraining = true
      isLast = true
      if upload != nil { responses.closeBehindLast() }
    case .idle: closeAfterLastResponse()
    }
  }

  /// Accepts no further request; closes after the last owed response, or at once.
  private func closeAfterLastResponse() {
    reader.end()
    upload = nil
    gathered = nil
    backlog = []
    responses.dropContinue()
    responses.closeBehindLast()
  }
}
