import CLinux
import Glibc
import HTTPCore

/// The socket of an accepted connection, and its peer.
struct AcceptedSocket: ~Copyable {
  let socket: Descriptor
  let peer: HTTPPeer
  /// Whether the connection speaks TLS.
  let isTLS: Bool

  /// Hands over the socket to its next owner.
  consuming func takeSocket() -> Descriptor { socket }
}

/// A listening socket.
final class Listener {
  /// accept(2) failed because descriptors or memory are exhausted.
  struct Exhaustion: Error {
    let errno: CInt
  }

  let socket: Descriptor
  private let isTLS: Bool

  /// Listens on `address`, beside the other loops' listeners on the same port (SO_REUSEPORT).
  init(on address: SocketAddress, host: String, isTLS: Bool) throws(HTTPServerError) {
    self.isTLS = isTLS
    socket = try Self.bind(address, host: host, sharesPort: true)
    // Accepted sockets inherit these options. Keep-alive detects peers whose machine is gone, which send neither FIN
    // nor reset.
    socket.set(TCP_NODELAY, at: CInt(IPPROTO_TCP), to: 1)
    socket.set(SO_KEEPALIVE, to: 1)
    socket.set(TCP_KEEPIDLE, at: CInt(IPPROTO_TCP), to: 30)
    socket.set(TCP_KEEPINTVL, at: CInt(IPPROTO_TCP), to: 10)
    socket.set(TCP_KEEPCNT, at: CInt(IPPROTO_TCP), to: 3)
    guard listen(socket.number, 4096) == 0 else {
      throw .systemCall(name: "listen", address: host, port: address.port, errno: errno)
    }
  }

  private static func bind(
    _ address: SocketAddress, host: String, sharesPort: Bool
  ) throws(HTTPServerError) -> Descriptor {
    let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    guard let socket = Descriptor(adopting: Glibc.socket(address.family, kind, 0)) else {
      throw .systemCall(name: "socket", address: host, port: address.port, errno: errno)
    }
    socket.set(SO_REUSEADDR, to: 1)
    if sharesPort { socket.set(SO_REUSEPORT, to: 1) }
    if address.family == AF_INET6 { socket.set(IPV6_V6ONLY, at: CInt(IPPROTO_IPV6), to: 0) }
    switch address.bind(socket) {
    case 0: return socket
    case EADDRINUSE: throw .addressInUse(address: host, port: address.port)
    case let code: throw .systemCall(name: "bind", address: host, port: address.port, errno: code)
    }
  }

  /// Accepts the next connection; returns nil when none waits.
  func accept() throws(Exhaustion) -> AcceptedSocket? {
    let flags = CInt(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    // accept(2) also reports errors of the new connection itself; the next connection may be fine.
    for _ in 0..<Self.maxFailures {
      var address = SocketAddress()
      let number = address.accept(from: socket, flags)
      if let descriptor = Descriptor(adopting: number) {
        return AcceptedSocket(
          socket: descriptor, peer: HTTPPeer(address: address.peerAddress), isTLS: isTLS)
      }
      switch errno {
      case EAGAIN: return nil
      case EMFILE, ENFILE, ENOBUFS, ENOMEM: throw Exhaustion(errno: errno)
      default: break
      }
    }
    return nil
  }

  /// After this many failures in a row other work has its turn; the poller reports the listener again in the next round.
  private static let maxFailures = 64

  /// Makes the listeners of `count` loops: for each loop, one for every address of `host`.
  ///
  /// If the machine has no IPv6, `::` means `0.0.0.0`.
  static func group(
    host: String, port: Int, isTLS: Bool, count: Int
  ) throws(HTTPServerError) -> (port: Int, loops: [[Listener]]) {
    do throws(HTTPServerError) {
      return try group(
        addresses: SocketAddress.resolve(host, port: port), host: host, isTLS: isTLS, count: count)
    } catch {
      guard host == "::", error.meansNoIPv6 else { throw error }
      return try group(host: "0.0.0.0", port: port, isTLS: isTLS, count: count)
    }
  }

  private static func group(
    addresses: [SocketAddress], host: String, isTLS: Bool, count: Int
  ) throws(HTTPServerError) -> (port: Int, loops: [[Listener]]) {
    var loops: [[Listener]] = Array(repeating: [], count: count)
    var port: Int?
    for var address in addresses {
      if let port { address.port = port }
      // With SO_REUSEPORT, bind may succeed although another process listens on the port. So a socket without that
      // option is bound first, and closed at once: it detects the other process, and finds a port if 0 asks for any.
      address.port = SocketAddress(boundTo: try bind(address, host: host, sharesPort: false)).port
      port = address.port
      for index in loops.indices {
        loops[index].append(try Listener(on: address, host: host, isTLS: isTLS))
      }
    }
    return (port ?? 0, loops)
  }
}

extension HTTPServerError {
  fileprivate var meansNoIPv6: Bool {
    switch self {
    case .systemCall(_, _, _, let code): code == EAFNOSUPPORT || code == EADDRNOTAVAIL
    case .unresolvable: true
    case .tooFewDescriptors, .certificate: false
    case .addressInUse: false
    }
  }
}
