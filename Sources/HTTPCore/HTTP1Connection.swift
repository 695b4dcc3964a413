/// The server's side of an HTTP/1 connection: keep-alive, pipelining, bodies, refusals.
///
/// Requests are handed out as they come, up to `max_pipelined` at a time; responses leave in the
/// requests' order, whatever order they are given in. Bytes beyond that stay in a backlog: after a
/// response, the owner calls `receive` with no bytes while `hasBacklog` holds.
package struct HTTP1Connection: ConnectionProtocol {
  /// What the next byte of input belongs to.
  private enum Input {
    case head
    case sizedBody(remaining: Int)
    case chunkedBody
    /// Nothing: the last request of the connection is complete or refused.
    case ended
  }

  /// How the end of a streamed body is told.
  private enum Framing {
    /// The response has no body, whatever is written.
    case none
    case chunked
    /// HTTP/1.0 knows no chunks.
    case close
  }

  /// A request that waits for its response, or for the responses before its own.
  private struct Owed {
    let isHEAD: Bool
    let isHTTP10: Bool
    var keepsAlive: Bool
    /// The response; of a streamed one, what there is and is not in the output.
    var response: HTTPResponse?
    /// Nil unless the response is streamed.
    var framing: Framing?
    /// Whether it is streamed and goes on.
    var isOpen = false

    var persistence: HTTP1Serializer.Persistence {
      !keepsAlive ? .close : isHTTP10 ? .keepAlive : .implied
    }
  }

  package var outputRoom = Int.max

  private let limits: HTTP1Limits
  private let date: ResponseDate
  private var parser: HTTP1Parser
  private var decoder: ChunkedDecoder
  private var input = Input.head
  /// The request whose body is under way.
  private var head: HTTP1Head?
  /// What that request takes without its body.
  private var headBytes = 0
  private var backlog: [UInt8] = []
  /// Whether the backlog waits for room, not for more bytes.
  private var isHeldBack = false
  private var output: [UInt8] = []
  private var owed: [Owed] = []
  /// The stream of the first element of `owed`.
  private var firstStream = 0
  /// Whether the first element of `owed` is streamed, and its head in the output.
  private var isHeadOut = false
  /// Bytes of the next head, or of the next chunk's size, that are in the output already.
  private var begunBytes = 0
  private var owesContinue = false
  private var isDraining = false
  private var refusals: [HTTPStatus] = []
  package private(set) var wantsClose = false

  /// A connection that has seen no bytes.
  package init(limits: HTTP1Limits = HTTP1Limits(), date: ResponseDate = ResponseDate()) {
    self.limits = limits
    self.date = date
    parser = HTTP1Parser(limits: limits)
    decoder = ChunkedDecoder(limits: limits)
  }

  /// A peer that waits for 100 Continue, which comes behind the responses before it, waits for those.
  package var phase: ConnectionPhase { owesContinue ? .answering : inputPhase }

  private var inputPhase: ConnectionPhase {
    switch input {
    case .sizedBody, .chunkedBody: .readingBody
    case .head where hasRoom && (parser.isUnderWay || !backlog.isEmpty): .readingHead
    // A peer whose requests wait until it reads is not idle.
    case .head, .ended: owed.isEmpty && !hasBacklogWithoutRoom ? .idle : .answering
    }
  }

  /// False while what came before waits for room: that is gone on with first, however little room there is.
  package var wantsInput: Bool { !isHeldBack || backlog.isEmpty }

  /// Whether input was left behind that now has room: `receive` is to be called without bytes.
  package var hasBacklog: Bool { isHeldBack && hasRoom && !backlog.isEmpty }

  private var hasRoom: Bool { owed.count < limits.maxPipelined && outputBytes <= outputRoom }

  private var hasBacklogWithoutRoom: Bool { isHeldBack && !hasRoom && !backlog.isEmpty }

  /// What responses take that the owner has not taken yet.
  package var outputBytes: Int {
    owed.reduce(output.capacity) { $0 + ($1.response?.body.capacity ?? 0) }
  }

  package var outputCount: Int { output.count }

  package var heldBytes: Int { outputBytes + backlog.capacity + parser.heldBytes }

  package var mayEndUnannounced: Bool { phase == .idle && !wantsClose }

  package var survivesEndOfInput: Bool { true }

  // MARK: Input

  package mutating func receive(_ bytes: Span<UInt8>) -> [ConnectionEvent] {
    var events: [ConnectionEvent] = []
    if backlog.isEmpty {
      let used = take(bytes, &events)
      if used < bytes.count { backlog.append(copying: bytes.extracting(used...)) }
    } else {
      backlog.append(copying: bytes)
      // Moved out, so that it can be read while the rest of self changes.
      var held: [UInt8] = []
      swap(&held, &backlog)
      let used = take(held.span, &events)
      if used < held.count {
        held.removeFirst(used)
        swap(&held, &backlog)
      }
    }
    return events
  }

  /// Takes what it can of `bytes`; returns how many of them it is done with.
  private mutating func take(_ bytes: Span<UInt8>, _ events: inout [ConnectionEvent]) -> Int {
    var offset = 0
    isHeldBack = false
    do throws(HTTP1Error) {
      while true {
        switch input {
        case .head:
          guard hasRoom else {
            isHeldBack = true
            return offset
          }
          guard let head = try parser.parse(bytes, &offset) else { return offset }
          try take(head, isBodyHere: offset < bytes.count, &events)
        case .sizedBody(let remaining):
          let count = min(remaining, bytes.count - offset)
          guard count > 0 else { return offset }
          let total = (head?.request.body.count ?? 0) + remaining
          head?.request.body.grow(for: count, total: total)
          head?.request.body.append(copying: bytes.extracting(offset..<(offset + count)))
          offset += count
          if count == remaining {
            complete(&events)
          } else {
            input = .sizedBody(remaining: remaining - count)
          }
        case .chunkedBody:
          guard head != nil, try decoder.decode(bytes, &offset, into: &head!.request.body) else {
            return offset
          }
          complete(&events)
        case .ended:
          return bytes.count
        }
      }
    } catch {
      refuse(error.response)
      return bytes.count
    }
  }

  private mutating func take(
    _ head: HTTP1Head, isBodyHere: Bool, _ events: inout [ConnectionEvent]
  ) throws(HTTP1Error) {
    self.head = head
    switch head.framing {
    case .none, .sized(0):
      complete(&events)
      return
    case .sized(let count):
      headBytes = head.request.headBytes
      let limit = limits.bodyLimit(headBytes: headBytes)
      guard count <= limit.byteCount else { throw .bodyTooLong(limit) }
      input = .sizedBody(remaining: count)
    case .chunked:
      headBytes = head.request.headBytes
      decoder = ChunkedDecoder(limits: limits, headBytes: headBytes)
      input = .chunkedBody
    }
    if head.expectsContinue, !isBodyHere {
      owesContinue = true
      flush()
    }
  }

  /// Hands out the request whose last byte has come.
  private mutating func complete(_ events: inout [ConnectionEvent]) {
    guard let head else { return }
    self.head = nil
    owesContinue = false
    let keepsAlive = head.keepsAlive && !isDraining
    input = keepsAlive ? .head : .ended
    events.append(.request(head.request, StreamID(firstStream + owed.count)))
    owed.append(
      Owed(
        isHEAD: head.request.method == "HEAD", isHTTP10: head.isHTTP10, keepsAlive: keepsAlive))
  }

  /// Answers what can't be taken, after everything that came before it; nothing follows.
  private mutating func refuse(_ response: HTTPResponse) {
    refusals.append(response.status)
    let method = head?.request.method ?? parser.method
    owed.append(
      Owed(isHEAD: method == "HEAD", isHTTP10: false, keepsAlive: false, response: response))
    head = nil
    owesContinue = false
    input = .ended
    flush()
  }

  // MARK: Output

  package mutating func respond(_ response: HTTPResponse, to stream: StreamID) {
    guard let index = index(of: stream), owed[index].response == nil else { return }
    owed[index].response = response
    if index == 0 { flush() }
  }

  package mutating func begin(_ response: HTTPResponse, to stream: StreamID) {
    guard let index = index(of: stream), owed[index].response == nil else { return }
    let framing: Framing =
      owed[index].isHEAD || !response.mayHaveContent
      ? .none : owed[index].isHTTP10 ? .close : .chunked
    owed[index].response = response
    owed[index].framing = framing
    owed[index].isOpen = true
    if framing == .close {
      // Nothing can follow it, so nothing behind it is answered.
      owed.removeSubrange((index + 1)...)
      head = nil
      owesContinue = false
      takeNoMore()
    }
    if index == 0 { flush() }
  }

  package mutating func write(_ bytes: [UInt8], to stream: StreamID) {
    guard let index = index(of: stream), owed[index].isOpen, let framing = owed[index].framing
    else { return }
    if index == 0 {
      append(bytes, framing)
    } else if framing != .none {
      owed[index].response?.body.append(contentsOf: bytes)
    }
  }

  package mutating func end(_ stream: StreamID) {
    guard let index = index(of: stream), owed[index].isOpen else { return }
    owed[index].isOpen = false
    if index == 0 { flush() }
  }

  package func heldBytes(of stream: StreamID) -> Int {
    guard let index = index(of: stream), index > 0, owed[index].framing != nil else { return 0 }
    return owed[index].response?.body.count ?? 0
  }

  private func index(of stream: StreamID) -> Int? {
    let index = stream.rawValue - firstStream
    return owed.indices.contains(index) ? index : nil
  }

  package mutating func takeOutput() -> [UInt8] {
    var taken: [UInt8] = []
    swap(&taken, &output)
    return taken
  }

  /// Writes the responses whose turn has come, and 100 Continue once none is before it.
  private mutating func flush() {
    while let next = owed.first, let response = next.response {
      if let framing = next.framing {
        if !isHeadOut { beginOutput(of: next, response, framing) }
        if next.isOpen { break }
        if framing == .chunked { HTTP1Serializer.appendLastChunk(to: &output) }
        isHeadOut = false
        begunBytes = 0
      } else {
        let start = output.count
        HTTP1Serializer.append(
          response, to: &output, date: date, omitsBody: next.isHEAD,
          persistence: next.persistence)
        leaveOutBegun(from: start)
      }
      owed.removeFirst()
      firstStream += 1
      if !next.keepsAlive { wantsClose = true }
    }
    if owesContinue, owed.isEmpty {
      owesContinue = false
      output.append(contentsOf: "HTTP/1.1 100 Continue\r\n\r\n".utf8)
    }
  }

  /// Writes the head of a streamed response, and what its body has so far.
  private mutating func beginOutput(
    of next: Owed, _ response: HTTPResponse, _ framing: Framing
  ) {
    let start = output.count
    HTTP1Serializer.appendHead(
      response, to: &output, date: date, isChunked: framing == .chunked,
      persistence: next.persistence)
    leaveOutBegun(from: start)
    append(response.body, framing)
    owed[0].response?.body = []
    isHeadOut = true
  }

  /// Writes a part of the body under way.
  private mutating func append(_ bytes: [UInt8], _ framing: Framing) {
    switch framing {
    case .none: break
    case .chunked:
      HTTP1Serializer.appendChunk(bytes, to: &output)
      if !bytes.isEmpty { begunBytes = 0 }
    case .close: output.append(contentsOf: bytes)
    }
  }

  /// Queues a byte that the answer which is owed first begins or goes on with, whatever it will be: of its status line,
  /// or a leading zero of its next chunk's size (RFC 9112 §7.1).
  ///
  /// A peer that has only ended its sending side takes it for what it is; one that has closed answers with a reset, and
  /// the owner learns what the end of input alone could not tell. No interim response (RFC 9110 §15.2) would do: peers of
  /// HTTP/1.0 know none.
  /// - Returns: whether there was such a byte.
  package mutating func beginAnswer() -> Bool {
    guard let next = owed.first else { return false }
    if isHeadOut {
      guard next.framing == .chunked, begunBytes < Self.maxLeadingZeros else { return false }
      output.append(UInt8(ascii: "0"))
    } else {
      guard begunBytes < HTTP1Serializer.beginning.count else { return false }
      output.append(HTTP1Serializer.beginning[begunBytes])
    }
    begunBytes += 1
    return true
  }

  /// Some parsers take a chunk's size of at most 16 digits.
  private static let maxLeadingZeros = 8

  /// Takes from the output what of a head, which begins at `start`, was sent before.
  private mutating func leaveOutBegun(from start: Int) {
    output.removeSubrange(start..<(start + begunBytes))
    begunBytes = 0
  }

  // MARK: Ends

  package mutating func timeOut() {
    switch phase {
    case .idle: takeNoMore()
    case .readingHead: refuse(HTTP1Error.timedOut(reading: "head").response)
    case .readingBody: refuse(HTTP1Error.timedOut(reading: "body").response)
    case .answering: break
    }
  }

  package mutating func takeRefusals() -> [HTTPStatus] {
    defer { if !refusals.isEmpty { refusals = [] } }
    return refusals
  }

  package var incompleteBytes: Int {
    guard let head else { return 0 }
    return head.request.body.capacity + headBytes
  }

  package mutating func refuseLargestBody(_ response: HTTPResponse) {
    if inputPhase == .readingBody { refuse(response) }
  }

  package mutating func shutDown() {
    switch inputPhase {
    case .idle, .answering: takeNoMore()
    // The request under way still counts as accepted; its response closes the connection.
    case .readingHead, .readingBody: isDraining = true
    }
  }

  /// Takes no further request; closes behind the last response owed, or at once.
  private mutating func takeNoMore() {
    input = .ended
    backlog = []
    if owed.isEmpty {
      wantsClose = true
    } else {
      owed[owed.count - 1].keepsAlive = false
    }
  }
}
