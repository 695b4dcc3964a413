/// 32-bit numbers that are the same for the same seed (xorshift; Marsaglia 2003).
struct SeededNumbers {
  /// Not 0, which would follow itself.
  var state: UInt32

  mutating func next() -> UInt32 {
    state ^= state << 13
    state ^= state >> 17
    state ^= state << 5
    return state
  }
}
