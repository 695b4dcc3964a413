import HTTPCore

/// What a connection's protocol handed over to be sent, and its transport has not taken.
struct OutputBuffer {
  /// What an attempt to send came to.
  enum Result {
    /// Everything is sent.
    case drained
    /// The peer takes no more for now.
    case blocked
    /// As much is sent as was to be at once.
    case paused
    /// The connection is broken.
    case failed
  }

  private var bytes: [UInt8] = []
  private var start = 0
  /// How many bytes the transport has taken in all.
  private(set) var sentCount = 0
  /// Whether the last `send` got to the end of what had been taken from the protocol before.
  private(set) var hasCaughtUp = false

  /// So many bytes are sent at once: about as many as a socket takes in 50 µs.
  private static let maxBytesAtOnce = 64 * 1024

  /// How many bytes wait for the peer to take them.
  var count: Int { bytes.count - start }

  /// The memory that they take.
  var capacity: Int { bytes.capacity }

  /// Sends what there is, or a part of it, until the transport takes no more; adds what it took to `sent`.
  ///
  /// - Parameter next: hands over what is to be sent then; empty where there is nothing.
  mutating func send(
    over transport: any Transport, _ sent: inout Int, next: () -> [UInt8]
  ) -> Result {
    hasCaughtUp = false
    var rest = Self.maxBytesAtOnce
    while true {
      if count == 0 {
        hasCaughtUp = true
        bytes = next()
        start = 0
        if bytes.isEmpty { return .drained }
      }
      guard rest > 0 else { return .paused }
      switch transport.write(bytes.span.extracting(start..<(start + min(rest, count)))) {
      case .moved(let moved):
        start += moved
        sentCount += moved
        sent += moved
        rest -= moved
      case .wouldBlock: return .blocked
      case .ended, .failed: return .failed
      }
    }
  }
}
