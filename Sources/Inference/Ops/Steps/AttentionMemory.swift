import Synchronization

/// What a decoder's attention goes over, made ready once for all hypotheses of a sequence and all their steps, which share it.
package final class AttentionMemory: Sendable {
  /// What is kept.
  private let attention: SteadyAttention
  /// By node; nil where no step counts.
  private let sources = Mutex<[Int: AttentionSource?]>([:])

  init(_ attention: SteadyAttention) { self.attention = attention }

  func covers(node: Int) -> Bool { attention.nodes.contains(node) }

  /// Whether a step needs nothing of the encoder's steps themselves any more.
  var replacesSteps: Bool {
    attention.readsAllSteps && sources.withLock { $0.count == attention.nodes.count }
  }

  /// What a node attends to, which `make` makes the first time.
  func source(ofNode node: Int, _ make: () -> AttentionSource?) -> AttentionSource? {
    if let kept = sources.withLock({ $0[node] }) { return kept }
    let made = make()
    sources.withLock { $0[node] = .some(made) }
    return made
  }
}
