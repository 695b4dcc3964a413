import Testing

@testable import carousel

@Suite struct AvailableCoresTests {
  private func cores(_ files: [String: String], allowed: Int = 64) throws -> Int {
    let tree = try FileTree(files)
    return AvailableCores(root: tree.path, allowed: allowed).count
  }

  @Test func withoutQuotaItIsTheAffinityMask() throws {
    #expect(try cores([:]) == 64)
    #expect(try cores([:], allowed: 1) == 1)
    #expect(try cores([:], allowed: 0) == 1)
    #expect(try cores(["sys/fs/cgroup/cpu.max": "max 100000\n"]) == 64)
  }

  @Test(arguments: [
    ("200000 100000", 2), ("200001 100000", 3), ("199999 100000", 2), ("1000 100000", 1),
    ("12000000 100000", 64), ("50000 25000", 2),
  ])
  func aQuotaIsRoundedUp(line: String, count: Int) throws {
    #expect(try cores(["sys/fs/cgroup/cpu.max": "\(line)\n"]) == count)
  }

  /// What is no quota, or one that can't be, bounds nothing.
  @Test(arguments: [
    "", "x", "100000", "-1 100000", "0 100000", "100000 0", "nan 1", "inf 1", "1e300 1",
    "1 2 3",
  ])
  func otherLinesAreNone(line: String) throws {
    #expect(try cores(["sys/fs/cgroup/cpu.max": "\(line)\n"]) == 64)
  }

  @Test func version2TakesTheLeastOfItsGroupAndThoseAround() throws {
    #expect(
      try cores([
        "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "800000 100000\n",
        "sys/fs/cgroup/a/cpu.max": "300000 100000\n",
      ]) == 3)
  }

  @Test func version1HasTwoFiles() throws {
    func with(quota: String) throws -> Int {
      try cores([
        "proc/self/cgroup": "9:cpuacct,cpu:/c\n4:memory:/a\n",
        "sys/fs/cgroup/cpu/c/cpu.cfs_quota_us": "\(quota)\n",
        "sys/fs/cgroup/cpu/c/cpu.cfs_period_us": "100000\n",
      ])
    }
    #expect(try with(quota: "-1") == 64)
    #expect(try with(quota: "150000") == 2)
  }

  @Test func theMachineHasOne() {
    #expect(AvailableCores().count >= 1)
  }
}
