#include <sqlite3.h>

/* SQLITE_TRANSIENT is a cast, which Swift does not import: SQLite copies what is bound. */
static inline int csqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int length) {
  return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}

static inline int csqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length) {
  return sqlite3_bind_blob(statement, index, length ? bytes : "", length, SQLITE_TRANSIENT);
}

/* A file of a connection as it has it open: its database, or with `is_log` its write-ahead log; 0 where there is none. */
static inline sqlite3_file *csqlite_file(sqlite3 *database, int is_log) {
  sqlite3_file *file = 0;
  int operation = is_log ? SQLITE_FCNTL_JOURNAL_POINTER : SQLITE_FCNTL_FILE_POINTER;
  int code = sqlite3_file_control(database, 0, operation, &file);
  return code == SQLITE_OK && file && file->pMethods ? file : 0;
}

/* Takes room on the disk for the first bytes of a write-ahead log; the file is reached by its methods alone. */
static inline int csqlite_reserve_log(sqlite3 *database, sqlite3_int64 bytes) {
  sqlite3_file *file = csqlite_file(database, 1);
  if (!file) return SQLITE_ERROR;
  int chunk = (int)bytes, none = 0;
  file->pMethods->xFileControl(file, SQLITE_FCNTL_CHUNK_SIZE, &chunk);
  int code = file->pMethods->xFileControl(file, SQLITE_FCNTL_SIZE_HINT, &bytes);
  file->pMethods->xFileControl(file, SQLITE_FCNTL_CHUNK_SIZE, &none);
  return code;
}

/* The length of such a file; -1 where it is not known. */
static inline sqlite3_int64 csqlite_file_size(sqlite3 *database, int is_log) {
  sqlite3_file *file = csqlite_file(database, is_log);
  sqlite3_int64 size = -1;
  return file && file->pMethods->xFileSize(file, &size) == SQLITE_OK ? size : -1;
}

/* Reads the first bytes of the write-ahead log. */
static inline int csqlite_read_log(sqlite3 *database, void *to, int count) {
  sqlite3_file *file = csqlite_file(database, 1);
  return file ? file->pMethods->xRead(file, to, count, 0) : SQLITE_IOERR;
}

/* Has the end of a connection leave the write-ahead log as it is. */
static inline int csqlite_keep_log(sqlite3 *database) {
  return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}
