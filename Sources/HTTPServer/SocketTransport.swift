import CLinux
import Glibc
import HTTPCore

/// Moves bytes over a TCP socket, unencrypted.
final class SocketTransport: Transport {
  let peer: PeerWatch
  private var socket: WatchedSocket

  /// - Parameter token: the token that events of the poller carry.
  init(_ socket: consuming Descriptor, poller: Poller, token: UInt64) {
    peer = PeerWatch(socket.number)
    self.socket = WatchedSocket(socket, poller: poller, token: token)
  }

  /// Ends the watch before the socket is closed.
  deinit { peer.end() }

  var unacknowledgedCount: Int { Int(clinux_unacknowledged_bytes(socket.number)) }

  func watch(for readiness: Poller.Readiness) -> Bool { socket.watch(for: readiness) }

  func read(into buffer: inout MutableSpan<UInt8>) -> TransferResult {
    let count = unsafe buffer.withUnsafeMutableBufferPointer { bytes in
      // SAFETY: the kernel writes at most the buffer's own count of bytes.
      unsafe clinux_receive(socket.number, bytes.baseAddress, UInt(bytes.count))
    }
    if count > 0 { return .moved(count) }
    if count == 0 { return .ended }
    return errno == EAGAIN || errno == EINTR ? .wouldBlock : .failed
  }

  func write(_ bytes: Span<UInt8>) -> TransferResult {
    while true {
      let count = unsafe bytes.withUnsafeBufferPointer { bytes in
        // SAFETY: the kernel reads the buffer's own count of bytes.
        unsafe clinux_send(
          socket.number, bytes.baseAddress, UInt(bytes.count), CInt(MSG_NOSIGNAL))
      }
      if count > 0 { return .moved(count) }
      if errno == EAGAIN { return .wouldBlock }
      if errno != EINTR { return .failed }
    }
  }

  func endOutput() {
    peer.end()
    socket.endOutput()
  }

  func close() {
    // First end the watch: the number of a closed descriptor may be reused.
    peer.end()
    socket.close()
  }
}
