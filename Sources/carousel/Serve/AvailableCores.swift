import CLinux
import Glibc

/// The number of cores that this process may use: the cores of its affinity mask or, if less, the CPU quota of a
/// cgroup, rounded up. Works without /proc and /sys.
struct AvailableCores {
  /// At least 1.
  let count: Int
  /// The reason for this number, for people.
  let reason: String

  /// - Parameters:
  ///   - root: a prefix for /proc and /sys; empty except in tests.
  ///   - allowed: the cores that the kernel may run the process on.
  init(root: String = "", allowed: Int = Self.allowedCores) {
    let quotas = Self.quotas(in: ControlGroups(root: root)).map { Int($0.rounded(.up)) }
    let quota = quotas.min() ?? allowed
    count = max(1, min(allowed, quota))
    reason =
      quota < allowed
      ? "what the cgroup's CPU quota comes to" : "the cores that the process may run on"
  }

  /// The quotas of the cgroups (`docker --cpus`, limits of Kubernetes) in cores: CPU time in a period, divided by the period.
  private static func quotas(in groups: ControlGroups) -> [Double] {
    groups.folders(of: "cpu").compactMap { folder, version in
      let parts: [Substring]
      switch version {
      case .two:
        // Quota and period: "50000 100000", or "max 100000" without a quota.
        parts = firstLine(of: "\(folder)/cpu.max")?.split(separator: " ") ?? []
      case .one:
        // A quota of -1 means none.
        parts = ["cpu.cfs_quota_us", "cpu.cfs_period_us"].compactMap {
          firstLine(of: "\(folder)/\($0)")
        }
      }
      guard parts.count == 2, let quota = Double(parts[0]), let period = Double(parts[1]),
        quota > 0, period > 0, quota / period < 1e6
      else { return nil }
      return quota / period
    }
  }

  /// The cores of the process's affinity mask (`taskset`, `docker --cpuset-cpus`).
  private static var allowedCores: Int {
    let count = Int(clinux_allowed_cores())
    return count > 0 ? count : sysconf(CInt(_SC_NPROCESSORS_ONLN))
  }
}
