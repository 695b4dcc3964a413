// Disks for SQLite that fill up and lose power: a folder each, in files of the machine's own.
//
// SQLite's own way to its files (its default VFS) is wrapped for the whole process; files in no such folder are as before.
#ifndef SIMULATED_DISK_H
#define SIMULATED_DISK_H

#include <stdbool.h>
#include <stdint.h>

/// Makes a folder a disk of `capacity` bytes; returns its number, or -1 where there are too many.
///
/// Whatever SQLite then opens in it counts, by the sizes of the files; the shared memory of a log does not.
int sd_begin(const char *folder, int64_t capacity);

/// Changes how many bytes fit on a disk.
void sd_set_capacity(int disk, int64_t capacity);

/// The bytes that its files take.
int64_t sd_used(int disk);

/// Writes the files of a disk into another folder as they could be after a power cut at this moment: of what was written
/// to a file since its last sync some is there, some is not, and some is torn, as `seed` has it.
///
/// Returns whether that could be written.
bool sd_cut_power(int disk, const char *folder, uint32_t seed);

/// Forgets a disk, whose files are closed.
void sd_end(int disk);

#endif
