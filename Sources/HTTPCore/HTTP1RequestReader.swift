/// Reads the requests of an HTTP/1 connection: their heads, and of the body behind each head what is to become of it.
struct HTTP1RequestReader: ~Copyable {
  /// What was read.
  enum Step {
    /// A head is complete. Where a body follows, `gather`, `passOn` or `discard` says what becomes of it, before more is
    /// read.
    case head(HTTP1Head)
    /// A body that is gathered is complete.
    case request(HTTPRequest, HTTPAnswer)
    /// A part came of a body that is passed on; never empty.
    case part([UInt8])
    /// That body is complete.
    case end(trailers: HTTPFields)
    /// So is one that is thrown away.
    case discarded
    /// More came of that than is read.
    case tooMuchDiscarded
  }

  private enum Input {
    case head
    /// A body, until it is whole.
    case gathering(HTTPAnswer)
    case passing
    /// A body of which so much more is read.
    case discarding(rest: Int)
    /// Nothing: the last request of the connection is complete or refused.
    case ended
  }

  private let limits: HTTP1Limits
  private var parser: HTTP1Parser
  private var decoder: HTTP1BodyDecoder
  private var input = Input.head
  /// The request whose body is gathered.
  private var request: HTTPRequest?
  /// What that request takes without its body.
  private var headBytes = 0
  /// What its body may come to.
  private var total = 0
  /// Whether all of the body that is passed on was, but for its end.
  private(set) var isPassedOn = false

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

  /// About what the lines of that head take in memory.
  var heldBytes: Int { parser.heldBytes }

  /// The memory that a request takes whose body is gathered.
  var gatheredBytes: Int { request.map { $0.body.capacity + headBytes } ?? 0 }

  /// The method of the request that is read.
  var method: String? { request?.method ?? parser.method }

  /// How much more comes of the body under way; nil where that is not known.
  var announcedRest: Int? { decoder.announcedRest }

  // MARK: What becomes of a body

  /// Gathers the body behind `head`, of at most `limit`.
  mutating func gather(
    _ head: HTTP1Head, limit: BodyLimit, headBytes: Int, for answer: @escaping HTTPAnswer
  ) {
    decoder = HTTP1BodyDecoder(head.framing, limits: limits, limit: limit)
    request = head.request
    self.headBytes = headBytes
    total = head.framing.announcedBytes ?? limit.byteCount
    input = .gathering(answer)
  }

  /// Passes the body behind `head` on as it comes.
  mutating func passOn(_ head: HTTP1Head) {
    decoder = HTTP1BodyDecoder(head.framing, limits: limits, limit: nil)
    input = .passing
  }

  /// Throws away the body behind `head`.
  mutating func discard(_ head: HTTP1Head) {
    decoder = HTTP1BodyDecoder(head.framing, limits: limits, limit: nil)
    discardRest()
  }

  /// Throws away what comes of the body under way, up to a limit.
  mutating func discardRest() {
    isPassedOn = false
    input = .discarding(rest: limits.maxDiscardedBytes)
  }

  /// Whether a body of which `announced` bytes are left may be thrown away; one of unknown length is to be tried.
  func mayDiscard(announced: Int?) -> Bool {
    announced.map { $0 <= limits.maxDiscardedBytes } ?? true
  }

  /// Reads nothing any more.
  mutating func end() {
    input = .ended
    request = nil
  }

  // MARK: Reading

  /// Reads on in `bytes` from `offset`, and moves `offset` behind what is read. Nil where more is needed, all bytes but
  /// those of an unfinished line being read.
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
      if isPassedOn {
        isPassedOn = false
        input = .head
        return .end(trailers: decoder.trailers)
      }
      var part: [UInt8] = []
      isPassedOn = try decoder.decode(bytes, &offset, into: &part, total: limits.maxUnreadBytes)
      if !part.isEmpty { return .part(part) }
      return isPassedOn ? try read(bytes, &offset) : nil
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
