import FoundationEssentials
import Glibc
import Synchronization
import TestSupport
import Testing

/// A redis-server of a test's own. It ends with the test's process, however that ends: it is watched by a shell whose
/// input the test holds.
final class RedisServer: Sendable {
  static let isInstalled = access("/usr/bin/redis-server", X_OK) == 0

  let port: Int
  private let folder = TemporaryFolder()
  private let arguments: [String]
  private let isSecure: Bool
  /// The port of the Redis that it watches over, where it is a Sentinel, by the name `mymaster`.
  private let watched: Int?
  private let input = Mutex<Int32>(-1)
  private let shell = Mutex<pid_t>(0)
  /// The process that `hold` stopped last.
  private let held = Mutex<pid_t>(0)

  /// - Parameter arguments: settings beside those that keep it apart.
  init(_ arguments: String..., isSecure: Bool = false, watching server: RedisServer? = nil) {
    self.isSecure = isSecure
    watched = server?.port
    port = Self.freePort()
    self.arguments = arguments
    start()
  }

  deinit { end() }

  /// Starts it, where it has ended, with what its append-only file has.
  func start() {
    // One that ended at once, as where something had its port for a moment, is started again.
    for _ in 0..<5 {
      spawn()
      let end = ContinuousClock.now + .seconds(60)
      while ContinuousClock.now < end {
        if isUp { return }
        usleep(1000)
      }
      self.end()
    }
    spawn()
    waitUntil { isUp }
  }

  /// Whether it answers; to the port of TLS a plain command has no answer.
  private var isUp: Bool { isSecure ? accepts() : !ask("PING").isEmpty }

  private func spawn() {
    var ends: [Int32] = [0, 0]
    precondition(pipe(&ends) == 0)
    for end in ends { precondition(fcntl(end, F_SETFD, FD_CLOEXEC) == 0) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
    for output: Int32 in [1, 2] {
      posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0)
    }
    var program =
      "redis-server \(isSecure ? "--port 0 --tls-port" : "--port") \(port) --bind 127.0.0.1 --dir '\(folder.path)' --save '' "
      + arguments.joined(separator: " ")
    var preparation = ""
    if let watched {
      // A Sentinel writes what it finds out into its settings.
      let lines = [
        "port \(port)", "bind 127.0.0.1", "sentinel monitor mymaster 127.0.0.1 \(watched) 1",
        "sentinel down-after-milliseconds mymaster 300", "sentinel failover-timeout mymaster 3000",
      ]
      let path = "'\(folder.path)/sentinel.conf'"
      preparation = "printf '\(lines.joined(separator: "\\n"))\\n' > \(path); "
      program = "redis-server \(path) --sentinel"
    }
    let command =
      "\(preparation)\(program) < /dev/null & read line; kill -9 $!; wait"
    let words = ["sh", "-c", command]
    var pointers = words.map { strdup($0) } + [nil]
    var process: pid_t = 0
    // A thread of the pool blocks signals, and a shell that inherits that never hears that its child has ended.
    var attributes = posix_spawnattr_t()
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_init(&attributes)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    defer { posix_spawnattr_destroy(&attributes) }
    precondition(posix_spawn(&process, "/bin/sh", &actions, &attributes, &pointers, environ) == 0)
    for pointer in pointers { free(pointer) }
    posix_spawn_file_actions_destroy(&actions)
    close(ends[0])
    input.withLock { $0 = ends[1] }
    shell.withLock { $0 = process }
  }

  /// Ends it as kill -9 does.
  func end() {
    input.withLock { input in
      if input >= 0 { close(input) }
      input = -1
    }
    shell.withLock { shell in
      var status: Int32 = 0
      if shell > 0 { waitpid(shell, &status, 0) }
      shell = 0
    }
  }

  /// Stops its process as it is, or has it go on.
  func hold(_ isHeld: Bool) {
    if isHeld {
      let process = ask("INFO server").split(whereSeparator: \.isNewline)
        .first { $0.hasPrefix("process_id:") }
      held.withLock { $0 = process.flatMap { pid_t($0.dropFirst("process_id:".count)) } ?? 0 }
    }
    held.withLock { process in
      precondition(process > 0 && kill(process, isHeld ? SIGSTOP : SIGCONT) == 0)
    }
  }

  /// A connection that waits 10 s for an answer; -1 where there is none.
  private func connected() -> Int32 {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var wait = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    var address = Self.address(port)
    let status = withUnsafePointer(to: &address) {
      connect(
        socket, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self),
        socklen_t(MemoryLayout<sockaddr_in>.size))
    }
    if status != 0 { close(socket) }
    return status == 0 ? socket : -1
  }

  private func accepts() -> Bool {
    let socket = connected()
    if socket >= 0 { close(socket) }
    return socket >= 0
  }

  /// What it answers to an inline command, as it comes; empty where it does not answer.
  @discardableResult
  func ask(_ command: String) -> String {
    let socket = connected()
    guard socket >= 0 else { return "" }
    defer { close(socket) }
    let text = Array("\(command)\r\n".utf8)
    guard send(socket, text, text.count, Int32(MSG_NOSIGNAL)) == text.count else { return "" }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(socket, &buffer, buffer.count, 0)
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
  }

  private static func address(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  private static let givenPorts = Mutex<Set<Int>>([])

  /// A port that nobody has, nor was given to another server that may not have started yet; below those that the kernel gives
  /// to clients, which could take it before the server does.
  static func freePort() -> Int {
    while true {
      let port = Int.random(in: 16_000..<32_000)
      guard givenPorts.withLock({ $0.insert(port).inserted }) else { continue }
      let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(socket) }
      var address = address(port)
      let status = withUnsafePointer(to: &address) { pointer in
        bind(
          socket, UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self),
          socklen_t(MemoryLayout<sockaddr_in>.size))
      }
      if status == 0 { return port }
    }
  }
}
