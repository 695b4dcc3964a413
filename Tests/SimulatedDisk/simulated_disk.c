#define _GNU_SOURCE
#include "simulated_disk.h"

#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DISKS = 64, MAX_FILES = 4, SECTOR = 512 };

/// A write, or where `bytes` is NULL the end that a file was cut to or grew to.
typedef struct {
  sqlite3_int64 offset;
  int size;
  unsigned char *bytes;
} change;

/// A file: what is safe, and what was changed since the last sync.
typedef struct {
  char name[64];
  bool is_there;
  sqlite3_int64 size;
  unsigned char *safe;
  sqlite3_int64 safe_size;
  change *changes;
  size_t change_count;
} disk_file;

typedef struct {
  bool is_used;
  char folder[PATH_MAX];
  sqlite3_int64 capacity;
  disk_file files[MAX_FILES];
} disk;

/// What SQLite has for an open file; the wrapped one's own follows it.
typedef struct {
  sqlite3_file base;
  int disk, file;
  int chunk;
  sqlite3_file *inner;
} open_file;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static disk disks[MAX_DISKS];
static sqlite3_vfs *inner_vfs;
static sqlite3_vfs vfs;

static void *checked(void *memory) {
  if (!memory) abort();
  return memory;
}

static disk_file *file_of(const open_file *file) { return &disks[file->disk].files[file->file]; }

static sqlite3_int64 used(const disk *d) {
  sqlite3_int64 sum = 0;
  for (int i = 0; i < MAX_FILES; i++)
    if (d->files[i].is_there) sum += d->files[i].size;
  return sum;
}

/// Whether a file may get that long; if so it is.
static bool grow(const open_file *open, sqlite3_int64 size) {
  disk_file *f = file_of(open);
  if (size <= f->size) return true;
  disk *d = &disks[open->disk];
  if (used(d) + size - f->size > d->capacity) return false;
  f->size = size;
  return true;
}

static void add_change(disk_file *f, sqlite3_int64 offset, int size, const void *bytes) {
  f->changes = checked(realloc(f->changes, (f->change_count + 1) * sizeof *f->changes));
  change *c = &f->changes[f->change_count++];
  *c = (change){.offset = offset, .size = size};
  if (bytes) c->bytes = memcpy(checked(malloc((size_t)size + 1)), bytes, (size_t)size);
}

static void clear_changes(disk_file *f) {
  for (size_t i = 0; i < f->change_count; i++) free(f->changes[i].bytes);
  free(f->changes);
  f->changes = NULL;
  f->change_count = 0;
}

static void resize(unsigned char **bytes, sqlite3_int64 *size, sqlite3_int64 new_size) {
  *bytes = checked(realloc(*bytes, (size_t)new_size + 1));
  if (new_size > *size) memset(*bytes + *size, 0, (size_t)(new_size - *size));
  *size = new_size;
}

/// Makes a change to a file's bytes, or to the first `size` of its own.
static void apply(const change *c, int size, unsigned char **bytes, sqlite3_int64 *length) {
  if (!c->bytes) {
    resize(bytes, length, c->offset);
  } else {
    if (c->offset + size > *length) resize(bytes, length, c->offset + size);
    memcpy(*bytes + c->offset, c->bytes, (size_t)size);
  }
}

static int do_close(sqlite3_file *f) { return ((open_file *)f)->inner->pMethods->xClose(((open_file *)f)->inner); }

static int do_read(sqlite3_file *f, void *to, int size, sqlite3_int64 offset) {
  sqlite3_file *inner = ((open_file *)f)->inner;
  return inner->pMethods->xRead(inner, to, size, offset);
}

static int do_write(sqlite3_file *f, const void *from, int size, sqlite3_int64 offset) {
  open_file *open = (open_file *)f;
  pthread_mutex_lock(&mutex);
  int code = grow(open, offset + size) ? open->inner->pMethods->xWrite(open->inner, from, size, offset) : SQLITE_FULL;
  if (code == SQLITE_OK) add_change(file_of(open), offset, size, from);
  pthread_mutex_unlock(&mutex);
  return code;
}

static int do_truncate(sqlite3_file *f, sqlite3_int64 size) {
  open_file *open = (open_file *)f;
  if (open->chunk > 0) size = (size + open->chunk - 1) / open->chunk * open->chunk;
  pthread_mutex_lock(&mutex);
  int code = grow(open, size) ? open->inner->pMethods->xTruncate(open->inner, size) : SQLITE_FULL;
  if (code == SQLITE_OK) {
    file_of(open)->size = size;
    add_change(file_of(open), size, 0, NULL);
  }
  pthread_mutex_unlock(&mutex);
  return code;
}

static int do_sync(sqlite3_file *f, int flags) {
  (void)flags;
  disk_file *file = file_of((open_file *)f);
  // Not the machine's own sync: no power is cut there.
  pthread_mutex_lock(&mutex);
  for (size_t i = 0; i < file->change_count; i++)
    apply(&file->changes[i], file->changes[i].size, &file->safe, &file->safe_size);
  clear_changes(file);
  pthread_mutex_unlock(&mutex);
  return SQLITE_OK;
}

static int do_file_size(sqlite3_file *f, sqlite3_int64 *size) {
  sqlite3_file *inner = ((open_file *)f)->inner;
  return inner->pMethods->xFileSize(inner, size);
}

static int do_lock(sqlite3_file *f, int level) {
  sqlite3_file *inner = ((open_file *)f)->inner;
  return inner->pMethods->xLock(inner, level);
}

static int do_unlock(sqlite3_file *f, int level) {
  sqlite3_file *inner = ((open_file *)f)->inner;
  return inner->pMethods->xUnlock(inner, level);
}

static int do_check_lock(sqlite3_file *f, int *is_locked) {
  sqlite3_file *inner = ((open_file *)f)->inner;
  return inner->pMethods->xCheckReservedLock(inner, is_locked);
}

static int do_control(sqlite3_file *f, int operation, void *argument) {
  open_file *open = (open_file *)f;
  if (operation == SQLITE_FCNTL_CHUNK_SIZE) {
    // By us alone: the wrapped file must not take room that does not count.
    open->chunk = *(int *)argument;
    return SQLITE_OK;
  }
  if (operation == SQLITE_FCNTL_SIZE_HINT) {
    sqlite3_int64 size = *(sqlite3_int64 *)argument;
    if (open->chunk <= 0) return SQLITE_OK;
    size = (size + open->chunk - 1) / open->chunk * open->chunk;
    pthread_mutex_lock(&mutex);
    int code = SQLITE_OK;
    bool is_longer = size > file_of(open)->size;
    if (is_longer) code = grow(open, size) ? open->inner->pMethods->xTruncate(open->inner, size) : SQLITE_IOERR_WRITE;
    if (is_longer && code == SQLITE_OK) add_change(file_of(open), size, 0, NULL);
    pthread_mutex_unlock(&mutex);
    return code;
  }
  return open->inner->pMethods->xFileControl(open->inner, operation, argument);
}

static int do_sector_size(sqlite3_file *f) {
  sqlite3_file *inner = ((open_file *)f)->inner;
  return inner->pMethods->xSectorSize(inner);
}

static int do_characteristics(sqlite3_file *f) {
  sqlite3_file *inner = ((open_file *)f)->inner;
  return inner->pMethods->xDeviceCharacteristics(inner);
}

static int do_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **to) {
  sqlite3_file *inner = ((open_file *)f)->inner;
  return inner->pMethods->xShmMap(inner, page, size, extend, to);
}

static int do_shm_lock(sqlite3_file *f, int offset, int count, int flags) {
  sqlite3_file *inner = ((open_file *)f)->inner;
  return inner->pMethods->xShmLock(inner, offset, count, flags);
}

static void do_shm_barrier(sqlite3_file *f) {
  sqlite3_file *inner = ((open_file *)f)->inner;
  inner->pMethods->xShmBarrier(inner);
}

static int do_shm_unmap(sqlite3_file *f, int deletes) {
  sqlite3_file *inner = ((open_file *)f)->inner;
  return inner->pMethods->xShmUnmap(inner, deletes);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = do_close,
    .xRead = do_read,
    .xWrite = do_write,
    .xTruncate = do_truncate,
    .xSync = do_sync,
    .xFileSize = do_file_size,
    .xLock = do_lock,
    .xUnlock = do_unlock,
    .xCheckReservedLock = do_check_lock,
    .xFileControl = do_control,
    .xSectorSize = do_sector_size,
    .xDeviceCharacteristics = do_characteristics,
    .xShmMap = do_shm_map,
    .xShmLock = do_shm_lock,
    .xShmBarrier = do_shm_barrier,
    .xShmUnmap = do_shm_unmap,
};

/// The disk and the place of a path's file on it, which is made where there is none yet; false where it is on no disk.
static bool find(const char *path, int *disk_number, int *file_number) {
  const char *slash = path ? strrchr(path, '/') : NULL;
  if (!slash || strlen(slash + 1) >= sizeof disks[0].files[0].name) return false;
  for (int d = 0; d < MAX_DISKS; d++) {
    if (!disks[d].is_used || strlen(disks[d].folder) != (size_t)(slash - path)
        || strncmp(disks[d].folder, path, (size_t)(slash - path)) != 0)
      continue;
    for (int i = 0; i < MAX_FILES; i++) {
      disk_file *f = &disks[d].files[i];
      if (f->name[0] && strcmp(f->name, slash + 1) != 0) continue;
      strcpy(f->name, slash + 1);
      *disk_number = d;
      *file_number = i;
      return true;
    }
    abort();
  }
  return false;
}

static int do_open(sqlite3_vfs *self, const char *path, sqlite3_file *f, int flags, int *out_flags) {
  (void)self;
  int d, i;
  pthread_mutex_lock(&mutex);
  bool is_ours = find(path, &d, &i);
  pthread_mutex_unlock(&mutex);
  if (!is_ours) return inner_vfs->xOpen(inner_vfs, path, f, flags, out_flags);
  open_file *open = (open_file *)f;
  *open = (open_file){.disk = d, .file = i, .inner = (sqlite3_file *)(open + 1)};
  int code = inner_vfs->xOpen(inner_vfs, path, open->inner, flags, out_flags);
  if (code != SQLITE_OK) return code;
  disks[d].files[i].is_there = true;
  open->base.pMethods = &methods;
  return SQLITE_OK;
}

static int do_delete(sqlite3_vfs *self, const char *path, int syncs) {
  (void)self;
  int d, i;
  pthread_mutex_lock(&mutex);
  int code = inner_vfs->xDelete(inner_vfs, path, syncs);
  if (code == SQLITE_OK && find(path, &d, &i)) {
    disk_file *f = &disks[d].files[i];
    clear_changes(f);
    free(f->safe);
    *f = (disk_file){0};
  }
  pthread_mutex_unlock(&mutex);
  return code;
}

static void begin_all(void) {
  // The one by which the store opens its files, in whose place this one is found by name.
  inner_vfs = sqlite3_vfs_find("unix-excl");
  if (!inner_vfs) abort();
  vfs = *inner_vfs;
  vfs.szOsFile = (int)sizeof(open_file) + inner_vfs->szOsFile;
  vfs.xOpen = do_open;
  vfs.xDelete = do_delete;
  if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK) abort();
}

int sd_begin(const char *folder, int64_t capacity) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (sqlite3_initialize() != SQLITE_OK) abort();
  pthread_once(&once, begin_all);
  int found = -1;
  pthread_mutex_lock(&mutex);
  for (int d = 0; d < MAX_DISKS && found < 0; d++) {
    if (disks[d].is_used || strlen(folder) >= PATH_MAX) continue;
    disks[d] = (disk){.is_used = true, .capacity = capacity};
    strcpy(disks[d].folder, folder);
    found = d;
  }
  pthread_mutex_unlock(&mutex);
  return found;
}

void sd_set_capacity(int number, int64_t capacity) {
  pthread_mutex_lock(&mutex);
  disks[number].capacity = capacity;
  pthread_mutex_unlock(&mutex);
}

int64_t sd_used(int number) {
  pthread_mutex_lock(&mutex);
  int64_t sum = used(&disks[number]);
  pthread_mutex_unlock(&mutex);
  return sum;
}

/// The next number of a sequence that looks random (xorshift).
static uint32_t next(uint32_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

static bool write_file(const char *folder, const char *name, const unsigned char *bytes, sqlite3_int64 size) {
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) return false;
  FILE *file = fopen(path, "wb");
  if (!file) return false;
  bool is_whole = size == 0 || fwrite(bytes, 1, (size_t)size, file) == (size_t)size;
  return fclose(file) == 0 && is_whole;
}

bool sd_cut_power(int number, const char *folder, uint32_t seed) {
  uint32_t state = seed * 2654435761u + 1;
  if (state == 0) state = 1;
  bool is_written = true;
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < MAX_FILES; i++) {
    const disk_file *f = &disks[number].files[i];
    if (!f->is_there) continue;
    unsigned char *bytes = NULL;
    sqlite3_int64 size = 0;
    resize(&bytes, &size, f->safe_size);
    if (f->safe_size > 0) memcpy(bytes, f->safe, (size_t)f->safe_size);
    // One cut loses nearly all, another nearly nothing.
    uint32_t kept = next(&state) % 101;
    for (size_t k = 0; k < f->change_count; k++) {
      const change *c = &f->changes[k];
      uint32_t chance = next(&state) % 100;
      if (chance < kept) {
        apply(c, c->size, &bytes, &size);
      } else if (c->bytes && chance % 4 == 0) {
        int sectors = c->size / SECTOR;
        int torn = sectors > 0 ? (int)(next(&state) % (uint32_t)sectors) * SECTOR : c->size / 2;
        apply(c, torn, &bytes, &size);
      }
    }
    is_written = write_file(folder, f->name, bytes, size) && is_written;
    free(bytes);
  }
  pthread_mutex_unlock(&mutex);
  return is_written;
}

void sd_end(int number) {
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < MAX_FILES; i++) {
    clear_changes(&disks[number].files[i]);
    free(disks[number].files[i].safe);
  }
  disks[number] = (disk){0};
  pthread_mutex_unlock(&mutex);
}
