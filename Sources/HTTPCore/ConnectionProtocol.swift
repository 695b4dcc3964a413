/// Identifies a request on its connection: by order of arrival over HTTP/1, by stream over HTTP/2.
package struct StreamID: Hashable, Sendable {
  package let rawValue: Int
  package init(_ rawValue: Int) { self.rawValue = rawValue }

  /// Written down, since other modules would call a derived one through the witness table of `Equatable`.
  package static func == (one: StreamID, other: StreamID) -> Bool { one.rawValue == other.rawValue }
}

/// What happened on a connection, as the application needs to know it.
package enum ConnectionEvent: Sendable {
  /// A request is complete with its body. The owner must answer its stream: by `respond(_:to:)`, or by `begin(_:to:)`
  /// up to `end(_:)`.
  case request(HTTPRequest, StreamID, by: HTTPAnswer = { _ in })
  /// The head of a request whose body does not come with it. If the body is wanted, it follows as `part`s and an `end`.
  /// The owner must answer as for `request`.
  case head(HTTPRequest, StreamID, by: HTTPAnswer = { _ in }, isBodyWanted: Bool = true)
  /// A part of the body of a request that was reported as `head`; never empty.
  case part([UInt8], StreamID)
  /// The end of that body.
  case end(StreamID, trailers: HTTPFields)
  /// A stream whose response is owed has ended: the peer gave it up, or its body can't be read. No response is needed
  /// any more, and no more of the body follows.
  case abandoned(StreamID)
}

extension ConnectionEvent: Equatable {
  /// Whether both are the same, except for the functions that answer requests: those can't be compared.
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

/// What a connection is waiting for; its owner sets the matching time-out.
package enum ConnectionPhase: Equatable, Sendable {
  /// No request is in flight: `idle_timeout` applies.
  case idle
  /// A part of a request's head has come: `head_timeout` applies from its first byte.
  case readingHead
  /// A body is being received: `body_timeout` applies between its parts. Not used by HTTP/2, which has that time-out
  /// for each body and is `answering` instead.
  case readingBody
  /// The application owes a response; no time-out applies to the peer.
  case answering
}

/// How a connection stands, as the properties of `ConnectionProtocol` of the same names say. One by one, each would cost
/// its owner a call and a reference.
package struct ConnectionStatus {
  package let phase: ConnectionPhase
  package let hasTransfers: Bool
  package let wantsInput: Bool
  package let wantsClose: Bool
  package let hasBacklog: Bool
  package let hasNews: Bool
  package let outputCount: Int
  package let heldBytes: Int
  package let incompleteBytes: Int
}

/// One connection's protocol, without I/O: bytes in, events out; responses in, bytes out.
///
/// HTTP/1.1 and HTTP/2 conform to it. Neither uses sockets, clocks or threads. It is a class protocol since its owner
/// calls it a dozen times per request: of a struct behind `any`, each call would copy the whole value.
package protocol ConnectionProtocol: AnyObject {
  /// Receives bytes that the peer sent; appends the events that they complete to `events`. The connection answers
  /// protocol errors itself: the output holds the error response and `wantsClose` turns true.
  func receive(_ bytes: Span<UInt8>, into events: inout [ConnectionEvent])

  /// Whether input is left over that `receive` without bytes would now process.
  var hasBacklog: Bool { get }

  /// Records that the peer has ended its side and that all it sent was received.
  func endInput()

  /// Returns and clears the events that calls other than `receive` have produced.
  func takeEvents() -> [ConnectionEvent]

  /// Whether `takeEvents` or `takeRefusals` would return any.
  var hasNews: Bool { get }

  /// Queues the response of `stream`; it is dropped if the stream no longer exists.
  func respond(_ response: consuming HTTPResponse, to stream: StreamID)

  /// Queues the head of a streamed response to `stream` and the beginning of its body; `write(_:to:)` continues the
  /// body and `end(_:)` ends it. All are dropped if the stream no longer exists.
  func begin(_ response: HTTPResponse, to stream: StreamID)

  /// Queues `bytes` as the next part of the body of a streamed response.
  func write(_ bytes: [UInt8], to stream: StreamID)

  /// Queues the end of a streamed response, and the trailers where the protocol supports them.
  func end(_ stream: StreamID, trailers: HTTPFields)

  /// Records that the application has read `count` bytes of the body of `stream`, which comes in parts, and wants more.
  func readBody(_ count: Int, of stream: StreamID)

  /// How many bytes of the response to `stream` are not in the output yet: other responses come first, or the peer's
  /// flow control holds them back.
  func heldBytes(of stream: StreamID) -> Int

  /// Returns and clears the bytes to be written, in order; empty when there are none.
  func takeOutput() -> [UInt8]

  /// Ends the request that took too long: queues a 408 where the protocol has one, and closes.
  func timeOut()

  /// The statuses of the requests that the connection itself refused since the last call.
  func takeRefusals() -> [HTTPStatus]

  /// The bytes of memory that requests with incomplete bodies take, heads included.
  var incompleteBytes: Int { get }

  /// How many bytes `takeOutput` would return now.
  var outputCount: Int { get }

  /// No further request is read while more bytes of output than this are queued; the owner keeps the value current.
  /// Ignored by a protocol that limits the number of streams and whose output depends on the peer's flow-control
  /// windows.
  var maxQueuedOutput: Int { get set }

  /// The bytes of other memory that grows with what a peer sends or does not read: responses, and input that waits for
  /// its turn.
  var heldBytes: Int { get }

  /// Answers the request that has the largest incomplete body with `response`, and frees the body.
  func refuseLargestBody(_ response: HTTPResponse)

  /// Begins a graceful shutdown: no new request is accepted, and owed responses are still sent.
  func shutDown()

  /// After `shutDown`: rejects every request that the peer begins from now on, even if the peer does not know yet of
  /// the shutdown.
  func finishShutDown()

  /// Answers to the questions below that the owner has after each step, all at once.
  var status: ConnectionStatus { get }

  var phase: ConnectionPhase { get }

  /// Whether to close the socket once the output is written.
  var wantsClose: Bool { get }

  /// Whether the connection accepts more input now; false holds back a peer that pipelines requests without reading the
  /// responses.
  var wantsInput: Bool { get }

  /// Whether no request is in flight and no output is left, so that the socket may just be closed when the grace period
  /// of a drain ends.
  var canCloseSilently: Bool { get }

  /// Whether a peer that has ended its side may still wait for responses.
  var supportsHalfClose: Bool { get }

  /// Queues one byte that begins or continues the first owed response, whatever that response will be. Returns false if
  /// there is no such byte.
  func queueProbe() -> Bool

  /// Whether requests run concurrently, each on a stream that the peer can reset alone: HTTP/2.
  var isMultiplexed: Bool { get }

  // MARK: Streams that move at their own pace

  /// Whether transfers are in progress that have to be measured several times per window: bodies that are being
  /// received, or responses that may wait for the peer. The calls below measure them, or the owner does in the phase
  /// `readingBody`.
  var hasTransfers: Bool { get }

  /// Answers with 408 each request whose body comes too slowly; returns how many there were.
  func refuseSlowBodies(now: Int, pace: TransferPace) -> Int

  /// Records that bodies wait for this side: until the next check, time does not count against the peer.
  func pauseBodies()

  /// Resets each stream whose peer reads too slowly; returns how many there were, and the resulting events.
  func resetSlowReaders(
    now: Int, pace: TransferPace
  ) -> (count: Int, events: [ConnectionEvent])
}

/// Defaults for protocols whose requests come one after the other: the owner measures the one transfer in progress.
extension ConnectionProtocol {
  package var status: ConnectionStatus {
    ConnectionStatus(
      phase: phase, hasTransfers: hasTransfers, wantsInput: wantsInput, wantsClose: wantsClose,
      hasBacklog: hasBacklog, hasNews: hasNews, outputCount: outputCount, heldBytes: heldBytes,
      incompleteBytes: incompleteBytes)
  }

  /// Receives bytes that the peer sent; returns the events that they complete.
  package func receive(_ bytes: Span<UInt8>) -> [ConnectionEvent] {
    var events: [ConnectionEvent] = []
    receive(bytes, into: &events)
    return events
  }

  package func takeEvents() -> [ConnectionEvent] { [] }
  package func endInput() {}
  package var canCloseSilently: Bool { false }
  package var supportsHalfClose: Bool { false }
  package func queueProbe() -> Bool { false }
  package var maxQueuedOutput: Int {
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
