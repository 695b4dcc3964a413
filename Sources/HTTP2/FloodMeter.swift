/// Tells a peer that makes work from one that makes progress, by counting, without a clock.
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

  /// A frame began, whatever it is.
  mutating func frameBegan() -> Verdict {
    fruitlessFrames += 1
    return fruitlessFrames > maxFruitlessFrames ? .flood : .fine
  }

  /// A request became complete, or bytes of a body moved, either way.
  mutating func progressed() {
    fruitlessFrames = 0
  }

  /// A stream ended without its response, whoever ended it.
  mutating func streamReset() -> Verdict {
    resets += 1
    return resets > maxResets ? .flood : .fine
  }

  /// A stream ended with its response, which makes up for one that did not.
  mutating func streamAnswered() {
    resets = max(0, resets - 1)
  }
}
