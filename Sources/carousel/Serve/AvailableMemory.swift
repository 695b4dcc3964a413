import Glibc

/// The memory that this process may use: what the machine has, less where a cgroup or a limit on the address space
/// leaves less. It needs neither /proc nor /sys.
struct AvailableMemory {
  /// In bytes.
  let byteCount: Int
  /// Whose bytes these are.
  let bound: Bound

  /// What leaves the process the least memory.
  enum Bound: String {
    case machine = "the machine"
    case addressSpace = "the limit on the address space (ulimit -v)"
    case cgroup = "the cgroup"
  }

  /// What clients may take of it where nothing else is set: half, and not more than this.
  static let maxStandardLimit = 1 << 30

  var standardLimit: Int { min(byteCount / 2, Self.maxStandardLimit) }

  /// Why that is the limit.
  var standardLimitReason: String {
    byteCount / 2 > Self.maxStandardLimit
      ? "1 GiB, less than half of the \(byteCount) bytes of \(bound.rawValue)"
      : "half of the \(byteCount) bytes of \(bound.rawValue)"
  }

  /// - Parameters:
  ///   - root: what stands before /proc and /sys; empty but in tests.
  ///   - machine: the bytes of the machine, and of the address space that is left.
  init(root: String = "", machine: Int = Self.machineBytes, addressSpace: Int? = nil) {
    var least = (byteCount: machine, bound: Bound.machine)
    let others =
      [(addressSpace ?? Self.addressSpaceLeft, Bound.addressSpace)]
      + Self.cgroupLimits(in: ControlGroups(root: root)).map { ($0, Bound.cgroup) }
    for other in others where other.0 < least.byteCount { least = other }
    (byteCount, bound) = least
  }

  /// The limits of the process's cgroup and those around it.
  private static func cgroupLimits(in groups: ControlGroups) -> [Int] {
    groups.folders(of: "memory").compactMap { folder, version in
      let file = version == .two ? "memory.max" : "memory.limit_in_bytes"
      // "max", or nothing there, is no limit; in version 1 neither is a number near 2⁶³.
      return firstLine(of: "\(folder)/\(file)").flatMap { Int($0) }
    }.filter { $0 > 0 }
  }

  /// The bytes that the machine has.
  static var machineBytes: Int {
    let bytes = sysconf(CInt(_SC_PHYS_PAGES)).multipliedReportingOverflow(
      by: sysconf(CInt(_SC_PAGESIZE)))
    return bytes.overflow || bytes.partialValue <= 0 ? .max : bytes.partialValue
  }

  /// What a limit on the address space (`ulimit -v`) leaves beside what is mapped already.
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
