import Scheduling

/// How a session ended, as its file remembers it.
package struct StoredEnd: Sendable, Equatable {
  let number: Int
  package let key: SessionTable.Key
  /// The raw value of a `SessionEnd`, perhaps one that only a later version knows.
  package let reason: Int
}

/// A name under which a model is or was served.
package struct StoredName: Sendable, Equatable {
  package let name: String
  package let fingerprint: String
  package let isCurrent: Bool
}

/// What a file keeps beside its sessions: names of models, and how sessions ended.
extension StoredSessions {
  /// The number of ends that share a transaction, and are in memory at once.
  private static let endBatchCount = 4096

  /// The names of models; those under which models are served now come last.
  package func names() throws(FileStoreError) -> [StoredName] {
    do throws(SQLiteError) {
      let rows = try database.database.prepare(
        "SELECT name, fingerprint, is_current FROM name JOIN model ON model = number ORDER BY is_current"
      )
      var names: [StoredName] = []
      while try rows.next() {
        names.append(
          StoredName(name: rows.text(0), fingerprint: rows.text(1), isCurrent: rows.integer(2) == 1)
        )
      }
      return names
    } catch { throw .sqlite(error) }
  }

  /// A name of each model by its fingerprint: the current one, if it has one.
  package func modelNames() throws(FileStoreError) -> [String: String] {
    Dictionary(try names().map { ($0.fingerprint, $0.name) }, uniquingKeysWith: { $1 })
  }

  /// Adds names of models; names that the file already has stay as they are.
  package func add(_ names: [StoredName]) throws(FileStoreError) {
    do throws(SQLiteError) {
      let insert = try database.database.prepare("INSERT OR IGNORE INTO name VALUES(?1, ?2, ?3)")
      try database.transaction { () throws(SQLiteError) in
        for name in names {
          try insert.run(
            .text(name.name), .integer(try database.number(ofModel: name.fingerprint)),
            .integer(name.isCurrent ? 1 : 0))
        }
      }
    } catch { throw .sqlite(error) }
  }

  /// The oldest ends that the file remembers, in their order, at most 4096; empty if there are none.
  package func firstEnds() throws(FileStoreError) -> [StoredEnd] {
    do throws(SQLiteError) {
      let rows = try database.database.prepare(
        "SELECT number, model, id, reason FROM ended ORDER BY number LIMIT \(Self.endBatchCount)")
      var ends: [StoredEnd] = []
      while try rows.next() {
        let model = database.counts.fingerprints[rows.integer(1)] ?? ""
        ends.append(
          StoredEnd(
            number: rows.integer(0), key: .init(model: model, id: rows.text(2)),
            reason: rows.integer(3)))
      }
      return ends
    } catch { throw .sqlite(error) }
  }

  /// Adds ends of another file; they are on the disk when it returns. If the file has a session of that name, or an end
  /// of one, that stays.
  package func add(_ ends: [StoredEnd]) throws(FileStoreError) {
    do throws(SQLiteError) {
      let insert = try database.database.prepare(
        """
        INSERT OR IGNORE INTO ended(model, id, reason) SELECT ?1, ?2, ?3
        WHERE NOT EXISTS (SELECT 1 FROM session WHERE model = ?1 AND id = ?2)
        """)
      try database.transaction { () throws(SQLiteError) in
        for end in ends {
          try insert.run(
            .integer(try database.number(ofModel: end.key.model)), .text(end.key.id),
            .integer(end.reason))
        }
        try database.statements.forgetEnds.run(.integer(SessionDatabase.maxEnds))
      }
    } catch { throw .sqlite(error) }
  }

  /// Removes ends that another file remembers now.
  package func remove(_ ends: [StoredEnd]) throws(FileStoreError) {
    do throws(SQLiteError) {
      let delete = try database.database.prepare("DELETE FROM ended WHERE number = ?1")
      try database.transaction { () throws(SQLiteError) in
        for end in ends { try delete.run(.integer(end.number)) }
      }
    } catch { throw .sqlite(error) }
  }
}
