#define _GNU_SOURCE
#include "confinement_checks.h"

#include <confinement.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static int can_open(const char *path, int flags) {
  int file = open(path, flags, 0644);
  if (file >= 0) close(file);
  return file >= 0;
}

/// Only system calls: the process that was split may have had other threads.
static int attempts(const char *readable, const char *writable, const char *elsewhere) {
  int could = 0;
  char inside[512] = {0};
  strncpy(inside, writable, 400);
  strcat(inside, "/x");
  char *const words[] = {"/bin/true", NULL};
  if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0) could |= could_open_socket;
  if (can_open(elsewhere, O_RDONLY)) could |= could_read_elsewhere;
  if (can_open(elsewhere, O_WRONLY | O_CREAT)) could |= could_write_elsewhere;
  if (truncate(elsewhere, 0) == 0 || unlink(elsewhere) == 0) could |= could_write_elsewhere;
  if (!can_open(readable, O_RDONLY)) could |= could_not_read_named;
  if (can_open(readable, O_WRONLY)) could |= could_write_elsewhere;
  if (!can_open(inside, O_WRONLY | O_CREAT) || rename(inside, inside) != 0) could |= could_not_write_output;
  if (mmap(NULL, 1ul << 42, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED)
    could |= could_take_memory;
  // It would end with its own status, 0.
  execv(words[0], words);
  return could;
}

int confinement_attempts(const char *readable, const char *writable, const char *elsewhere) {
  const char *paths[] = {readable, "/nowhere/at/all"};
  confinement wanted = {1ul << 40, 100, paths, 2, writable};
  int in_force = 0;
  int outcome = confine_child(&wanted, &in_force);
  if (outcome == 0) _exit(attempts(readable, writable, elsewhere) + 128);
  if (outcome < 1) return -1;
  // Beyond 128 it got through all attempts; below, another program ended in its place.
  return outcome - 1 >= 128 ? outcome - 1 - 128 : could_run_program;
}
