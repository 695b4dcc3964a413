import HTTPCore

/// Input that waits because a call of `HTTP2Connection.receive` stopped within it. Fields unpack to far more bytes than
/// were received (RFC 7541 §7.3), so a call unpacks only so many, and then other connections have their turn.
struct InputBacklog {
  /// How many bytes of unpacked fields make a call stop.
  private let maxFieldBytes: Int
  private var fieldBytes = 0
  private var bytes: [UInt8] = []
  /// How many of `bytes` were taken.
  private var start = 0
  /// Whether the current call stopped within its input; between calls, whether the last one did.
  private(set) var isWaiting = false

  /// A backlog in which no input waits.
  init(maxFieldBytesAtOnce: Int) { maxFieldBytes = maxFieldBytesAtOnce }

  /// The memory that the waiting input takes, in bytes.
  var capacity: Int { bytes.capacity }

  /// Counts a field that was unpacked; returns whether the call may continue.
  mutating func noteField(_ size: Int) -> Bool {
    fieldBytes += size
    isWaiting = fieldBytes >= maxFieldBytes
    return !isWaiting
  }

  /// Begins a call. Returns the waiting input with `more` behind it, and how many of these bytes were taken; nil if
  /// nothing waits, so that `more` need not be copied.
  mutating func begin(with more: Span<UInt8>) -> (bytes: [UInt8], start: Int)? {
    fieldBytes = 0
    guard isWaiting else { return nil }
    isWaiting = false
    var input: [UInt8] = []
    swap(&input, &bytes)
    input.append(copying: more)
    return (input, start)
  }

  /// Keeps `input` if the call stopped; the bytes before `start` were taken.
  mutating func keep(_ input: [UInt8], from start: Int) {
    guard isWaiting else { return }
    bytes = input
    self.start = start
  }

  /// Keeps a copy of `rest` if the call stopped.
  mutating func keep(_ rest: Span<UInt8>) {
    guard isWaiting else { return }
    start = 0
    bytes.append(copying: rest)
  }

  /// Drops the input that waits.
  mutating func drop() {
    bytes = []
    isWaiting = false
  }
}
