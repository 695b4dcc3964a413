import CLinux
import Glibc
import HTTPCore

/// A TCP socket as it is.
final class SocketTransport: Transport {
  let peer: PeerWatch
  private let socket: Descriptor
  private let poller: Poller
  private let token: UInt64
  private var isWatched = false

  /// - Parameter token: what events of the poller are to carry.
  init(_ socket: consuming Descriptor, poller: Poller, token: UInt64) {
    peer = PeerWatch(socket.number)
    self.socket = socket
    self.poller = poller
    self.token = token
  }

  /// Before the socket is closed.
  deinit { peer.end() }

  var unacknowledgedCount: Int { Int(clinux_unacknowledged_bytes(socket.number)) }

  func watch(for readiness: Poller.Readiness) -> Bool {
    if isWatched {
      poller.modify(socket, for: readiness, token: token)
    } else {
      isWatched = poller.add(socket, for: readiness, token: token)
    }
    return isWatched
  }

  func read(into buffer: inout MutableSpan<UInt8>) -> TransferResult {
    let count = unsafe buffer.withUnsafeMutableBufferPointer { bytes in
      // SAFETY: the kernel writes at most the buffer's own count of bytes.
      unsafe Glibc.read(socket.number, bytes.baseAddress, bytes.count)
    }
    if count > 0 { return .moved(count) }
    if count == 0 { return .ended }
    return errno == EAGAIN || errno == EINTR ? .wouldBlock : .failed
  }

  func write(_ bytes: Span<UInt8>) -> TransferResult {
    while true {
      let count = unsafe bytes.withUnsafeBufferPointer { bytes in
        // SAFETY: the kernel reads the buffer's own count of bytes.
        unsafe send(socket.number, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
      }
      if count > 0 { return .moved(count) }
      if errno == EAGAIN { return .wouldBlock }
      if errno != EINTR { return .failed }
    }
  }

  func endOutput() {
    peer.end()
    _ = shutdown(socket.number, CInt(SHUT_WR))
  }

  /// The descriptor lives as long as this does.
  func close() {
    if isWatched { poller.remove(socket) }
    isWatched = false
  }
}
