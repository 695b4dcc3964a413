import CNGHTTP2
import HTTPCore

/// The response side of a connection: queues responses with nghttp2, and copies their bodies out when nghttp2 asks for
/// them.
final class ResponseOutput {
  private let date: ResponseDate
  private let session: HTTP2Session
  private let streams: StreamTable

  init(date: ResponseDate, session: HTTP2Session, streams: StreamTable) {
    self.date = date
    self.session = session
    self.streams = streams
  }

  /// Queues a whole response.
  func send(_ response: HTTPResponse, on stream: HTTP2Stream) {
    streams.move(stream, to: .sending)
    streams.setResponseBody(response.body, of: stream)
    session.respond(
      ResponseHead(response, stream.fields, omitsBody: stream.omitsBody, date: date), to: stream.id)
  }

  /// Queues the head of a response whose body is written part by part.
  func begin(_ response: HTTPResponse, on stream: HTTP2Stream) {
    let head = ResponseHead(
      response, stream.fields, omitsBody: stream.omitsBody, isStreamed: true, date: date)
    if head.hasBody {
      streams.setResponseBody(response.body, of: stream)
      stream.isOpen = true
    } else {
      streams.move(stream, to: .sending)
    }
    session.respond(head, to: stream.id)
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
