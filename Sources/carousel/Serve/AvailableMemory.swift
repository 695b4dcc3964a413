import Glibc

/// The memory that this process may use: the least of the machine's memory, cgroup limits and the limit on the address
/// space. Works without /proc and /sys.
struct AvailableMemory {
  /// In bytes.
  let byteCount: Int
  /// Which limit is the least.
  let bound: Bound

  /// The kind of limit.
  enum Bound: String {
    case machine = "the machine"
    case addressSpace = "the limit on the address space (ulimit -v)"
    case cgroup = "the cgroup"
  }

  /// The upper bound of the default of `max_memory_bytes`, which otherwise is half of the available memory.
  static let maxStandardLimit = 1 << 30

  var standardLimit: Int { min(byteCount / 2, Self.maxStandardLimit) }

  /// The reason for the default limit, for people.
  var standardLimitReason: String {
    byteCount / 2 > Self.maxStandardLimit
      ? "1 GiB, less than half of the \(byteCount) bytes of \(bound.rawValue)"
      : "half of the \(byteCount) bytes of \(bound.rawValue)"
  }

  /// - Parameters:
  ///   - root: a prefix for /proc and /sys; empty except in tests.
  ///   - machine: the machine's memory in bytes; `addressSpace`: the bytes left of the address space.
  init(root: String = "", machine: Int = Self.machineBytes, addressSpace: Int? = nil) {
    var least = (byteCount: machine, bound: Bound.machine)
    let others =
      [(addressSpace ?? Self.addressSpaceLeft, Bound.addressSpace)]
      + Self.cgroupLimits(in: ControlGroups(root: root)).map { ($0, Bound.cgroup) }
    for other in others where other.0 < least.byteCount { least = other }
    (byteCount, bound) = least
  }

  /// The limits of the process's cgroup and its ancestors.
  private static func cgroupLimits(in groups: ControlGroups) -> [Int] {
    groups.folders(of: "memory").compactMap { folder, version in
      let file = version == .two ? "memory.max" : "memory.limit_in_bytes"
      // "max" or a missing file means no limit, in version 1 also a number near 2⁶³.
      return firstLine(of: "\(folder)/\(file)").flatMap { Int($0) }
    }.filter { $0 > 0 }
  }

  /// The machine's memory in bytes.
  static var machineBytes: Int {
    let bytes = sysconf(CInt(_SC_PHYS_PAGES)).multipliedReportingOverflow(
      by: sysconf(CInt(_SC_PAGESIZE)))
    return bytes.overflow || bytes.partialValue <= 0 ? .max : bytes.partialValue
  }

  /// The bytes that a limit on the address space (`ulimit -v`) leaves unmapped.
  private static var addressSpaceLeft: Int {
    var limit = rlimit()
    // SAFETY: the call writes one `rlimit`.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      let bytes = Int(exactly: limit.rlim_cur)
    else { return .max }
    let pages =
      firstLine(of: "/proc/self/statm")?.split(separator: " ").first
      .flatMap { Int($0) } ?? 0
    return max(1, bytes - pages * sysconf(CInt(_SC_PAGESIZE)))
  }
}
