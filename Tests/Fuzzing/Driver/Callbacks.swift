import CLibFuzzer
import Fuzzing
import Glibc

/// The target of this process.
enum Chosen {
  static let target: FuzzTarget = {
    let name = getenv("CAROUSEL_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
      fail("CAROUSEL_FUZZ_TARGET is \"\(name)\", expected a target's name: see --list")
    }
    return target
  }()
}

/// An input of libFuzzer's.
@_cdecl("LLVMFuzzerTestOneInput")
public func readInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  Chosen.target.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
  return 0
}

/// Changes an input: one time in four as our own mutator does, which knows sizes that overflow; else as libFuzzer does, which knows
/// what the reader has compared its input with.
@_cdecl("LLVMFuzzerCustomMutator")
public func changeInput(
  _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ maxCount: Int, _ seed: UInt32
) -> Int {
  if seed % 4 == 0 {
    var mutator = Mutator(seed: UInt64(seed))
    let changed = mutator.mutated(Array(UnsafeBufferPointer(start: bytes, count: count)))
    // libFuzzer takes no empty input.
    if !changed.isEmpty {
      let kept = min(changed.count, maxCount)
      for index in 0..<kept { bytes[index] = changed[index] }
      return kept
    }
  }
  return LLVMFuzzerMutate(bytes, count, maxCount)
}

/// Writes what a run begins with, a file each; what is longer than the target's longest input is left out.
func writeSeeds(of target: FuzzTarget, to folder: String) {
  let inputs = target.seeds() + Seeds.crashers(target).map(\.bytes)
  for (index, bytes) in inputs.enumerated() where bytes.count <= target.maxBytes {
    write(bytes, to: "\(folder)/seed-\(index)")
  }
}

func write(_ bytes: [UInt8], to path: String) {
  guard let file = fopen(path, "wb") else { fail("can't write \(path)") }
  let written = fwrite(bytes, 1, bytes.count, file)
  guard fclose(file) == 0, written == bytes.count else { fail("can't write all of \(path)") }
}

func fail(_ message: String) -> Never {
  let line = Array("fuzz-readers: \(message)\n".utf8)
  _ = Glibc.write(STDERR_FILENO, line, line.count)
  exit(2)
}
