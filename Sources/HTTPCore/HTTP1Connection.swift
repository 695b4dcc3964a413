/// The server's side of an HTTP/1 connection: keep-alive, pipelining, bodies, refusals.
///
/// Requests are handed out as they come, up to `max_pipelined` at a time; responses leave in the
/// requests' order, whatever order they are given in. Bytes beyond that stay in a backlog: after a
/// response, the owner calls `receive` with no bytes while `hasBacklog` holds.
package final class HTTP1Connection: ConnectionProtocol {
  package var outputRoom = Int.max

  private let limits: HTTP1Limits
  private let reception: HeadReception
  private var reader: HTTP1RequestReader
  private var responses: HTTP1ResponseQueue
  private var backlog: [UInt8] = []
  /// Whether the backlog waits for room, not for more bytes.
  private var isHeldBack = false
  /// What a response has to know of the request whose body is being gathered.
  private var gathered: HTTP1ResponseQueue.Request?
  /// The request whose body is passed on.
  private var upload: Upload?
  /// Whether nothing is read behind the body under way.
  private var isLast = false
  /// Whether the peer has ended its side.
  private var hasInputEnded = false
  /// Whether requests that are not read yet will not be answered.
  private var isDraining = false
  private var refusals: [HTTPStatus] = []
  /// Events of calls that do not return any.
  private var events: [ConnectionEvent] = []

  /// A body that is read in parts.
  private struct Upload {
    let stream: StreamID
    /// The bytes of it that its reader has not read.
    var unreadBytes = 0
    /// Whether its peer waits for 100 Continue, which is sent once the body is read.
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

  /// A peer that waits for 100 Continue, which comes behind the responses before it, waits for those.
  package var phase: ConnectionPhase { responses.owesContinue ? .answering : inputPhase }

  private var inputPhase: ConnectionPhase {
    if reader.isAtHead, hasRoom, reader.isHeadUnderWay || !backlog.isEmpty { return .readingHead }
    if reader.isAtHead || reader.hasEnded {
      // A peer whose requests wait until it reads is not idle.
      return responses.count == 0 && !hasBacklogWithoutRoom ? .idle : .answering
    }
    // A body that is read in parts waits for its reader, too.
    return hasRoom && upload?.expectsContinue != true ? .readingBody : .answering
  }

  /// False while what came before waits for room: that is gone on with first, however little room there is.
  package var wantsInput: Bool { !isHeldBack || backlog.isEmpty }

  /// Whether input was left behind that now has room: `receive` is to be called without bytes.
  package var hasBacklog: Bool { isHeldBack && hasRoom && !backlog.isEmpty }

  /// Whether there is room for what is read next: a request, or a part of a body.
  private var hasRoom: Bool {
    if let upload { return reader.isPassedOn || upload.unreadBytes < limits.maxUnreadBytes }
    return !reader.isAtHead
      || responses.count < limits.maxPipelined && outputBytes <= outputRoom
  }

  private var hasBacklogWithoutRoom: Bool { isHeldBack && !hasRoom && !backlog.isEmpty }

  /// The memory of responses that the owner has not taken yet.
  package var outputBytes: Int { responses.heldBytes }

  package var outputCount: Int { responses.outputCount }

  package var heldBytes: Int { outputBytes + backlog.capacity + reader.heldBytes }

  package var incompleteBytes: Int { reader.gatheredBytes + (upload?.unreadBytes ?? 0) }

  package var mayEndUnannounced: Bool { phase == .idle && !wantsClose }

  package var survivesEndOfInput: Bool { true }

  // MARK: Input

  package func receive(_ bytes: Span<UInt8>) -> [ConnectionEvent] {
    var events: [ConnectionEvent] = []
    if backlog.isEmpty {
      let used = consume(bytes, &events)
      if used < bytes.count { backlog.append(copying: bytes.extracting(used...)) }
    } else {
      backlog.append(copying: bytes)
      // Moved out, so that it can be read while the rest of self changes.
      var held: [UInt8] = []
      swap(&held, &backlog)
      let used = consume(held.span, &events)
      if used < held.count {
        held.removeFirst(used)
        swap(&held, &backlog)
      }
    }
    return events
  }

  /// Reads requests from `bytes` as long as responses may be owed; returns how many bytes were read.
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
    case .tooMuchDiscarded: takeNoMore()
    }
  }

  /// Has the body behind a head read as its reception says.
  private func receive(
    _ head: consuming HTTP1Head, isMoreHere: Bool, _ events: inout [ConnectionEvent]
  ) throws(HTTP1Error) {
    let bodyBytes = head.framing.announcedBytes
    let reception = reception(head.request, bodyBytes)
    var request = HTTP1ResponseQueue.Request(
      isHEAD: head.request.method == "HEAD", isHTTP10: head.isHTTP10,
      keepsAlive: head.keepsAlive, fields: reception.fields)
    // A client that has begun to send its body does not wait for 100 Continue.
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
      // Behind an answer in the place of 100 Continue, nobody knows whether the body comes (RFC 9110 §10.1.1).
      let discards = reader.mayDiscard(announced: bodyBytes) && !(expectsContinue && bodyBytes != 0)
      if !discards { request.keepsAlive = false }
      events.append(
        .head(head.request, add(request), by: reception.answer, isBodyWanted: false))
      if discards { reader.discard(head) } else { endBody() }
    }
  }

  /// Adds a request to those that responses are owed to.
  private func add(_ request: HTTP1ResponseQueue.Request) -> StreamID {
    var request = request
    if isDraining { request.keepsAlive = false }
    isLast = !request.keepsAlive
    let stream = responses.nextStream
    responses.add(request)
    return stream
  }

  /// Reads on behind the last byte of a request, unless that is the last one.
  private func endBody() {
    if isLast { reader.end() }
  }

  /// Answers a request that can't be read, after all answers before it; nothing follows.
  private func refuse(_ response: HTTPResponse) {
    guard !reader.isDiscarding else { return takeNoMore() }
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

  /// Gives up a request that the peer has ended its side within.
  private func breakOffIfCut(_ events: inout [ConnectionEvent]) {
    guard hasInputEnded, let stream = upload?.stream else { return }
    upload = nil
    reader.end()
    responses.dropContinue()
    responses.breakOff(stream)
    events.append(.abandoned(stream))
  }

  // MARK: Output

  package func respond(_ response: HTTPResponse, to stream: StreamID) {
    guard responses.isUnanswered(stream) else { return }
    responses.respond(response, to: stream, closes: !stopUpload(of: stream))
  }

  package func begin(_ response: HTTPResponse, to stream: StreamID) {
    guard responses.begin(response, to: stream) else { return }
    // Nothing can follow it, so nothing behind it is answered; its own body still comes.
    if upload?.stream == stream { isLast = true } else { takeNoMore() }
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

  /// Passes on no more of the body of a request that is answered.
  ///
  /// - Returns: false where the rest of it is too much to be read, so that the connection has to close.
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

  package func beginAnswer() -> Bool { responses.beginAnswer() }

  // MARK: Ends

  package var wantsClose: Bool { responses.wantsClose }

  package func timeOut() {
    switch phase {
    case .idle: takeNoMore()
    case .readingHead: refuse(HTTP1Error.timedOut(reading: "head").response)
    case .readingBody: refuse(HTTP1Error.timedOut(reading: "body").response)
    case .answering: break
    }
  }

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
    // The request under way still counts as accepted; its response closes the connection.
    case .readingHead: isDraining = true
    case .readingBody, .answering:
      guard upload != nil || gathered != nil else { return takeNoMore() }
      isDraining = true
      isLast = true
      if upload != nil { responses.closeBehindLast() }
    case .idle: takeNoMore()
    }
  }

  /// Takes no further request; closes behind the last response owed, or at once.
  private func takeNoMore() {
    reader.end()
    upload = nil
    gathered = nil
    backlog = []
    responses.dropContinue()
    responses.closeBehindLast()
  }
}
