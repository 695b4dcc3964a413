import HTTPCore

/// The bytes that a connection's protocol has handed over and its transport has not taken yet.
struct OutputBuffer {
  /// The result of an attempt to send.
  enum Result {
    /// Everything is sent.
    case drained
    /// The transport takes no more for now.
    case blocked
    /// As much is sent as one call may send, and there is more.
    case paused
    /// The connection is broken.
    case failed
  }

  private var bytes: [UInt8] = []
  private var start = 0
  /// How many bytes the transport has taken in all.
  private(set) var sentCount = 0
  /// Whether the last `send` sent everything that earlier calls had taken from the protocol.
  private(set) var hasCaughtUp = false

  /// The most bytes that one call sends: about as many as a socket takes in 50 µs.
  private static let maxBytesAtOnce = 64 * 1024

  /// How many bytes wait to be sent.
  var count: Int { bytes.count - start }

  /// The memory that the buffer takes, in bytes.
  var capacity: Int { bytes.capacity }

  /// Sends until everything is sent, the transport takes no more, or `maxBytesAtOnce` are sent; adds the number of
  /// bytes that the transport took to `sent`.
  ///
  /// - Parameter next: returns the bytes to send once the buffer is empty; an empty array if there are none.
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
