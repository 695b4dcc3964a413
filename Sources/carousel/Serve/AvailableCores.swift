import CLinux
import Glibc

/// The cores that this process may use: those that its affinity allows, or what the CPU quota of a cgroup comes to,
/// rounded up, where that is less. It needs neither /proc nor /sys.
struct AvailableCores {
  /// One at the least.
  let count: Int
  /// Why so many.
  let reason: String

  /// - Parameters:
  ///   - root: what stands before /proc and /sys; empty but in tests.
  ///   - allowed: the cores that the kernel may run the process on.
  init(root: String = "", allowed: Int = Self.allowedCores) {
    let quotas = Self.quotas(in: ControlGroups(root: root)).map { Int($0.rounded(.up)) }
    let quota = quotas.min() ?? allowed
    count = max(1, min(allowed, quota))
    reason =
      quota < allowed
      ? "what the cgroup's CPU quota comes to" : "the cores that the process may run on"
  }

  /// The cores that quotas come to (`docker --cpus`, limits of Kubernetes): CPU time in each period, by the period.
  private static func quotas(in groups: ControlGroups) -> [Double] {
    groups.folders(of: "cpu").compactMap { folder, version in
      let parts: [Substring]
      switch version {
      case .two:
        // "50000 100000", or "max 100000" without a quota.
        parts = firstLine(of: "\(folder)/cpu.max")?.split(separator: " ") ?? []
      case .one:
        // A quota of -1 is none.
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
