extension Elementary {
  /// sin x, x in radians; NaN for infinities.
  static func sin(_ x: Float) -> Double {
    let (quarters, rest) = angle(x)
    let size = quarters & 1 == 0 ? sineOfRest(rest) : cosineOfRest(rest)
    return quarters & 2 == 0 ? size : -size
  }

  /// cos x, x in radians; NaN for infinities.
  static func cos(_ x: Float) -> Double {
    let (quarters, rest) = angle(x)
    let size = quarters & 1 == 0 ? cosineOfRest(rest) : sineOfRest(rest)
    return (quarters + 1) & 2 == 0 ? size : -size
  }

  /// x = quarters · π/2 + rest but for whole turns; quarters from 0 to 3, |rest| ≤ π/4.
  ///
  /// A float may be 10³⁸, so the product with 2/π is exact where it counts (Payne and Hanek, 1983): x = m 2ᵉ, and of
  /// 2ᵉ · 2/π only 128 binary digits matter, from the one that is worth 2: those before it make whole turns. No float is
  /// so close to a multiple of π/2 that fewer than 60 digits of the rest are right.
  private static func angle(_ x: Float) -> (quarters: Int, rest: Double) {
    guard x.magnitude > 0.785 else { return (0, Double(x)) }
    guard x.isFinite else { return (0, .nan) }
    let m = UInt128(x.significandBitPattern | 1 << UInt32(Float.significandBitCount))
    let skipped = Int(x.exponent) - Float.significandBitCount - 2
    // 2/π's first 256 digits behind the point.
    let (first, second): (UInt128, UInt128) = (
      0xa2f9_836e_4e44_1529_fc27_57d1_f534_ddc0, 0xdb62_9599_3c43_9041_fe51_63ab_debb_c561
    )
    let product = m &* (first << skipped | second >> (128 - skipped))
    let quarters = (product &+ 1 << 125) >> 126
    let rest =
      Double(Int128(truncatingIfNeeded: product &- quarters << 126)) * 0x1.921fb54442d18p-126
    return x < 0 ? (Int(4 - quarters) & 3, -rest) : (Int(quarters), rest)
  }

  /// sin x for |x| ≤ π/4, by its power series; the omitted terms are below 3e-14.
  private static func sineOfRest(_ x: Double) -> Double {
    let square = x * x
    var sum = 1.0 / 6_227_020_800
    sum = sum * square - 1 / 39_916_800
    sum = sum * square + 1 / 362_880
    sum = sum * square - 1 / 5_040
    sum = sum * square + 1 / 120
    sum = sum * square - 1 / 6
    return x * (1 + square * sum)
  }

  /// cos x for |x| ≤ π/4, by its power series; the omitted terms are below 5e-13.
  private static func cosineOfRest(_ x: Double) -> Double {
    let square = x * x
    var sum = 1.0 / 479_001_600
    sum = sum * square - 1 / 3_628_800
    sum = sum * square + 1 / 40_320
    sum = sum * square - 1 / 720
    sum = sum * square + 1 / 24
    sum = sum * square - 1 / 2
    return 1 + square * sum
  }
}
