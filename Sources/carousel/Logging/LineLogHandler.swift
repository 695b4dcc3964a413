import Glibc
import Logging

/// Writes each event as one line (JSON or text) with one system call.
struct LineLogHandler: LogHandler {
  /// The format of a line (`log_format`).
  enum Format: String {
    case json
    case text
  }

  let format: Format
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  private let write: @Sendable ([UInt8]) -> Void

  /// - Parameter write: called with a whole line and its line feed; writes to standard error except in tests.
  init(
    format: Format, level: Logger.Level,
    write: @escaping @Sendable ([UInt8]) -> Void = LineLogHandler.writeToStandardError
  ) {
    self.format = format
    logLevel = level
    self.write = write
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let merged = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }
      .merging(event.metadata ?? [:]) { $1 }
    let line = LogLine(
      time: .now, level: event.level.rawValue, message: event.message.description, metadata: merged)
    write(Array((format == .json ? line.json : line.text).utf8) + [UInt8(ascii: "\n")])
  }

  private static func writeToStandardError(_ line: [UInt8]) {
    // SAFETY: the call reads `line.count` bytes from the start of `line`. If the log can't be written
    // (a full disk, a closed pipe), the line is dropped, and the request does not fail.
    _ = unsafe line.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
