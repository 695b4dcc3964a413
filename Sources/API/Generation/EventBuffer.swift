import JSON

/// The events of one stream that are not written yet, and when to write them.
///
/// A write costs far more than a token: a hop to the loop, and a system call on each side. So tokens in quick
/// succession are written together, each still as an event of its own. Tokens of a slow model are written at once.
struct EventBuffer {
  /// What to do after an event was added.
  enum Action: Equatable {
    /// Write all held events now.
    case write
    /// Write all held events after `interval`.
    case writeLater
    /// Nothing: a later write is already scheduled.
    case none
  }

  typealias Instant = ContinuousClock.Instant

  /// The least time between two writes, unless `maxBytes` are held: too short for a reader to notice.
  static let interval = Duration.milliseconds(2)
  /// Once this many bytes are held, they are written at once.
  static let maxBytes = 512

  private var writer = JSONWriter()
  private var lastWrite: Instant?
  private var isWriteDue = false

  /// Adds an event whose data `write` writes.
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

  /// Returns and clears all held events, which the caller writes now.
  mutating func flush(now: Instant) -> [UInt8] {
    lastWrite = now
    return writer.takeBytes()
  }

  /// Records that the write scheduled by `writeLater` takes place now, so that no later one is scheduled.
  mutating func endWait() { isWriteDue = false }
}
