import Dispatch
import Scheduling
import Synchronization

/// A connection to a Redis, on a thread of its own: what is asked from any thread goes out at once, behind what was asked before
/// (pipelining), and is answered in that order. A connection that is lost is made again, and what it had not answered is
/// asked again.
final class RedisClient: RedisAsking {
  /// Bounds on what takes time or room.
  struct Limits: Sendable {
    /// For a connection, and for what is said first over it.
    var connect = Duration.seconds(2)
    /// For the next byte, while answers are due; then the connection counts as lost.
    var stall = Duration.seconds(3)
    /// For an answer: less than `Sessions` waits, so that whoever asks is told what is known.
    var patience = Duration.seconds(4)
    /// For replicas that have to have a move: all that is asked behind waits, too, leases that are renewed each second among them.
    var replicas = Duration.milliseconds(500)
    /// Between attempts to connect: from, to. Doubled each time, with up to a half more by chance.
    var backOff = (first: Duration.milliseconds(20), last: Duration.seconds(1))
    /// What may wait to be answered.
    var maxBytes = 64 << 20
    /// For what is asked, at the end.
    var close = Duration.seconds(5)
  }

  /// What the client does, or why not.
  enum Status: Sendable, Equatable {
    case connecting
    case ready
    case lost(RedisProblem)
  }

  struct LockedState {
    var incoming: [RedisRequest] = []
    /// What has been asked and not answered.
    var byteCount = 0
    var status = Status.connecting
    var since = ContinuousClock.now
    /// Since when the oldest question of a connection that stands waits.
    var waitingSince: ContinuousClock.Instant?
    /// Whether the thread may be asleep, so that it has to be woken.
    var isAsleep = false
    var isClosing = false
    var isClosed = false
    var closings: [@Sendable (Bool) -> Void] = []
  }

  let location: RedisLocation
  let limits: Limits
  /// How many replicas have to have a move before it is answered.
  let replicas: Int
  let wakeup = RedisWakeup()
  private let scripts: [RedisScript]
  /// Whether messages of the channel come; not from a Redis before 6, nor where the user may not hear them.
  var isSubscribed: Bool { subscription.load(ordering: .relaxed) }
  let subscription = Atomic(false)
  let state = Mutex(LockedState())
  private let queue = DispatchQueue(label: "redis", qos: .userInitiated)

  /// - Parameter scripts: what requests will name.
  init(
    _ location: RedisLocation, limits: Limits = Limits(), replicas: Int = 0, scripts: [RedisScript]
  ) {
    self.location = location
    self.limits = limits
    self.replicas = replicas
    self.scripts = scripts
  }

  /// What is done with what comes unasked; all on the client's thread.
  struct Listener: Sendable {
    /// The channel whose messages are wanted.
    let channel: [UInt8]
    /// Checks what is at the other end of a connection, by its answers to INFO and CONFIG GET.
    let greeting: @Sendable (RedisServerFacts) -> RedisProblem?
    /// Is told of each message of the channel.
    let message: @Sendable ([UInt8]) -> Void
    /// Is told of each change of the status.
    let report: @Sendable (Status) -> Void
  }

  var servers: [RedisClient] { [self] }

  /// Begins to connect.
  func start(_ listener: Listener) {
    queue.async { [self] in RedisWorker(self, scripts: scripts, listener).run() }
  }

  /// What it does, since when, and for how long its oldest question has waited.
  var status: (status: Status, age: Duration, oldest: Duration) {
    state.withLock { state in
      let now = ContinuousClock.now
      return (
        state.isClosing ? .lost(.closed) : state.status, state.since.duration(to: now),
        state.waitingSince.map { $0.duration(to: now) } ?? .zero
      )
    }
  }

  /// Asks; the completion is called on the client's thread.
  func ask(_ request: RedisRequest) {
    let (problem, wakes) = state.withLock { state -> (RedisProblem?, Bool) in
      if state.isClosing { return (.closed, false) }
      // What nobody waits for is bounded by those who are refused meanwhile.
      guard request.due == nil || state.byteCount < limits.maxBytes else {
        return (.full(limit: limits.maxBytes), false)
      }
      state.byteCount += request.byteCount
      state.incoming.append(request)
      defer { state.isAsleep = false }
      return (nil, state.isAsleep)
    }
    if wakes { wakeup.signal() }
    // Not here: whoever asks may hold a lock that the completion takes. The client's thread may have ended.
    if let problem { DispatchQueue.global().async { request.refuse(problem) } }
  }

  /// Finishes what it has been asked, for as long as `limits.close`, and ends its thread.
  ///
  /// - Parameter completion: is told whether all was answered.
  func close(completion: @escaping @Sendable (_ isWell: Bool) -> Void) {
    let isOver = state.withLock { state in
      state.isClosing = true
      if !state.isClosed { state.closings.append(completion) }
      return state.isClosed
    }
    if isOver { return completion(true) }
    wakeup.signal()
  }
}

/// What a Redis tells of itself when a connection begins.
struct RedisServerFacts: Sendable, Equatable {
  /// By name, as INFO has them.
  var info: [String: String] = [:]
  /// Settings of its append-only file, by name; nil where it does not tell.
  var appendSettings: [String: String]?
  /// Why it does not.
  var appendRefusal = ""

  init() {}

  init(info text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { info[String(parts[0])] = String(parts[1]) }
    }
  }

  func number(_ name: String) -> Int { info[name].flatMap { Int($0) } ?? 0 }
}
