import CNGHTTP2
import HTTPCore

/// Owns an nghttp2 server session; all calls on it are here, its callbacks in `SessionCallbacks`.
///
/// A class, since the connection, its `RequestIntake` and its `ResponseOutput` share it; it does not outlive the
/// connection.
@safe final class HTTP2Session {
  private let session: OpaquePointer
  /// Kept, so that its storage is used for one response after the other.
  private var block = FieldBlock()

  /// Makes a session and queues its SETTINGS.
  init(_ limits: HTTP2Limits) {
    // SAFETY: the option and callback objects live until the session has copied them; nghttp2_session_del in deinit
    // frees the session. These calls fail only if memory is exhausted.
    var option: OpaquePointer?
    var callbacks: OpaquePointer?
    var session: OpaquePointer?
    unsafe Self.require(nghttp2_option_new(&option))
    unsafe Self.require(nghttp2_session_callbacks_new(&callbacks))
    // Floods that FloodMeter does not see: acknowledgements that pile up unsent, long SETTINGS and long series of
    // CONTINUATION (CVE-2019-9515, CVE-2024-28182), at the library's defaults.
    unsafe nghttp2_option_set_max_outbound_ack(option, 1000)
    unsafe nghttp2_option_set_max_settings(option, 32)
    unsafe nghttp2_option_set_max_continuations(option, 8)
    // Flow-control windows are opened by hand, as bodies are taken: some wait for their readers.
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
      // RFC 9218 §2.1: turns off the priority tree of RFC 7540, so that no peer can fill it.
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

  /// Sets the connection that the callbacks report to; it owns this session, so it outlives it.
  func attach(_ connection: HTTP2Connection) {
    // SAFETY: unretained, or the two would keep each other alive. Callbacks come only from calls
    // that the connection makes on the session it owns.
    unsafe nghttp2_session_set_user_data(session, Unmanaged.passUnretained(connection).toOpaque())
  }

  /// Processes bytes from the peer until a callback pauses that; returns how many were taken, nil when the session is
  /// beyond use.
  ///
  /// - Parameter header: a frame's header that comes before `bytes`.
  func receive(_ bytes: Span<UInt8>, behind header: [UInt8] = []) -> Int? {
    if !header.isEmpty, receive(header.span) == nil { return nil }
    // SAFETY: nghttp2 reads the span during the call and keeps nothing of it.
    let taken = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe nghttp2_session_mem_recv(session, buffer.baseAddress, buffer.count)
    }
    return taken >= 0 ? taken : nil
  }

  /// Appends the next bytes for the peer to `output`; returns false when there are none now.
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

  /// How many bytes the peer's flow-control window of `stream` has room for; 0 when there is no such stream.
  func window(of stream: Int32) -> Int {
    // SAFETY: the session is live; an id that it does not know gives -1.
    max(0, Int(unsafe nghttp2_session_get_stream_remote_window_size(session, stream)))
  }

  /// Queues a response whose head `fill` makes; nghttp2 asks for its body by `SessionCallbacks.bodyProvider`.
  func respond(to stream: Int32, hasBody: Bool, _ fill: (inout FieldBlock) -> Void) {
    // SAFETY: nghttp2 copies the fields and the provider during the call.
    unsafe withFields(fill) { fields in
      if hasBody {
        var provider = unsafe SessionCallbacks.bodyProvider
        return unsafe nghttp2_submit_response(
          session, stream, fields.baseAddress, fields.count, &provider)
      } else {
        return unsafe nghttp2_submit_response(
          session, stream, fields.baseAddress, fields.count, nil)
      }
    }
  }

  /// Resumes a response's body, of which the callback had no more when nghttp2 last asked.
  func resume(_ stream: Int32) {
    // SAFETY: the session is live; the stream's body is deferred, and had the stream closed, `streamClosed` would have
    // removed it.
    unsafe Self.require(nghttp2_session_resume_data(session, stream))
  }

  /// Opens the connection's window again by `count` bytes that have come, and if `opensStream` the window of `stream` too.
  func consume(_ count: Int, of stream: Int32, opensStream: Bool) {
    // SAFETY: the session is live; a stream that is gone is left alone.
    unsafe Self.require(nghttp2_session_consume_connection(session, count))
    if opensStream { openWindow(of: stream, by: count) }
  }

  /// Opens the window of `stream` again by `count` bytes that have come.
  func openWindow(of stream: Int32, by count: Int) {
    // SAFETY: as above.
    unsafe Self.require(nghttp2_session_consume_stream(session, stream, count))
  }

  /// Queues the trailers of a response; the last part of its body must not have ended the stream.
  func sendTrailers(_ trailers: HTTPFields, on stream: Int32) {
    // SAFETY: nghttp2 copies the fields during the call.
    unsafe withFields {
      for field in trailers.all { $0.append(field.name, field.value) }
    } submit: { fields in
      unsafe nghttp2_submit_trailer(session, stream, fields.baseAddress, fields.count)
    }
  }

  /// Queues 100 (Continue).
  func sendContinue(_ stream: Int32) {
    // SAFETY: nghttp2 copies the fields during the call.
    unsafe withFields {
      $0.append(known: ":status", 100)
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

  /// Announces the end of the connection (RFC 9113 §6.8): GOAWAY, after which every stream is still accepted, and PING,
  /// whose acknowledgement shows that the peer has seen it.
  func announceShutdown() {
    // SAFETY: the session is live.
    unsafe nghttp2_submit_shutdown_notice(session)
    // SAFETY: copied during the call.
    unsafe nghttp2_submit_ping(session, none, Self.pingData)
  }

  /// The data of the one PING that this side sends, which identifies its acknowledgement.
  private static let pingData = Array("carousel".utf8)

  /// Whether the acknowledged `ping` is the one that this side sent.
  static func isOwnPing(_ ping: nghttp2_ping) -> Bool {
    // SAFETY: the eight bytes are read during the call.
    unsafe withUnsafeBytes(of: ping.opaque_data) { unsafe $0.elementsEqual(pingData) }
  }

  /// Queues GOAWAY: streams seen so far are finished, no later one is accepted.
  func goAway() {
    // SAFETY: the session is live; no debug data is sent.
    let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
    unsafe nghttp2_submit_goaway(session, none, last, NGHTTP2_NO_ERROR.rawValue, nil, 0)
  }

  /// Queues GOAWAY, after which nothing more is sent or received.
  func terminate(_ code: nghttp2_error_code) {
    // SAFETY: the session is live.
    unsafe nghttp2_session_terminate_session(session, code.rawValue)
  }

  /// Calls `submit` with the fields that `fill` adds.
  private func withFields(
    _ fill: (inout FieldBlock) -> Void, submit: (UnsafeBufferPointer<nghttp2_nv>) -> Int32
  ) {
    // Moved out of self, so that `self.block` is not being accessed while nghttp2 is called.
    var block = FieldBlock()
    swap(&block, &self.block)
    block.clear()
    fill(&block)
    // SAFETY: `submit` passes the fields to nghttp2, which copies them.
    Self.require(unsafe block.withPairs(submit))
    swap(&block, &self.block)
  }

  /// Ends the process if nghttp2 refused a call: that is our own bug, or memory is exhausted.
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
