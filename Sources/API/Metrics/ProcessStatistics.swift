import Glibc

/// Figures from the operating system about this process.
package enum ProcessStatistics {
  /// The resident memory in bytes (`/proc/self/statm`); nil where it can't be read.
  package static var residentBytes: Int? {
    // SAFETY: the path is a literal, which ends in a zero.
    let file = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = bytes.count
    // SAFETY: the call writes at most `count` bytes into the array, which outlives it.
    let length = unsafe bytes.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, count) }
    guard length > 0 else { return nil }
    let fields = String(decoding: bytes[..<length], as: UTF8.self).split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }

  /// The wall clock's time in seconds since 1970.
  package static var now: Double {
    var time = timespec()
    // SAFETY: the call writes one timespec.
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
