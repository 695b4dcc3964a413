#pragma once
#include <stdint.h>

/// What a confined process may use.
typedef struct {
  /// The limit on address space, and on the size of a file that is written, in bytes.
  uint64_t memory_bytes;
  /// The limit on CPU time, in seconds.
  uint64_t cpu_seconds;
  /// Files and folders (with everything in them) that may be read; those that don't exist are ignored.
  const char *const *readable;
  int readable_count;
  /// The only folder in which files may be written.
  const char *writable;
} confinement;

/// The parts of a confinement that are in force.
enum {
  /// Limits on memory and CPU (setrlimit(2)).
  confined_resources = 1,
  /// Access to files (landlock(7), since Linux 5.13).
  confined_files = 2,
  /// No sockets, no other programs (seccomp(2)).
  confined_calls = 4,
};

/// Forks; the process must have only one thread. In the child, which is confined to `wanted` from then on, returns 0 and sets
/// `*in_force` to the parts that the kernel supports, a sum of the constants above. In the parent, waits for the child and
/// returns its exit status + 1, or the signal that ended it as a negative number. Returns `NO_CHILD` if the system can't fork.
int confine_child(const confinement *wanted, int *in_force);
enum { NO_CHILD = 1000 };
