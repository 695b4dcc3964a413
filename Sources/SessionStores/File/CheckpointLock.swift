import Synchronization

/// Lets one thread at a time copy the write-ahead log into the database, or make the database's file longer.
final class CheckpointLock: Sendable {
  private let mutex = Mutex<Void>(())

  func withLock(_ body: () throws(SQLiteError) -> Void) throws(SQLiteError) {
    try mutex.withLock { _ throws(SQLiteError) in try body() }
  }
}
