import API
import CLinux
import Dispatch
import HTTPCore
import Scheduling
import Synchronization

/// Returns free memory to the system while `memory` exists: a second after much was released, and the rest once the
/// server has been quiet for a few seconds. Left alone, malloc keeps free memory between blocks in use, and engines
/// keep their scratch buffers.
func startMemoryTrimming(of memory: MemoryBudget, _ engines: @escaping @Sendable () -> [Engine]) {
  let timer = DispatchSource.makeTimerSource(queue: .global(qos: .utility))
  timer.schedule(
    deadline: .now() + .seconds(1), repeating: .seconds(1), leeway: .milliseconds(200))
  let policy = Mutex(TrimmingPolicy())
  timer.setEventHandler { [weak memory] in
    // The handler keeps its source alive.
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

/// Decides when it pays to return memory to the system.
struct TrimmingPolicy {
  /// A release of this many bytes or more is worth a trim at once.
  static let leastBytes = 8 << 20
  /// The change in resident memory that is worth a trim when the server is quiet. Resident memory includes memory that
  /// the budget does not count.
  static func leastChange(of resident: Int) -> Int { max(1 << 20, resident / 8) }
  /// The server is quiet once `quietCalls` calls in a row found that less than this was released.
  static let quietBytes = 64 << 10
  static let quietCalls = 3

  /// The most bytes held since the last trim.
  private var highest = 0
  /// The resident bytes at the first call after the last trim; nil until then.
  private var resident: Int?
  /// Whether the last trim was while clients still released memory, so that some was freed after it.
  private var isUnfinished = false
  /// The number of calls in a row that found less than `quietBytes` released.
  private var callsWithoutRelease = 0

  /// Whether to trim now.
  ///
  /// Many clients that leave together release their memory over a while; the last part is too small for a trim while the
  /// server is busy, so it waits until the server is quiet. Memory resident after a trim is in use. If the resident size has
  /// changed since, some of it may be free, as malloc returns only the ends of its heaps.
  ///
  /// - Parameters:
  ///   - peak: the most bytes of the budget that were held since the last call.
  ///   - held: the bytes held now.
  ///   - resident: the resident bytes of the process.
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
