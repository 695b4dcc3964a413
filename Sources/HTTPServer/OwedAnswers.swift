import HTTPCore

/// The answers that the application owes to one connection, in the order of their requests, and the memory that these
/// requests take.
struct OwedAnswers {
  /// An answer that is owed, and what is known of its request.
  struct Answer {
    let stream: StreamID
    /// The memory that the request's body takes.
    fileprivate var bodyBytes: Int
    /// About the memory that the rest of the request takes.
    fileprivate let headBytes: Int
    /// The application's function that answers the request.
    fileprivate let make: HTTPAnswer
    /// The request's body, if it is read in parts.
    let body: IncomingBody?
    /// Nil until the request is handed out to the application.
    fileprivate(set) var exchange: HTTPExchange?
    /// How many bytes of a streamed body were given to the protocol but not yet reported to the exchange as sent.
    fileprivate var unreportedBytes = 0
  }

  private var answers: [Answer] = []
  /// The memory that the bodies of the requests take together.
  private(set) var bodyBytes = 0
  /// The memory that their heads take together.
  private(set) var headBytes = 0
  private var unreportedBytes = 0

  var count: Int { answers.count }
  var isEmpty: Bool { answers.isEmpty }

  /// Whether bytes of streamed bodies were given to the protocol but not yet reported as sent.
  var haveUnreported: Bool { unreportedBytes > 0 }

  /// Whether an answer is owed to `stream`.
  func contains(_ stream: StreamID) -> Bool { index(of: stream) != nil }

  /// The index of the answer to `stream`. A loop, since `firstIndex(where:)` would copy each element, and retain and
  /// release its dozen references.
  private func index(of stream: StreamID) -> Int? {
    var index = 0
    while index < answers.count {
      if answers[index].stream == stream { return index }
      index += 1
    }
    return nil
  }

  /// Adds the answer to `request` that is owed to `stream`; `make` is the application's function that gives it.
  mutating func append(
    _ stream: StreamID, _ request: HTTPRequest, by make: @escaping HTTPAnswer,
    body: IncomingBody?
  ) {
    let new = Answer(
      stream: stream, bodyBytes: request.bodyCapacity, headBytes: request.headBytes, make: make,
      body: body)
    answers.append(new)
    bodyBytes += new.bodyBytes
    headBytes += new.headBytes
  }

  /// Removes and returns the answer that is owed to `stream`; nil when there is none.
  mutating func remove(_ stream: StreamID) -> Answer? {
    guard let index = index(of: stream) else { return nil }
    bodyBytes -= answers[index].bodyBytes
    headBytes -= answers[index].headBytes
    unreportedBytes -= answers[index].unreportedBytes
    return answers.remove(at: index)
  }

  /// Removes all answers, and returns them.
  mutating func removeAll() -> [Answer] {
    defer { self = OwedAnswers() }
    return answers
  }

  /// The exchange whose response is owed to `stream`.
  func exchange(for stream: StreamID) -> HTTPExchange? {
    index(of: stream).flatMap { answers[$0].exchange }
  }

  /// The body of the request of `stream`, if it is read in parts.
  func body(of stream: StreamID) -> IncomingBody? {
    index(of: stream).flatMap { answers[$0].body }
  }

  /// Sets the exchange of `stream`; returns the function that answers it, nil when the stream is gone.
  mutating func setExchange(_ exchange: HTTPExchange, for stream: StreamID) -> HTTPAnswer? {
    guard let index = index(of: stream) else { return nil }
    let count = exchange.request.bodyCapacity
    bodyBytes += count - answers[index].bodyBytes
    answers[index].bodyBytes = count
    answers[index].exchange = exchange
    return answers[index].make
  }

  /// Counts `count` bytes of a streamed body that the protocol is about to get; returns false when the stream is gone.
  mutating func noteStreamed(_ count: Int, to stream: StreamID) -> Bool {
    guard let index = index(of: stream) else { return false }
    answers[index].unreportedBytes += count
    unreportedBytes += count
    return true
  }

  /// Reports to the exchanges of streamed bodies how many of their bytes have been sent since the last call.
  ///
  /// - Parameter unsent: how many bytes of a stream's body have not been sent.
  mutating func reportSent(unsent: (StreamID) -> Int) {
    for index in answers.indices where answers[index].unreportedBytes > 0 {
      let left = min(answers[index].unreportedBytes, unsent(answers[index].stream))
      let sent = answers[index].unreportedBytes - left
      guard sent > 0 else { continue }
      answers[index].unreportedBytes = left
      unreportedBytes -= sent
      answers[index].exchange?.recordSent(sent)
    }
  }
}
