import CNGHTTP2
import HTTPCore

/// The response side of a connection: queues responses with nghttp2, and copies their bodies out when nghttp2 asks for
/// them.
final class ResponseOutput {
  private let date: ResponseDate
  private let session: HTTP2Session
  private let streams: StreamTable
  /// The fields of `date`, and their version there.
  private var ours = (fields: FieldBlock(), version: 0)

  init(date: ResponseDate, session: HTTP2Session, streams: StreamTable) {
    self.date = date
    self.session = session
    self.streams = streams
  }

  /// Queues a whole response.
  func send(_ response: HTTPResponse, on stream: HTTP2Stream) {
    streams.move(stream, to: .sending)
    streams.setResponseBody(response.body, of: stream)
    respond(response, on: stream, isStreamed: false)
  }

  /// Queues the head of a response whose body is written part by part.
  func begin(_ response: HTTPResponse, on stream: HTTP2Stream) {
    if respond(response, on: stream, isStreamed: true) {
      streams.setResponseBody(response.body, of: stream)
      stream.isOpen = true
    } else {
      streams.move(stream, to: .sending)
    }
  }

  /// Queues the head of a response; returns whether a body is to follow.
  @discardableResult
  private func respond(
    _ response: HTTPResponse, on stream: HTTP2Stream, isStreamed: Bool
  ) -> Bool {
    if ours.version != date.version { renewFields() }
    let hasBody = ResponseHead.hasBody(
      response, omitsBody: stream.omitsBody, isStreamed: isStreamed)
    session.respond(to: stream.id, hasBody: hasBody) {
      ResponseHead.append(
        response, stream.fields, ours: ours.fields, isStreamed: isStreamed, to: &$0)
    }
    return hasBody
  }

  private func renewFields() {
    ours = (FieldBlock(), date.version)
    for field in date.fields { ours.fields.append(known: field.name, field.value) }
  }

  /// Adds a part of the body of a response that `begin` began.
  func write(_ bytes: [UInt8], on stream: HTTP2Stream) {
    streams.append(bytes, toResponseOf: stream)
    resume(stream)
  }

  /// Ends the body of a response that `begin` began.
  func end(_ stream: HTTP2Stream, trailers: HTTPFields) {
    stream.isOpen = false
    for field in trailers.all where field.mayBeTrailer {
      stream.trailers.append(field.name, field.value)
    }
    streams.move(stream, to: .sending)
    resume(stream)
  }

  /// Gives up the response of `stream`, or the rest of it that is not sent.
  func giveUp(_ stream: HTTP2Stream) {
    stream.isOpen = false
    streams.move(stream, to: .sending)
  }

  /// Copies the next part of a response's body into nghttp2's buffer; returns its length, or the error that makes
  /// nghttp2 wait for more.
  func readBody(
    of stream: HTTP2Stream, into buffer: UnsafeMutableBufferPointer<UInt8>,
    flags: UnsafeMutablePointer<UInt32>
  ) -> Int {
    // SAFETY: nghttp2 keeps the buffer valid during this call.
    guard let (count, isLast) = unsafe streams.readResponse(of: stream, into: buffer) else {
      return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    }
    if isLast {
      unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
      if !stream.trailers.all.isEmpty {
        unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
        session.sendTrailers(stream.trailers, on: stream.id)
      }
    }
    return count
  }

  /// Lets nghttp2 ask again for a body for which it was made to wait.
  private func resume(_ stream: HTTP2Stream) {
    guard stream.isDeferred else { return }
    stream.isDeferred = false
    session.resume(stream.id)
  }
}
