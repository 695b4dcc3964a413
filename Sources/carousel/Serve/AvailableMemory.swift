import Glibc

/// The memory that this process may use: what the machine has, less where a cgroup or a limit on the address space
/// leaves less. It needs neither /proc nor /sys.
struct AvailableMemory {
  /// In bytes.
  let byteCount: Int

  /// What clients may take of it where nothing else is set: half, and not more than this.
  static let maxStandardLimit = 1 << 30

  var standardLimit: Int { min(byteCount / 2, Self.maxStandardLimit) }

  /// - Parameters:
  ///   - root: what stands before /proc and /sys; empty but in tests.
  ///   - machine: the bytes of the machine, and of the address space that is left.
  init(root: String = "", machine: Int = Self.machineBytes, addressSpace: Int? = nil) {
    let limits = [machine, addressSpace ?? Self.addressSpaceLeft]
    byteCount = (limits + Self.cgroupLimits(root: root)).min() ?? machine
  }

  /// The limits of the process's cgroup and those around it.
  ///
  /// A line of /proc/self/cgroup is `0::/path` for version 2 and `4:memory:/path` for the memory controller of
  /// version 1 (cgroups(7)). A container may see its own group as the root, whatever path that names.
  private static func cgroupLimits(root: String) -> [Int] {
    var limits: [Int] = []
    let groups = text(at: "\(root)/proc/self/cgroup") ?? "0::/\n4:memory:/"
    for line in groups.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let (mount, file): (String, String)
      if parts[1].isEmpty {
        (mount, file) = ("\(root)/sys/fs/cgroup", "memory.max")
      } else if parts[1].split(separator: ",").contains("memory") {
        (mount, file) = ("\(root)/sys/fs/cgroup/memory", "memory.limit_in_bytes")
      } else {
        continue
      }
      var names = parts[2].split(separator: "/")
      while true {
        let folder = names.reduce(mount) { "\($0)/\($1)" }
        // "max", or nothing there, is no limit; in version 1 neither is a number near 2⁶³.
        if let limit = text(at: "\(folder)/\(file)").flatMap({ Int($0.prefix { $0 != "\n" }) }) {
          limits.append(limit)
        }
        if names.popLast() == nil { break }
      }
    }
    return limits.filter { $0 > 0 }
  }

  private static func text(at path: String) -> String? {
    (try? readFile(path)).map { String(decoding: $0, as: UTF8.self) }
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
    let pages = text(at: "/proc/self/statm")?.split(separator: " ").first.flatMap { Int($0) } ?? 0
    return max(1, bytes - pages * sysconf(CInt(_SC_PAGESIZE)))
  }
}
