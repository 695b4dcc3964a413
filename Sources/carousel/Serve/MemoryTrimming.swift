import CLinux
import Dispatch
import HTTPCore
import Scheduling
import Synchronization

/// Gives memory back to the system a second after much of it was released, as long as `memory` lives: malloc
/// itself keeps what lies between pieces that are still in use, and engines what they computed with.
func giveBackMemory(of memory: MemoryBudget, _ engines: [Engine]) {
  let timer = DispatchSource.makeTimerSource(queue: .global(qos: .utility))
  timer.schedule(
    deadline: .now() + .seconds(1), repeating: .seconds(1), leeway: .milliseconds(200))
  let policy = Mutex(TrimmingPolicy())
  timer.setEventHandler { [weak memory] in
    // The handler holds its source, so that it lives.
    guard let memory else { return timer.cancel() }
    let isDue = policy.withLock { $0.isDue(peak: memory.takePeak(), held: memory.heldBytes) }
    guard isDue else { return }
    for engine in engines { engine.releaseScratch() }
    DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + .milliseconds(100)) {
      _ = malloc_trim(0)
    }
  }
  timer.activate()
}

/// When it pays to give memory back.
struct TrimmingPolicy {
  /// Less than this is kept.
  static let leastBytes = 8 << 20

  /// The most that was held since memory was last given back.
  private var highest = 0

  /// Whether enough was released since then: at most `peak` bytes were held since the last call, `held` are now.
  mutating func isDue(peak: Int, held: Int) -> Bool {
    highest = max(highest, peak)
    guard highest - held >= Self.leastBytes else { return false }
    highest = held
    return true
  }
}
