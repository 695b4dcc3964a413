import Fuzzing
import TestSupport
import Testing

/// Every reader of strangers' bytes, as a fuzzer calls it, for a moment: one that traps or does not end takes this process with it,
/// as it would take the server.
@Suite struct FuzzTargetTests {
  @Test(.heavy, arguments: FuzzTarget.all.map(\.name))
  func readsItsSeedsWhatOnceBroughtItDownAndChangesOfBoth(name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let seeds = target.seeds()
    // A folder of fixtures that moved would leave a target without any.
    try #require(!seeds.isEmpty)
    let inputs = seeds + Seeds.crashers(target).map(\.bytes)
    for input in inputs { target.run(input) }
    var mutator = Mutator(seed: 1)
    for round in 0..<target.changes { target.run(mutator.mutated(inputs[round % inputs.count])) }
  }

  @Test func everyCrasherBelongsToATarget() {
    let names = Set(FuzzTarget.all.map(\.name))
    #expect(names.count == FuzzTarget.all.count)
    #expect(Set(Seeds.crasherFolders).isSubset(of: names))
  }

  @Test func aMutatorIsTheSameForTheSameSeedAndChangesNearlyAll() {
    let bytes = Array("shape 3 of 17 bytes, and 2 more".utf8)
    var (one, other) = (Mutator(seed: 5), Mutator(seed: 5))
    var changed = 0
    for _ in 0..<1000 {
      let result = one.mutated(bytes)
      #expect(result == other.mutated(bytes))
      if result != bytes { changed += 1 }
    }
    #expect(changed > 900)
  }
}
