/// The statements that are executed for sessions, prepared once.
struct Statements {
  let begin: SQLiteStatement
  let commit: SQLiteStatement
  let addModel: SQLiteStatement
  let findModel: SQLiteStatement
  let setUsage: SQLiteStatement
  let addName: SQLiteStatement
  let insert: SQLiteStatement
  let update: SQLiteStatement
  let remove: SQLiteStatement
  let removeNumber: SQLiteStatement
  let find: SQLiteStatement
  let findSteps: SQLiteStatement
  let findOldest: SQLiteStatement
  let list: SQLiteStatement
  let touch: SQLiteStatement
  let use: SQLiteStatement
  let addEnd: SQLiteStatement
  let findEnd: SQLiteStatement
  let forget: SQLiteStatement
  let forgetEnds: SQLiteStatement
  let findNamesake: SQLiteStatement

  init(_ database: SQLiteDatabase) throws(SQLiteError) {
    begin = try database.prepare("BEGIN")
    commit = try database.prepare("COMMIT")
    addModel = try database.prepare(
      "INSERT INTO model(fingerprint, count, bytes) VALUES(?1, 0, 0)")
    findModel = try database.prepare("SELECT number FROM model WHERE fingerprint = ?1")
    setUsage = try database.prepare("UPDATE model SET count = ?1, bytes = ?2 WHERE number = ?3")
    addName = try database.prepare("INSERT OR REPLACE INTO name VALUES(?1, ?2, 1)")
    insert = try database.prepare(
      """
      INSERT INTO session(model, id, version, steps, bytes, created, used, listed, checksum, state)
      VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING
      """)
    update = try database.prepare(
      """
      UPDATE session SET version = ?1, steps = ?2, used = ?3,
        created = CASE ?4 WHEN 1 THEN ?5 ELSE created END, checksum = ?6, state = ?7
      WHERE model = ?8 AND id = ?9 AND version = ?10
      """)
    remove = try database.prepare(
      "DELETE FROM session WHERE model = ?1 AND id = ?2 AND version = ?3")
    removeNumber = try database.prepare("DELETE FROM session WHERE number = ?1")
    find = try database.prepare(
      """
      SELECT version, steps, bytes, created, used, checksum, state FROM session
      WHERE model = ?1 AND id = ?2
      """)
    findSteps = try database.prepare("SELECT steps FROM session WHERE model = ?1 AND id = ?2")
    findOldest = try database.prepare(
      """
      SELECT number, model, id, used, listed, bytes FROM session
      WHERE listed <= ?1 ORDER BY listed LIMIT 256
      """)
    list = try database.prepare("UPDATE session SET listed = ?1 WHERE number = ?2")
    touch = try database.prepare("UPDATE session SET used = ?1, listed = ?2 WHERE number = ?3")
    use = try database.prepare(
      "UPDATE session SET used = ?1 WHERE model = ?2 AND id = ?3")
    addEnd = try database.prepare(
      "INSERT OR REPLACE INTO ended(model, id, reason) VALUES(?1, ?2, ?3)")
    findEnd = try database.prepare("SELECT reason FROM ended WHERE model = ?1 AND id = ?2")
    forget = try database.prepare("DELETE FROM ended WHERE model = ?1 AND id = ?2")
    forgetEnds = try database.prepare(
      "DELETE FROM ended WHERE number <= (SELECT max(number) FROM ended) - ?1")
    // Finds a session with this id of another model, which formerly had the name that the given model has now.
    findNamesake = try database.prepare(
      """
      SELECT 1 FROM name AS mine
      JOIN name AS former ON former.name = mine.name AND former.is_current = 0
      JOIN session ON session.model = former.model AND session.id = ?1
      WHERE mine.model = ?2 AND mine.is_current = 1 LIMIT 1
      """)
  }
}
