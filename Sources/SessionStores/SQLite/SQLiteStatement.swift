import CSQLite

/// A prepared statement for repeated use: bind values to it, then read its rows or run it.
@safe final class SQLiteStatement {
  // SAFETY: open from `init` to `deinit`, and nobody else has it.
  private let handle: OpaquePointer
  private let database: SQLiteDatabase

  init(_ handle: OpaquePointer, of database: SQLiteDatabase) {
    unsafe self.handle = handle
    self.database = database
  }

  // SAFETY: nobody else has the handle.
  deinit { unsafe sqlite3_finalize(handle) }

  /// A value for a parameter of a statement.
  enum Value {
    case integer(Int)
    case text(String)
    case floats([Float])
    case bytes([UInt8])
  }

  /// Resets the statement and binds `values` to its parameters, in order.
  private func bind(_ values: [Value]) throws(SQLiteError) {
    reset()
    for (index, value) in values.enumerated() {
      let place = Int32(index + 1)
      let code =
        switch value {
        // SAFETY: the handle is open, and SQLite copies text and bytes during the call.
        case .integer(let number): unsafe sqlite3_bind_int64(handle, place, Int64(number))
        case .text(let text):
          unsafe csqlite_bind_text(handle, place, text, Int32(text.utf8.count))
        case .floats(let floats):
          unsafe floats.withUnsafeBytes { bytes in
            unsafe csqlite_bind_blob(handle, place, bytes.baseAddress, Int32(bytes.count))
          }
        case .bytes(let bytes):
          unsafe csqlite_bind_blob(handle, place, bytes, Int32(bytes.count))
        }
      guard code == SQLITE_OK else { throw database.error(code) }
    }
  }

  /// Binds `values` and reads the first row; false if there is none. `next` reads the others.
  func first(_ values: Value...) throws(SQLiteError) -> Bool {
    try bind(values)
    return try next()
  }

  /// Reads the next row; false if there is none.
  func next() throws(SQLiteError) -> Bool {
    // SAFETY: the handle is open.
    let code = unsafe sqlite3_step(handle)
    switch code {
    case SQLITE_ROW: return true
    case SQLITE_DONE:
      reset()
      return false
    default:
      let error = database.error(code)
      reset()
      throw error
    }
  }

  /// Binds `values` and runs a statement that returns no rows; returns how many rows it changed.
  @discardableResult
  func run(_ values: Value...) throws(SQLiteError) -> Int {
    try bind(values)
    _ = try next()
    return database.changeCount
  }

  /// Discards the rows that are left, and ends the read transaction that they keep open.
  func reset() {
    // SAFETY: the handle is open; the result repeats that of the last step.
    unsafe sqlite3_reset(handle)
  }

  // MARK: - The columns of a row

  // SAFETY, for all members below: the handle has a row, and what SQLite lends is copied before the next call.

  func integer(_ column: Int32) -> Int { Int(unsafe sqlite3_column_int64(handle, column)) }

  func text(_ column: Int32) -> String {
    unsafe sqlite3_column_text(handle, column).map { unsafe String(cString: $0) } ?? ""
  }

  func bytes(_ column: Int32) -> [UInt8] {
    let start = unsafe sqlite3_column_blob(handle, column)
    let count = Int(unsafe sqlite3_column_bytes(handle, column))
    guard let start = unsafe start, count > 0 else { return [] }
    return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
  }

  /// The floats in a column's bytes; nil if these are not a whole number of floats.
  func floats(_ column: Int32) -> [Float]? {
    let start = unsafe sqlite3_column_blob(handle, column)
    let byteCount = Int(unsafe sqlite3_column_bytes(handle, column))
    let stride = MemoryLayout<Float>.stride
    guard byteCount.isMultiple(of: stride) else { return nil }
    guard let start = unsafe start, byteCount > 0 else { return [] }
    return unsafe [Float](unsafeUninitializedCapacity: byteCount / stride) { buffer, count in
      unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(
        from: UnsafeRawBufferPointer(start: start, count: byteCount))
      count = byteCount / stride
    }
  }
}
