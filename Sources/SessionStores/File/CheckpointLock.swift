import Synchronization

/// Lets one thread at a time copy the write-ahead log into the database (a checkpoint), or make the database's file
/// longer.
final class CheckpointLock: Sendable {
  private let mutex = Mutex<Void>(())

  func withLock<Value>(_ body: () throws(SQLiteError) -> Value) throws(SQLiteError) -> Value {
    try mutex.withLock { _ throws(SQLiteError) in try body() }
  }
}
