/// Detects a peer that makes work without making progress, by counting frames and resets, without a clock.
struct FloodMeter: Equatable {
  /// Whether the peer went too far.
  enum Verdict: Equatable {
    case fine
    case flood
  }

  private let maxFruitlessFrames: Int
  private let maxResets: Int
  private var fruitlessFrames = 0
  private var resets = 0

  /// A meter that has counted nothing.
  init(_ limits: HTTP2Limits) {
    maxFruitlessFrames = limits.maxFruitlessFrames
    maxResets = limits.maxResets
  }

  /// Records that a frame of any type began.
  mutating func frameBegan() -> Verdict {
    fruitlessFrames += 1
    return fruitlessFrames > maxFruitlessFrames ? .flood : .fine
  }

  /// Records progress: a request became complete, or bytes of a body moved in either direction.
  mutating func progressed() {
    fruitlessFrames = 0
  }

  /// Records that a stream ended without its response, whichever side ended it.
  mutating func streamReset() -> Verdict {
    resets += 1
    return resets > maxResets ? .flood : .fine
  }

  /// Records that a stream ended with its response, which makes up for one that did not.
  mutating func streamAnswered() {
    resets = max(0, resets - 1)
  }
}
