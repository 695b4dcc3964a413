import HTTPCore

/// The connections of a loop beyond `max_connections`, or beyond the share of their address. Each is refused once its
/// first bytes show which protocol it speaks; but when the limit on descriptors is what keeps connections out, health
/// checks are answered, so that nobody restarts a server for being busy.
struct ExtraConnections {
  /// The open connections, oldest first, and when each was added, in nanoseconds.
  private var entries: [(token: UInt64, since: Int)] = []
  private let maxCount: Int
  /// The paths of health checks that are answered; none if every connection is refused.
  let probePaths: [String]

  /// How long an extra connection has to show that it is a health check, or speaks HTTP/2.
  static let screeningNanoseconds = 1_000_000_000
  /// How long new connections wait in the accept queue for an extra connection that has sent nothing yet, before it is
  /// closed for one of them. Most clients have sent their request by then, and so have those in the queue.
  static let hearingNanoseconds = 20_000_000

  init(maxCount: Int, probePaths: [String] = []) {
    self.maxCount = maxCount
    self.probePaths = probePaths
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
      probePaths: descriptors.maxConnections < settings.maxConnections ? settings.probePaths : [])
  }
}
