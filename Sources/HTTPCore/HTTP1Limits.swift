/// How much an HTTP/1 peer may make this server hold; each limit is the largest amount that is accepted.
///
/// The section Settings of Sources/ARCHITECTURE.md says which of them are not settings, and why.
package struct HTTP1Limits: Sendable, Equatable {
  /// `max_head_bytes`: the request line and fields, up to the end of the empty line; more gets 431, or 414 while the
  /// request line is incomplete.
  package var maxHeadBytes = 16 * 1024
  /// The method's bytes, over HTTP/2 too; more gets 400. Not a setting.
  package static let maxMethodBytes = 64
  /// `max_target_bytes`: the request target; more gets 414.
  package var maxTargetBytes = 8 * 1024
  /// `max_fields`: field lines in a head; more get 431.
  package var maxFields = 100
  /// `max_body_bytes`: a body after chunked decoding; more gets 413.
  package var maxBodyBytes = 16 * 1024 * 1024
  /// The bytes of memory that all bodies together may take: a body that alone would take more gets 413.
  package var maxBodyMemory = Int.max
  /// The bytes of one chunk's extensions; more get 400. Not a setting.
  package var maxChunkExtensionBytes = 256
  /// The bytes of all extensions of a body beyond the free ones, which are 16 for each chunk and 2 for each byte of
  /// content; more get 400. Not a setting.
  package var maxExcessExtensionBytes = 16 * 1024
  /// The bytes of a chunked body's trailer section; more get 431. Not a setting.
  package var maxTrailerBytes = 8 * 1024
  /// The bytes of an unwanted body that are read and thrown away so that the connection can stay open. If more are
  /// announced, or come, the connection closes after the response. Not a setting.
  package var maxDiscardedBytes = 64 * 1024
  /// The bytes of a body passed on in parts that may wait for the application; while as many wait, no more of the body
  /// is read. Not a setting.
  package var maxUnreadBytes = 64 * 1024
  /// The requests of one connection that may wait for their responses; further ones are read later. Not a setting.
  package var maxPipelined = 32

  /// The default limits.
  package init() {}

  /// The limit of the body of a request whose head takes about `headBytes` bytes of memory.
  package func bodyLimit(headBytes: Int) -> BodyLimit {
    BodyLimit(maxBodyBytes: maxBodyBytes, maxBodyMemory: maxBodyMemory, headBytes: headBytes)
  }
}
