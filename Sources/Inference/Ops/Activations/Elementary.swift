/// Elementary functions in double precision, for results that are rounded to floats.
///
/// Made of additions, multiplications and divisions only, which round the same everywhere; C libraries differ in the last
/// bit. Relative errors are below 2e-10, 0.003 ULP of a float. NaN passes through.
enum Elementary {
  /// eˣ; x is clamped to ±200, beyond the range of floats.
  static func exp(_ x: Double) -> Double {
    let (scale, fraction) = power(x)
    return scale + scale * fraction
  }

  /// eˣ − 1, with the same relative error for small x.
  static func expMinusOne(_ x: Double) -> Double {
    let (scale, fraction) = power(x)
    return scale * fraction + (scale - 1)
  }

  /// ln x = n ln 2 + ln m for x = 2ⁿ m, m from √½ to √2; minus infinity for 0, NaN below.
  static func log(_ x: Double) -> Double {
    guard x > 0, x.isFinite else { return x == 0 ? -.infinity : x < 0 ? .nan : x }
    var (n, m) = (Double(x.exponent), x.significand)
    if m > 2.0.squareRoot() { (n, m) = (n + 1, m / 2) }
    return n * 0.693_147_180_559_945_3 + logOnePlus(m - 1)
  }

  /// ln(1 + x), with the same relative error for small x; minus infinity for -1, NaN below.
  static func logOnePlus(_ x: Double) -> Double {
    guard x > -0.5, x < 1 else { return log(1 + x) }
    return x < 0 ? -logOfOnePlus(-x / (1 + x)) : logOfOnePlus(x)
  }

  /// ln(1 + x) for x from 0 to 1: 2 artanh s for s = x / (2 + x), at most 1/3. The rest of the power series after the
  /// term in s²³ is below 2e-13.
  static func logOfOnePlus(_ x: Double) -> Double {
    let s = x / (2 + x)
    let square = s * s
    var sum = 1.0 / 23
    sum = sum * square + 1 / 21
    sum = sum * square + 1 / 19
    sum = sum * square + 1 / 17
    sum = sum * square + 1 / 15
    sum = sum * square + 1 / 13
    sum = sum * square + 1 / 11
    sum = sum * square + 1 / 9
    sum = sum * square + 1 / 7
    sum = sum * square + 1 / 5
    sum = sum * square + 1 / 3
    return 2 * (s + s * square * sum)
  }

  /// The standard normal distribution function, ½ erfc(−x/√2).
  ///
  /// For a = |x| its tail is e^(−a²/2) g(w) / (a + 4), w = (a − 4) / (a + 4); g is the polynomial of degree 12 that meets the
  /// exact one at the Chebyshev nodes of a from 0 to 15: a relative error of 5.3e-11. Beyond 15 the tail is below any float.
  static func normalDistribution(_ x: Double) -> Double {
    var a = x.magnitude
    a = a > 15 ? 15 : a
    let w = (a - 4) / (a + 4)
    var g = 7.986636466484679e-06
    g = g * w + 3.473079499654104e-05
    g = g * w - 8.212023890843143e-06
    g = g * w - 0.00023379210965677032
    g = g * w + 0.00013511199485466383
    g = g * w + 0.0016320924414412392
    g = g * w - 0.003479855423990667
    g = g * w - 0.0075404106992170185
    g = g * w + 0.06039657247824439
    g = g * w - 0.18652184268767402
    g = g * w + 0.3871374013959195
    g = g * w - 0.6078966422697328
    g = g * w + 0.7552851304091687
    let tail = exp(-0.5 * a * a) * g / (a + 4)
    return x > 0 ? 1 - tail : tail
  }

  /// eˣ = 2ⁿ (1 + p), n the integer nearest x / ln 2; p = e^r − 1 for the remainder r, |r| ≤ ln 2 / 2, by its power series up
  /// to r¹¹; the omitted terms are below 7e-15.
  private static func power(_ x: Double) -> (scale: Double, fraction: Double) {
    var x = x > 200 ? 200 : x
    x = x < -200 ? -200 : x
    // Adding 1.5·2⁵² leaves the nearest integer in the low bits.
    let shift = 0x1.8p52
    let shifted = x * 0x1.71547652b82fep0 + shift
    let n = shifted - shift
    // ln 2 in two parts: the first has 32 bits, so its product with n is exact.
    let r = (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33
    var q = 1.0 / 39_916_800
    q = q * r + 1 / 3_628_800
    q = q * r + 1 / 362_880
    q = q * r + 1 / 40_320
    q = q * r + 1 / 5_040
    q = q * r + 1 / 720
    q = q * r + 1 / 120
    q = q * r + 1 / 24
    q = q * r + 1 / 6
    q = q * r + 1 / 2
    let scale = Double(bitPattern: (shifted.bitPattern &+ 1023) &<< 52)
    return (scale, r + r * r * q)
  }
}
