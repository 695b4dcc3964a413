import CNGHTTP2
import HTTPCore

/// Owns an nghttp2 server session; every call of the library is here, its callbacks next door.
///
/// A class, since the two sides of a connection share it; it does not outlive the connection.
@safe final class HTTP2Session {
  private let session: OpaquePointer
  /// Its room is used for one response after the other.
  private var block = FieldBlock()

  /// Makes a session that has its SETTINGS to send.
  init(_ limits: HTTP2Limits) {
    // SAFETY: the option and callback objects live until the session has copied them;
    // nghttp2_session_del in deinit frees the session. These calls fail only for want of memory.
    var option: OpaquePointer?
    var callbacks: OpaquePointer?
    var session: OpaquePointer?
    unsafe Self.require(nghttp2_option_new(&option))
    unsafe Self.require(nghttp2_session_callbacks_new(&callbacks))
    // Floods that FloodMeter does not see: acknowledgements that pile up unsent, and long SETTINGS
    // and CONTINUATION trains (CVE-2019-9515, CVE-2024-28182), at the library's defaults.
    unsafe nghttp2_option_set_max_outbound_ack(option, 1000)
    unsafe nghttp2_option_set_max_settings(option, 32)
    unsafe nghttp2_option_set_max_continuations(option, 8)
    // Windows are opened as bodies are taken, of which some wait for their readers.
    unsafe nghttp2_option_set_no_auto_window_update(option, 1)
    unsafe SessionCallbacks.install(callbacks!)
    unsafe Self.require(nghttp2_session_server_new2(&session, callbacks, nil, option))
    unsafe nghttp2_session_callbacks_del(callbacks)
    unsafe nghttp2_option_del(option)
    unsafe self.session = session!

    let settings: [nghttp2_settings_entry] = [
      .init(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.maxConcurrentStreams),
      .init(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.windowBytes),
      .init(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.maxHeadBytes),
      // RFC 9218 §2.1: no priority tree, so none to fill.
      .init(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
    ]
    // SAFETY: nghttp2 copies the entries. Stream 0 stands for the connection.
    unsafe Self.require(
      nghttp2_submit_settings(self.session, none, settings, settings.count))
    unsafe Self.require(
      nghttp2_session_set_local_window_size(self.session, none, 0, Int32(limits.windowBytes)))
  }

  deinit {
    // SAFETY: made by init, not used after this.
    unsafe nghttp2_session_del(session)
  }

  /// Names the connection that the callbacks report to; it owns this session, so it outlives it.
  func attach(_ connection: HTTP2Connection) {
    // SAFETY: unretained, or the two would keep each other alive. Callbacks come only from calls
    // that the connection makes on the session it owns.
    unsafe nghttp2_session_set_user_data(session, Unmanaged.passUnretained(connection).toOpaque())
  }

  /// Takes bytes from the peer, up to where a callback stops it, and returns how many; nil when the
  /// session is beyond use.
  func receive(_ bytes: Span<UInt8>) -> Int? {
    // SAFETY: nghttp2 reads the span during the call and keeps nothing of it.
    let taken = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe nghttp2_session_mem_recv(session, buffer.baseAddress, buffer.count)
    }
    return taken >= 0 ? taken : nil
  }

  /// Adds the next bytes for the peer to `output`; false when there are none now.
  func nextOutput(_ output: inout [UInt8]) -> Bool {
    var bytes: UnsafePointer<UInt8>?
    // SAFETY: nghttp2 lends its buffer until the next call; it is copied before that.
    let count = unsafe nghttp2_session_mem_send(session, &bytes)
    guard count > 0 else { return false }
    unsafe output.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
    return true
  }

  /// Whether anything the peer may send still matters.
  var wantsRead: Bool {
    // SAFETY: the session is live.
    unsafe nghttp2_session_want_read(session) != 0
  }

  /// Whether there is output now.
  var wantsWrite: Bool {
    // SAFETY: the session is live.
    unsafe nghttp2_session_want_write(session) != 0
  }

  /// Whether the peer may still send on `stream`.
  func isRemoteOpen(_ stream: Int32) -> Bool {
    // SAFETY: the session is live; an id that it does not know gives -1.
    unsafe nghttp2_session_get_stream_remote_close(session, stream) == 0
  }

  /// How much the peer takes on `stream` before it opens the stream's window again; 0 where it has no such stream.
  func window(of stream: Int32) -> Int {
    // SAFETY: the session is live; an id that it does not know gives -1.
    max(0, Int(unsafe nghttp2_session_get_stream_remote_window_size(session, stream)))
  }

  /// Queues a response; its body is asked for through the callbacks.
  func respond(_ head: ResponseHead, to stream: Int32) {
    // SAFETY: nghttp2 copies the fields and the provider during the call.
    unsafe withFields {
      head.append(to: &$0)
    } submit: { fields in
      if head.hasBody {
        var provider = unsafe SessionCallbacks.bodyProvider
        return unsafe nghttp2_submit_response(
          session, stream, fields.baseAddress, fields.count, &provider)
      } else {
        return unsafe nghttp2_submit_response(
          session, stream, fields.baseAddress, fields.count, nil)
      }
    }
  }

  /// Goes on with a response's body that the callback had no more of for the time being.
  func resume(_ stream: Int32) {
    // SAFETY: the session is live; the stream's body was deferred, and its close would have told.
    unsafe Self.require(nghttp2_session_resume_data(session, stream))
  }

  /// Opens the connection's window again by `count` bytes that came, and the window of `stream` too unless it is to wait.
  func consume(_ count: Int, of stream: Int32, opensStream: Bool) {
    // SAFETY: the session is live; a stream that is gone is left alone.
    unsafe Self.require(nghttp2_session_consume_connection(session, count))
    if opensStream { openWindow(of: stream, by: count) }
  }

  /// Opens the window of `stream` again by `count` bytes that came.
  func openWindow(of stream: Int32, by count: Int) {
    // SAFETY: as above.
    unsafe Self.require(nghttp2_session_consume_stream(session, stream, count))
  }

  /// Queues the fields behind a response's body, whose last part does not end the stream.
  func sendTrailers(_ trailers: HTTPFields, on stream: Int32) {
    // SAFETY: nghttp2 copies the fields during the call.
    unsafe withFields {
      for field in trailers.all { $0.append(field.name, field.value) }
    } submit: { fields in
      unsafe nghttp2_submit_trailer(session, stream, fields.baseAddress, fields.count)
    }
  }

  /// Queues an informational 100.
  func sendContinue(_ stream: Int32) {
    // SAFETY: nghttp2 copies the fields during the call.
    unsafe withFields {
      $0.append(known: ":status", "100")
    } submit: { fields in
      unsafe nghttp2_submit_headers(
        session, none, stream, nil, fields.baseAddress, fields.count, nil)
    }
  }

  /// Queues RST_STREAM.
  func reset(_ stream: Int32, _ code: nghttp2_error_code) {
    // SAFETY: the session is live; a stream that is gone is left alone.
    unsafe Self.require(nghttp2_submit_rst_stream(session, none, stream, code.rawValue))
  }

  /// Announces the end (RFC 9113 §6.8): GOAWAY that still takes every stream, and PING, whose answer
  /// tells that it was seen.
  func announceShutdown() {
    // SAFETY: the session is live.
    unsafe nghttp2_submit_shutdown_notice(session)
    // SAFETY: copied during the call.
    unsafe nghttp2_submit_ping(session, none, Self.pingData)
  }

  /// The data of the one PING that this side sends, by which its answer is known.
  private static let pingData = Array("carousel".utf8)

  /// Whether an acknowledged PING is that one.
  static func isOwnPing(_ ping: nghttp2_ping) -> Bool {
    // SAFETY: the eight bytes are read during the call.
    unsafe withUnsafeBytes(of: ping.opaque_data) { unsafe $0.elementsEqual(pingData) }
  }

  /// Queues GOAWAY: no stream after those seen is taken, those are finished.
  func goAway() {
    // SAFETY: the session is live; no debug data is sent.
    let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
    unsafe nghttp2_submit_goaway(session, none, last, NGHTTP2_NO_ERROR.rawValue, nil, 0)
  }

  /// Queues GOAWAY, after which nothing more is sent or taken.
  func terminate(_ code: nghttp2_error_code) {
    // SAFETY: the session is live.
    unsafe nghttp2_session_terminate_session(session, code.rawValue)
  }

  /// Calls `submit` with the fields that `fill` adds.
  private func withFields(
    _ fill: (inout FieldBlock) -> Void, submit: (UnsafeBufferPointer<nghttp2_nv>) -> Int32
  ) {
    // Moved out, so that it is not held while nghttp2 is called.
    var block = FieldBlock()
    swap(&block, &self.block)
    block.clear()
    fill(&block)
    // SAFETY: `submit` has the fields copied.
    Self.require(unsafe block.withPairs(submit))
    swap(&block, &self.block)
  }

  /// The library's errors in what it is asked to send are our own bugs, or want of memory.
  private static func require(_ status: Int32) {
    precondition(status >= 0, "nghttp2 refused a call with \(status)")
  }
}

/// NGHTTP2_FLAG_NONE as the integer that the calls take.
private let none: UInt8 = 0

extension nghttp2_settings_entry {
  fileprivate init(_ id: nghttp2_settings_id, _ value: Int) {
    self.init(settings_id: Int32(id.rawValue), value: UInt32(value))
  }
}
