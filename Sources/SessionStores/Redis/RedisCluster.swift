import Dispatch
import Scheduling
import Synchronization

/// What is asked of a Redis, be it one or a cluster.
protocol RedisAsking: AnyObject, Sendable {
  var limits: RedisClient.Limits { get }
  /// Whether messages of the channel come.
  var isSubscribed: Bool { get }
  /// What it does, since when, and for how long its oldest question has waited.
  var status: (status: RedisClient.Status, age: Duration, oldest: Duration) { get }
  /// Each server that has a part of the keys.
  var servers: [RedisClient] { get }

  func start(_ listener: RedisClient.Listener)
  /// Asks; the completion is called on a thread of the client's.
  func ask(_ request: RedisRequest)
  func close(completion: @escaping @Sendable (_ isWell: Bool) -> Void)
}

/// The primaries of a Redis Cluster, a connection each: what is asked goes to the one that has the key's slot, and where slots have moved, to where
/// the nodes say. A primary that is away takes no more than what its slots have.
final class RedisCluster: RedisAsking {
  typealias Place = RedisLocation.Place

  private struct LockedState {
    var map = ClusterMap()
    var clients: [String: RedisClient] = [:]
    var listener: RedisClient.Listener?
    /// Whether a node is being asked for the map.
    var isMapping = false
    /// The problem of each node that is lost, by its place.
    var lost: [String: RedisProblem] = [:]
    var told: RedisClient.Status?
    var since = ContinuousClock.now
    var isClosing = false
  }

  let limits: RedisClient.Limits
  private let location: RedisLocation
  private let replicas: Int
  private let scripts: [RedisScript]
  private let state = Mutex(LockedState())

  /// How often a question is sent on: more would be nodes that send it round.
  private static let maxRedirections = 5
  /// Between two looks at whether the map has to be read anew.
  private static let period = DispatchTimeInterval.milliseconds(500)

  init(_ location: RedisLocation, limits: RedisClient.Limits, replicas: Int, scripts: [RedisScript])
  {
    (self.location, self.limits, self.replicas, self.scripts) = (
      location, limits, replicas, scripts
    )
  }

  var servers: [RedisClient] {
    state.withLock { state in
      let primaries = state.map.primaries.compactMap { state.clients[$0.description] }
      return primaries.isEmpty ? Array(state.clients.values) : primaries
    }
  }

  var isSubscribed: Bool { servers.contains(where: \.isSubscribed) }

  /// It works where a primary does, and is as slow as the fastest one.
  var status: (status: RedisClient.Status, age: Duration, oldest: Duration) {
    let (told, since, hasMap, isClosing) = state.withLock {
      ($0.told, $0.since, !$0.map.primaries.isEmpty, $0.isClosing)
    }
    let age = since.duration(to: .now)
    if isClosing { return (.lost(.closed), age, .zero) }
    let all = servers.map(\.status)
    let working = all.filter { $0.status == .ready }
    guard hasMap, !working.isEmpty else {
      let problem = all.lazy.compactMap { status -> RedisClient.Status? in
        if case .lost = status.status { status.status } else { nil }
      }.first
      return (problem ?? told ?? .connecting, age, .zero)
    }
    return (.ready, age, working.map(\.oldest).min() ?? .zero)
  }

  func start(_ listener: RedisClient.Listener) {
    state.withLock { $0.listener = listener }
    for place in location.places { _ = client(at: place) }
    lookLater()
  }

  /// The client of a node, which is begun where there is none; nil at the end.
  private func client(at place: Place) -> RedisClient? {
    let (client, listener) = state.withLock { state -> (RedisClient?, RedisClient.Listener?) in
      if state.isClosing { return (nil, nil) }
      if let client = state.clients[place.description] { return (client, nil) }
      var node = location
      (node.places, node.isCluster) = ([place], true)
      let client = RedisClient(node, limits: limits, replicas: replicas, scripts: scripts)
      state.clients[place.description] = client
      return (client, state.listener)
    }
    if let client, let listener {
      client.start(
        .init(
          channel: listener.channel, greeting: listener.greeting, message: listener.message,
          report: { [weak self] status in self?.note(status, of: place) }))
    }
    return client
  }

  // MARK: - Questions

  func ask(_ request: RedisRequest) { route(request, to: nil, redirections: 0) }

  private func route(
    _ request: RedisRequest, to redirection: ClusterMap.Redirection?, redirections: Int
  ) {
    let slot = HashSlot.slot(of: request.firstKey)
    let place = redirection?.place ?? state.withLock { $0.map.place(of: slot) }
    guard let place, let client = client(at: place) else {
      let problem: RedisProblem =
        state.withLock { $0.isClosing }
        ? .closed : .refused("CLUSTERDOWN no node is known to have slot \(slot)")
      // Not here: whoever asks may hold a lock that the completion takes.
      return DispatchQueue.global().async { request.refuse(problem) }
    }
    // What only looks or takes is refused at once, as by one Redis that is lost; what is to be stored may wait.
    if case .lost(let problem) = client.status.status, !request.isWrite, request.due != nil {
      return DispatchQueue.global().async { request.refuse(problem) }
    }
    var passed = RedisRequest(
      request.body, due: request.due, isWrite: request.isWrite,
      needsReplicas: request.needsReplicas, isAsking: redirection?.isOnce ?? false
    ) { [weak self] result in
      guard let self else { return request.completion(result) }
      settle(result, of: request, from: place, redirections: redirections)
    }
    passed.mayBeDone = request.mayBeDone
    client.ask(passed)
  }

  private func settle(
    _ result: Result<RESPValue, RedisProblem>, of request: RedisRequest, from place: Place,
    redirections: Int
  ) {
    guard case .failure(let problem) = result else { return request.completion(result) }
    var request = request
    let text: String
    switch problem {
    case .refused(let error): text = error
    case .unsure(let reason):
      request.mayBeDone = true
      text = reason
    case .closed where !state.withLock({ $0.isClosing }):
      // Its node has no slots any more.
      return again(request, to: nil, redirections, problem)
    default: return request.completion(result)
    }
    if let redirection = ClusterMap.Redirection(text, from: place.host) {
      if !redirection.isOnce {
        state.withLock { $0.map.move(redirection.slot, to: redirection.place) }
        readMap()
      }
      return again(request, to: redirection, redirections, problem)
    }
    if text.contains("CLUSTERDOWN") { readMap() }
    request.completion(result)
  }

  private func again(
    _ request: RedisRequest, to redirection: ClusterMap.Redirection?, _ redirections: Int,
    _ problem: RedisProblem
  ) {
    let isLate = request.due.map { $0 <= .now } ?? false
    guard redirections < Self.maxRedirections, !isLate else { return request.refuse(problem) }
    route(request, to: redirection, redirections: redirections + 1)
  }

  // MARK: - The map

  /// Asks a node that works which nodes have which slots.
  private func readMap() {
    let found = state.withLock { state -> (key: String, value: RedisClient)? in
      guard !state.isMapping, !state.isClosing,
        let found = state.clients.first(where: { $0.value.status.status == .ready })
      else { return nil }
      state.isMapping = true
      return found
    }
    guard let client = found?.value else { return }
    client.ask(
      RedisRequest(
        .command([Array("CLUSTER".utf8), Array("SLOTS".utf8)]), due: .now + limits.patience
      ) { [weak self] result in self?.take(result, from: client.location.places[0].host) })
  }

  private func take(_ result: Result<RESPValue, RedisProblem>, from host: String) {
    var map: ClusterMap?
    if case .success(let reply) = result { map = try? ClusterMap(reply, from: host) }
    let gone = state.withLock { state -> [RedisClient] in
      state.isMapping = false
      guard let map, !map.primaries.isEmpty, !state.isClosing else { return [] }
      state.map = map
      let names = Set(map.primaries.map(\.description))
      let gone = state.clients.filter { !names.contains($0.key) }
      for name in gone.keys {
        state.clients[name] = nil
        state.lost[name] = nil
      }
      return Array(gone.values)
    }
    for client in gone { client.close { _ in } }
    for place in map?.primaries ?? [] { _ = client(at: place) }
    tell()
  }

  /// Reads the map anew as long as something is wrong.
  private func lookLater() {
    DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + Self.period) { [weak self] in
      guard let self, !state.withLock({ $0.isClosing }) else { return }
      let isWell = state.withLock { $0.lost.isEmpty && $0.map.isWhole }
      if !isWell {
        // A cluster whose nodes have all got other addresses is found by those that the setting names.
        if !servers.contains(where: { $0.status.status == .ready }) {
          for place in location.places { _ = client(at: place) }
        }
        readMap()
      }
      lookLater()
    }
  }

  // MARK: - Status

  private func note(_ status: RedisClient.Status, of place: Place) {
    state.withLock { state in
      if case .lost(let problem) = status {
        state.lost[place.description] = state.clients[place.description].map { _ in problem }
      } else {
        state.lost[place.description] = nil
      }
    }
    if status == .ready { readMap() }
    tell()
  }

  /// Reports that all primaries work, or which does not.
  private func tell() {
    let (listener, status) = state.withLock {
      state -> (RedisClient.Listener?, RedisClient.Status?) in
      let status: RedisClient.Status
      if let (name, problem) = state.lost.first {
        status = .lost(
          problem.isForOperators ? problem : .unreachable("\(name): \(problem.reason)"))
      } else if !state.map.primaries.isEmpty,
        state.map.primaries.allSatisfy({
          state.clients[$0.description]?.status.status == .ready
        })
      {
        status = .ready
      } else {
        return (nil, nil)
      }
      guard state.told != status else { return (nil, nil) }
      (state.told, state.since) = (status, .now)
      return (state.listener, status)
    }
    if let listener, let status { listener.report(status) }
  }

  func close(completion: @escaping @Sendable (_ isWell: Bool) -> Void) {
    let clients = state.withLock { state in
      state.isClosing = true
      return Array(state.clients.values)
    }
    guard !clients.isEmpty else { return completion(true) }
    let closed = Answers<Bool>(count: clients.count) { result in
      completion((try? result.get())?.allSatisfy { $0 } ?? false)
    }
    for (index, client) in clients.enumerated() {
      client.close { closed.note(index, .success($0)) }
    }
  }
}
