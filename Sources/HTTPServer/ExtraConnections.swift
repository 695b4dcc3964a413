import HTTPCore

/// Connections beyond the most that may be open. Each is refused; but where descriptors are what there is too few of,
/// health checks are answered on them, so that nobody restarts a server for being busy.
struct ExtraConnections {
  /// The tokens of those that are open, the oldest first.
  private var tokens: [UInt64] = []
  private let maxCount: Int
  /// Whether their first bytes decide, for so long at most: those of health checks are let in.
  let areScreened: Bool

  /// How long such a connection has to show that it is a health check.
  static let screeningNanoseconds = 1_000_000_000

  /// - Parameter answersProbes: whether health checks are answered.
  init(maxCount: Int, answersProbes: Bool) {
    self.maxCount = maxCount
    areScreened = answersProbes
  }

  /// The one that has to make room for another, if any: the oldest of those that have been refused, or else the oldest.
  func surplus(isRefused: (UInt64) -> Bool) -> UInt64? {
    guard tokens.count >= maxCount else { return nil }
    return tokens.first(where: isRefused) ?? tokens.first
  }

  mutating func append(_ token: UInt64) { tokens.append(token) }

  mutating func remove(_ token: UInt64) {
    if let index = tokens.firstIndex(of: token) { tokens.remove(at: index) }
  }
}

extension HTTPServerSettings {
  /// Whether `request` is a health check.
  func isProbe(_ request: HTTPRequest) -> Bool {
    guard request.method == "GET" || request.method == "HEAD" else { return false }
    return probePaths.contains { request.path == $0 || request.path == "\($0)/" }
  }
}
