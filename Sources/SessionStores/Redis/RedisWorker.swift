import DequeModule
import Scheduling

/// The thread of a `RedisClient`: connects, sends, reads, and connects again.
final class RedisWorker {
  private struct Sent {
    let request: RedisRequest
    /// Whether it has been told that it got no answer in time.
    var isGivenUp = false
    /// Whether it waits for the replicas of those before it.
    var isWait = false
    /// Whether an answer to ASKING comes before its own.
    var isAsking = false
  }

  private let client: RedisClient
  private let scripts: [RedisScript]
  private let listener: RedisClient.Listener
  private var hashes: [String: [UInt8]] = [:]
  /// What is to be sent: what Redis did not have the script of goes first.
  private var again: Deque<RedisRequest> = []
  private var unsent: Deque<RedisRequest> = []
  private var sent: Deque<Sent> = []
  private var waits: ReplicaWaits
  private var connection: RedisConnection?
  private var heard = ContinuousClock.now
  /// When it was looked last whether somebody has waited long enough.
  private var tended = ContinuousClock.now
  /// What requests that are done took on their way, as far as it still counts.
  private var forgottenByteCount = 0
  /// When to give up what is left; nil before the end.
  private var end: ContinuousClock.Instant?
  private var isWell = true

  /// What is put into the output before the socket has taken it.
  private static let maxOutputBytes = 256 << 10
  /// How long nobody looks who has waited long enough.
  private static let lateness = Duration.milliseconds(10)

  init(_ client: RedisClient, scripts: [RedisScript], _ listener: RedisClient.Listener) {
    self.client = client
    self.scripts = scripts
    self.listener = listener
    waits = ReplicaWaits(replicas: client.replicas, patience: client.limits.replicas)
  }

  func run() {
    var pause = client.limits.backOff.first
    while !isOver {
      do throws(RedisProblem) {
        try connect()
        pause = client.limits.backOff.first
        try serve()
      } catch {
        lose(error)
        let factor = 1 + Double.random(in: 0..<0.5)
        wait(until: .now + pause * factor)
        pause = min(pause * 2, client.limits.backOff.last)
      }
    }
    finish()
  }

  // MARK: - A connection

  private func connect() throws(RedisProblem) {
    let due = ContinuousClock.now + client.limits.connect
    let location = client.location
    var place = location.places[0]
    if let name = location.sentinelName { place = try askSentinels(for: name) }
    let opened = try open(place, until: due)
    try greet(opened, until: due)
    connection = opened
    set(.ready)
    heard = .now
  }

  /// Where the Redis is, by the first Sentinel that knows.
  private func askSentinels(for name: String) throws(RedisProblem) -> RedisLocation.Place {
    var problem = RedisProblem.unreachable("there are no Sentinels")
    for sentinel in client.location.places {
      do throws(RedisProblem) {
        let due = ContinuousClock.now + client.limits.connect
        let opened = try open(sentinel, until: due)
        let question = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name].map { Array($0.utf8) }
        let reply = try exchange([question], over: opened, mayFail: nil, until: due)[0]
        guard reply != .null else {
          throw .unreachable("it knows no \(name)")
        }
        let parts = (reply.elements ?? []).compactMap(\.text)
        guard parts.count == 2, let port = Int(parts[1]), (1...65_535).contains(port) else {
          throw .malformed
        }
        return .init(host: parts[0], port: port)
      } catch {
        problem = .unreachable("the Sentinel \(sentinel.description): \(error.reason)")
      }
    }
    throw problem
  }

  /// Connects to the first address of a place that takes it.
  private func open(
    _ place: RedisLocation.Place, until due: ContinuousClock.Instant
  ) throws(RedisProblem) -> RedisConnection {
    var problem = RedisProblem.unreachable("\(place.host): it has no address")
    for address in try RedisSocket.addresses(of: place.host, port: place.port) {
      do throws(RedisProblem) {
        let opened = try RedisSocket.connecting(to: address)
        while !pause(for: opened, output: true, until: min(due, look())).output {
          guard .now < due else { throw .slow(client.limits.connect) }
          tend()
        }
        if let failure = opened.failure { throw .unreachable(failure) }
        if client.location.isSecure {
          try opened.secure(host: place.host, authorities: client.location.authorities)
        }
        return RedisConnection(opened)
      } catch { problem = error }
    }
    throw problem
  }

  /// Says who we are, asks what is there, has it load the scripts, and asks for the messages of the channel.
  private func greet(
    _ opened: RedisConnection, until due: ContinuousClock.Instant
  ) throws(RedisProblem) {
    let location = client.location
    var commands: [[String]] = []
    if let password = location.password {
      commands.append(["AUTH"] + (location.user.map { [$0] } ?? []) + [password])
    }
    if location.database != 0 { commands.append(["SELECT", "\(location.database)"]) }
    let prologue = commands.count
    commands += [["INFO"], ["CONFIG", "GET", "*append*"], ["HELLO", "3"]]
    commands += scripts.map { ["SCRIPT", "LOAD", $0.text] }
    // Settings may be hidden from us; a Redis before 6 speaks RESP2 alone.
    let replies = try exchange(
      commands.map { $0.map { Array($0.utf8) } }, over: opened,
      mayFail: prologue + 1...prologue + 2, until: due)
    var facts = RedisServerFacts(info: replies[prologue].text ?? "")
    switch replies[prologue + 1] {
    case .error(let text): facts.appendRefusal = text
    case let reply:
      let names = (reply.elements ?? []).compactMap(\.text)
      facts.appendSettings = [:]
      for index in stride(from: 0, to: names.count - 1, by: 2) {
        facts.appendSettings?[names[index]] = names[index + 1]
      }
    }
    for (script, reply) in zip(scripts, replies.dropFirst(prologue + 3)) {
      guard case .bytes(let hash) = reply else { throw .malformed }
      hashes[script.name] = hash
    }
    if facts.info["loading"] == "1" { throw .refused("LOADING") }
    if let problem = listener.greeting(facts) { throw problem }
    // In RESP2 a connection that listens can do nothing else.
    guard case .array = replies[prologue + 2] else { return }
    let channel = [Array("SUBSCRIBE".utf8), listener.channel]
    let reply = try exchange([channel], over: opened, mayFail: 0...0, until: due)[0]
    if case .push = reply { client.subscription.store(true, ordering: .relaxed) }
  }

  /// Sends commands, and waits for their replies.
  private func exchange(
    _ commands: [[[UInt8]]], over opened: RedisConnection, mayFail: ClosedRange<Int>?,
    until due: ContinuousClock.Instant
  ) throws(RedisProblem) -> [RESPValue] {
    opened.send { output in
      for command in commands { RESPCommand.append(command, to: &output) }
    }
    var replies: [RESPValue] = []
    while replies.count < commands.count {
      try opened.flush()
      if let reply = try opened.next() {
        if case .error(let text) = reply, mayFail?.contains(replies.count) != true {
          throw .refused(text)
        }
        replies.append(reply)
        continue
      }
      guard .now < due else { throw .slow(client.limits.connect) }
      let ready = pause(
        for: opened.socket, output: opened.unsentByteCount > 0,
        until: opened.hasMore ? .now : min(due, look()))
      if ready.input || opened.hasMore { _ = try opened.read() }
      tend()
    }
    return replies
  }

  private func serve() throws(RedisProblem) {
    guard let connection else { preconditionFailure("it stands") }
    takeIncoming()
    while true {
      send(over: connection)
      try connection.flush()
      if isOver { return }
      let wakes = look()
      let stalls = sent.isEmpty ? wakes : heard + client.limits.stall
      let ready = pause(
        for: connection.socket, output: connection.unsentByteCount > 0,
        until: connection.hasMore ? .now : min(wakes, stalls))
      if ready.input || connection.hasMore {
        if try connection.read() { heard = .now }
        while let reply = try connection.next() {
          if case .push(let parts) = reply { hear(parts) } else { try answer(reply) }
        }
      } else if !sent.isEmpty, .now >= heard + client.limits.stall {
        throw .slow(client.limits.stall)
      }
      tend()
    }
  }

  private func send(over connection: RedisConnection) {
    while connection.unsentByteCount < Self.maxOutputBytes,
      let request = again.popFirst() ?? unsent.popFirst()
    {
      if sent.isEmpty { heard = .now }
      connection.send { request.append(to: &$0, hashes: hashes) }
      sent.append(Sent(request: request, isAsking: request.isAsking))
      waits.noteSent(request)
    }
    guard let wait = waits.question() else { return }
    connection.send { wait.append(to: &$0, hashes: hashes) }
    sent.append(Sent(request: wait, isWait: true))
  }

  private func hear(_ parts: [RESPValue]) {
    guard parts.count == 3, parts[0].text == "message", case .bytes(let message) = parts[2] else {
      return
    }
    listener.message(message)
  }

  private func answer(_ reply: RESPValue) throws(RedisProblem) {
    if sent.first?.isAsking == true {
      sent[sent.startIndex].isAsking = false
      return
    }
    guard let first = sent.popFirst() else { throw .malformed }
    if first.isWait {
      for (request, result) in waits.settle(reply) {
        forget(request)
        request.completion(result)
      }
      return
    }
    var request = first.request
    guard case .error(let text) = reply else {
      if !first.isGivenUp, waits.keep(request, reply) { return }
      forget(request)
      if !first.isGivenUp { request.completion(.success(reply)) }
      return
    }
    if text.hasPrefix("NOSCRIPT"), !request.sendsScript, !first.isGivenUp {
      request.sendsScript = true
      return again.append(request)
    }
    forget(request)
    let problem = RedisProblem.refused(text)
    // An error says that it was not done now; before, over a connection that is lost, it may have been.
    if !first.isGivenUp { request.refuse(problem) }
    if problem.isOfConnection { throw problem }
  }

  /// Gives the connection up; what it has not answered goes out again over the next one, in order.
  private func lose(_ problem: RedisProblem) {
    connection = nil
    client.subscription.store(false, ordering: .relaxed)
    let made = waits.takeBack().map { Sent(request: $0) }
    for item in (made + sent.filter { !$0.isWait }).reversed() {
      var request = item.request
      // Redis may have it still, and do it when nobody waits any more.
      if item.isGivenUp {
        forget(request)
        continue
      }
      request.mayBeDone = true
      unsent.prepend(request)
    }
    sent = []
    for request in again.reversed() { unsent.prepend(request) }
    again = []
    set(.lost(problem))
  }

  // MARK: - What waits

  private func takeIncoming() {
    let oldest = sent.first?.request.asked
    let (incoming, isClosing) = client.state.withLock { state in
      defer { state.incoming = [] }
      state.isAsleep = false
      state.byteCount -= forgottenByteCount
      state.waitingSince = oldest
      return (state.incoming, state.isClosing)
    }
    forgottenByteCount = 0
    unsent.append(contentsOf: incoming)
    if isClosing, end == nil { end = .now + client.limits.close }
  }

  /// When to look at what waits again, at the latest.
  private func look() -> ContinuousClock.Instant {
    let isIdle = sent.isEmpty && unsent.isEmpty && again.isEmpty && end == nil
    return .now + (isIdle ? .seconds(30) : .milliseconds(50))
  }

  /// Waits for the socket, for what comes, or until `moment`; what came since the last look ends the wait at once.
  private func pause(
    for socket: RedisSocket?, output: Bool, until moment: ContinuousClock.Instant
  ) -> (input: Bool, output: Bool) {
    let sleeps = client.state.withLock { state in
      state.isAsleep = state.incoming.isEmpty
      return state.isAsleep
    }
    return client.wakeup.wait(for: socket, output: output, until: sleeps ? moment : .now)
  }

  private func wait(until moment: ContinuousClock.Instant) {
    while .now < moment, !isOver {
      _ = pause(for: nil, output: false, until: min(moment, look()))
      tend()
    }
  }

  /// Takes in what has come, and tells those who have waited long enough.
  private func tend() {
    takeIncoming()
    let now = ContinuousClock.now
    guard now >= tended + Self.lateness else { return }
    tended = now
    func isLate(_ request: RedisRequest) -> Bool { request.due.map { $0 <= now } ?? false }
    if unsent.contains(where: isLate) {
      let late = unsent.filter(isLate)
      unsent.removeAll(where: isLate)
      for request in late {
        forget(request)
        request.refuse(currentProblem(request.asked.duration(to: now)))
      }
    }
    for index in sent.indices where !sent[index].isGivenUp && isLate(sent[index].request) {
      sent[index].isGivenUp = true
      var request = sent[index].request
      request.mayBeDone = true
      request.refuse(.slow(request.asked.duration(to: now)))
    }
  }

  private func currentProblem(_ age: Duration) -> RedisProblem {
    client.state.withLock { if case .lost(let problem) = $0.status { problem } else { .slow(age) } }
  }

  private func forget(_ request: RedisRequest) { forgottenByteCount += request.byteCount }

  private func set(_ status: RedisClient.Status) {
    let isNew = client.state.withLock { state in
      defer { state.status = status }
      guard state.status != status else { return false }
      state.since = .now
      return true
    }
    if isNew { listener.report(status) }
  }

  // MARK: - The end

  private var isOver: Bool {
    guard let end else { return false }
    return .now >= end || (sent.isEmpty && unsent.isEmpty && again.isEmpty)
  }

  private func finish() {
    takeIncoming()
    let left = sent.filter { !$0.isGivenUp && !$0.isWait }.map(\.request)
    for var request in waits.takeBack() + left {
      request.mayBeDone = true
      isWell = false
      request.refuse(.closed)
    }
    for request in again + unsent {
      isWell = false
      request.refuse(.closed)
    }
    connection = nil
    let closings = client.state.withLock { state in
      state.isClosed = true
      defer { state.closings = [] }
      return state.closings
    }
    for closing in closings { closing(isWell) }
  }
}
