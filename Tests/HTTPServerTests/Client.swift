import Glibc
import TestSupport

@testable import HTTPServer

/// A blocking client that sends and receives raw bytes, and gives up after `patience`.
final class Client {
  private let socket: Descriptor

  /// Connects; nil when the server refuses.
  init?(port: Int, host: String = "127.0.0.1") {
    guard let address = try? SocketAddress.resolve(host, port: port).first,
      let socket = Descriptor(
        adopting: Glibc.socket(address.family, CInt(SOCK_STREAM.rawValue), 0))
    else { return nil }
    var limit = timeval(tv_sec: Int(patience / .seconds(1)), tv_usec: 0)
    // SAFETY: the kernel reads a timeval that lives through the call.
    _ = unsafe setsockopt(
      socket.number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    guard address.connect(socket) else { return nil }
    self.socket = socket
  }

  var descriptor: CInt { socket.number }

  /// The port that it connects from.
  var port: Int { SocketAddress(boundTo: socket).port }

  /// Limits the bytes that the kernel holds for us, for a client that does not read.
  func shrinkReceiveBuffer() { socket.set(SO_RCVBUF, to: 4096) }

  /// Sends everything; returns whether the peer took it.
  @discardableResult
  func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        // SAFETY: sent < count, so the range lies within the array.
        unsafe Glibc.send(
          socket.number, buffer.baseAddress! + sent, buffer.count - sent, CInt(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// Ends our side of the connection, as `nc` does at the end of its input.
  func endOutput() { _ = shutdown(socket.number, CInt(SHUT_WR)) }

  /// Whether something has arrived.
  var hasInput: Bool {
    var entry = pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0)
    // SAFETY: the kernel reads and writes the one entry during the call.
    return unsafe poll(&entry, 1, 0) == 1
  }

  /// What arrives next; empty at the end, nil at a reset or when nothing comes.
  func receiveBytes() -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    // SAFETY: the kernel writes at most the array's count of bytes.
    let count = unsafe recv(socket.number, &buffer, buffer.count, 0)
    return count >= 0 ? Array(buffer.prefix(count)) : nil
  }

  /// Everything until the server closes; nil when it does not.
  func receiveAll() -> String? { receiveAllBytes().map { String(decoding: $0, as: UTF8.self) } }

  /// Everything until the server closes; nil when it does not.
  func receiveAllBytes() -> [UInt8]? {
    var bytes: [UInt8] = []
    while let piece = receiveBytes() {
      if piece.isEmpty { return bytes }
      bytes += piece
    }
    return nil
  }

  /// What arrives until it ends in `suffix`; nil when that never comes.
  func receive(until suffix: String) -> String? {
    var text = ""
    while let piece = receiveBytes(), !piece.isEmpty {
      text += String(decoding: piece, as: UTF8.self)
      if text.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) { return text }
    }
    return nil
  }
}

extension SocketAddress {
  /// Connects `socket` to this address.
  fileprivate func connect(_ socket: borrowing Descriptor) -> Bool {
    let number = socket.number
    // SAFETY: the pointer is valid for `size` bytes during the call.
    return unsafe withPointer { address, size in
      unsafe Glibc.connect(number, address, size) == 0
    }
  }
}
