/// Reproducible random numbers: SplitMix64 (Steele, Lea and Flood, 2014).
package struct Noise: RandomNumberGenerator {
  private var state: UInt64

  package init(from state: UInt64 = 1) { self.state = state }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// An approximately standard normal number: the sum of twelve uniform numbers.
  package mutating func normal() -> Float {
    (0..<12).reduce(-6) { sum, _ in sum + Float.random(in: 0..<1, using: &self) }
  }
}
