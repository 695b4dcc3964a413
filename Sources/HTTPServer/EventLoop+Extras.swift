import HTTPCore

/// Connections beyond the most that may be open. Each is refused; but where descriptors are what there is too few of,
/// health checks are answered on them, so that nobody restarts a server for being busy.
extension EventLoop {
  /// How long an extra connection has to show that it is a health check.
  static let probeNanoseconds = 1_000_000_000

  /// Takes up to `maxExtras` of them; then the oldest makes room for the newest, those first that have been refused.
  func admitExtra(_ accepted: consuming AcceptedSocket) {
    if extras.count >= maxExtras {
      let isRefused = { [connections] in connections[$0]?.isRefused ?? true }
      let index = extras.firstIndex(where: isRefused) ?? 0
      if let connection = connections[extras[index]] { hangUp(connection) }
    }
    let connection = insert(accepted, isExtra: true)
    guard connection.isOpen else { return }
    extras.append(connection.token)
    guard answersProbes else {
      refuse(connection)
      return
    }
    connection.probeFilter = ProbeFilter(paths: settings.probePaths)
    connection.readDeadline = clock.now + Self.probeNanoseconds
    // What it sent while it waited in the kernel's queue tells at once whether it goes on to keep its place.
    read(connection)
    unsettle(connection)
  }

  /// Judges what an extra connection sends; returns what its protocol is to be given, nil for nothing.
  func filter(_ bytes: [UInt8], of connection: Connection) -> [UInt8]? {
    guard let verdict = connection.probeFilter?.receive(bytes) else { return nil }
    switch verdict {
    case .undecided: return nil
    case .mayBeProbe:
      defer { connection.probeFilter = nil }
      return connection.probeFilter?.bytes
    case .other:
      refuse(connection)
      return nil
    }
  }

  /// Says that the server has as many connections as it takes.
  func refuse(_ connection: Connection) {
    connection.probeFilter = nil
    counters.connectionsRefused.add(1, ordering: .relaxed)
    connection.refuse()
    // At once, since it may have to make room before the round is over.
    settle(connection)
  }

  /// Whether `request`, which came over an extra connection, is a health check.
  func isProbe(_ request: HTTPRequest) -> Bool {
    guard request.method == "GET" || request.method == "HEAD" else { return false }
    return settings.probePaths.contains { request.path == $0 || request.path == "\($0)/" }
  }
}

extension HTTPResponse {
  /// What a connection gets that is one too many.
  static var tooManyConnections: HTTPResponse {
    var response = error(
      .tooManyRequests, "the server has as many connections as it takes, try again later")
    response.fields.append("retry-after", "1")
    return response
  }
}
