import HTTPCore

/// The result of an attempt to move bytes.
enum TransferResult: Equatable {
  /// This many bytes were moved, at least one.
  case moved(Int)
  /// No byte can be moved now; the readiness that the transport is watched for says when to try again.
  case wouldBlock
  /// The peer has ended its side, and everything is read.
  case ended
  /// The connection is broken.
  case failed
}

/// A protocol that peers agree on by ALPN (RFC 7301).
enum AgreedProtocol { case http1, http2 }

/// Moves a connection's bytes; never blocks.
///
/// A transport that encrypts needs no more than this: its handshake runs within `read` and `write`, `watch` and
/// `translate` deal with the readiness that these wait for, and `endOutput` sends close-notify.
protocol Transport: AnyObject {
  /// Tells whether the peer has left, from any thread.
  var peer: PeerWatch { get }

  /// How many of the bytes that `write` took the peer has not acknowledged; the end of this side (FIN) counts as one.
  var unacknowledgedCount: Int { get }

  /// Whether a handshake is under way; until it is complete, nothing of a request can come.
  var isHandshaking: Bool { get }

  /// The protocol that a handshake settled; nil where none did, so that the first bytes tell.
  var agreedProtocol: AgreedProtocol? { get }

  /// The name in the certificate that the peer has shown; nil when it has shown none.
  var peerName: String? { get }

  /// The client's address, once a peer that is a proxy has named it; nil when the peer speaks for itself.
  var clientAddress: PeerAddress? { get }

  /// Whether the end of the peer's side has come with the bytes of the last `read`, so that the next one returns it
  /// although the poller has nothing to report.
  var hasEndBehindInput: Bool { get }

  /// About the memory that the transport takes, besides the bytes that it moves.
  var heldBytes: Int { get }

  /// Has the loop's poller report `readiness`, and failures, from now on; returns whether that could be arranged.
  func watch(for readiness: Poller.Readiness) -> Bool

  /// Returns what the reported `readiness` of the socket means for the caller: whether to read or to write.
  func translate(_ readiness: Poller.Readiness) -> Poller.Readiness

  /// Reads the bytes that have come, as far as `buffer` has room.
  func read(into buffer: inout MutableSpan<UInt8>) -> TransferResult

  /// Sends `bytes`, of which there must be at least one, or the first of them.
  func write(_ bytes: Span<UInt8>) -> TransferResult

  /// Ends this side; the peer may go on sending.
  func endOutput()

  /// Ends both sides: nothing is read, sent or reported any more.
  func close()
}

/// The defaults, for transports that move bytes as they are.
extension Transport {
  var isHandshaking: Bool { false }
  var agreedProtocol: AgreedProtocol? { nil }
  var peerName: String? { nil }
  var clientAddress: PeerAddress? { nil }
  var heldBytes: Int { 0 }
  var hasEndBehindInput: Bool { false }
  func translate(_ readiness: Poller.Readiness) -> Poller.Readiness { readiness }
}
