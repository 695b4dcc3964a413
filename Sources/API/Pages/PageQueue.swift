import Dispatch
import Synchronization

/// Makes expensive pages on a thread of their own, one after another.
///
/// All requests for a page that come before the thread begins to make it get the same page: it is as new as each of
/// them may expect, and many requests cost no more than one. After each page the thread rests for `restRatio` times as
/// long as the page took, so that pages use at most a fifth of a core.
final class PageQueue: Sendable {
  static let restRatio = 4

  let queue = DispatchQueue(label: "pages", qos: .userInitiated)
  private let waiting = Mutex<[Page: [Call]]>([:])

  /// What requests have in common that get the same page.
  private struct Page: Hashable {
    let path: MatchedPath
    /// The models that the client may use; nil for all.
    let models: Set<String>?
  }

  /// Calls `answer`, off the loop, with `call` and the other calls that wait for the same page.
  func add(_ call: Call, answer: @escaping @Sendable ([Call]) -> Void) {
    let page = Page(path: call.path, models: call.grant.models)
    let call = call.offLoop
    let isFirst = waiting.withLock { waiting in
      waiting[page, default: []].append(call)
      return waiting[page]?.count == 1
    }
    guard isFirst else { return }
    add { [self] in answer(waiting.withLock { $0.removeValue(forKey: page) } ?? []) }
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
