/// A sum of floats, kept as two floats: the rounded sum and the rounding error.
///
/// Knuth's two-sum (The Art of Computer Programming, volume 2, 4.2.2, theorem B) finds the error of each addition exactly,
/// so the pair has some 48 bits: a million terms lose about as much as one addition in f32. Plain additions in the order of
/// the terms give the same bits on every CPU, and a sequence's state holds floats.
///
/// A sum may exceed the range of a float although its mean does not. Such a sum is kept in units of 2⁶⁴, with the two
/// floats exchanged as a mark: otherwise `low` is never the larger one.
struct PreciseSum {
  private(set) var high: Float
  private(set) var low: Float

  /// The sum that a state holds as these two floats.
  init(high: Float = 0, low: Float = 0) { (self.high, self.low) = (high, low) }

  private static let unit: Float = 0x1p64

  private var isInUnits: Bool { abs(low) > abs(high) }

  mutating func add(_ term: Float) {
    if isInUnits {
      (low, high) = Self.add(term / Self.unit, to: (low, high))
    } else {
      let sum = Self.add(term, to: (high, low))
      if sum.high.isFinite {
        (high, low) = sum
      } else {
        (low, high) = Self.add(term / Self.unit, to: (high / Self.unit, low / Self.unit))
      }
    }
  }

  /// The sum, exact except for the last bit of a double.
  var value: Double {
    let sum = Double(high) + Double(low)
    return isInUnits ? sum * Double(Self.unit) : sum
  }

  private static func add(
    _ term: Float, to sum: (high: Float, low: Float)
  ) -> (high: Float, low: Float) {
    let (high, error) = twoSum(sum.high, term)
    return twoSum(high, sum.low + error)
  }

  /// The rounded sum of two floats, and its error; added up, they are the exact sum.
  private static func twoSum(_ a: Float, _ b: Float) -> (high: Float, low: Float) {
    let sum = a + b
    let partOfB = sum - a
    return (sum, (a - (sum - partOfB)) + (b - partOfB))
  }
}
