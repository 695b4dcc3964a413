import Glibc

/// The size of a huge page in bytes.
private let hugePage = 2 << 20

/// Memory aligned to a cache line, to be released with `free`. Half a huge page and more is aligned to huge pages, which the
/// system may then use.
func alignedMemory(_ count: Int) -> UnsafeMutableRawPointer {
  let isLarge = count >= hugePage / 2
  let size = isLarge ? (count + hugePage - 1) / hugePage * hugePage : Swift.max(count, 64)
  var memory: UnsafeMutableRawPointer?
  guard unsafe posix_memalign(&memory, isLarge ? hugePage : 64, size) == 0,
    let memory = unsafe memory
  else { fatalError("no memory for \(count) bytes") }
  // The system may refuse; pages are then small.
  if isLarge { _ = unsafe madvise(memory, size, MADV_HUGEPAGE) }
  return unsafe memory
}
