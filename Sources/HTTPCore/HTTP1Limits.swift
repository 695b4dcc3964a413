/// How much an HTTP/1 peer may make us hold; each bound is the largest amount that is still taken.
///
/// Which of them are no settings, and why, says Sources/ARCHITECTURE.md (Settings).
package struct HTTP1Limits: Sendable, Equatable {
  /// `max_head_bytes`: the request line and fields, up to the end of the empty line; beyond it 431,
  /// or 414 while the request line is still under way.
  package var maxHeadBytes = 16 * 1024
  /// `max_method_bytes`: the method; beyond it 501.
  package var maxMethodBytes = 64
  /// `max_target_bytes`: the request target; beyond it 414.
  package var maxTargetBytes = 8 * 1024
  /// `max_fields`: field lines in a head; beyond it 431.
  package var maxFields = 100
  /// `max_body_bytes`: a body after chunked decoding; beyond it 413.
  package var maxBodyBytes = 16 * 1024 * 1024
  /// What all bodies may take in memory: one that takes more by itself gets 413.
  package var maxBodyMemory = Int.max
  /// `max_chunk_extension_bytes`: the extensions of one chunk; beyond it 400.
  package var maxChunkExtensionBytes = 256
  /// `max_trailer_bytes`: the trailer section of a chunked body; beyond it 431.
  package var maxTrailerBytes = 8 * 1024
  /// `max_discarded_bytes`: what is read and thrown away of a body that nobody wants, so that its connection lives on; where
  /// more is announced, or comes, it closes behind the answer.
  package var maxDiscardedBytes = 64 * 1024
  /// `max_unread_bytes`: what may wait for its reader of a body that is read in parts, before no more of it is taken.
  package var maxUnreadBytes = 64 * 1024
  /// `max_pipelined`: requests of one connection that wait for their responses; more are read later.
  package var maxPipelined = 32

  /// The defaults.
  package init() {}

  /// How long the body of a request may be whose head takes `headBytes`.
  func bodyLimit(headBytes: Int) -> BodyLimit {
    BodyLimit(maxBodyBytes: maxBodyBytes, maxBodyMemory: maxBodyMemory, headBytes: headBytes)
  }
}
