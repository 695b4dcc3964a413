import API
import CLinux
import Dispatch
import HTTPCore
import Scheduling
import Synchronization

/// Gives memory back to the system a second after much of it was released, and the rest a few seconds later, as long as
/// `memory` lives: malloc itself keeps what lies between pieces that are still in use, and engines what they computed with.
func giveBackMemory(of memory: MemoryBudget, _ engines: @escaping @Sendable () -> [Engine]) {
  let timer = DispatchSource.makeTimerSource(queue: .global(qos: .utility))
  timer.schedule(
    deadline: .now() + .seconds(1), repeating: .seconds(1), leeway: .milliseconds(200))
  let policy = Mutex(TrimmingPolicy())
  timer.setEventHandler { [weak memory] in
    // The handler holds its source, so that it lives.
    guard let memory else { return timer.cancel() }
    let isDue = policy.withLock {
      $0.isDue(
        peak: memory.takePeak(), held: memory.heldBytes,
        resident: ProcessStatistics.residentBytes ?? 0)
    }
    guard isDue else { return }
    for engine in engines() { engine.releaseScratch() }
    DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + .milliseconds(100)) {
      _ = malloc_trim(0)
    }
  }
  timer.activate()
}

/// When it pays to give memory back.
struct TrimmingPolicy {
  /// So much is given back at once.
  static let leastBytes = 8 << 20
  /// In quiet, memory is given back where what is resident has changed by so much: also what is not counted.
  static func leastChange(of resident: Int) -> Int { max(1 << 20, resident / 8) }
  /// It is quiet once what was held varied by less than this between so many calls and those before them.
  static let quietBytes = 64 << 10
  static let quietCalls = 3

  /// The most that was held since memory was last given back.
  private var highest = 0
  /// What was resident at the first call after that; nil until then.
  private var resident: Int?
  /// Whether memory was given back while clients still left: what they have let go of since lies free.
  private var isUnfinished = false
  /// How many calls in a row found that nothing was released.
  private var callsWithoutRelease = 0

  /// Whether it pays now: at most `peak` bytes were held since the last call, `held` are now, `resident` are in all.
  ///
  /// Those who leave together do so over a while, and what the last of them held is less than is worth while as long as the
  /// server is busy. What is resident after that is in use; where it has grown or shrunk since, some of it may be free, as
  /// malloc itself gives back only what lies at the end of its heaps.
  mutating func isDue(peak: Int, held: Int, resident: Int) -> Bool {
    highest = max(highest, peak)
    callsWithoutRelease = peak - held < Self.quietBytes ? callsWithoutRelease + 1 : 0
    let before = self.resident ?? resident
    self.resident = before
    let isQuiet = callsWithoutRelease >= Self.quietCalls
    guard
      highest - held >= Self.leastBytes
        || isQuiet && (isUnfinished || abs(resident - before) >= Self.leastChange(of: before))
    else { return false }
    highest = held
    self.resident = nil
    isUnfinished = !isQuiet
    return true
  }
}
