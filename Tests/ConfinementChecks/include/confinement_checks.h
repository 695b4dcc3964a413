#pragma once

/// What a confined process was able to do, as bits.
enum {
  could_open_socket = 1,
  could_run_program = 2,
  could_read_elsewhere = 4,
  could_write_elsewhere = 8,
  could_take_memory = 16,
  could_not_read_named = 32,
  could_not_write_output = 64,
};

/// Tries all of it in a child of this process that is confined to reading `readable` and writing into `writable`, and returns what of
/// it could be done; -1 where the child did not end by itself. `elsewhere` is a file beside both.
int confinement_attempts(const char *readable, const char *writable, const char *elsewhere);
