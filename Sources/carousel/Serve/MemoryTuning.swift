import CLinux

/// Has malloc give back what a load once took.
///
/// Left to itself it keeps an arena a thread, and large blocks for reuse: resident after a quarter of a
/// million small requests, 55 MB against 37; after 300 bodies of 5 MB, 390 against 34.
func keepMemorySmall() {
  mallopt(M_ARENA_MAX, 2)
  mallopt(M_MMAP_THRESHOLD, 1 << 20)
  mallopt(M_TRIM_THRESHOLD, 4 << 20)
}
