import HTTPCore

/// The result of an attempt to move bytes.
enum TransferResult: Equatable {
  /// So many were moved, one at least.
  case moved(Int)
  /// None can be moved now; the readiness that the transport is watched for says when to try again.
  case wouldBlock
  /// The peer has ended its side, and everything is read.
  case ended
  /// The connection is broken.
  case failed
}

/// Moves a connection's bytes; never blocks.
///
/// A transport that encrypts needs no more than this: its handshake runs within `read` and `write`, `watch` translates what
/// those wait for, and `endOutput` sends close-notify.
protocol Transport: AnyObject {
  /// Tells whether the peer has left, from any thread.
  var peer: PeerWatch { get }

  /// How many of the bytes that `write` took the peer has not acknowledged, the end of this side with them.
  var unacknowledgedCount: Int { get }

  /// Whether a handshake is under way, before which nothing of a request can come.
  var isOpening: Bool { get }

  /// What the peer has shown that it is called, by its certificate; nil where it has shown none.
  var peerName: String? { get }

  /// Whom the peer passes on, as far as it has said so; nil where it speaks for itself.
  var clientAddress: PeerAddress? { get }

  /// About what it takes in memory beside what it moves.
  var heldBytes: Int { get }

  /// Reports `readiness`, and failures, from now on; returns whether that could be arranged.
  func watch(for readiness: Poller.Readiness) -> Bool

  /// What `readiness`, as it was reported, means for whoever reads and writes.
  func translate(_ readiness: Poller.Readiness) -> Poller.Readiness

  /// Reads what has come, as far as `buffer` has room.
  func read(into buffer: inout MutableSpan<UInt8>) -> TransferResult

  /// Sends `bytes`, of which there is one at least, or the first of them.
  func write(_ bytes: Span<UInt8>) -> TransferResult

  /// Ends this side; the peer may go on.
  func endOutput()

  /// Ends both sides: nothing is read, sent or reported any more.
  func close()
}

/// Of transports that move bytes as they are.
extension Transport {
  var isOpening: Bool { false }
  var peerName: String? { nil }
  var clientAddress: PeerAddress? { nil }
  var heldBytes: Int { 0 }
  func translate(_ readiness: Poller.Readiness) -> Poller.Readiness { readiness }
}
