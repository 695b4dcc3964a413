/// Reads the requests of an HTTP/1 connection: each head, and then the body as the connection decides.
struct HTTP1RequestReader: ~Copyable {
  /// The result of reading.
  enum Step {
    /// A head is complete. If a body follows, the caller must call `gather`, `passOn` or `discard` before it reads on.
    case head(HTTP1Head)
    /// A request whose body was buffered is complete.
    case request(HTTPRequest, HTTPAnswer)
    /// A part of a body that is passed on; never empty.
    case part([UInt8])
    /// The end of a body that is passed on.
    case end(trailers: HTTPFields)
    /// A body that is thrown away is complete.
    case discarded
    /// A body that is thrown away is longer than its limit.
    case tooMuchDiscarded
  }

  private enum Input {
    case head
    /// The body is buffered until it is complete.
    case gathering(HTTPAnswer)
    case passing
    /// The body is thrown away, up to `rest` more bytes.
    case discarding(rest: Int)
    /// Nothing is read: the last request of the connection is complete or refused.
    case ended
  }

  private let limits: HTTP1Limits
  private var parser: HTTP1Parser
  private var decoder: HTTP1BodyDecoder
  private var input = Input.head
  /// The request whose body is being buffered.
  private var request: HTTPRequest?
  /// The bytes of memory that this request takes without its body.
  private var headBytes = 0
  /// The most bytes that its body will have.
  private var total = 0
  /// Whether all bytes of the body have been passed on; `end` is still to be returned.
  private(set) var isBodyPassedOn = false

  init(limits: HTTP1Limits) {
    self.limits = limits
    parser = HTTP1Parser(limits: limits)
    decoder = HTTP1BodyDecoder(limits: limits)
  }

  var isAtHead: Bool { if case .head = input { true } else { false } }
  var isDiscarding: Bool { if case .discarding = input { true } else { false } }
  var hasEnded: Bool { if case .ended = input { true } else { false } }

  /// Whether part of a head has been parsed.
  var isHeadUnderWay: Bool { parser.isUnderWay }

  /// About how many bytes of memory the lines of the head being read take.
  var heldBytes: Int { parser.heldBytes }

  /// The bytes of memory that a request whose body is being buffered takes.
  var gatheredBytes: Int { request.map { $0.body.capacity + headBytes } ?? 0 }

  /// The method of the request being read.
  var method: String? { request?.method ?? parser.method }

  /// How many bytes of the current body are still to come; nil where its length is not known.
  var announcedRest: Int? { decoder.announcedRest }

  // MARK: What becomes of a body

  /// Buffers the body after `head`, up to `limit`.
  mutating func gather(
    _ head: HTTP1Head, limit: BodyLimit, headBytes: Int, for answer: @escaping HTTPAnswer
  ) {
    decoder = HTTP1BodyDecoder(head.framing, limits: limits, limit: limit)
    request = head.request
    self.headBytes = headBytes
    total = head.framing.announcedBytes ?? limit.byteCount
    input = .gathering(answer)
  }

  /// Passes the body after `head` on as it comes.
  mutating func passOn(_ head: HTTP1Head) {
    decoder = HTTP1BodyDecoder(head.framing, limits: limits, limit: nil)
    input = .passing
  }

  /// Throws away the body after `head`.
  mutating func discard(_ head: HTTP1Head) {
    decoder = HTTP1BodyDecoder(head.framing, limits: limits, limit: nil)
    discardRest()
  }

  /// Throws away the rest of the current body, up to a limit.
  mutating func discardRest() {
    isBodyPassedOn = false
    input = .discarding(rest: limits.maxDiscardedBytes)
  }

  /// Whether a body of which `announced` bytes are left may be thrown away; if their number is unknown, true.
  func mayDiscard(announced: Int?) -> Bool {
    announced.map { $0 <= limits.maxDiscardedBytes } ?? true
  }

  /// Stops reading for good.
  mutating func end() {
    input = .ended
    request = nil
  }

  // MARK: Reading

  /// Reads the next step from `bytes`, starting at `offset`, and moves `offset` behind the bytes read. Nil where more
  /// bytes are needed; only the bytes of an unfinished line are then left unread.
  mutating func read(_ bytes: Span<UInt8>, _ offset: inout Int) throws(HTTP1Error) -> Step? {
    switch input {
    case .head:
      return try parser.parse(bytes, &offset).map { .head($0) }
    case .gathering(let answer):
      guard request != nil,
        try decoder.decode(bytes, &offset, into: &request!.body, total: total),
        var complete = request.take()
      else { return nil }
      input = .head
      complete.trailers = decoder.trailers
      return .request(complete, answer)
    case .passing:
      if isBodyPassedOn {
        isBodyPassedOn = false
        input = .head
        return .end(trailers: decoder.trailers)
      }
      var part: [UInt8] = []
      isBodyPassedOn = try decoder.decode(bytes, &offset, into: &part, total: limits.maxUnreadBytes)
      if !part.isEmpty { return .part(part) }
      return isBodyPassedOn ? try read(bytes, &offset) : nil
    case .discarding(let rest):
      var discarded: [UInt8] = []
      let isLast = try decoder.decode(bytes, &offset, into: &discarded, total: bytes.count)
      if discarded.count > rest { return .tooMuchDiscarded }
      input = isLast ? .head : .discarding(rest: rest - discarded.count)
      return isLast ? .discarded : nil
    case .ended:
      offset = bytes.count
      return nil
    }
  }
}
