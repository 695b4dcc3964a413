import Glibc
import Testing

@testable import Inference

/// Elementary functions against the C library's.
@Suite struct ElementaryTests {
  private static let values: [Double] = {
    var values = (-4000...4000).map { Double($0) * 0.0375 }
    values += (0...1000).map { Double($0) * 0.001 }
    let small = (1...300).map { (power: Int) -> Double in pow(10.0, -Double(power)) }
    return values + small + small.map { -$0 }
  }()

  private func expectNear(_ found: Double, _ expected: Double, _ x: Double) {
    #expect(abs(found - expected) <= 2e-10 * abs(expected), "of \(x)")
  }

  @Test func exponentials() {
    for x in Self.values {
      expectNear(Elementary.exp(x), Glibc.exp(x), x)
      expectNear(Elementary.expMinusOne(x), expm1(x), x)
    }
    #expect(Elementary.exp(0) == 1 && Elementary.expMinusOne(0) == 0)
  }

  @Test func logarithms() {
    for x in Self.values where x >= 0 && x <= 1 {
      expectNear(Elementary.logOfOnePlus(x), log1p(x), x)
    }
    #expect(Elementary.logOfOnePlus(0) == 0)
    for x in Self.values where x > -1 { expectNear(Elementary.logOnePlus(x), log1p(x), x) }
    for x in Self.values where x > 0 { expectNear(Elementary.log(x), Glibc.log(x), x) }
    let edges: [Double] = [
      1.000_000_001, 0.999_999_999, 2.0.squareRoot(), 0.5.squareRoot(), .leastNonzeroMagnitude,
      1e300,
    ]
    for x in edges {
      expectNear(Elementary.log(x), Glibc.log(x), x)
    }
    #expect(Elementary.log(1) == 0 && Elementary.log(0) == -.infinity)
    #expect(Elementary.log(-1).isNaN && Elementary.log(.infinity) == .infinity)
  }

  @Test func normalDistribution() {
    for x in Self.values where abs(x) < 15 {
      let argument: Double = -x / 2.0.squareRoot()
      expectNear(Elementary.normalDistribution(x), erfc(argument) / 2, x)
    }
    #expect(Elementary.normalDistribution(40) == 1)
  }

  /// Among them 16367173 · 2⁷², of floats that lie far from 0 the one closest to a multiple of π/2.
  @Test func angles() {
    let large = (0..<4000).map {
      Float(sign: .plus, exponent: $0 % 128, significand: 1 + Float($0) / 4000)
    }
    for x in Self.values.map(Float.init) + large + [0x1.f37c8ap95, .greatestFiniteMagnitude] {
      for x in [x, -x] {
        expectNear(Elementary.sin(x), Glibc.sin(Double(x)), Double(x))
        expectNear(Elementary.cos(x), Glibc.cos(Double(x)), Double(x))
      }
    }
  }

  @Test(arguments: [Double.infinity, 1e300, 201])
  func farBeyondFloats(x: Double) {
    #expect(Elementary.exp(x).isFinite && Float(Elementary.exp(x)) == .infinity)
    #expect(Elementary.exp(-x) > 0 && Float(Elementary.exp(-x)) == 0)
    #expect(Float(Elementary.normalDistribution(-x)) == 0)
  }

  @Test func notANumber() {
    #expect(Elementary.exp(.nan).isNaN && Elementary.expMinusOne(.nan).isNaN)
    #expect(Elementary.log(.nan).isNaN && Elementary.logOfOnePlus(.nan).isNaN)
    #expect(Elementary.normalDistribution(.nan).isNaN)
    for x in [Float.nan, .infinity, -.infinity] {
      #expect(Elementary.sin(x).isNaN && Elementary.cos(x).isNaN)
    }
  }
}
