import JSON

/// The events of one stream that are not written yet, and when they are to be.
///
/// A write costs far more than a token: a hop to the loop, a system call there and one of the client's. So tokens that
/// come in quick succession are written together; each is an event of its own all the same. Whoever waits for a slow model
/// gets each token at once.
struct EventBuffer {
  /// What to do with an event that was added.
  enum Action: Equatable {
    /// Write all that is held.
    case write
    /// Write all that is held after `interval`.
    case writeLater
    /// Nothing: a write is due already.
    case none
  }

  typealias Instant = ContinuousClock.Instant

  /// Less than this lies between two writes only where they are large: too short for a reader to notice.
  static let interval = Duration.milliseconds(2)
  /// So many bytes are written at once.
  static let maxBytes = 512

  private var writer = JSONWriter()
  private var lastWrite: Instant?
  private var isWriteDue = false

  /// Adds an event whose data are what `write` writes.
  mutating func add(
    isError: Bool = false, now: Instant, _ write: (inout JSONWriter) -> Void
  ) -> Action {
    writer.raw(isError ? "event: error\ndata: " : "data: ")
    write(&writer)
    writer.raw("\n\n")
    if writer.bytes.count >= Self.maxBytes { return .write }
    if isWriteDue { return .none }
    if let lastWrite, lastWrite.duration(to: now) < Self.interval {
      isWriteDue = true
      return .writeLater
    }
    return .write
  }

  /// Hands over all that is held, which is written now.
  mutating func flush(now: Instant) -> [UInt8] {
    lastWrite = now
    return writer.takeBytes()
  }

  /// The write that `writeLater` asked for is under way: the next one is not due.
  mutating func endWait() { isWriteDue = false }
}
