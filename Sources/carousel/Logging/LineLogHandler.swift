import Glibc
import Logging

/// Writes each event as one line, with one system call: a JSON object, or text for people.
struct LineLogHandler: LogHandler {
  /// How a line is laid out (`log_format`).
  enum Format: String {
    case json
    case text
  }

  let format: Format
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  private let write: @Sendable ([UInt8]) -> Void

  /// - Parameter write: takes a whole line with its line feed; standard error unless a test wants it.
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
    // SAFETY: the call reads `line.count` bytes from the start of `line`. A log that can't be written
    // (a full disk, a closed pipe) is not worth failing a request for, hence no retry.
    _ = unsafe line.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
