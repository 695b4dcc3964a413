import Dispatch
import Glibc
import Synchronization

/// Where bodies are decoded and answers encoded that would keep an event loop too long.
final class BodyQueues: Sendable {
  /// Larger bodies are read on a few threads only, so that clients that send such leave cores to the others.
  static let maxBytesReadBesideOthers = 128 << 10

  /// Work of so many bytes is done at once, where it arose.
  let maxInlineBytes: Int
  let background = DispatchQueue(
    label: "decode and encode", qos: .userInitiated, attributes: .concurrent)
  /// Each reads one large body at a time.
  let largeBodies: [DispatchQueue]
  private let largeBodyCount = Atomic(0)

  init(_ settings: ServiceSettings) {
    maxInlineBytes = settings.maxInlineBytes
    largeBodies = (0..<settings.largeBodyThreads).map {
      DispatchQueue(label: "decode large bodies \($0)", qos: .userInitiated)
    }
  }

  /// Has `call`, which the event loop handed out, answered there or, where its body is large, on another thread.
  func answer(_ call: Call, by answer: @escaping @Sendable (Call) -> Void) {
    let byteCount = call.exchange.request.body.count
    guard byteCount > maxInlineBytes else { return answer(call) }
    var call = call
    call.isOnLoop = false
    let isLarge = byteCount > Self.maxBytesReadBesideOthers
    (isLarge ? nextForLargeBodies() : background).async { [call] in
      answer(call)
      // Another body may be next: the threads that wait for this core come first.
      sched_yield()
    }
  }

  private func nextForLargeBodies() -> DispatchQueue {
    let turn = largeBodyCount.wrappingAdd(1, ordering: .relaxed).oldValue
    return largeBodies[turn % largeBodies.count]
  }
}
