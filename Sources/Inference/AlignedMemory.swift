import Glibc

/// The size of a huge page in bytes.
private let hugePage = 2 << 20

/// Allocates at least `count` bytes, aligned to a cache line; release them with `free`. From half a huge page on, the
/// memory is aligned to huge pages and is a whole number of them, so that the system can use huge pages for it.
func alignedMemory(_ count: Int) -> UnsafeMutableRawPointer {
  let isLarge = count >= hugePage / 2
  let size = isLarge ? (count + hugePage - 1) / hugePage * hugePage : Swift.max(count, 64)
  var memory: UnsafeMutableRawPointer?
  guard unsafe posix_memalign(&memory, isLarge ? hugePage : 64, size) == 0,
    let memory = unsafe memory
  else { fatalError("no memory for \(count) bytes") }
  // The system may refuse; the memory then has pages of the usual size.
  if isLarge { _ = unsafe madvise(memory, size, MADV_HUGEPAGE) }
  return unsafe memory
}
