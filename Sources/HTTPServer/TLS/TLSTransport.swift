import CLinux
import CSSL
import Glibc
import HTTPCore

/// TLS over a TCP socket: its handshake runs within `read` and `write`.
@safe final class TLSTransport: Transport {
  let peer: PeerWatch
  private var socket: WatchedSocket
  /// Keeps alive what OpenSSL's callbacks point to.
  private let context: TLSContext
  /// Nil only if there was no memory for it.
  private let connection: OpaquePointer?
  private let counters: ServerCounters
  private var wanted = Poller.Readiness()
  private var isHandshakeOver = false
  /// Whether OpenSSL has to write before it can read more, so that reading waits until the socket is writable.
  private var readWaitsForOutput = false {
    didSet { if readWaitsForOutput != oldValue { watchAgain() } }
  }
  /// Whether OpenSSL has to read before it can write more, so that writing waits until the socket is readable.
  private var writeWaitsForInput = false {
    didSet { if writeWaitsForInput != oldValue { watchAgain() } }
  }
  /// Whether there was a fatal error, after which OpenSSL must not be called for this connection.
  private var isBroken = false
  private var writtenCount = 0
  private(set) var agreedProtocol: AgreedProtocol?
  private(set) var peerName: String?
  private(set) var hasEndBehindInput = false

  /// The most bytes in a TLS record (RFC 8446 §5.1).
  private static let maxRecordBytes = 16 * 1024

  /// About the memory that OpenSSL holds for an idle connection, in bytes.
  static let idleBytes = 24 * 1024

  /// - Parameter token: the token that events of the poller carry.
  init(
    _ socket: consuming Descriptor, context: TLSContext, counters: ServerCounters, poller: Poller,
    token: UInt64
  ) {
    peer = PeerWatch(socket.number)
    // SAFETY: freed in deinit, before the socket closes.
    unsafe connection = context.newConnection(socket.number)
    self.context = context
    self.counters = counters
    self.socket = WatchedSocket(socket, poller: poller, token: token)
  }

  deinit {
    // Before the socket is closed.
    peer.end()
    // SAFETY: made in init, not used after this; nil is passed over.
    unsafe SSL_free(connection)
  }

  var isHandshaking: Bool { !isHandshakeOver && !isBroken }

  var heldBytes: Int { Self.idleBytes }

  /// The kernel counts encrypted bytes, of which there are more than were written.
  var unacknowledgedCount: Int {
    min(writtenCount, Int(clinux_unacknowledged_bytes(socket.number)))
  }

  func watch(for readiness: Poller.Readiness) -> Bool {
    wanted = readiness
    return watch()
  }

  private func watch() -> Bool {
    var events = wanted
    // A socket that is writable all the time would keep the loop busy for nothing.
    if writeWaitsForInput { events = events.subtracting(.output).union(.input) }
    if readWaitsForOutput { events.insert(.output) }
    return socket.watch(for: events)
  }

  private func watchAgain() {
    if socket.isWatched { _ = watch() }
  }

  func translate(_ readiness: Poller.Readiness) -> Poller.Readiness {
    if readWaitsForOutput, readiness.contains(.output) { return readiness.union(.input) }
    // Only the writer waits for input.
    if writeWaitsForInput, !wanted.contains(.input), readiness.contains(.input) {
      return readiness.subtracting(.input).union(.output)
    }
    return readiness
  }

  func read(into buffer: inout MutableSpan<UInt8>) -> TransferResult {
    // The poller does not know of bytes that OpenSSL holds, so everything that OpenSSL has read from the socket is
    // taken here. Read-ahead is on for the first record only: it saves one call for the record's header, and another to
    // learn that no more has come. The buffer has room for that record, for what OpenSSL's buffer holds, and for the
    // record that the end of OpenSSL's buffer lies within.
    precondition(buffer.count >= 4 * Self.maxRecordBytes, "a record would be left behind")
    hasEndBehindInput = false
    guard !isBroken, let connection = unsafe connection else { return .failed }
    var filled = 0
    // SAFETY: the connection is live until deinit, here and below.
    unsafe SSL_set_read_ahead(connection, 1)
    while true {
      var count = 0
      cssl_clear_errors()
      let status = unsafe buffer.withUnsafeMutableBufferPointer { bytes in
        // SAFETY: writes at most as many bytes as are left behind `filled`.
        unsafe SSL_read_ex(connection, bytes.baseAddress! + filled, bytes.count - filled, &count)
      }
      noteHandshake()
      if status == 1 {
        readWaitsForOutput = false
        filled += count
        unsafe SSL_set_read_ahead(connection, 0)
        if unsafe SSL_has_pending(connection) == 1 { continue }
        break
      }
      let result = failure(status)
      if case .wouldBlock(let output) = result { readWaitsForOutput = output }
      guard filled > 0 else { return result.asTransfer }
      hasEndBehindInput = result.asTransfer != .wouldBlock
      break
    }
    return .moved(filled)
  }

  func write(_ bytes: Span<UInt8>) -> TransferResult {
    guard !isBroken, let connection = unsafe connection else { return .failed }
    var count = 0
    cssl_clear_errors()
    let status = unsafe bytes.withUnsafeBufferPointer { bytes in
      // SAFETY: reads at most the buffer's own count of bytes.
      unsafe SSL_write_ex(connection, bytes.baseAddress, bytes.count, &count)
    }
    noteHandshake()
    guard status != 1 else {
      writeWaitsForInput = false
      writtenCount += count
      return .moved(count)
    }
    let result = failure(status)
    if case .wouldBlock(let output) = result { writeWaitsForInput = !output }
    return result.asTransfer
  }

  private enum Failure {
    /// OpenSSL waits until the socket is readable, or writable if `output`.
    case wouldBlock(output: Bool)
    case ended
    case failed

    var asTransfer: TransferResult {
      switch self {
      case .wouldBlock: .wouldBlock
      case .ended: .ended
      case .failed: .failed
      }
    }
  }

  private func failure(_ status: CInt) -> Failure {
    // SAFETY: called on the thread of the call that failed, right after it.
    switch unsafe connection.map({ unsafe SSL_get_error($0, status) }) {
    case SSL_ERROR_WANT_READ: return .wouldBlock(output: false)
    case SSL_ERROR_WANT_WRITE: return .wouldBlock(output: true)
    case SSL_ERROR_ZERO_RETURN:
      if !isHandshakeOver { noteFailure() }
      return .ended
    default:
      if !isHandshakeOver { noteFailure() }
      isBroken = true
      return .failed
    }
  }

  private func noteHandshake() {
    guard !isHandshakeOver, let connection = unsafe connection,
      // SAFETY: the connection is live.
      unsafe SSL_is_init_finished(connection) == 1
    else { return }
    isHandshakeOver = true
    counters.tlsHandshakes.add(1, ordering: .relaxed)
    // SAFETY: the connection is live.
    unsafe agreedProtocol = agreed(on: connection)
    var text = [CChar](repeating: 0, count: 512)
    // SAFETY: writes at most as many bytes as `text` holds, the last of them zero.
    if unsafe cssl_peer_subject(connection, &text, CInt(text.count)) == 1 {
      peerName = String(
        decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  private func agreed(on connection: OpaquePointer) -> AgreedProtocol? {
    var name: UnsafePointer<UInt8>?
    var count: CUnsignedInt = 0
    // SAFETY: the name is OpenSSL's, and lives as long as the connection; it is read here only.
    unsafe SSL_get0_alpn_selected(connection, &name, &count)
    guard unsafe name != nil else { return nil }
    return count == 2 ? .http2 : .http1
  }

  private func noteFailure() {
    guard !isBroken else { return }
    isBroken = true
    counters.tlsFailures.add(1, ordering: .relaxed)
  }

  func endOutput() {
    peer.end()
    if isHandshakeOver, !isBroken {
      cssl_clear_errors()
      // SAFETY: the connection is live. If there is no room for its close-notify, the end of the socket (FIN) tells the
      // peer.
      _ = unsafe SSL_shutdown(connection)
    }
    socket.endOutput()
  }

  func close() {
    if isHandshakeOver, !isBroken {
      cssl_clear_errors()
      // SAFETY: as above; a second call does not wait for the peer.
      _ = unsafe SSL_shutdown(connection)
    }
    // OpenSSL must not use the descriptor's number from now on: it may be reused.
    isBroken = true
    peer.end()
    socket.close()
  }
}
