/// The tables of a file of sessions.
enum StoreLayout {
  /// The application id by which our files differ from other SQLite databases ("CARS").
  static let applicationID = 0x4341_5253
  /// The number of this layout; other versions of this program may have other layouts.
  static let number = 1

  /// - `session`: `checksum` is the CRC-32 of `StateChecksum`, or -1 if `state` is encrypted (`StateSealing`); `listed`
  ///   is indexed, and never above `used`; times are in milliseconds since 1970.
  /// - `model`: the number of each model's sessions and the bytes that they take, counted as in memory.
  /// - `name`: the names under which models are or were served.
  /// - `ended`: why earlier sessions ended, as `SessionEnd`'s number.
  static let schema = """
    CREATE TABLE model(
      number INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE,
      count INTEGER NOT NULL, bytes INTEGER NOT NULL);
    CREATE TABLE name(
      name TEXT NOT NULL, model INTEGER NOT NULL, is_current INTEGER NOT NULL,
      PRIMARY KEY(name, model)) WITHOUT ROWID;
    CREATE TABLE session(
      number INTEGER PRIMARY KEY, model INTEGER NOT NULL, id TEXT NOT NULL,
      version INTEGER NOT NULL, steps INTEGER NOT NULL, bytes INTEGER NOT NULL,
      created INTEGER NOT NULL, used INTEGER NOT NULL, listed INTEGER NOT NULL,
      checksum INTEGER NOT NULL, state BLOB NOT NULL);
    CREATE UNIQUE INDEX session_id ON session(model, id);
    CREATE INDEX session_listed ON session(listed);
    CREATE INDEX session_model_listed ON session(model, listed);
    CREATE TABLE ended(
      number INTEGER PRIMARY KEY, model INTEGER NOT NULL, id TEXT NOT NULL,
      reason INTEGER NOT NULL);
    CREATE UNIQUE INDEX ended_id ON ended(model, id);
    """
}
