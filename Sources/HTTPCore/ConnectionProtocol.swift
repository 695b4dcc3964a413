/// Names a request on its connection: HTTP/1's by order of arrival, HTTP/2's by stream.
package struct StreamID: Hashable, Sendable {
  package let rawValue: Int
  package init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// What the bytes that arrived on a connection mean for the application.
package enum ConnectionEvent: Sendable {
  /// A request is complete, as far as it is wanted; `respond(_:to:)`, or `begin(_:to:)` up to `end(_:)`, is owed for its
  /// stream.
  case request(HTTPRequest, StreamID, by: HTTPAnswer = { _ in })
  /// The same of a request whose body is not in it: it follows, as its parts and its end, or nobody wants it.
  case head(HTTPRequest, StreamID, by: HTTPAnswer = { _ in }, isBodyWanted: Bool = true)
  /// A part of that body came; never empty.
  case part([UInt8], StreamID)
  /// That body is complete.
  case end(StreamID, trailers: HTTPFields)
  /// A stream whose response is owed was given up, by its peer or since its body can't be taken; the response need not
  /// come, nor does more of the body.
  case abandoned(StreamID)
}

extension ConnectionEvent: Equatable {
  /// Whether both are the same but for the functions that answer requests, which can't be compared.
  package static func == (one: ConnectionEvent, other: ConnectionEvent) -> Bool {
    switch (one, other) {
    case (.request(let one, let stream, _), .request(let other, let otherStream, _)):
      one == other && stream == otherStream
    case (
      .head(let one, let stream, _, let isWanted),
      .head(let other, let otherStream, _, let isOtherWanted)
    ):
      one == other && stream == otherStream && isWanted == isOtherWanted
    case (.part(let one, let stream), .part(let other, let otherStream)):
      one == other && stream == otherStream
    case (.end(let stream, let one), .end(let otherStream, let other)):
      one == other && stream == otherStream
    case (.abandoned(let one), .abandoned(let other)): one == other
    case (.request, _), (.head, _), (.part, _), (.end, _), (.abandoned, _): false
    }
  }
}

/// What a connection is waiting for; the owner arms the matching time-out.
package enum ConnectionPhase: Equatable, Sendable {
  /// Nothing under way: `idle_timeout` applies.
  case idle
  /// Part of a request's head has come: `head_timeout` applies from its first byte.
  case readingHead
  /// A body is under way: `body_timeout` applies between its parts. HTTP/2, whose bodies have that
  /// time-out each, is `answering` instead.
  case readingBody
  /// A response is owed by the application; no time-out on the peer's side.
  case answering
}

/// One connection's protocol, without I/O: bytes in, events out; responses in, bytes out.
///
/// HTTP/1.1 and HTTP/2 each are one. Neither knows sockets, clocks or threads. Its owner asks it a dozen things a request, so it is an
/// object: of a struct behind `any`, each question would copy all of it.
package protocol ConnectionProtocol: AnyObject {
  /// Takes bytes that the peer sent; returns what they completed. Protocol errors are answered by the
  /// connection itself: the output holds the error response and `wantsClose` turns true.
  func receive(_ bytes: Span<UInt8>) -> [ConnectionEvent]

  /// Whether `receive` without bytes would go on with input that was left behind.
  var hasBacklog: Bool { get }

  /// The peer has ended its side, and all that it sent was received.
  func endInput()

  /// Hands over the events of other calls than `receive` since the last time.
  func takeEvents() -> [ConnectionEvent]

  /// Queues the response of `stream`; one for a stream that is gone is dropped.
  func respond(_ response: HTTPResponse, to stream: StreamID)

  /// Queues the head of the response of `stream`, whose body begins one that `write(_:to:)` goes on
  /// with and `end(_:)` ends; one for a stream that is gone is dropped, as all that follows is.
  func begin(_ response: HTTPResponse, to stream: StreamID)

  /// Queues `bytes` as the next part of the body that `begin(_:to:)` began.
  func write(_ bytes: [UInt8], to stream: StreamID)

  /// Queues the end of that body, and what follows it where the protocol has a place for that.
  func end(_ stream: StreamID, trailers: HTTPFields)

  /// The application has read `count` bytes of the body of `stream`, which comes in parts, and wants more.
  func readBody(_ count: Int, of stream: StreamID)

  /// How many bytes of that body are not in the output, since it is not its turn yet or the peer's
  /// flow control holds them back.
  func heldBytes(of stream: StreamID) -> Int

  /// Hands over the bytes ready to be written, in order; empty when there are none.
  func takeOutput() -> [UInt8]

  /// The request under way took too long: queues a 408 where the protocol has one, and closes.
  func timeOut()

  /// The statuses of the requests that the connection refused by itself since the last call.
  func takeRefusals() -> [HTTPStatus]

  /// The memory that requests take whose bodies are not complete, their heads with them.
  var incompleteBytes: Int { get }

  /// How many bytes `takeOutput` would hand over now.
  var outputCount: Int { get }

  /// While more output than this is here, requests wait unread; the owner keeps it current. Of no matter where streams
  /// are bounded by number, and what waits for the peer's windows comes with what it sends.
  var outputRoom: Int { get set }

  /// The other memory that grows with what a peer sends or leaves unread: responses, and requests that wait for their turn.
  var heldBytes: Int { get }

  /// Answers the request with the largest of those bodies with `response`, and frees the body.
  func refuseLargestBody(_ response: HTTPResponse)

  /// Begins a graceful end: no new request is accepted, what is owed is still answered.
  func shutDown()

  /// Takes no request any more that the peer begins after a `shutDown`, whether it knows of that or not.
  func finishShutDown()

  var phase: ConnectionPhase { get }

  /// Whether the socket is to be closed once the output is written.
  var wantsClose: Bool { get }

  /// Whether the connection takes more input now; false holds back a peer that pipelines without reading.
  var wantsInput: Bool { get }

  /// Whether no request is under way and no output is left, so that the socket may simply be closed at the end of a drain's
  /// grace.
  var mayEndUnannounced: Bool { get }

  /// Whether a peer that has ended its side may still wait for answers.
  var survivesEndOfInput: Bool { get }

  /// Queues a byte that the answer which is owed first begins or goes on with, whatever it will be; returns whether
  /// there was such a byte.
  func beginAnswer() -> Bool

  /// Whether requests run side by side, each on a stream that the peer can give up alone: HTTP/2.
  var isMultiplexed: Bool { get }

  // MARK: Streams that move at their own pace

  /// Whether bodies come, or answers may wait for the peer, which are to be measured several times a window: by the
  /// calls below, or by the owner in the phase `readingBody`.
  var hasTransfers: Bool { get }

  /// Answers the requests with 408 whose bodies come too slowly; returns how many there were.
  func refuseSlowBodies(now: Int, pace: TransferPace) -> Int

  /// Notes that bodies wait for this side.
  func pauseBodies()

  /// Resets the streams whose peer takes too little of what waits for it; returns how many there were, and what comes of
  /// it.
  func resetSlowReaders(
    now: Int, pace: TransferPace
  ) -> (count: Int, events: [ConnectionEvent])
}

/// The defaults, for protocols whose requests come one after the other: the owner measures the one that is under way.
extension ConnectionProtocol {
  package func takeEvents() -> [ConnectionEvent] { [] }
  package func endInput() {}
  package var mayEndUnannounced: Bool { false }
  package var survivesEndOfInput: Bool { false }
  package func beginAnswer() -> Bool { false }
  package var outputRoom: Int {
    get { .max }
    set {}
  }
  package var isMultiplexed: Bool { false }
  package var hasTransfers: Bool { phase == .readingBody }
  package func finishShutDown() {}
  package func refuseSlowBodies(now: Int, pace: TransferPace) -> Int { 0 }
  package func pauseBodies() {}
  package func resetSlowReaders(
    now: Int, pace: TransferPace
  ) -> (count: Int, events: [ConnectionEvent]) { (0, []) }
}
