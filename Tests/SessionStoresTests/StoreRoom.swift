import CSQLite
import Glibc
import Inference
import SimulatedDisk
import Synchronization
import TestSupport

@testable import Scheduling
@testable import SessionStores

/// A file of sessions in a folder of its own, and a clock that only tests move.
final class StoreRoom: Sendable {
  typealias Key = SessionTable.Key

  private let folder = TemporaryFolder()
  let milliseconds = Atomic<Int>(1_000_000)
  let reports = Mutex<[String]>([])
  var path: String { folder.path + "/sessions.db" }
  /// The number of the simulated disk; nil where the folder is on a real one.
  private let disk: Int32?

  /// - Parameter capacity: the bytes of a simulated disk to put the file on.
  init(capacity: Int? = nil) {
    let path = folder.path
    disk = capacity.map { sd_begin(path, Int64($0)) }
    precondition(disk.map { $0 >= 0 } ?? true, "too many disks")
  }

  deinit { if let disk { sd_end(disk) } }

  /// What the simulated disk has room for beyond what it holds.
  func setRoom(_ byteCount: Int) {
    guard let disk else { preconditionFailure("a real disk") }
    sd_set_capacity(disk, sd_used(disk) + Int64(byteCount))
  }

  /// A room with the files as a power cut could leave them now.
  func afterPowerCut(seed: Int) -> StoreRoom {
    guard let disk else { preconditionFailure("a real disk") }
    let room = StoreRoom()
    precondition(
      sd_cut_power(disk, room.folder.path, UInt32(seed)), "\(room.path) can't be written")
    return room
  }

  /// - Parameter patience: some, as a process that another test starts has a copy of a lock until it runs its program.
  func store(
    _ durability: SessionDurability = .answer, maxBytes: Int = 1 << 30,
    idleTimeout: Duration = .seconds(100), served: [(name: String, fingerprint: String)] = [],
    patience: Duration = .seconds(10), keys: [StateKey] = []
  ) throws -> FileSessionStore {
    try FileSessionStore(
      path: path, durability: durability,
      limits: FileSessionLimits(maxBytes: maxBytes, idleTimeout: idleTimeout),
      sealing: StateSealing(keys),
      served: served,
      patience: patience, clock: { self.milliseconds.load(ordering: .relaxed) },
      report: { report in self.reports.withLock { $0.append(report) } })
  }

  func advance(by milliseconds: Int) {
    self.milliseconds.add(milliseconds, ordering: .relaxed)
  }

  /// Runs statements on the file beside the store.
  func execute(_ text: String) throws {
    let database = try SQLiteDatabase(path: path)
    try database.execute(text)
  }

  static func state(_ steps: Int, floats: Int = 3) -> SequenceState {
    SequenceState(position: steps, floats: (0..<floats).map { Float(steps) + Float($0) / 8 })
  }

  static func move(
    _ id: String, from version: Int, steps: Int, model: String = "m", ends: Bool = false
  ) -> SessionMove {
    SessionMove(
      key: Key(model: model, id: id), version: version, state: state(steps), isAnew: version == 0,
      ends: ends)
  }
}

extension FileSessionStore {
  /// Waits without holding the thread.
  func make(_ moves: SessionMove...) async -> SessionStoreProblem? {
    await withCheckedContinuation { continuation in
      write(moves) { result in
        if case .failure(let problem) = result {
          continuation.resume(returning: problem)
        } else {
          continuation.resume(returning: nil)
        }
      }
    }
  }

  func find(
    _ ids: String..., model: String = "m", floatCount: Int = 3
  ) async -> Result<[SessionFinding], SessionStoreProblem> {
    await withCheckedContinuation { continuation in
      fetch(ids.map { .init(model: model, id: $0) }, floatCount: floatCount) {
        continuation.resume(returning: $0)
      }
    }
  }

  /// The session as `steps/version`, or what became of it.
  func tell(_ id: String, model: String = "m", floatCount: Int = 3) async -> String {
    switch await find(id, model: model, floatCount: floatCount) {
    case .success(let findings):
      switch findings[0] {
      case .session(let record, let version):
        record.state == StoreRoom.state(record.state.position, floats: floatCount)
          ? "\(record.state.position)/\(version)" : "another state"
      case .ended(let reason): "\(reason)"
      case .unknown: "unknown"
      }
    case .failure(let problem): "\(problem)"
    }
  }

  func ids(model: String = "m", limit: Int = 100) async -> [String] {
    await withCheckedContinuation { continuation in
      list(of: model, limit: limit) { result in
        continuation.resume(returning: ((try? result.get())?.listings ?? []).map(\.id))
      }
    }
  }

  @discardableResult
  func end() async -> Bool {
    await withCheckedContinuation { continuation in
      close { continuation.resume(returning: $0) }
    }
  }
}
