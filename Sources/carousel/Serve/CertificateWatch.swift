import Dispatch
import Glibc
import HTTPServer
import Logging
import Synchronization

/// Has a server read its certificates again: on SIGHUP, and some seconds after one of their files has changed.
final class CertificateWatch: Sendable {
  private let settings: TLSSettings
  private let logger: Logger
  private let reload: @Sendable (TLSSettings) throws(HTTPServerError) -> Void
  private let known: Mutex<[FileState?]>

  /// What tells one content of a file from another.
  private struct FileState: Equatable {
    let inode: UInt
    let size: Int
    let seconds: Int
    let nanoseconds: Int

    /// Of the file at `path`, through links, as secrets are mounted; nil where there is none.
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

  /// - Parameter reload: throws where the files can't be used, and then changes nothing.
  init(
    _ settings: TLSSettings, logger: Logger,
    reload: @escaping @Sendable (TLSSettings) throws(HTTPServerError) -> Void
  ) {
    self.settings = settings
    self.logger = logger
    self.reload = reload
    known = Mutex(settings.files.map { FileState($0) })
  }

  /// Watches for the rest of the process.
  func start() {
    // Dispatch sees a signal only where its default, the end of the process, is switched off.
    signal(SIGHUP, SIG_IGN)
    let queue = DispatchQueue(label: "certificates")
    let hangUp = DispatchSource.makeSignalSource(signal: SIGHUP, queue: queue)
    hangUp.setEventHandler {
      self.read(because: "SIGHUP")
      // The handler holds its source, so that it lives.
      _ = hangUp
    }
    hangUp.activate()
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(
      deadline: .now() + .seconds(Self.intervalSeconds), repeating: .seconds(Self.intervalSeconds),
      leeway: .seconds(1))
    timer.setEventHandler {
      self.look()
      _ = timer
    }
    timer.activate()
  }

  /// Reads the files again if one of them has changed since they were read.
  func look() {
    let states = settings.files.map { FileState($0) }
    if known.withLock({ $0 != states }) { read(because: "a file changed") }
  }

  private func read(because reason: String) {
    // Before they are read: what changes meanwhile is found next time.
    known.withLock { $0 = settings.files.map { FileState($0) } }
    do throws(HTTPServerError) {
      try reload(settings)
      logger.notice("certificates are read again", metadata: ["reason": .string(reason)])
    } catch {
      logger.error(
        "certificates stay as they were",
        metadata: ["reason": .string(reason), "problem": .string("\(error)")])
    }
  }
}
