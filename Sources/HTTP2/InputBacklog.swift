import HTTPCore

/// Input that waits since a call of `receive` stopped within it: fields unpack to far more than the bytes that stand for
/// them (RFC 7541 §7.3), so only so many are unpacked before others have their turn.
struct InputBacklog {
  /// What the fields of a call may come to.
  private let maxFieldBytes: Int
  private var fieldBytes = 0
  private var bytes: [UInt8] = []
  /// How many of them are taken.
  private var start = 0
  /// Whether this call stopped, or the last one did.
  private(set) var isWaiting = false

  /// No input waits.
  init(maxFieldBytesAtOnce: Int) { maxFieldBytes = maxFieldBytesAtOnce }

  /// The memory that it takes.
  var capacity: Int { bytes.capacity }

  /// Notes a field that was unpacked; returns whether the call is to go on.
  mutating func noteField(_ size: Int) -> Bool {
    fieldBytes += size
    isWaiting = fieldBytes >= maxFieldBytes
    return !isWaiting
  }

  /// Begins a call, with `more` behind what waits: returns both, and how many of their bytes are taken; nil where
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

  /// Keeps the rest of `input` if the call stopped: it has taken those before `start`.
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

  /// Lets go of what waits.
  mutating func drop() {
    bytes = []
    isWaiting = false
  }
}
