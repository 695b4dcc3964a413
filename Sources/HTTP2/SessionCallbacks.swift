import CNGHTTP2

/// The callbacks of nghttp2, which call `HTTP2Connection` with Swift values.
///
/// SAFETY, for all of them: `user` is the connection, which is alive since it made the call that led here; pointers are
/// valid for the length given with them during the callback, and what is kept is copied.
enum SessionCallbacks {
  /// Gives nghttp2 the body of a response, found by the stream's id.
  static var bodyProvider: nghttp2_data_provider {
    // SAFETY: no source pointer is used.
    unsafe nghttp2_data_provider(source: nghttp2_data_source(ptr: nil)) {
      _, stream, buffer, capacity, flags, _, user in
      // SAFETY: see above; `buffer` has `capacity` bytes.
      unsafe withConnection(user) {
        unsafe $0.readBody(
          stream, into: UnsafeMutableBufferPointer(start: buffer, count: capacity), flags: flags!)
      }
    }
  }

  /// Sets all callbacks in nghttp2's table.
  static func install(_ callbacks: OpaquePointer) {
    // SAFETY: see above, for each of the closures; none captures anything.
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
      let stream = unsafe frame!.pointee.hd.stream_id
      let isRequest = unsafe frame!.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
      unsafe withConnection(user) { isRequest ? $0.headBegan(stream) : $0.trailersBegan(stream) }
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
      _, _, name, nameCount, value, valueCount, _, user in
      let goesOn = unsafe withConnection(user) {
        unsafe $0.field(
          UnsafeBufferPointer(start: name, count: nameCount),
          UnsafeBufferPointer(start: value, count: valueCount))
      }
      return goesOn ? 0 : NGHTTP2_ERR_PAUSE.rawValue
    }
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
      _, _, stream, bytes, count, user in
      unsafe withConnection(user) {
        unsafe $0.bodyArrived(stream, UnsafeBufferPointer(start: bytes, count: count))
      }
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
      let header = unsafe frame!.pointee.hd
      let endsStream = header.has(NGHTTP2_FLAG_END_STREAM)
      unsafe withConnection(user) { owner in
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
          if unsafe frame!.pointee.headers.cat == NGHTTP2_HCAT_REQUEST {
            owner.headEnded(header.stream_id, endsStream: endsStream)
          } else if endsStream {
            owner.bodyEnded(header.stream_id, hasTrailers: true)
          }
        case NGHTTP2_DATA.rawValue where endsStream:
          owner.bodyEnded(header.stream_id, hasTrailers: false)
        case NGHTTP2_SETTINGS.rawValue where !header.has(NGHTTP2_FLAG_ACK):
          owner.settingsArrived()
        case NGHTTP2_PING.rawValue where header.has(NGHTTP2_FLAG_ACK):
          unsafe owner.pingAnswered(isOurs: HTTP2Session.isOwnPing(frame!.pointee.ping))
        default:
          break
        }
      }
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
      let header = unsafe frame!.pointee.hd
      switch UInt32(header.type) {
      case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
        unsafe withConnection(user) {
          $0.partSent(header.stream_id, endsStream: header.has(NGHTTP2_FLAG_END_STREAM))
        }
      case NGHTTP2_RST_STREAM.rawValue:
        unsafe withConnection(user) { unsafe $0.endSent(frame!.pointee.rst_stream.error_code) }
      case NGHTTP2_GOAWAY.rawValue:
        unsafe withConnection(user) { unsafe $0.endSent(frame!.pointee.goaway.error_code) }
      default: break
      }
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) {
      _, stream, code, user in
      unsafe withConnection(user) { $0.streamClosed(stream, code: code) }
      return 0
    }
  }
}

/// Calls `body` with the connection, without retaining it: that would be a dozen times a request.
///
/// Not a member: a C function pointer cannot capture even a metatype.
@inline(__always)
private func withConnection<Result>(
  _ user: UnsafeMutableRawPointer?, _ body: (HTTP2Connection) -> Result
) -> Result {
  // SAFETY: HTTP2Session.attach set it, and the connection lives as long as the call that led here.
  unsafe Unmanaged<HTTP2Connection>.fromOpaque(user!)._withUnsafeGuaranteedRef(body)
}

extension nghttp2_frame_hd {
  fileprivate func has(_ flag: nghttp2_flag) -> Bool { UInt32(flags) & flag.rawValue != 0 }
}
