#ifndef CHDF5_SHIM_H
#define CHDF5_SHIM_H

#include <hdf5.h>

// HDF5's handles of types and property lists are macros that Swift can't see.

static inline hid_t chdf5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t chdf5_file_access(void) { return H5P_FILE_ACCESS; }
static inline unsigned chdf5_read_only(void) { return H5F_ACC_RDONLY; }

/// Whether `name` of a group is an object of the same file, not a link to another path or file.
static inline int chdf5_is_hard_link(hid_t group, const char *name) {
  H5L_info_t info;
  return H5Lget_info(group, name, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

/// Errors are reported by return values alone, and no filter is loaded from a file of the machine's.
static inline void chdf5_set_up(void) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  H5PLset_loading_state(0);
}

#endif
