import Scheduling

/// Lists for operators, read over a second connection beside the one that writes.
extension SQLiteDatabase {
  /// Up to `limit` sessions of a model, the highest `listed` first (see `SessionDatabase`); expired ones are left out.
  func listings(
    of fingerprint: String, limit: Int, limits: FileSessionLimits,
    now: Int
  ) throws(SQLiteError) -> [SessionTable.Listing] {
    let rows = try prepare(
      """
      SELECT id, steps, created, used FROM session
      WHERE model = (SELECT number FROM model WHERE fingerprint = ?1) AND used > ?2
      ORDER BY listed DESC LIMIT ?3
      """)
    var found: [SessionTable.Listing] = []
    var isThere = try rows.first(
      .text(fingerprint), .integer(now - limits.idleMilliseconds), .integer(limit))
    while isThere {
      found.append(
        SessionTable.Listing(
          id: rows.text(0), steps: rows.integer(1),
          age: .milliseconds(max(0, now - rows.integer(2))),
          idle: .milliseconds(max(0, now - rows.integer(3)))))
      isThere = try rows.next()
    }
    return found
  }
}
