import HTTPCore

/// Tells from the first bytes of a connection whether it may be a health check.
///
/// It judges connections for which there is no room: bytes that can't be a health check are never parsed.
struct ProbeFilter {
  enum Verdict: Equatable {
    /// Too few bytes to tell.
    case undecided
    /// The beginning of a request for one of the paths, or of HTTP/2, whose requests are judged one by one.
    case mayBeProbe
    case other
  }

  private let paths: [String]
  private let beginnings: [[UInt8]]
  /// The bytes received and not taken.
  private var bytes: [UInt8] = []

  /// - Parameter paths: the paths of health checks.
  init(paths: [String]) {
    self.paths = paths
    beginnings =
      paths.flatMap { ["GET \($0)", "HEAD \($0)"] }.map { Array($0.utf8) }
      + [ProtocolDetector.preface]
  }

  /// Adds the next bytes, and judges all that have come.
  mutating func receive(_ more: Span<UInt8>) -> Verdict {
    bytes.append(copying: more)
    if beginnings.contains(where: { bytes.starts(with: $0) }) { return .mayBeProbe }
    return beginnings.contains { $0.starts(with: bytes) } ? .undecided : .other
  }

  /// The bytes received so far, to be parsed; they are not kept.
  mutating func takeBytes() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }

  /// Whether `request` is a health check.
  func isProbe(_ request: HTTPRequest) -> Bool {
    guard request.method == "GET" || request.method == "HEAD" else { return false }
    return paths.contains { request.path == $0 || request.path == "\($0)/" }
  }
}
