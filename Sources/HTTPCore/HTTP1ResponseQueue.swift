/// The responses that an HTTP/1 connection owes, and the output. Responses leave in the order of their requests,
/// whatever order they are given in.
struct HTTP1ResponseQueue: ~Copyable {
  /// What a response needs to know of its request.
  struct Request {
    let isHEAD: Bool
    let isHTTP10: Bool
    var keepsAlive: Bool
    /// Fields to add to the response.
    var fields = HTTPFields()

    /// `response` with these fields.
    func completed(_ response: consuming HTTPResponse) -> HTTPResponse {
      response.fields.append(contentsOf: fields)
      return response
    }

    var persistence: HTTP1Serializer.Persistence {
      !keepsAlive ? .close : isHTTP10 ? .keepAlive : .implied
    }
  }

  /// How the end of a streamed body is marked.
  private enum Framing {
    /// The response has no body; bytes written to it are dropped.
    case none
    case chunked
    /// By closing the connection: HTTP/1.0 has no chunks.
    case close
  }

  /// A request that waits for its response, or for earlier responses to leave.
  private struct Owed {
    var request: Request
    /// The response. Of a streamed response, the body here is the part that is not in the output yet.
    var response: HTTPResponse?
    /// Nil unless the response is streamed.
    var framing: Framing?
    /// Whether the response is streamed and not ended.
    var isOpen = false
    /// The trailers of a streamed response.
    var trailers = HTTPFields()
  }

  private let date: ResponseDate
  private var output: [UInt8] = []
  private var owed: [Owed] = []
  /// The stream of `owed`'s first element.
  private var firstStream = 0
  /// Whether `owed`'s first element is streamed and its head is in the output.
  private var isHeadOut = false
  /// How many bytes of the next head, or of the next chunk's size, are already in the output; see `queueProbe`.
  private var probedByteCount = 0
  /// The stream to send 100 Continue to once no response is before its own.
  private var continuing: StreamID?
  /// Whether to close the connection after the output.
  private(set) var wantsClose = false

  init(date: ResponseDate) { self.date = date }

  /// The number of owed responses.
  var count: Int { owed.count }

  /// The bytes of memory of the responses that the owner has not fetched yet.
  var heldBytes: Int {
    owed.indices.reduce(output.capacity) { $0 + (owed[$1].response?.body.capacity ?? 0) }
  }

  var outputCount: Int { output.count }

  /// Returns and clears the output.
  mutating func takeOutput() -> [UInt8] {
    var taken: [UInt8] = []
    swap(&taken, &output)
    return taken
  }

  // MARK: Requests

  /// The stream that the next added request will get.
  var nextStream: StreamID { StreamID(firstStream + owed.count) }

  /// Adds a request that awaits its response, or has `response` already.
  mutating func add(_ request: Request, response: HTTPResponse? = nil) {
    owed.append(Owed(request: request, response: response.map { request.completed($0) }))
    if response != nil { flush() }
  }

  /// Sends 100 Continue to `stream` as soon as no response is before its own, unless its own has begun (RFC 9110
  /// §15.2.1).
  mutating func sendContinue(to stream: StreamID) {
    guard index(of: stream).map({ owed[$0].response == nil }) ?? true else { return }
    continuing = stream
    flush()
  }

  /// Sends no 100 Continue any more.
  mutating func dropContinue() { continuing = nil }

  /// Whether 100 Continue waits for earlier responses.
  var owesContinue: Bool { continuing != nil }

  /// Closes the connection after the last owed response, or after the output if none is owed.
  mutating func closeBehindLast() {
    if owed.isEmpty {
      wantsClose = true
    } else {
      owed[owed.count - 1].request.keepsAlive = false
    }
  }

  // MARK: Responses

  /// Whether `stream` is owed a response of which nothing is known yet.
  func isUnanswered(_ stream: StreamID) -> Bool {
    index(of: stream).map { owed[$0].response == nil } ?? false
  }

  /// Whether the response of `stream` is streamed and not ended.
  func isStreaming(_ stream: StreamID) -> Bool {
    index(of: stream).map { owed[$0].isOpen } ?? false
  }

  /// Gives `stream` its response; if `closes` is true, the connection closes after it.
  mutating func respond(
    _ response: consuming HTTPResponse, to stream: StreamID, closes: Bool = false
  ) {
    guard let index = index(of: stream), owed[index].response == nil else { return }
    if continuing == stream { continuing = nil }
    if closes { owed[index].request.keepsAlive = false }
    guard index == 0 else {
      owed[index].response = owed[index].request.completed(response)
      return
    }
    // Mostly it is this one's turn, and the response is not kept.
    let request = takeFirst().request
    write(request.completed(response), to: request)
    flush()
  }

  /// Gives `stream` the head of a streamed response, and the beginning of its body.
  ///
  /// - Returns: whether closing the connection marks the end of the response, so that no later request is answered.
  mutating func begin(_ response: HTTPResponse, to stream: StreamID) -> Bool {
    guard let index = index(of: stream), owed[index].response == nil else { return false }
    let request = owed[index].request
    let framing: Framing =
      request.isHEAD || !response.mayHaveContent ? .none : request.isHTTP10 ? .close : .chunked
    owed[index].response = request.completed(response)
    if continuing == stream { continuing = nil }
    owed[index].framing = framing
    owed[index].isOpen = true
    if framing == .close {
      owed.removeSubrange((index + 1)...)
      owed[index].request.keepsAlive = false
    }
    if index == 0 { flush() }
    return framing == .close
  }

  /// Appends `bytes` to the streamed body of `stream`; ignored if the response is not being streamed.
  mutating func write(_ bytes: [UInt8], to stream: StreamID) {
    guard let index = index(of: stream), owed[index].isOpen, let framing = owed[index].framing
    else { return }
    if index == 0 {
      append(bytes, framing)
    } else if framing != .none {
      owed[index].response?.body.append(contentsOf: bytes)
    }
  }

  /// Ends the streamed response of `stream`; ignored if the response is not being streamed.
  mutating func end(_ stream: StreamID, trailers: HTTPFields) {
    guard let index = index(of: stream), owed[index].isOpen else { return }
    owed[index].isOpen = false
    owed[index].trailers = trailers
    if index == 0 { flush() }
  }

  /// Breaks off a streamed response and closes the connection, so that the peer can tell that the response is
  /// incomplete.
  mutating func breakOff(_ stream: StreamID) {
    guard let index = index(of: stream) else { return }
    owed.removeSubrange(index...)
    closeBehindLast()
  }

  /// How many bytes of the streamed body of `stream` wait for earlier responses.
  func waitingBytes(of stream: StreamID) -> Int {
    guard let index = index(of: stream), index > 0, owed[index].framing != nil else { return 0 }
    return owed[index].response?.body.count ?? 0
  }

  private func index(of stream: StreamID) -> Int? {
    let index = stream.rawValue - firstStream
    return owed.indices.contains(index) ? index : nil
  }

  // MARK: Output

  /// Writes the responses whose turn has come, and 100 Continue once no response is before it.
  private mutating func flush() {
    while !owed.isEmpty, owed[0].response != nil {
      if let framing = owed[0].framing {
        if !isHeadOut { beginOutput(framing) }
        if owed[0].isOpen { break }
        if framing == .chunked { HTTP1Serializer.appendLastChunk(owed[0].trailers, to: &output) }
        isHeadOut = false
        probedByteCount = 0
      }
      let next = takeFirst()
      if next.framing == nil, let response = next.response {
        write(response, to: next.request)
      } else if !next.request.keepsAlive {
        wantsClose = true
      }
    }
    if let stream = continuing, stream.rawValue == firstStream {
      continuing = nil
      let start = output.count
      output.append("HTTP/1.1 100 Continue\r\n\r\n")
      removeProbedBytes(from: start)
    }
  }

  private mutating func takeFirst() -> Owed {
    firstStream += 1
    // Mostly it is the only one, and is moved rather than copied.
    return owed.count == 1 ? owed.removeLast() : owed.removeFirst()
  }

  /// Writes a whole response.
  private mutating func write(_ response: HTTPResponse, to request: Request) {
    let start = output.count
    HTTP1Serializer.append(
      response, to: &output, date: date, omitsBody: request.isHEAD,
      persistence: request.persistence)
    removeProbedBytes(from: start)
    if !request.keepsAlive { wantsClose = true }
  }

  /// Writes the head of the first owed response, which is streamed, and the body that was written so far.
  private mutating func beginOutput(_ framing: Framing) {
    let next = owed[0]
    guard let response = next.response else { return }
    let start = output.count
    HTTP1Serializer.appendHead(
      response, to: &output, date: date, isChunked: framing == .chunked,
      persistence: next.request.persistence)
    removeProbedBytes(from: start)
    append(response.body, framing)
    owed[0].response?.body = []
    isHeadOut = true
  }

  /// Writes a part of the streamed body whose turn it is.
  private mutating func append(_ bytes: [UInt8], _ framing: Framing) {
    switch framing {
    case .none: break
    case .chunked:
      HTTP1Serializer.appendChunk(bytes, to: &output)
      if !bytes.isEmpty { probedByteCount = 0 }
    case .close: output.append(contentsOf: bytes)
    }
  }

  /// Queues one byte that begins or continues the first owed response, whatever that response will be: a byte of its
  /// status line, or a leading zero of its next chunk's size (RFC 9112 §7.1).
  ///
  /// A peer that has only ended its sending side reads it as part of the response; one that has closed answers with a
  /// reset, from which the owner learns what the end of input alone could not tell. An interim response (RFC 9110
  /// §15.2) would not do: HTTP/1.0 has none.
  /// - Returns: false if there is no such byte.
  mutating func queueProbe() -> Bool {
    guard let next = owed.first else { return false }
    if isHeadOut {
      guard next.framing == .chunked, probedByteCount < Self.maxLeadingZeros else { return false }
      output.append(UInt8(ascii: "0"))
    } else {
      guard probedByteCount < HTTP1Serializer.beginning.count else { return false }
      output.append(HTTP1Serializer.beginning[probedByteCount])
    }
    probedByteCount += 1
    return true
  }

  /// Some parsers accept no more than 16 digits in a chunk's size.
  private static let maxLeadingZeros = 8

  /// Removes the bytes of the head at `start` that `queueProbe` has sent already.
  private mutating func removeProbedBytes(from start: Int) {
    guard probedByteCount > 0 else { return }
    output.removeSubrange(start..<(start + probedByteCount))
    probedByteCount = 0
  }
}
