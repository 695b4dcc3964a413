import CNGHTTP2
import HTTPCore

/// The request side of a connection: gathers requests from the frames of its streams, and reports them to the
/// application as events.
final class RequestIntake {
  private let limits: HTTP2Limits
  private let reception: HeadReception
  private let session: HTTP2Session
  private let streams: StreamTable
  private let responses: ResponseOutput
  /// Gathers the fields of a head, or of trailers, as they come. There is one at a time, since nothing else may come
  /// within a block of fields (RFC 9113 §4.3).
  private var head = RequestHead()
  /// What these fields come to together with those of the same stream before them, as for `max_head_bytes`.
  private var fieldBytes = 0
  private var events: [ConnectionEvent] = []
  private var refusals: [HTTPStatus] = []

  init(
    limits: HTTP2Limits, reception: @escaping HeadReception, session: HTTP2Session,
    streams: StreamTable, responses: ResponseOutput
  ) {
    self.limits = limits
    self.reception = reception
    self.session = session
    self.streams = streams
    self.responses = responses
  }

  /// Whether there are events or refusals to hand over.
  var hasNews: Bool { !events.isEmpty || !refusals.isEmpty }

  /// Moves the events since the last call to the end of `others`.
  func moveEvents(into others: inout [ConnectionEvent]) {
    if others.isEmpty { swap(&events, &others) } else { others += takeEvents() }
  }

  /// Hands over the events since the last call.
  func takeEvents() -> [ConnectionEvent] {
    defer { if !events.isEmpty { events = [] } }
    return events
  }

  /// Hands over the statuses with which requests were refused since the last call.
  func takeRefusals() -> [HTTPStatus] {
    defer { if !refusals.isEmpty { refusals = [] } }
    return refusals
  }

  // MARK: Received requests

  /// The head of a request, or the trailers of the one on `stream`, begin.
  func fieldsBegan(on stream: HTTP2Stream?) {
    head = RequestHead()
    fieldBytes = stream?.fieldBytes ?? 0
  }

  /// A field of `size` bytes has come, as `RequestHead` counts them; returns false if there are too many. Only fields
  /// that are kept become strings. The bytes are valid during the call only.
  func fieldArrived(
    _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, size: Int
  ) -> Bool {
    fieldBytes += size
    guard fieldBytes <= limits.maxUnpackedHeadBytes else { return false }
    // SAFETY: copied during the call that lends them.
    unsafe head.append(name, value, limits: limits)
    return true
  }

  private func takeHead() -> RequestHead {
    var taken = RequestHead()
    swap(&taken, &head)
    return taken
  }

  /// The head of the request on `stream` is complete.
  func headEnded(on stream: HTTP2Stream, endsStream: Bool) {
    stream.fieldBytes = fieldBytes
    stream.omitsBody = head.method == "HEAD"
    do throws(HTTP2Error) {
      let request = try takeHead().request()
      stream.announcedCount = endsStream ? 0 : request.contentLength
      stream.awaitsContinue = !endsStream && request.expectsContinue
      try receive(request, on: stream, isComplete: endsStream)
    } catch {
      refuse(error.response, on: stream)
    }
  }

  /// Asks the application what becomes of the body behind a head, and prepares the stream for it.
  private func receive(
    _ request: HTTPRequest, on stream: HTTP2Stream, isComplete: Bool
  ) throws(HTTP2Error) {
    let reception = reception(request, stream.announcedCount)
    stream.answer = reception.answer
    stream.fields = reception.fields
    switch reception.body {
    case .whole where isComplete:
      streams.move(stream, to: .owed)
      report(request, of: stream)
    case .whole(let maxBytes):
      stream.headBytes = request.headBytes
      let limit = limits.bodyLimit(headBytes: stream.headBytes).and(path: maxBytes)
      if let length = stream.announcedCount, length > limit.byteCount {
        throw .bodyTooLong(limit)
      }
      stream.bodyLimit = limit
      stream.request = request
      streams.move(stream, to: .body)
      if stream.awaitsContinue {
        stream.awaitsContinue = false
        session.sendContinue(stream.id)
      }
    case .parts:
      streams.move(stream, to: .owed)
      streams.beginUpload(of: stream)
      events.append(.head(request, stream.publicID, by: stream.answer))
    case .unwanted:
      streams.move(stream, to: .owed)
      events.append(.head(request, stream.publicID, by: stream.answer, isBodyWanted: false))
    }
  }

  private func report(_ request: HTTPRequest, of stream: HTTP2Stream) {
    // A client that sends many requests at once makes room for them once.
    if events.isEmpty { events.reserveCapacity(8) }
    events.append(.request(request, stream.publicID, by: stream.answer))
  }

  /// A part of a request's body has come; `bytes` are valid during the call only.
  func bodyArrived(_ bytes: UnsafeBufferPointer<UInt8>, on stream: HTTP2Stream) {
    let count = bytes.count
    stream.receivedCount += count
    // If the body is read in parts, the stream's own window waits for the reader.
    session.consume(count, of: stream.id, opensStream: stream.upload == nil)
    if stream.upload != nil {
      // SAFETY: copied during the callback that lends it.
      unsafe passOn(Array(bytes), of: stream)
      return
    }
    guard stream.stage == .body else {
      stream.discardedBytes += count
      if stream.discardedBytes > limits.maxDiscardedBytes { resetUpload(stream) }
      return
    }
    if stream.body.count + count > stream.bodyLimit.byteCount {
      refuse(HTTP2Error.bodyTooLong(stream.bodyLimit).response, on: stream)
    } else if streams.incompleteCount + count > limits.maxIncompleteBytes {
      streams.move(stream, to: .sending)
      session.reset(stream.id, NGHTTP2_REFUSED_STREAM)
    } else {
      // SAFETY: copied during the callback that lends it.
      unsafe streams.append(
        bytes, toRequestOf: stream, total: stream.announcedCount ?? stream.bodyLimit.byteCount)
    }
  }

  /// Hands on a part of a body that is read in parts.
  private func passOn(_ bytes: [UInt8], of stream: HTTP2Stream) {
    stream.awaitsContinue = false
    guard streams.incompleteCount + bytes.count <= limits.maxIncompleteBytes else {
      abandon(stream)
      session.reset(stream.id, NGHTTP2_CANCEL)
      return
    }
    streams.addUnread(bytes.count, of: stream)
    events.append(.part(bytes, stream.publicID))
  }

  /// The request on `stream` is complete, with its trailers.
  func bodyEnded(on stream: HTTP2Stream, hasTrailers: Bool) {
    do throws(HTTP2Error) {
      let trailers = hasTrailers ? try takeHead().trailers() : HTTPFields()
      if let request = streams.completeRequest(of: stream, trailers: trailers) {
        report(request, of: stream)
      } else {
        streams.endUpload(of: stream)
        events.append(.end(stream.publicID, trailers: trailers))
      }
    } catch {
      refuse(error.response, on: stream)
    }
  }

  /// The application has read `count` bytes of the body on `stream`, which is read in parts.
  func bodyRead(_ count: Int, on stream: HTTP2Stream) {
    streams.addUnread(-count, of: stream)
    session.openWindow(of: stream.id, by: count)
    if stream.awaitsContinue {
      stream.awaitsContinue = false
      if !stream.isOpen { session.sendContinue(stream.id) }
    }
  }

  // MARK: Ends

  /// Answers a request in place of the application, which never sees the request, or is told that it is abandoned.
  func refuse(_ response: HTTPResponse, on stream: HTTP2Stream) {
    refusals.append(response.status)
    reportAbandoned(stream)
    if stream.isOpen || stream.stage == .sending {
      // The response has begun, so it is too late for another.
      responses.giveUp(stream)
      session.reset(stream.id, NGHTTP2_CANCEL)
    } else {
      responses.send(response, on: stream)
    }
  }

  /// Gives up the response of `stream`, or the rest of it that is not sent.
  func abandon(_ stream: HTTP2Stream) {
    reportAbandoned(stream)
    responses.giveUp(stream)
  }

  /// The stream has closed; `wasOwed` if the application still owed its response.
  func streamClosed(_ stream: HTTP2Stream, wasOwed: Bool) {
    if wasOwed { events.append(.abandoned(stream.publicID)) }
  }

  /// Stops an upload whose response is sent, or will never be.
  func resetUpload(_ stream: HTTP2Stream) {
    // RFC 9113 §8.1: behind a complete response, NO_ERROR asks the client to stop.
    session.reset(stream.id, stream.isAnswered ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL)
  }

  /// This side has ended a stream or the connection with `code`. If that is the client's fault, it counts as a refusal,
  /// with the status that the same fault has over HTTP/1.
  func noteEnd(_ code: UInt32) {
    switch nghttp2_error_code(code) {
    case NGHTTP2_PROTOCOL_ERROR, NGHTTP2_FLOW_CONTROL_ERROR, NGHTTP2_STREAM_CLOSED,
      NGHTTP2_FRAME_SIZE_ERROR, NGHTTP2_COMPRESSION_ERROR:
      refusals.append(.badRequest)
    case NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_REFUSED_STREAM: refusals.append(.tooManyRequests)
    default: break
    }
  }

  /// Tells the application, if it has the request, that nobody waits for its response.
  private func reportAbandoned(_ stream: HTTP2Stream) {
    if stream.stage == .owed { events.append(.abandoned(stream.publicID)) }
  }
}

extension HTTPRequest {
  /// Whether the client holds its body back for a 100 (RFC 9110 §10.1.1).
  fileprivate var expectsContinue: Bool {
    fields["expect"] != nil
      && fields.values(of: "expect").contains { $0.utf8.span.listContains("100-continue") }
  }

  /// The length of the body by Content-Length; nil when there is none.
  fileprivate var contentLength: Int? { fields["content-length"].flatMap { Int($0) } }
}
