import API
import Glibc
import Logging
import ModelFormat

/// Sessions outlive the process in a file. Nothing that is wrong with it keeps the server from its work.
extension Service {
  /// Takes in the sessions of the file at `path`, where there is one, and removes it: once this process has answered,
  /// what the file holds is out of date.
  func importSessions(from path: String, _ logger: Logger) {
    let bytes: [UInt8]
    do { bytes = try readFile(path) } catch .file(_, code: ENOENT) { return } catch {
      return setAside(path, as: "unread", because: "\(error)", logger)
    }
    do {
      let (restored, found) = try importSessions(from: bytes)
      OpenFile.remove(path)
      logger.notice(
        "sessions restored",
        metadata: ["restored": .stringConvertible(restored), "found": .stringConvertible(found)])
    } catch {
      setAside(path, as: "damaged", because: "\(path): \(error)", logger)
    }
  }

  /// Keeps a file that is of no use from being overwritten at the end.
  private func setAside(
    _ path: String, as suffix: String, because reason: String, _ logger: Logger
  ) {
    let kept = "\(path).\(suffix)"
    // SAFETY: both paths are zero-terminated strings for the length of the call.
    _ = unsafe rename(path, kept)
    logger.error(
      "sessions can't be restored", metadata: ["error": .string(reason), "kept": .string(kept)])
  }

  /// Writes every session to the file at `path`.
  func exportSessions(to path: String, _ logger: Logger) {
    let (count, bytes) = exportedSessions()
    do {
      try OpenFile.write(bytes, to: path, isPrivate: true)
      logger.notice("sessions kept", metadata: ["count": .stringConvertible(count)])
    } catch {
      logger.error("sessions can't be kept", metadata: ["error": .string("\(error)")])
    }
  }
}
