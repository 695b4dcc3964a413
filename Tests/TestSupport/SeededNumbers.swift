/// 32-bit numbers that are the same for the same seed (xorshift; Marsaglia 2003).
package struct SeededNumbers {
  /// Not 0, which would follow itself.
  package var state: UInt32

  package init(state: UInt32) { self.state = state }

  package mutating func next() -> UInt32 {
    state ^= state << 13
    state ^= state >> 17
    state ^= state << 5
    return state
  }
}
