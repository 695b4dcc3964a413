import Synchronization

/// The packed keys and values of a decoder's attention, made once for a sequence: all hypotheses share them at all
/// their steps.
package final class AttentionCache: Sendable {
  /// Says which nodes' keys and values are kept.
  private let attention: CacheableAttention
  /// The keys and values of each node; nil if the mask excludes every step.
  private let sources = Mutex<[Int: AttentionSource?]>([:])

  init(_ attention: CacheableAttention) { self.attention = attention }

  func covers(node: Int) -> Bool { attention.nodes.contains(node) }

  /// Whether the decoder's steps no longer read the encoder's steps themselves: only these nodes read them, and all
  /// their keys and values are kept.
  var replacesSteps: Bool {
    attention.readsAllSteps && sources.withLock { $0.count == attention.nodes.count }
  }

  /// The keys and values of a node, which `make` makes at the first call.
  func source(ofNode node: Int, _ make: () -> AttentionSource?) -> AttentionSource? {
    if let kept = sources.withLock({ $0[node] }) { return kept }
    let made = make()
    sources.withLock { $0[node] = .some(made) }
    return made
  }
}
