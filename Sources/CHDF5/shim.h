#ifndef CHDF5_SHIM_H
#define CHDF5_SHIM_H

#include <hdf5.h>

// HDF5's handles of types and property lists are macros that Swift can't see.

static inline hid_t chdf5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t chdf5_file_access(void) { return H5P_FILE_ACCESS; }
static inline unsigned chdf5_read_only(void) { return H5F_ACC_RDONLY; }

/// Whether the link `name` in `group` leads to an object of the same file: not to another path or file.
static inline int chdf5_is_hard_link(hid_t group, const char *name) {
  H5L_info_t info;
  return H5Lget_info(group, name, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

/// Makes HDF5 report errors by return values only, and load no filter plugins from files of the machine.
static inline void chdf5_set_up(void) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  H5PLset_loading_state(0);
}

#endif
