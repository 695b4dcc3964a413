import HTTPCore

/// The connections of a loop beyond `max_connections`, or beyond the share of their address. Each is refused; but when
/// the limit on descriptors is what keeps connections out, health checks are answered, so that nobody restarts a server
/// for being busy.
struct ExtraConnections {
  /// The open connections, oldest first, and when each was added, in nanoseconds.
  private var entries: [(token: UInt64, since: Int)] = []
  private let maxCount: Int
  /// Whether first bytes are screened, so that health checks are answered; otherwise every connection is refused at once.
  let areScreened: Bool

  /// How long an extra connection has to show that it is a health check.
  static let screeningNanoseconds = 1_000_000_000
  /// How long new connections wait in the accept queue for an extra connection that has sent nothing yet, before it is
  /// closed for one of them. Most clients have sent their request by then, and so have those in the queue.
  static let hearingNanoseconds = 20_000_000

  /// - Parameter answersProbes: whether health checks are answered.
  init(maxCount: Int, answersProbes: Bool) {
    self.maxCount = maxCount
    areScreened = answersProbes
  }

  /// Whether another connection may be added: there is room, or one that was refused, or is older than
  /// `hearingNanoseconds`, can be closed for it.
  func hasRoom(now: Int, isRefused: (UInt64) -> Bool) -> Bool {
    guard entries.count >= maxCount, let oldest = entries.first else { return true }
    return oldest.since + Self.hearingNanoseconds <= now || entries.contains { isRefused($0.token) }
  }

  /// The connection to close before another is added: the oldest that was refused, or else the oldest; nil when there
  /// is room.
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
  /// An empty list for one loop, with the limits that follow from `descriptors` and `settings`.
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
