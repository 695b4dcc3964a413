#pragma once
#include <stdint.h>

/// What a process may still do once it is confined.
typedef struct {
  /// Bytes of address space, and of any file that is written.
  uint64_t memory_bytes;
  /// Seconds of CPU.
  uint64_t cpu_seconds;
  /// Files and folders that may be read, with all below them; those that are not there are passed over.
  const char *const *readable;
  int readable_count;
  /// The folder in which alone files may be written.
  const char *writable;
} confinement;

/// What is in force after `confine`.
enum {
  /// Bounds on memory and CPU (setrlimit(2)).
  confined_resources = 1,
  /// Files (landlock(7), since Linux 5.13).
  confined_files = 2,
  /// No sockets, no other programs (seccomp(2)).
  confined_calls = 4,
};

/// Splits this process in two, before it has a second thread. In the child, which may do no more than `wanted` says until it
/// ends, returns 0 and sets `*in_force` to what of that the kernel carries out, a sum of the constants above. In the parent, waits for
/// the child and returns how it ended: its exit status + 1, or the signal that ended it as a negative number. `NO_CHILD` where
/// the system has no room for another process.
int confine_child(const confinement *wanted, int *in_force);
enum { NO_CHILD = 1000 };
