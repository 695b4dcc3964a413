import CSSL
import Glibc

/// Why a probe received no status.
enum ProbeError: Error, Equatable {
  case unknownHost(String)
  case system(call: String, code: Int32)
  case timeOut
  case notHTTP
  case tls(String)
}

extension ProbeError: CustomStringConvertible {
  var description: String {
    switch self {
    case .unknownHost(let reason): "unknown host: \(reason)"
    case .system(let call, let code): "\(call): \(systemMessage(code))"
    case .timeOut: "no answer in time"
    case .tls(let reason): "TLS: \(reason)"
    case .notHTTP: "the answer is not HTTP/1"
    }
  }
}

/// One blocking GET request, to see whether a server is healthy.
struct Probe {
  let target: ProbeTarget
  /// The time for everything: connecting, sending and receiving the status line.
  let timeoutSeconds: Double

  /// Sends the request and returns the status code.
  func status() throws(ProbeError) -> Int {
    let deadline = ContinuousClock.now + .seconds(timeoutSeconds)
    var socket = try connect(until: deadline)
    if target.isTLS { try socket.startTLS(host: target.host, until: deadline) }
    try socket.send(
      Array(
        "GET \(target.target) HTTP/1.1\r\nHost: \(target.authority)\r\nConnection: close\r\n\r\n"
          .utf8),
      until: deadline)
    return try Self.status(in: try socket.receiveLine(until: deadline))
  }

  /// The code of a status line such as `HTTP/1.1 200 OK` (RFC 9112 §4).
  static func status(in line: [UInt8]) throws(ProbeError) -> Int {
    let parts = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 2)
    guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), parts[1].utf8.count == 3,
      let code = Int(parts[1]), (100...599).contains(code)
    else { throw .notHTTP }
    return code
  }

  /// Connects to the first of the host's addresses that accepts.
  private func connect(until deadline: ContinuousClock.Instant) throws(ProbeError) -> ProbeSocket {
    // SAFETY: the strings and `hints` (whose pointers are nil) outlive the call; the list that it makes
    // is freed once, below.
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let failure = unsafe getaddrinfo(target.host, target.port, &hints, &list)
    guard failure == 0 else {
      // SAFETY: gai_strerror gives a constant string that ends with a zero byte.
      throw .unknownHost(unsafe String(cString: gai_strerror(failure)))
    }
    // SAFETY: the list is not used afterwards.
    defer { unsafe freeaddrinfo(list) }
    var lastError = ProbeError.unknownHost("no address")
    // SAFETY: the list's entries live until it is freed; the last one's `ai_next` is nil.
    var next = unsafe list
    while let entry = unsafe next {
      do {
        return try unsafe ProbeSocket(connectedTo: entry.pointee, until: deadline)
      } catch {
        lastError = error
      }
      unsafe next = unsafe entry.pointee.ai_next
    }
    throw lastError
  }
}

/// A connected TCP socket. All waits end at a deadline.
@safe private struct ProbeSocket: ~Copyable {
  private let descriptor: Int32
  /// The TLS connection; nil without TLS.
  private var tls: OpaquePointer?

  deinit {
    // SAFETY: made by `startTLS`, not used after this; SSL_free ignores nil.
    unsafe SSL_free(tls)
    close(descriptor)
  }

  /// Connects to `address`, which must be from getaddrinfo.
  @unsafe
  init(connectedTo address: addrinfo, until deadline: ContinuousClock.Instant) throws(ProbeError) {
    let type =
      Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    descriptor = unsafe socket(address.ai_family, type, address.ai_protocol)
    guard descriptor >= 0 else { throw .system(call: "socket", code: errno) }
    // SAFETY: the address is `ai_addrlen` bytes and outlives the call.
    if unsafe connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return }
    guard errno == EINPROGRESS else { throw .system(call: "connect", code: errno) }
    try wait(for: POLLOUT, until: deadline)
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    // SAFETY: `code` and `size` outlive the call, which writes at most `size` bytes to `code`.
    unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
    guard code == 0 else { throw .system(call: "connect", code: code) }
  }

  /// Makes the TLS handshake, and accepts any certificate: the request holds no secret.
  mutating func startTLS(
    host: String, until deadline: ContinuousClock.Instant
  ) throws(ProbeError) {
    // SAFETY: the connection holds the context, and is freed in deinit; the name is copied.
    guard let context = unsafe cssl_new_probe_context() else { throw .tls("out of memory") }
    unsafe tls = SSL_new(context)
    unsafe SSL_CTX_free(context)
    guard let tls = unsafe tls else { throw .tls("out of memory") }
    unsafe cssl_set_host(tls, host)
    unsafe SSL_set_fd(tls, descriptor)
    _ = try unsafe perform(tls, until: deadline) { unsafe SSL_connect($0) }
  }

  /// Repeats `call` until it transfers bytes; returns their number, 0 at the end.
  @unsafe private func perform(
    _ tls: OpaquePointer, until deadline: ContinuousClock.Instant,
    _ call: (OpaquePointer) -> CInt
  ) throws(ProbeError) -> Int {
    while true {
      cssl_clear_errors()
      // SAFETY: the connection is live.
      let count = unsafe call(tls)
      if count > 0 { return Int(count) }
      switch unsafe SSL_get_error(tls, count) {
      case SSL_ERROR_WANT_READ: try wait(for: POLLIN, until: deadline)
      case SSL_ERROR_WANT_WRITE: try wait(for: POLLOUT, until: deadline)
      case SSL_ERROR_ZERO_RETURN: return 0
      default: throw .tls(unsafe String(cString: cssl_reason()))
      }
    }
  }

  /// Sends all of `bytes`.
  func send(_ bytes: [UInt8], until deadline: ContinuousClock.Instant) throws(ProbeError) {
    if let tls = unsafe tls {
      // SAFETY: reads at most `bytes.count` bytes; as partial writes are off, all are sent.
      _ = try unsafe perform(tls, until: deadline) {
        unsafe SSL_write($0, bytes, CInt(bytes.count))
      }
      return
    }
    var sent = 0
    while sent < bytes.count {
      try wait(for: POLLOUT, until: deadline)
      // SAFETY: the call reads at most the `bytes.count - sent` bytes that follow `sent` in `bytes`.
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(
          descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count < 0 {
        guard errno == EAGAIN || errno == EINTR else { throw .system(call: "send", code: errno) }
      } else {
        sent += count
      }
    }
  }

  /// The bytes before the first CR, once a byte after it has arrived; fails if the first 4 KiB hold no such line.
  func receiveLine(until deadline: ContinuousClock.Instant) throws(ProbeError) -> [UInt8] {
    var line: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1024)
    while line.count < 4096 {
      if let tls = unsafe tls {
        // SAFETY: writes at most as many bytes as `chunk` has.
        let count = try unsafe perform(tls, until: deadline) {
          unsafe SSL_read($0, &chunk, CInt(chunk.count))
        }
        line += chunk[..<count]
        if let end = Self.lineEnd(in: line) { return Array(line[..<end]) }
        if count == 0 { break }
        continue
      }
      try wait(for: POLLIN, until: deadline)
      // SAFETY: the call writes at most `chunk.count` bytes from the start of `chunk`.
      let count = unsafe chunk.withUnsafeMutableBytes {
        unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
      }
      if count < 0 {
        guard errno == EAGAIN || errno == EINTR else { throw .system(call: "recv", code: errno) }
        continue
      }
      line += chunk[..<count]
      if let end = Self.lineEnd(in: line) { return Array(line[..<end]) }
      if count == 0 { break }
    }
    throw .notHTTP
  }

  /// The index of the first CR that another byte follows.
  private static func lineEnd(in bytes: [UInt8]) -> Int? {
    bytes.firstIndex(of: UInt8(ascii: "\r")).flatMap { $0 + 1 < bytes.count ? $0 : nil }
  }

  private func wait(
    for events: Int32, until deadline: ContinuousClock.Instant
  ) throws(ProbeError) {
    while true {
      let left = ContinuousClock.now.duration(to: deadline) / .milliseconds(1)
      guard left > 0 else { throw .timeOut }
      var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
      // SAFETY: `entry` is one pollfd and outlives the call.
      let count = unsafe poll(&entry, 1, Int32(left.rounded(.up)))
      if count > 0 { return }
      guard count == 0 || errno == EINTR else { throw .system(call: "poll", code: errno) }
    }
  }
}
