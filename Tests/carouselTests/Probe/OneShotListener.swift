import Dispatch
import Glibc
import Synchronization

/// Accepts one connection on the loopback, reads what comes first, answers with given bytes and closes.
/// It lives until it has served, so a test that makes one must connect to it.
final class OneShotListener: Sendable {
  let port: UInt16
  private let descriptor: Int32
  private let served = DispatchGroup()
  private let received = Mutex<[UInt8]>([])

  /// - Parameters:
  ///   - isIPv6: listens on ::1 rather than 127.0.0.1.
  ///   - answer: sent in reply, piece by piece; nil accepts and stays silent until the client leaves.
  init?(isIPv6: Bool = false, answer: [String]?) {
    let family = isIPv6 ? AF_INET6 : AF_INET
    descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
    var port: UInt16 = 0
    // SAFETY: each address outlives its call and is passed with its own size.
    if isIPv6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { unsafe $0[15] = 1 }
      guard Self.listen(descriptor, &address) else { return nil }
      port = UInt16(bigEndian: address.sin6_port)
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      guard Self.listen(descriptor, &address) else { return nil }
      port = UInt16(bigEndian: address.sin_port)
    }
    self.port = port
    DispatchQueue.global().async(group: served) { self.serve(answer) }
  }

  deinit { close(descriptor) }

  /// What the client sent, once it has been served.
  var request: String {
    served.wait()
    return String(decoding: received.withLock { $0 }, as: UTF8.self)
  }

  private static func listen<Address>(_ descriptor: Int32, _ address: inout Address) -> Bool {
    var size = socklen_t(MemoryLayout<Address>.size)
    return unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        let bound = unsafe bind(descriptor, pointer, size) == 0
        let named = unsafe getsockname(descriptor, pointer, &size) == 0
        return bound && named && Glibc.listen(descriptor, 1) == 0
      }
    }
  }

  private func serve(_ answer: [String]?) {
    // SAFETY: each buffer outlives its call, which is told its size.
    let connection = accept(descriptor, nil, nil)
    guard connection >= 0 else { return }
    defer { close(connection) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    var count = unsafe recv(connection, &buffer, buffer.count, 0)
    let first = Array(buffer.prefix(max(0, count)))
    received.withLock { $0 = first }
    guard let answer else {
      while count > 0 { count = unsafe recv(connection, &buffer, buffer.count, 0) }
      return
    }
    for piece in answer {
      _ = unsafe send(connection, piece, piece.utf8.count, Int32(MSG_NOSIGNAL))
    }
  }
}
