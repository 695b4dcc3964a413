import Scheduling

/// The leases that a process has, by session; each is known by the token of the request that took it.
struct SessionLeases {
  private var tokens: [SessionTable.Key: String] = [:]

  subscript(key: SessionTable.Key) -> String? { tokens[key] }

  mutating func insert(_ keys: [SessionTable.Key], _ token: String) {
    for key in keys { tokens[key] = token }
  }

  /// Forgets leases, unless others have been taken since.
  mutating func remove(_ leases: [(key: SessionTable.Key, token: String)]) {
    for lease in leases where tokens[lease.key] == lease.token { tokens[lease.key] = nil }
  }

  func held(_ keys: [SessionTable.Key]) -> [(key: SessionTable.Key, token: String)] {
    keys.compactMap { key in tokens[key].map { (key, $0) } }
  }

  var all: [(key: SessionTable.Key, token: String)] { tokens.map { ($0.key, $0.value) } }
}
