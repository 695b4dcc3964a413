import HTTPCore

/// Connections beyond the most that may be open. Each is refused; but where descriptors are what there is too few of,
/// health checks are answered on them, so that nobody restarts a server for being busy.
struct ExtraConnections {
  /// Those that are open, the oldest first, and since when they are.
  private var entries: [(token: UInt64, since: Int)] = []
  private let maxCount: Int
  /// Whether their first bytes decide, for so long at most: those of health checks are let in.
  let areScreened: Bool

  /// How long such a connection has to show that it is a health check.
  static let screeningNanoseconds = 1_000_000_000
  /// How long the others wait in the kernel's queue for one that has said nothing yet, rather than close it: most clients
  /// have sent their request by then, and those of the queue too.
  static let hearingNanoseconds = 20_000_000

  /// - Parameter answersProbes: whether health checks are answered.
  init(maxCount: Int, answersProbes: Bool) {
    self.maxCount = maxCount
    areScreened = answersProbes
  }

  /// Whether another one may come: there is room, or one that has been refused or heard for long enough makes room.
  func hasRoom(now: Int, isRefused: (UInt64) -> Bool) -> Bool {
    guard entries.count >= maxCount, let oldest = entries.first else { return true }
    return oldest.since + Self.hearingNanoseconds <= now || entries.contains { isRefused($0.token) }
  }

  /// The one that has to make room for another, if any: the oldest of those that have been refused, or else the oldest.
  func surplus(isRefused: (UInt64) -> Bool) -> UInt64? {
    guard entries.count >= maxCount else { return nil }
    return (entries.first { isRefused($0.token) } ?? entries.first)?.token
  }

  mutating func append(_ token: UInt64, now: Int) { entries.append((token, now)) }

  mutating func remove(_ token: UInt64) {
    if let index = entries.firstIndex(where: { $0.token == token }) { entries.remove(at: index) }
  }
}

extension ExtraConnections {
  /// Those of a loop.
  init(_ descriptors: DescriptorBudget, _ settings: HTTPServerSettings) {
    self.init(
      maxCount: descriptors.maxExtrasPerLoop,
      answersProbes: descriptors.maxConnections < settings.maxConnections
        && !settings.probePaths.isEmpty)
  }
}

extension HTTPServerSettings {
  /// Whether `request` is a health check.
  func isProbe(_ request: HTTPRequest) -> Bool {
    guard request.method == "GET" || request.method == "HEAD" else { return false }
    return probePaths.contains { request.path == $0 || request.path == "\($0)/" }
  }
}
