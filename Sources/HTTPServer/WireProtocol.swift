import HTTP2
import HTTPCore

/// The protocol that a connection speaks, which its first bytes tell.
enum WireProtocol {
  /// Too few bytes came to tell; they are kept here.
  case undecided([UInt8])
  case http1(HTTP1Box)
  case http2(HTTP2Connection)

  /// A place that the state machine is changed in; as a payload it would be copied out and back.
  final class HTTP1Box {
    var connection: HTTP1Connection
    init(_ connection: HTTP1Connection) { self.connection = connection }
  }

  /// What every HTTP/2 client sends first (RFC 9113 §3.4).
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  /// A connection that has nothing to say or hear.
  static var ended: WireProtocol {
    var connection = HTTP1Connection()
    connection.shutDown()
    return .http1(HTTP1Box(connection))
  }

  /// Takes bytes from the peer; returns what they completed.
  mutating func receive(
    _ bytes: Span<UInt8>, date: ResponseDate, settings: HTTPServerSettings
  ) -> [ConnectionEvent] {
    switch self {
    case .http1(let box): return box.connection.receive(bytes)
    case .http2(let connection): return connection.receive(bytes)
    case .undecided(var first):
      for index in bytes.indices { first.append(bytes[index]) }
      if first.starts(with: Self.preface) {
        self = .http2(HTTP2Connection(limits: settings.http2, date: date))
      } else if Self.preface.starts(with: first) {
        self = .undecided(first)
        return []
      } else {
        self = .http1(HTTP1Box(HTTP1Connection(limits: settings.http1, date: date)))
      }
      return receive(first.span, date: date, settings: settings)
    }
  }

  /// Queues the response of `stream`.
  func respond(_ response: HTTPResponse, to stream: StreamID) {
    switch self {
    case .undecided: break
    case .http1(let box): box.connection.respond(response, to: stream)
    case .http2(let connection): connection.respond(response, to: stream)
    }
  }

  /// Queues the head of a response of `stream` that is sent as it is made.
  func begin(_ response: HTTPResponse, to stream: StreamID) {
    switch self {
    case .undecided: break
    case .http1(let box): box.connection.begin(response, to: stream)
    case .http2(let connection): connection.begin(response, to: stream)
    }
  }

  /// Queues the next part of its body.
  func write(_ bytes: [UInt8], to stream: StreamID) {
    switch self {
    case .undecided: break
    case .http1(let box): box.connection.write(bytes, to: stream)
    case .http2(let connection): connection.write(bytes, to: stream)
    }
  }

  /// Queues its end, and what it held back.
  func end(_ stream: StreamID) {
    switch self {
    case .undecided: break
    case .http1(let box): box.connection.end(stream)
    case .http2(let connection): connection.end(stream)
    }
  }

  /// How many bytes of a streamed body are held back, by responses before it or the peer's windows.
  func heldBytes(of stream: StreamID) -> Int {
    switch self {
    case .undecided: 0
    case .http1(let box): box.connection.heldBytes(of: stream)
    case .http2(let connection): connection.heldBytes(of: stream)
    }
  }

  /// Resets the HTTP/2 streams whose peer opens windows too little; returns how many there were, and what comes of it.
  func resetSlowReaders(
    now: Int, pace: TransferPace
  ) -> (count: Int, events: [ConnectionEvent]) {
    guard case .http2(let connection) = self else { return (0, []) }
    return connection.resetSlowReaders(now: now, pace: pace)
  }

  /// Answers the HTTP/2 requests whose bodies come too slowly; returns how many there were.
  func refuseSlowBodies(now: Int, pace: TransferPace) -> Int {
    guard case .http2(let connection) = self else { return 0 }
    return connection.refuseSlowBodies(now: now, pace: pace)
  }

  /// Notes that the bodies of HTTP/2 requests wait for this side.
  func pauseBodies() {
    if case .http2(let connection) = self { connection.pauseBodies() }
  }

  /// Hands over the bytes that are ready to be written.
  func takeOutput() -> [UInt8] {
    switch self {
    case .undecided: []
    case .http1(let box): box.connection.takeOutput()
    case .http2(let connection): connection.takeOutput()
    }
  }

  /// Ends what took too long; a peer that has not even told its protocol is told nothing.
  mutating func timeOut() {
    switch self {
    case .undecided: self = .ended
    case .http1(let box): box.connection.timeOut()
    case .http2(let connection): connection.timeOut()
    }
  }

  /// Says how much output may wait here before an HTTP/1 peer's next request is read.
  func setOutputRoom(_ bytes: Int) {
    if case .http1(let box) = self { box.connection.outputRoom = bytes }
  }

  /// How many bytes `takeOutput` would hand over now.
  var outputCount: Int {
    switch self {
    case .undecided: 0
    case .http1(let box): box.connection.outputCount
    case .http2(let connection): connection.outputCount
    }
  }

  /// The memory that responses and requests that wait take.
  var heldBytes: Int {
    switch self {
    case .undecided: 0
    case .http1(let box): box.connection.heldBytes
    case .http2(let connection): connection.heldBytes
    }
  }

  /// The memory that bodies take which are not complete.
  var incompleteBytes: Int {
    switch self {
    case .undecided: 0
    case .http1(let box): box.connection.incompleteBytes
    case .http2(let connection): connection.incompleteBytes
    }
  }

  /// Answers the largest request under way with `response`, in place of reading its body to the end.
  func refuseLargestBody(_ response: HTTPResponse) {
    switch self {
    case .undecided: break
    case .http1(let box): box.connection.refuseLargestBody(response)
    case .http2(let connection): connection.refuseLargestBody(response)
    }
  }

  /// The statuses of the requests that the protocol refused since the last call.
  func takeRefusals() -> [HTTPStatus] {
    switch self {
    case .undecided: []
    case .http1(let box): box.connection.takeRefusals()
    case .http2(let connection): connection.takeRefusals()
    }
  }

  /// Begins a graceful end.
  mutating func shutDown() {
    switch self {
    case .undecided: self = .ended
    case .http1(let box): box.connection.shutDown()
    case .http2(let connection): connection.shutDown()
    }
  }

  /// Takes no request from an HTTP/2 peer any more that it opens after a `shutDown`, whether it knows of that or not.
  func finishShutDown() {
    if case .http2(let connection) = self { connection.finishShutDown() }
  }

  /// Begins what an HTTP/1 peer that has ended its side is owed with a byte that any answer begins with.
  /// Returns whether there was such a byte.
  func beginAnswer() -> Bool {
    if case .http1(let box) = self { box.connection.beginAnswer() } else { false }
  }

  /// What the connection waits for.
  var phase: ConnectionPhase {
    switch self {
    case .undecided(let first): first.isEmpty ? .idle : .readingHead
    case .http1(let box): box.connection.phase
    case .http2(let connection): connection.phase
    }
  }

  /// Whether it is to be closed once its output is written.
  var wantsClose: Bool {
    switch self {
    case .undecided: false
    case .http1(let box): box.connection.wantsClose
    case .http2(let connection): connection.wantsClose
    }
  }

  /// Whether it takes more input now.
  var wantsInput: Bool {
    switch self {
    case .undecided: true
    case .http1(let box): box.connection.wantsInput
    case .http2(let connection): connection.wantsInput
    }
  }

  /// Whether `receive` without bytes would go on with input that was left behind.
  var hasBacklog: Bool {
    switch self {
    case .undecided: false
    case .http1(let box): box.connection.hasBacklog
    case .http2(let connection): connection.hasBacklog
    }
  }

  /// Whether a peer that has ended its input may still wait for answers: in HTTP/1 it may.
  var survivesEndOfInput: Bool {
    if case .http1 = self { true } else { false }
  }

  /// Whether requests come over HTTP/2.
  var isHTTP2: Bool {
    if case .http2 = self { true } else { false }
  }
}
