import Dispatch
import Synchronization

/// Makes the pages that take long on a thread of their own, one after another.
///
/// All who have asked for a page by the time it begins to be made get the same one: it is as new as each
/// of them may expect, and to ask for it often does not make it cost more.
final class PageQueue: Sendable {
  let queue = DispatchQueue(label: "pages", qos: .userInitiated)
  private let waiting = Mutex<[Route: [Call]]>([:])

  /// Has `answer` called, off the loop, with `call` and the others that wait for the same page.
  func add(_ call: Call, for route: Route, answer: @escaping @Sendable ([Call]) -> Void) {
    var call = call
    call.isOnLoop = false
    let isFirst = waiting.withLock { waiting in
      waiting[route, default: []].append(call)
      return waiting[route]?.count == 1
    }
    guard isFirst else { return }
    queue.async { [self] in answer(waiting.withLock { $0.removeValue(forKey: route) } ?? []) }
  }
}
