import CLinux
import Glibc
import HTTPCore

/// An address and port that a socket can be bound to.
struct SocketAddress {
  private var storage: sockaddr_storage
  private var size: socklen_t

  var family: CInt { CInt(storage.ss_family) }

  /// The addresses that `host`, a name or a numeric address, stands for.
  static func resolve(_ host: String, port: Int) throws(HTTPServerError) -> [SocketAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    // SAFETY: the strings live through the call; the list is walked here and freed below.
    let code = unsafe getaddrinfo(host, String(port), &hints, &list)
    guard code == 0 else { throw .unresolvable(address: host, code: code) }
    defer { unsafe freeaddrinfo(list) }
    var addresses: [SocketAddress] = []
    var next = unsafe list
    while let entry = unsafe next {
      unsafe addresses.append(SocketAddress(copying: entry.pointee))
      unsafe next = entry.pointee.ai_next
    }
    return addresses
  }

  private init(copying entry: addrinfo) {
    storage = sockaddr_storage()
    size = unsafe entry.ai_addrlen
    // SAFETY: ai_addr points to ai_addrlen bytes, never more than a sockaddr_storage holds.
    unsafe memcpy(&storage, entry.ai_addr, Int(entry.ai_addrlen))
  }

  /// The address that `socket` is bound to.
  init(boundTo socket: borrowing Descriptor) {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    // SAFETY: the kernel writes at most `size` bytes into a local of that size.
    unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      _ = unsafe getsockname(
        socket.number, UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self),
        &size)
    }
    self.storage = storage
    self.size = size
  }

  /// An empty address, for a system call to fill in.
  init() {
    storage = sockaddr_storage()
    size = socklen_t(MemoryLayout<sockaddr_storage>.size)
  }

  /// Accepts a connection that waits at `listener`, and sets this address to the address of the peer.
  ///
  /// - Returns: the descriptor of the connection, or -1 with `errno`.
  mutating func accept(from listener: borrowing Descriptor, _ flags: CInt) -> CInt {
    let number = listener.number
    // SAFETY: the kernel writes at most `size` bytes into `storage`, which is that large, and the length of the address
    // into `size`.
    return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe accept4(
        number, UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), &size,
        flags)
    }
  }

  /// The IP address and the port.
  var peerAddress: PeerAddress {
    // The address follows the port, or the flow label of IPv6 (ip(7), ipv6(7)).
    let range = family == AF_INET6 ? 8..<24 : 4..<8
    return unsafe withUnsafeBytes(of: storage) { bytes in
      // SAFETY: the range lies within a sockaddr_in, or a sockaddr_in6.
      unsafe PeerAddress(bytes: Array(bytes[range]), port: port)
    }
  }

  /// The port: two bytes, big-endian, behind the family, at the same place in both families.
  var port: Int {
    get {
      unsafe withUnsafeBytes(of: storage) { bytes in
        // SAFETY: offsets 2 and 3 lie within every socket address.
        unsafe Int(bytes[2]) << 8 | Int(bytes[3])
      }
    }
    set {
      unsafe withUnsafeMutableBytes(of: &storage) { bytes in
        // SAFETY: as above.
        unsafe bytes[2] = UInt8(newValue >> 8 & 0xFF)
        unsafe bytes[3] = UInt8(newValue & 0xFF)
      }
    }
  }

  /// Binds `socket`; returns 0, or the errno.
  func bind(_ socket: borrowing Descriptor) -> CInt {
    let number = socket.number
    // SAFETY: the pointer is valid for `size` bytes during the call.
    return unsafe withPointer { address, size in
      unsafe Glibc.bind(number, address, size) == 0 ? 0 : errno
    }
  }

  /// Calls `body` with the address as system calls take it.
  @unsafe
  func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    unsafe withUnsafePointer(to: storage) { pointer in
      // SAFETY: every socket address begins as a sockaddr does.
      unsafe body(UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), size)
    }
  }
}
