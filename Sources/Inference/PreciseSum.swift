/// A sum of floats kept in two: itself, rounded, and what the rounding left out.
///
/// Knuth's two-sum (The Art of Computer Programming, volume 2, 4.2.2, theorem B) finds the error of each addition exactly,
/// so the pair has some 48 bits: a million terms lose about as much as one addition in f32. It is made of plain additions in
/// the order of the terms, which give the same bits on every CPU, and two floats are what a sequence's state can hold.
struct PreciseSum {
  var high: Float = 0
  var low: Float = 0

  mutating func add(_ term: Float) {
    let (sum, error) = Self.twoSum(high, term)
    (high, low) = Self.twoSum(sum, low + error)
  }

  /// Exact but for the last of a double's 53 bits.
  var value: Double { Double(high) + Double(low) }

  /// The rounded sum of two floats and its error: together they are the exact sum.
  private static func twoSum(_ a: Float, _ b: Float) -> (sum: Float, error: Float) {
    let sum = a + b
    let partOfB = sum - a
    return (sum, (a - (sum - partOfB)) + (b - partOfB))
  }
}
