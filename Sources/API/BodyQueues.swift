import Dispatch
import Glibc

/// Where bodies are decoded and answers encoded that would keep an event loop too long.
final class BodyQueues: Sendable {
  /// Larger bodies are read one at a time, so that clients that send such leave cores to the others.
  static let maxBytesReadBesideOthers = 1 << 20

  /// Work of so many bytes is done at once, where it arose.
  let maxInlineBytes: Int
  let hugeBodies = DispatchQueue(label: "decode huge bodies", qos: .userInitiated)
  let background = DispatchQueue(
    label: "decode and encode", qos: .userInitiated, attributes: .concurrent)

  init(maxInlineBytes: Int) { self.maxInlineBytes = maxInlineBytes }

  /// Has `call`, which the event loop handed out, answered there or, where its body is large, on another thread.
  func answer(_ call: Call, by answer: @escaping @Sendable (Call) -> Void) {
    let byteCount = call.exchange.request.body.count
    guard byteCount > maxInlineBytes else { return answer(call) }
    var call = call
    call.isOnLoop = false
    (byteCount > Self.maxBytesReadBesideOthers ? hugeBodies : background).async { [call] in
      answer(call)
      // Another body may be next: the threads that wait for this core come first.
      sched_yield()
    }
  }
}
