import CLibFuzzer
import Fuzzing
import Glibc

// One target under libFuzzer, named by CAROUSEL_FUZZ_TARGET; the arguments are libFuzzer's. Built and run by scripts/fuzz-readers.
//
// `--list` prints the targets instead, each with its longest input; `--seeds FOLDER` writes the target's seeds and crashers;
// `--growth FOLDER SECONDS` looks for inputs whose time grows faster than they do.

switch CommandLine.arguments.dropFirst().first {
case "--list":
  for target in FuzzTarget.all { print(target.name, target.maxBytes) }
case "--seeds":
  guard let folder = CommandLine.arguments.dropFirst(2).first else { fail("--seeds FOLDER") }
  writeSeeds(of: Chosen.target, to: folder)
case "--growth":
  let words = CommandLine.arguments.dropFirst(2)
  guard words.count == 2, let folder = words.first, let seconds = words.last.flatMap(Double.init)
  else { fail("--growth FOLDER SECONDS") }
  var growth = Growth(target: Chosen.target)
  growth.search(seconds: seconds, folder: folder)
default:
  var count = CommandLine.argc
  var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
  exit(LLVMFuzzerRunDriver(&count, &arguments) { readInput($0, $1) })
}
