import Glibc

/// Runs a program to its end, with an empty environment and input, and keeps a bounded part of its output.
enum ChildProcess {
  enum Ending: Equatable {
    case exited(Int32)
    case signal(Int32)
    case timedOut
  }

  struct Result {
    let ending: Ending
    /// The program's standard output and error, cut at `maxOutputBytes`.
    let output: String

    /// The line of output that says why the program failed.
    var reason: String {
      switch ending {
      case .timedOut: "it took too long"
      case .signal(let signal): "the program died of signal \(signal)"
      case .exited(let status):
        output.split(separator: "\n").last { $0.hasPrefix("Error: ") }
          .map { String($0.dropFirst("Error: ".count)) } ?? "it ended with status \(status)"
      }
    }
  }

  struct SpawnError: Error {
    let code: Int32
  }

  static let maxOutputBytes = 1 << 16

  static func run(
    _ program: String, _ arguments: [String], timeout: Duration
  ) throws(SpawnError) -> Result {
    var ends: [Int32] = [0, 0]
    // SAFETY: writes two descriptors into an array of two.
    guard unsafe pipe(&ends) == 0 else { throw SpawnError(code: errno) }
    defer { close(ends[0]) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let child: pid_t
    do throws(SpawnError) { child = try spawn(program, arguments, output: ends[1]) } catch {
      close(ends[1])
      throw error
    }
    close(ends[1])
    let deadline = ContinuousClock.now + timeout
    let output = read(ends[0], until: deadline)
    let (status, isOver) = wait(for: child, until: deadline)
    let signal = status & 0x7F
    return Result(
      ending: !isOver ? .timedOut : signal != 0 ? .signal(signal) : .exited(status >> 8 & 0xFF),
      output: String(decoding: output, as: UTF8.self))
  }

  private static func spawn(
    _ program: String, _ arguments: [String], output: Int32
  ) throws(SpawnError) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    // SAFETY: the actions were made above and are destroyed once, here and below.
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 2)
    var child: pid_t = 0
    // SAFETY: the copies live until they are freed, after the call; both arrays end with nil.
    var words: [UnsafeMutablePointer<CChar>?] =
      unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
    defer { for index in unsafe words.indices { unsafe free(words[index]) } }
    var environment: [UnsafeMutablePointer<CChar>?] = unsafe [nil]
    let code = unsafe posix_spawn(&child, program, &actions, nil, &words, &environment)
    guard code == 0 else { throw SpawnError(code: code) }
    return child
  }

  /// Waits for the child's end and returns its status; false if `deadline` passed before, upon which it is killed.
  private static func wait(
    for child: pid_t, until deadline: ContinuousClock.Instant
  ) -> (status: Int32, isOver: Bool) {
    var status: Int32 = 0
    while ContinuousClock.now < deadline {
      // SAFETY: writes one status; the child is ours and was not waited for, here and below.
      if unsafe waitpid(child, &status, WNOHANG) == child { return (status, true) }
      // It has closed its output, so that it is about to end, or hides.
      usleep(1000)
    }
    kill(child, SIGKILL)
    while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
    return (status, false)
  }

  /// Reads `descriptor` to its end, or until `deadline`.
  private static func read(
    _ descriptor: Int32, until deadline: ContinuousClock.Instant
  ) -> [UInt8] {
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let left = ContinuousClock.now.duration(to: deadline) / .milliseconds(1)
      guard left > 0 else { return output }
      var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      // SAFETY: one entry, which outlives the call.
      guard unsafe Glibc.poll(&poll, 1, Int32(min(left.rounded(.up), 1e6))) > 0 else { continue }
      // SAFETY: writes at most `chunk.count` bytes from the start of `chunk`.
      let count = unsafe chunk.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      if count == 0 { return output }
      if count > 0 { output += chunk[..<min(count, maxOutputBytes - output.count)] }
    }
  }
}
