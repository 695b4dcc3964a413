/// Names a request on its connection: HTTP/1's by order of arrival, HTTP/2's by stream.
package struct StreamID: Hashable, Sendable {
  package let rawValue: Int
  package init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// What bytes that arrived on a connection amount to.
package enum ConnectionEvent: Equatable, Sendable {
  /// A request is complete; `respond(_:to:)`, or `begin(_:to:)` up to `end(_:)`, is owed for its
  /// stream.
  case request(HTTPRequest, StreamID)
  /// The peer gave up a stream whose response is owed; it need not come.
  case abandoned(StreamID)
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
/// HTTP/1.1 and HTTP/2 each are one. Neither knows sockets, clocks or threads.
package protocol ConnectionProtocol {
  /// Takes bytes that the peer sent; returns what they completed. Protocol errors are answered by the
  /// connection itself: the output holds the error response and `wantsClose` turns true.
  mutating func receive(_ bytes: Span<UInt8>) -> [ConnectionEvent]

  /// Queues the response of `stream`; one for a stream that is gone is dropped.
  mutating func respond(_ response: HTTPResponse, to stream: StreamID)

  /// Queues the head of the response of `stream`, whose body begins one that `write(_:to:)` goes on
  /// with and `end(_:)` ends; one for a stream that is gone is dropped, as all that follows is.
  mutating func begin(_ response: HTTPResponse, to stream: StreamID)

  /// Queues `bytes` as the next part of the body that `begin(_:to:)` began.
  mutating func write(_ bytes: [UInt8], to stream: StreamID)

  /// Queues the end of that body.
  mutating func end(_ stream: StreamID)

  /// How many bytes of that body are not in the output, since it is not its turn yet or the peer's
  /// flow control holds them back.
  func heldBytes(of stream: StreamID) -> Int

  /// Hands over the bytes ready to be written, in order; empty when there are none.
  mutating func takeOutput() -> [UInt8]

  /// The request under way took too long: queues a 408 where the protocol has one, and closes.
  mutating func timeOut()

  /// The statuses of the requests that the connection refused by itself since the last call.
  mutating func takeRefusals() -> [HTTPStatus]

  /// The memory that requests take whose bodies are not complete, their heads with them.
  var incompleteBytes: Int { get }

  /// How many bytes `takeOutput` would hand over now.
  var outputCount: Int { get }

  /// The memory that all else takes which grows with what a peer sends or leaves unread: responses,
  /// and requests that wait for their turn.
  var heldBytes: Int { get }

  /// Answers the request with the largest of those bodies with `response`, and lets go of the body.
  mutating func refuseLargestBody(_ response: HTTPResponse)

  /// Begins a graceful end: no new request is accepted, what is owed is still answered.
  mutating func shutDown()

  var phase: ConnectionPhase { get }

  /// Whether the socket is to be closed once the output is written.
  var wantsClose: Bool { get }

  /// Whether the connection takes more input now; false holds back a peer that pipelines without reading.
  var wantsInput: Bool { get }
}
