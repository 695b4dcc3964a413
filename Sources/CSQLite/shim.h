#include <sqlite3.h>

/* SQLITE_TRANSIENT is a cast, which Swift does not import: SQLite copies what is bound. */
static inline int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int length) {
  return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}

static inline int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length) {
  return sqlite3_bind_blob(statement, index, length ? bytes : "", length, SQLITE_TRANSIENT);
}

/* Takes room on the disk for the first bytes of a write-ahead log; the file is reached by its methods alone. */
static inline int csqlite_reserve_log(sqlite3 *database, sqlite3_int64 bytes) {
  sqlite3_file *file = 0;
  int code = sqlite3_file_control(database, 0, SQLITE_FCNTL_JOURNAL_POINTER, &file);
  if (code != SQLITE_OK || !file || !file->pMethods) return code;
  int chunk = (int)bytes, none = 0;
  file->pMethods->xFileControl(file, SQLITE_FCNTL_CHUNK_SIZE, &chunk);
  code = file->pMethods->xFileControl(file, SQLITE_FCNTL_SIZE_HINT, &bytes);
  file->pMethods->xFileControl(file, SQLITE_FCNTL_CHUNK_SIZE, &none);
  return code;
}
