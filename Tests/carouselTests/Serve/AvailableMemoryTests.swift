import Testing

@testable import carousel

@Suite struct AvailableMemoryTests {
  private func bytes(_ files: [String: String], machine: Int = 1 << 40) throws -> Int {
    let root = try FileTree(files)
    return AvailableMemory(root: root.path, machine: machine, addressSpace: .max).byteCount
  }

  @Test func withoutProcAndSysItIsTheMachines() throws {
    #expect(try bytes([:]) == 1 << 40)
    #expect(AvailableMemory(root: "/nonexistent", machine: 5, addressSpace: 7).byteCount == 5)
    #expect(AvailableMemory(root: "/nonexistent", machine: 7, addressSpace: 5).byteCount == 5)
  }

  @Test func version2TakesTheLeastOfItsGroupAndThoseAround() throws {
    let group = ["proc/self/cgroup": "0::/a/b\n"]
    func with(_ files: [String: String]) throws -> Int {
      try bytes(group.merging(files) { $1 })
    }
    #expect(try with(["sys/fs/cgroup/a/b/memory.max": "1000\n"]) == 1000)
    #expect(
      try with([
        "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "2000\n",
      ]) == 2000)
    // In a container the own group may be the root, by another name.
    #expect(try with(["sys/fs/cgroup/memory.max": "3000\n"]) == 3000)
    #expect(try with(["sys/fs/cgroup/a/b/memory.max": "max\n"]) == 1 << 40)
    #expect(try bytes(["sys/fs/cgroup/memory.max": "4000\n"]) == 4000)
  }

  @Test func version1HasAControllerForMemory() throws {
    let group = ["proc/self/cgroup": "9:cpu,cpuacct:/c\n4:memory:/a\n1:name=systemd:/s\n0::/\n"]
    let file = "sys/fs/cgroup/memory/a/memory.limit_in_bytes"
    #expect(try bytes(group.merging([file: "1000\n"]) { $1 }) == 1000)
    #expect(try bytes(group.merging([file: "9223372036854771712\n"]) { $1 }) == 1 << 40)
    #expect(
      try bytes(group.merging(["sys/fs/cgroup/memory/memory.limit_in_bytes": "9\n"]) { $1 }) == 9)
  }

  @Test(arguments: [
    (0, 0), (1000, 500), (2 << 30, 1 << 30), ((2 << 30) + 2, 1 << 30),
    ((2 << 30) - 2, (1 << 30) - 1),
  ])
  func halfOfItIsForClients(bytes: Int, limit: Int) {
    #expect(AvailableMemory(root: "/nonexistent", machine: bytes).standardLimit == limit)
  }

  @Test func theReasonIsTold() throws {
    func reason(_ machine: Int, _ addressSpace: Int, _ files: [String: String] = [:]) throws
      -> String
    {
      let root = try FileTree(files)
      return AvailableMemory(root: root.path, machine: machine, addressSpace: addressSpace)
        .standardLimitReason
    }
    #expect(try reason(1000, .max) == "half of the 1000 bytes of the machine")
    #expect(try reason(1000, 1000) == "half of the 1000 bytes of the machine")
    #expect(
      try reason(1000, 999)
        == "half of the 999 bytes of the limit on the address space (ulimit -v)")
    let group = ["sys/fs/cgroup/memory.max": "500\n"]
    #expect(try reason(1000, 999, group) == "half of the 500 bytes of the cgroup")
    #expect(
      try reason(2 << 30, .max) == "half of the 2147483648 bytes of the machine")
    #expect(
      try reason((2 << 30) + 2, .max)
        == "1 GiB, less than half of the 2147483650 bytes of the machine")
  }

  @Test func theMachineHasSome() {
    #expect(AvailableMemory().byteCount > 1 << 20)
  }
}

@Suite struct TrimmingPolicyTests {
  private func check(_ found: Bool, _ expected: Bool) { #expect(found == expected) }

  /// n − 1, n and n + 1 bytes released.
  @Test(arguments: [-1, 0, 1])
  func enoughIsReleased(extra: Int) {
    var policy = TrimmingPolicy()
    let least = TrimmingPolicy.leastBytes
    check(policy.isDue(peak: 10 * least, held: 10 * least, resident: 0), false)
    let isDue = policy.isDue(peak: 10 * least, held: 9 * least - extra, resident: 0)
    #expect(isDue == (extra >= 0))
  }

  /// n − 1, n and n + 1 bytes that have become resident or no longer are, counted or not, once so many calls in a row found
  /// nothing released.
  @Test(arguments: [-1, 0, 1], [0, TrimmingPolicy.quietBytes - 1, TrimmingPolicy.quietBytes])
  func theRestIsGivenBackInQuiet(extra: Int, variation: Int) {
    let before = 64 << 20
    #expect(TrimmingPolicy.leastChange(of: before) == 8 << 20)
    let isQuiet = variation < TrimmingPolicy.quietBytes
    for sign in [-1, 1] {
      var policy = TrimmingPolicy()
      check(policy.isDue(peak: 0, held: 0, resident: before), false)
      let after = before + sign * (TrimmingPolicy.leastChange(of: before) + extra)
      for call in 2...3 * TrimmingPolicy.quietCalls {
        let isDue = policy.isDue(peak: variation, held: 0, resident: after)
        // What is resident afterwards is in use.
        #expect(isDue == (isQuiet && extra >= 0 && call == TrimmingPolicy.quietCalls))
      }
      check(policy.isDue(peak: variation, held: 0, resident: 2 * after), isQuiet)
    }
  }

  /// Once more when the last clients have left that were leaving when memory was given back: whatever is resident since.
  @Test func whatIsReleasedBehindThatIsGivenBack() {
    var policy = TrimmingPolicy()
    check(policy.isDue(peak: 100 << 20, held: 1 << 20, resident: 59 << 20), true)
    check(policy.isDue(peak: 1 << 20, held: 0, resident: 27 << 20), false)
    for call in 1...10 {
      let isDue = policy.isDue(peak: 0, held: 0, resident: 27 << 20)
      #expect(isDue == (call == TrimmingPolicy.quietCalls))
    }
  }

  /// What is released little by little adds up; what was given back counts no more.
  @Test func littleAddsUp() {
    var policy = TrimmingPolicy()
    let piece = TrimmingPolicy.leastBytes / 4
    check(policy.isDue(peak: 8 * piece, held: 7 * piece, resident: 0), false)
    check(policy.isDue(peak: 7 * piece, held: 5 * piece, resident: 0), false)
    check(policy.isDue(peak: 5 * piece, held: 4 * piece, resident: 0), true)
    check(policy.isDue(peak: 4 * piece, held: piece, resident: 0), false)
    check(policy.isDue(peak: piece, held: 0, resident: 0), true)
    check(policy.isDue(peak: 0, held: 0, resident: 0), false)
  }
}
