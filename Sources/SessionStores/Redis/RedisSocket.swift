import CLinux
import CSSL
import Glibc

/// A TCP connection that never blocks, for one thread; over TLS, whose handshake runs within `write` and `read`, where `secure` was
/// called.
@safe final class RedisSocket {
  let number: CInt
  // SAFETY: made in `secure`, freed in `deinit`, and nobody else has it.
  private var tls: OpaquePointer?
  /// Whether nothing can be written before something comes: the handshake's next part.
  private(set) var writeWaitsForInput = false

  private init(_ number: CInt) { self.number = number }

  deinit {
    // SAFETY: not used after this; nil is passed over.
    unsafe SSL_free(tls)
    _ = Glibc.close(number)
  }

  /// Speaks TLS from now on, to a peer whose certificate is of `host` and of the authorities in a file, or of the system's.
  func secure(host: String, authorities: String?) throws(RedisProblem) {
    // SAFETY: the connection holds the context, and is freed in deinit; names are copied.
    guard let context = unsafe cssl_new_client_context(authorities) else {
      throw .unfit(
        "TLS: the certificates of authorities can't be read from \(authorities ?? "the system's files")"
      )
    }
    unsafe tls = SSL_new(context)
    unsafe SSL_CTX_free(context)
    guard let tls = unsafe tls, unsafe cssl_verify_host(tls, host) == 1,
      unsafe SSL_set_fd(tls, number) == 1
    else { throw .unreachable("TLS: no connection for \(host)") }
    unsafe SSL_set_connect_state(tls)
  }

  /// What a call over TLS moved, 0 where it has to wait.
  private func moved(_ status: CInt, _ count: Int) throws(RedisProblem) -> Int {
    if status == 1 { return count }
    // SAFETY: asked on the thread of the call that failed, right behind it; texts are copied.
    switch unsafe tls.map({ unsafe SSL_get_error($0, status) }) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return 0
    case SSL_ERROR_ZERO_RETURN: throw .unreachable("it closed the connection")
    default:
      let code = errno
      if let reason = unsafe tls.flatMap({ unsafe cssl_refusal_of_certificate($0) }) {
        throw .unfit("TLS: its certificate is not accepted: \(unsafe String(cString: reason))")
      }
      let reason =
        ERR_peek_error() == 0 ? Self.message(code) : unsafe String(cString: cssl_reason())
      throw .unreachable("TLS: \(reason)")
    }
  }

  /// Whether more may be there, after a call that read so many bytes into a buffer of so many.
  func mayHaveMore(_ count: Int, of size: Int) -> Bool { unsafe tls != nil || count == size }

  /// The addresses of a host. Waits for the name servers, as long as the system is told to.
  static func addresses(
    of host: String, port: Int
  ) throws(RedisProblem) -> [(sockaddr_storage, socklen_t)] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    // SAFETY: both strings end with a zero, and the list is freed below.
    let code = unsafe getaddrinfo(host, String(port), &hints, &list)
    guard code == 0 else {
      // SAFETY: the message is the C library's own.
      throw .unreachable("\(host): \(unsafe String(cString: gai_strerror(code)))")
    }
    defer { unsafe freeaddrinfo(list) }
    var found: [(sockaddr_storage, socklen_t)] = []
    var next = unsafe list
    while let entry = unsafe next {
      var storage = sockaddr_storage()
      // SAFETY: ai_addr points to ai_addrlen bytes, never more than a sockaddr_storage holds.
      unsafe memcpy(&storage, entry.pointee.ai_addr, Int(entry.pointee.ai_addrlen))
      found.append((storage, unsafe entry.pointee.ai_addrlen))
      unsafe next = entry.pointee.ai_next
    }
    return found
  }

  /// Begins to connect: once the socket is writable, `failure` tells how that went.
  static func connecting(
    to address: (sockaddr_storage, socklen_t)
  ) throws(RedisProblem) -> RedisSocket {
    var storage = address.0
    let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let number = Glibc.socket(CInt(storage.ss_family), type, 0)
    guard number >= 0 else { throw .unreachable(message(errno)) }
    let socket = RedisSocket(number)
    socket.set(CInt(TCP_NODELAY), at: CInt(IPPROTO_TCP))
    socket.set(SO_KEEPALIVE, at: SOL_SOCKET)
    // SAFETY: the kernel reads as many bytes of a local as the address has.
    let status = unsafe withUnsafePointer(to: &storage) { pointer in
      unsafe connect(
        number, UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), address.1)
    }
    guard status == 0 || errno == EINPROGRESS else { throw .unreachable(message(errno)) }
    return socket
  }

  private func set(_ option: CInt, at level: CInt) {
    var value: CInt = 1
    // SAFETY: the kernel reads an integer that lives through the call.
    _ = unsafe setsockopt(number, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
  }

  /// Why connecting failed; nil where it did not.
  var failure: String? {
    var code: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    // SAFETY: the kernel writes one integer.
    let status = unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size)
    return status == 0 && code == 0 ? nil : Self.message(status == 0 ? code : errno)
  }

  /// Reads what has come, up to the buffer's size: how many bytes, 0 for none yet.
  func read(into buffer: inout [UInt8]) throws(RedisProblem) -> Int {
    if let tls = unsafe tls {
      var count = 0
      cssl_clear_errors()
      // SAFETY: OpenSSL writes at most the buffer's own count of bytes.
      let status = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe SSL_read_ex(tls, bytes.baseAddress, bytes.count, &count)
      }
      return try moved(status, count)
    }
    // SAFETY: the kernel writes at most the buffer's own count of bytes.
    let count = unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe recv(number, bytes.baseAddress, bytes.count, 0)
    }
    if count > 0 { return count }
    if count == 0 { throw .unreachable("it closed the connection") }
    guard errno == EAGAIN || errno == EINTR else { throw .unreachable(Self.message(errno)) }
    return 0
  }

  /// Writes what the socket takes: how many bytes.
  func write(_ bytes: ArraySlice<UInt8>) throws(RedisProblem) -> Int {
    if let tls = unsafe tls {
      var count = 0
      cssl_clear_errors()
      // SAFETY: OpenSSL reads the buffer's own count of bytes.
      let status = unsafe bytes.withUnsafeBytes { bytes in
        unsafe SSL_write_ex(tls, bytes.baseAddress, bytes.count, &count)
      }
      // SAFETY: as in `moved`.
      let code = unsafe SSL_get_error(tls, status)
      writeWaitsForInput = code == SSL_ERROR_WANT_READ
      return try moved(status, count)
    }
    // SAFETY: the kernel reads the buffer's own count of bytes.
    let count = unsafe bytes.withUnsafeBytes { bytes in
      unsafe send(number, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
    }
    if count >= 0 { return count }
    guard errno == EAGAIN || errno == EINTR else { throw .unreachable(Self.message(errno)) }
    return 0
  }

  private static func message(_ code: CInt) -> String {
    // SAFETY: the text is copied at once; of codes that it knows, the C library has constants.
    unsafe String(cString: strerror(code))
  }
}

/// Wakes a thread that waits in `wait`, from any thread.
final class RedisWakeup: Sendable {
  private let number: CInt

  init() {
    number = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
    precondition(number >= 0, "a process that serves has a descriptor left")
  }

  deinit { _ = Glibc.close(number) }

  func signal() { _ = eventfd_write(number, 1) }

  /// Waits for a socket, for a signal, or until `end`.
  ///
  /// - Returns: what the socket is ready for.
  func wait(
    for socket: RedisSocket?, output: Bool, until end: ContinuousClock.Instant
  ) -> (input: Bool, output: Bool) {
    var entries = [
      pollfd(fd: number, events: Int16(POLLIN), revents: 0),
      pollfd(fd: -1, events: Int16(POLLIN), revents: 0),
    ]
    if let socket {
      entries[1].fd = socket.number
      if output, !socket.writeWaitsForInput { entries[1].events |= Int16(POLLOUT) }
    }
    let (seconds, attoseconds) = ContinuousClock.now.duration(to: end).components
    // Rounded up, so that nobody comes back before `end` again and again.
    let milliseconds =
      seconds < 0 || attoseconds <= 0 && seconds == 0
      ? 0 : seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1
    // SAFETY: the kernel reads and writes the array's own entries.
    let count = unsafe poll(&entries, 2, CInt(clamping: min(milliseconds, 60_000)))
    guard count > 0 else { return (false, false) }
    if entries[0].revents != 0 {
      var value: eventfd_t = 0
      // SAFETY: the call writes one number.
      _ = unsafe eventfd_read(number, &value)
    }
    let events = Int32(entries[1].revents)
    let isBroken = events & (POLLERR | POLLHUP | POLLNVAL) != 0
    return (events & POLLIN != 0 || isBroken, events & POLLOUT != 0 || isBroken)
  }
}
