import Dispatch
import Glibc
import Logging
import Synchronization

/// Reloads files that settings name (certificates, tokens): on SIGHUP, and some seconds after one of them has changed.
/// Where they name none, SIGHUP is logged, and the process lives on.
final class FileWatch: Sendable {
  private let what: Logger.Message
  private let paths: [String]
  private let logger: Logger
  private let reload: @Sendable () throws -> Void
  private let known: Mutex<[FileState?]>

  /// Facts about a file that change when its content does.
  private struct FileState: Equatable {
    let inode: UInt
    let size: Int
    let seconds: Int
    let nanoseconds: Int

    /// The state of the file at `path`; nil if there is none. Follows links, by which Kubernetes mounts secrets.
    init?(_ path: String) {
      var status = stat()
      // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
      guard unsafe stat(path, &status) == 0 else { return nil }
      inode = UInt(status.st_ino)
      size = Int(status.st_size)
      seconds = status.st_mtim.tv_sec
      nanoseconds = status.st_mtim.tv_nsec
    }
  }

  static let intervalSeconds = 5

  /// Dispatch receives a signal only if its default action, which ends the process, is off. That is set once: a second
  /// time would turn off what Dispatch has set for the first watch by then.
  private static let ignoresHangUp: Void = { _ = signal(SIGHUP, SIG_IGN) }()

  /// - Parameters:
  ///   - what: the content of the files, for the log.
  ///   - reload: reads the files; throws if they are invalid, and then changes nothing.
  init(
    _ what: String, paths: [String], logger: Logger, reload: @escaping @Sendable () throws -> Void
  ) {
    self.what = "\(what)"
    self.paths = paths
    self.logger = logger
    self.reload = reload
    known = Mutex(paths.map { FileState($0) })
  }

  /// Watches until the process ends.
  func start() {
    _ = Self.ignoresHangUp
    let queue = DispatchQueue(label: "files")
    let hangUp = DispatchSource.makeSignalSource(signal: SIGHUP, queue: queue)
    hangUp.setEventHandler {
      self.read(because: "SIGHUP")
      // The handler keeps its source alive.
      _ = hangUp
    }
    hangUp.activate()
    guard !paths.isEmpty else { return }
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(
      deadline: .now() + .seconds(Self.intervalSeconds), repeating: .seconds(Self.intervalSeconds),
      leeway: .seconds(1))
    timer.setEventHandler {
      self.reloadIfChanged()
      _ = timer
    }
    timer.activate()
  }

  /// Reloads the files if one of them has changed since they were read.
  func reloadIfChanged() {
    let states = paths.map { FileState($0) }
    if known.withLock({ $0 != states }) { read(because: "a file changed") }
  }

  private func read(because reason: String) {
    // Recorded before reading, so that a change during reading is noticed at the next check.
    known.withLock { $0 = paths.map { FileState($0) } }
    do {
      try reload()
      let outcome = paths.isEmpty ? "there are none to read again" : "read again"
      logger.notice(what, metadata: ["reason": .string(reason), "outcome": .string(outcome)])
    } catch {
      logger.error(
        what,
        metadata: [
          "reason": .string(reason), "outcome": "as before", "problem": .string("\(error)"),
        ])
    }
  }
}
