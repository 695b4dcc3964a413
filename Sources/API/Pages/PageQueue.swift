import Dispatch
import Synchronization

/// Makes the pages that take long on a thread of their own, one after another.
///
/// All who have asked for a page by the time it begins to be made get the same one: it is as new as each
/// of them may expect, and to ask for it often does not make it cost more. After each page the thread rests for
/// `restRatio` times as long as that took, so that pages take no more than a fifth of a core, whoever asks for them.
final class PageQueue: Sendable {
  static let restRatio = 4

  let queue = DispatchQueue(label: "pages", qos: .userInitiated)
  private let waiting = Mutex<[MatchedPath: [Call]]>([:])

  /// Has `answer` called, off the loop, with `call` and the others that wait for the same page.
  func add(_ call: Call, answer: @escaping @Sendable ([Call]) -> Void) {
    let path = call.path
    var call = call
    call.isOnLoop = false
    let isFirst = waiting.withLock { waiting in
      waiting[path, default: []].append(call)
      return waiting[path]?.count == 1
    }
    guard isFirst else { return }
    add { [self] in answer(waiting.withLock { $0.removeValue(forKey: path) } ?? []) }
  }

  /// Calls `make` off the loop, to make a page for one request.
  func add(_ make: @escaping @Sendable () -> Void) {
    queue.async { [queue] in
      let start = DispatchTime.now().uptimeNanoseconds
      make()
      let nanoseconds = Int(DispatchTime.now().uptimeNanoseconds - start)
      queue.suspend()
      DispatchQueue.global(qos: .userInitiated).asyncAfter(
        deadline: .now() + .nanoseconds(Self.restRatio * nanoseconds)
      ) { queue.resume() }
    }
  }
}
