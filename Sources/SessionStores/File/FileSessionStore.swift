import CSQLite
import Dispatch
import Glibc
import Scheduling
import Synchronization

/// Keeps sessions in a file: an SQLite database with a write-ahead log.
///
/// One thread writes. It takes all waiting jobs, makes the moves of all requests in one transaction, and then answers
/// the requests: the more requests arrive while it writes, the more of them share the next commit. What is in the log
/// has left the process, so that nothing is lost however the process ends. Each second another thread syncs the log and
/// copies it into the database: a power cut loses what was written since. With `sync`, each commit is synced.
package final class FileSessionStore: SessionStore {
  package typealias Clock = @Sendable () -> Int

  typealias MayEnd = @Sendable (SessionTable.Key, SessionEnd) -> Bool

  private struct LockedState {
    var jobs: [FileStoreJob] = []
    /// When the oldest waiting job arrived; nil if none waits.
    var waitingSince: ContinuousClock.Instant?
    /// When the oldest job in progress arrived; nil if none is in progress.
    var busySince: ContinuousClock.Instant?
    /// Whether `work` runs or is scheduled.
    var isRunning = false
    var isClosed = false
    /// The last failure; nil once something has succeeded that could not have while the failure lasted.
    var failure: (reason: String, isOfWrite: Bool)?
    var statistics = SessionStoreStatistics()
    /// Whether the log has content that is not synced yet.
    var isUnsynced = false
    var mayEnd: MayEnd = { _, _ in true }
    /// Whether operators were told that keys are missing; they are told once.
    var hasReportedMissingKey = false
    var news = FailureNews()
  }

  package let durability: SessionDurability
  private let path: String
  private let limits: FileSessionLimits
  private let clock: Clock
  private let report: @Sendable (String) -> Void
  private let state = Mutex(LockedState())
  private let connections: StoreConnections
  private let queue = DispatchQueue(label: "session store", qos: .userInitiated)
  /// The queue for syncing the log and for long reads.
  private let maintenanceQueue = DispatchQueue(label: "session store, aside", qos: .utility)

  /// The age of a job at which the store counts as slow and new requests are refused.
  private static let slowAfter = Duration.seconds(1)
  /// The seconds between attempts to write moves whose answers have already left (`behind`), while the store fails.
  private static let retrySeconds = 0.1

  /// Opens the file at `path`, or creates it. That takes no longer for many sessions: each is read when it is asked
  /// for. On a full disk the file is opened once there is room; until then the store fails.
  ///
  /// - Parameters:
  ///   - sealing: encrypts states; nil to write them unencrypted.
  ///   - served: the models that are served, by name.
  ///   - patience: how long to wait for another process that has the file and is about to end.
  ///   - clock: milliseconds since 1970.
  ///   - report: receives messages for operators, each the rest of a sentence that begins with "the session store".
  package init(
    path: String, durability: SessionDurability = .answer,
    limits: FileSessionLimits = FileSessionLimits(), sealing: StateSealing? = nil,
    served: [(name: String, fingerprint: String)] = [], patience: Duration = .seconds(10),
    clock: @escaping Clock = FileSessionStore.wallClock,
    report: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(FileStoreError) {
    self.path = path
    self.durability = durability
    self.limits = limits
    self.clock = clock
    self.report = report
    connections = StoreConnections(
      path: path, durability: durability, limits: limits, codec: StateCodec(sealing),
      served: served, report: report)
    state.withLock { $0.statistics.maxBytes = limits.maxBytes }
    do throws(FileStoreError) {
      let counts = try connections.open(patience: patience)
      let usage = counts.usageByModel
      if counts.byteCount > limits.maxBytes {
        report(
          "holds sessions of \(counts.byteCount) bytes, more than max_session_store_bytes (\(limits.maxBytes)): the least recently used are ended"
        )
      }
      state.withLock { state in
        state.statistics.usage = usage
        state.isUnsynced = true
      }
    } catch {
      guard error.isOfFullDisk else { throw error }
      _ = note(.fullDisk(of: path), isOfWrite: true)
    }
    scheduleMaintenance()
  }

  package static let wallClock: Clock = {
    var time = timespec()
    // SAFETY: the call writes one `timespec`.
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  package var problem: SessionStoreProblem? {
    state.withLock { state in
      if state.isClosed { return .closed }
      if let since = state.busySince ?? state.waitingSince {
        let age = since.duration(to: .now)
        if age > Self.slowAfter { return .slow(age) }
      }
      // The answers of earlier requests have left, and their moves wait until the store works again: no more may join
      // them.
      guard durability == .behind, let failure = state.failure else { return nil }
      return .failing(reason: failure.reason)
    }
  }

  package var statistics: SessionStoreStatistics {
    var statistics = state.withLock { state in
      state.statistics.isFailing = state.failure != nil
      return state.statistics
    }
    statistics.fileBytes = StoreFile.byteCount(of: path)
    return statistics
  }

  package var maxBytes: Int { limits.maxBytes }

  package func attach(mayEnd: @escaping @Sendable (SessionTable.Key, SessionEnd) -> Bool) {
    state.withLock { $0.mayEnd = mayEnd }
  }

  package func fetch(
    _ keys: [SessionTable.Key], floatCount: Int,
    completion: @escaping @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void
  ) {
    add(.fetch(keys, floatCount: floatCount, completion))
  }

  package func write(
    _ moves: [SessionMove],
    completion: @escaping @Sendable (Result<Void, SessionStoreProblem>) -> Void
  ) {
    add(.write(moves, completion))
  }

  package func touch(_ keys: [SessionTable.Key]) { add(.touch(keys)) }

  package func takeOver(
    _ items: [SessionHandover],
    completion: @escaping @Sendable (Result<[HandoverOutcome], SessionStoreProblem>) -> Void
  ) { add(.takeOver(items, completion)) }

  package func close(completion: @escaping @Sendable (_ isWell: Bool) -> Void) {
    add(.close(completion))
  }

  package func list(
    of model: String, limit: Int,
    completion: @escaping @Sendable (Result<SessionTable.Page, SessionStoreProblem>) -> Void
  ) {
    maintenanceQueue.async { [self] in
      let usage = state.withLock { $0.statistics.usage[model] ?? .init() }
      do throws(SQLiteError) {
        let found = try connections.withMaintenanceConnection { side throws(SQLiteError) in
          try side.listings(of: model, limit: limit, limits: limits, now: clock())
        }
        completion(
          found.map { .success(.init(listings: $0, usage: usage)) } ?? .failure(notOpen))
      } catch {
        completion(.failure(.failing(reason: "\(error)")))
      }
    }
  }

  /// Why nothing can be read: the store is closed, or its file is not open because of a failure.
  private var notOpen: SessionStoreProblem {
    state.withLock { state in
      guard !state.isClosed, let failure = state.failure else { return .closed }
      return .failing(reason: failure.reason)
    }
  }

  // MARK: - Jobs

  private func add(_ job: FileStoreJob) {
    let (isRefused, starts) = state.withLock { state in
      if state.isClosed { return (true, false) }
      if case .close = job { state.isClosed = true }
      state.jobs.append(job)
      if state.waitingSince == nil { state.waitingSince = .now }
      defer { state.isRunning = true }
      return (false, !state.isRunning)
    }
    // Refused on the queue, not here: the caller may hold a lock that the completion takes.
    if isRefused { queue.async { job.refuse(.closed) } }
    if starts { queue.async { self.work() } }
  }

  /// Takes all waiting jobs, and the closure that decides whether a session may end; nil if no job waits, so that
  /// `work` returns.
  private func takeJobs() -> ([FileStoreJob], MayEnd)? {
    state.withLock { state in
      state.busySince = state.waitingSince
      state.waitingSince = nil
      state.isRunning = !state.jobs.isEmpty
      guard state.isRunning else { return nil }
      defer { state.jobs = [] }
      return (state.jobs, state.mayEnd)
    }
  }

  /// Does all waiting jobs, and those that arrive meanwhile. Each round makes all moves first, in one transaction.
  private func work() {
    while let (jobs, mayEnd) = takeJobs() {
      let writes = jobs.filter(\.isWrite)
      var isWell = true
      if let failure = write(writes, mayEnd) {
        if durability == .behind, !jobs.contains(where: \.isClose) {
          return requeueWrites(writes, others: jobs.filter { !$0.isWrite }, failure)
        }
        for job in writes { job.refuse(failure) }
        if durability == .behind {
          isWell = false
          report("ends without \(writes.count) requests' moves, whose answers have left")
        }
      }
      for job in jobs where !job.isWrite { finish(job, mayEnd, isWell: isWell) }
    }
  }

  /// Queues moves whose answers have already left once more, ahead of all jobs that arrived since, and tries them again
  /// soon; refuses the other jobs.
  private func requeueWrites(
    _ writes: [FileStoreJob], others: [FileStoreJob], _ failure: SessionStoreProblem
  ) {
    for job in others { job.refuse(failure) }
    state.withLock { state in
      state.jobs = writes + state.jobs
      state.waitingSince = state.busySince
    }
    queue.asyncAfter(deadline: .now() + Self.retrySeconds) { self.work() }
  }

  /// Makes the moves of all jobs and calls their completions. If the transaction fails, calls none and returns the
  /// problem.
  private func write(_ jobs: [FileStoreJob], _ mayEnd: MayEnd) -> SessionStoreProblem? {
    guard !jobs.isEmpty else { return nil }
    let requests = jobs.map(\.moves)
    let now = clock()
    let problems: [SessionStoreProblem?]
    do throws(SQLiteError) {
      problems = try withDatabase(isWrite: true) { database throws(SQLiteError) in
        try database.make(requests, now: now, mayEnd: mayEnd)
      }
    } catch {
      return note(error, isOfWrite: true)
    }
    state.withLock { state in
      state.statistics.commits += 1
      state.statistics.moves += requests.reduce(0) { $0 + $1.count }
      state.isUnsynced = true
    }
    for (job, problem) in zip(jobs, problems) {
      guard case .write(_, let completion) = job else { continue }
      completion(problem.map { .failure($0) } ?? .success(()))
    }
    return nil
  }

  private func finish(_ job: FileStoreJob, _ mayEnd: MayEnd, isWell: Bool) {
    switch job {
    case .write: break
    case .fetch(let keys, let floatCount, let completion):
      let now = clock()
      do throws(SQLiteError) {
        completion(
          .success(
            try withDatabase { database throws(SQLiteError) in
              try database.find(keys, floatCount: floatCount, now: now)
            }))
      } catch {
        completion(.failure(note(error)))
      }
    case .touch(let keys):
      let now = clock()
      do throws(SQLiteError) {
        try withDatabase(isWrite: true) { database throws(SQLiteError) in
          try database.touch(keys, now: now)
        }
      } catch {
        _ = note(error, isOfWrite: true)
      }
    case .takeOver(let items, let completion):
      do throws(SQLiteError) {
        let outcomes = try withDatabase(isWrite: true) { database throws(SQLiteError) in
          try SessionIntake(database: database).takeOver(items, now: clock(), mayEnd: mayEnd)
        }
        try connections.copyLog()
        completion(.success(outcomes))
      } catch {
        completion(.failure(note(error, isOfWrite: true)))
      }
    case .expire:
      let now = clock()
      do throws(SQLiteError) {
        let mayBeMore = try withDatabase { database throws(SQLiteError) in
          try database.expire(now: now, mayEnd: mayEnd)
        }
        // Added again, after the jobs that have arrived meanwhile.
        if mayBeMore { add(.expire) }
      } catch {
        _ = note(error)
      }
    case .close(let completion):
      maintenanceQueue.async { [self] in
        connections.close()
        completion(isWell)
      }
    }
  }

  private func withDatabase<Value>(
    isWrite: Bool = false, _ body: (SessionDatabase) throws(SQLiteError) -> Value
  ) throws(SQLiteError) -> Value {
    try connections.withWriter { database throws(SQLiteError) in
      let value = try body(database)
      noteSuccess(of: database, isWrite: isWrite)
      return value
    }
  }

  private func noteSuccess(of database: SessionDatabase, isWrite: Bool) {
    let (usage, ends) = (database.counts.usageByModel, database.counts.ends)
    let (isBack, damaged) = state.withLock { state in
      let works = state.failure.map { isWrite || !$0.isOfWrite } ?? false
      let isBack = works && state.news.works()
      defer {
        if works { state.failure = nil }
        state.statistics.usage = usage
        state.statistics.endCounts = ends
      }
      return (
        isBack,
        ends[.damaged] ?? 0 > state.statistics.endCounts[.damaged] ?? 0
      )
    }
    if isBack { report("works again") }
    if damaged { report("has a damaged entry, which is skipped: its client is told") }
  }

  private func note(_ error: SQLiteError, isOfWrite: Bool = false) -> SessionStoreProblem {
    if error.isOfOneSession {
      let isNews = state.withLock { state in
        defer { state.hasReportedMissingKey = true }
        return !state.hasReportedMissingKey
      }
      if isNews { report("needs another key: \(error.message)") }
      return .failing(reason: error.message)
    }
    // A full disk can still be read, so that a successful read does not mean that this failure is over.
    let isOfWrite = isOfWrite || error.isOfFullDisk
    let isNew = state.withLock { state in
      state.statistics.failures += 1
      // A log that fills the disk starts over once all of it is in the database, so it has to be copied there.
      if isOfWrite { state.isUnsynced = true }
      state.failure = (error.message, isOfWrite || state.failure?.isOfWrite ?? false)
      return state.news.fails(at: .now)
    }
    if isNew { report("fails: \(error.message)") }
    return .failing(reason: error.message)
  }

  // MARK: - Each second

  /// After a second: syncs the log and copies it into the database, ends sessions whose time has come, and schedules
  /// the next round.
  private func scheduleMaintenance() {
    maintenanceQueue.asyncAfter(deadline: .now() + 1) { [weak self] in
      guard let self else { return }
      let isUnsynced = state.withLock { state in
        defer { state.isUnsynced = false }
        return state.isUnsynced
      }
      if isUnsynced { sync() }
      guard !state.withLock({ $0.isClosed }) else { return }
      add(.expire)
      scheduleMaintenance()
    }
  }

  private func sync() {
    do throws(SQLiteError) { try connections.copyLog() } catch {
      _ = note(error)
      state.withLock { $0.isUnsynced = true }
    }
  }
}
