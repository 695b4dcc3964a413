import HTTPCore

/// How much an HTTP/2 peer may make the server hold or do; each limit is the largest amount that is still accepted.
/// Sources/ARCHITECTURE.md (Settings) says which of them are not settings, and why.
package struct HTTP2Limits: Sendable, Equatable {
  /// `max_concurrent_streams`: requests under way at once; beyond it REFUSED_STREAM.
  package var maxConcurrentStreams = 256
  /// `max_head_bytes`: the fields of a request, 32 bytes added for each (RFC 9113 §6.5.2); beyond
  /// it 431.
  package var maxHeadBytes = 16 * 1024
  /// `max_unpacked_head_bytes`: the same count over a stream's head and trailers, as a few bytes can unpack to many;
  /// beyond it GOAWAY, and no more is unpacked.
  package var maxUnpackedHeadBytes = 32 * 1024
  /// `max_field_bytes_at_once`: the same count over all streams of a connection in one call of `receive`; the input
  /// behind it waits for the next call.
  package var maxFieldBytesAtOnce = 8 * 1024
  /// `max_target_bytes`: the `:path`; beyond it 414.
  package var maxTargetBytes = 8 * 1024
  /// `max_fields`: fields in a head, pseudo-header fields not counted; beyond it 431.
  package var maxFields = 100
  /// `max_body_bytes`: a request's body; beyond it 413.
  package var maxBodyBytes = 16 * 1024 * 1024
  /// The most memory that all bodies may take, in bytes; a body that would take more by itself gets 413.
  package var maxBodyMemory = Int.max
  /// `max_incomplete_bytes`: the bodies of one connection that are incomplete, or not read yet, together; the stream
  /// that exceeds it is reset: with REFUSED_STREAM, which tells its client that it can try again, or with CANCEL if its
  /// body is read in parts.
  package var maxIncompleteBytes = 64 * 1024 * 1024
  /// `max_discarded_bytes`: how much of a body is thrown away after an early response, as some clients, curl among
  /// them, lose that response if their upload is reset at once; beyond it RST_STREAM.
  package var maxDiscardedBytes = 1024 * 1024
  /// `stream_window_bytes`: the flow-control window of a stream and of the connection, below 2³¹; a body that fits
  /// needs no round trip. So much of a body that is read in parts may wait for its reader.
  package var windowBytes = 1024 * 1024
  /// `max_fruitless_frames`: frames in a row without progress of a request (PING, SETTINGS, PRIORITY, WINDOW_UPDATE,
  /// empty DATA, …); beyond it GOAWAY.
  package var maxFruitlessFrames = 1000
  /// `max_resets`: streams that end unanswered, less those answered since; beyond it GOAWAY
  /// (CVE-2023-44487, CVE-2025-8671).
  package var maxResets = 512

  /// The defaults.
  package init() {}

  /// The limit of the body of a request whose head takes `headBytes` of memory.
  func bodyLimit(headBytes: Int) -> BodyLimit {
    BodyLimit(maxBodyBytes: maxBodyBytes, maxBodyMemory: maxBodyMemory, headBytes: headBytes)
  }
}
