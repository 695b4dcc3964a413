import Dispatch
import Glibc
import Synchronization

/// The queues on which bodies are decoded and answers encoded that would block an event loop for too long.
final class BodyQueues: Sendable {
  /// Bodies of more bytes than this are read on a few threads only, so that clients who send them leave cores to
  /// others.
  static let maxBytesReadBesideOthers = 128 << 10

  /// Bodies and answers of up to this many bytes are processed at once, on the thread at hand.
  let maxInlineBytes: Int
  let background = DispatchQueue(
    label: "decode and encode", qos: .userInitiated, attributes: .concurrent)
  /// Serial queues: each reads one large body at a time.
  let largeBodies: [DispatchQueue]
  private let largeBodyCount = Atomic(0)

  init(_ settings: ServiceSettings) {
    maxInlineBytes = settings.maxInlineBytes
    largeBodies = (0..<settings.largeBodyThreads).map {
      DispatchQueue(label: "decode large bodies \($0)", qos: .userInitiated)
    }
  }

  /// Calls `answer` with `call`: on the event loop that handed it out, or on another thread where its body is large.
  func answer(_ call: Call, by answer: @escaping @Sendable (Call) -> Void) {
    let byteCount = call.exchange.request.body.count
    guard byteCount > maxInlineBytes else { return answer(call) }
    let isLarge = byteCount > Self.maxBytesReadBesideOthers
    (isLarge ? nextForLargeBodies() : background).async {
      answer(call.offLoop)
      // Before the next body, let other threads that wait for this core run.
      sched_yield()
    }
  }

  private func nextForLargeBodies() -> DispatchQueue {
    let turn = largeBodyCount.wrappingAdd(1, ordering: .relaxed).oldValue
    return largeBodies[turn % largeBodies.count]
  }
}
