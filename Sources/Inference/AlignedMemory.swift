import Glibc

/// Bytes of a huge page.
private let hugePage = 2 << 20

/// Memory on a cache line's boundary, to be given back with `free`; half a huge page and more in whole huge pages,
/// where the system gives them on request.
func alignedMemory(_ count: Int) -> UnsafeMutableRawPointer {
  let isLarge = count >= hugePage / 2
  let size = isLarge ? (count + hugePage - 1) / hugePage * hugePage : Swift.max(count, 64)
  var memory: UnsafeMutableRawPointer?
  guard unsafe posix_memalign(&memory, isLarge ? hugePage : 64, size) == 0,
    let memory = unsafe memory
  else { fatalError("no memory for \(count) bytes") }
  // A refusal does no harm: pages are small then.
  if isLarge { _ = unsafe madvise(memory, size, MADV_HUGEPAGE) }
  return unsafe memory
}
