import CKernels
import Glibc
import Testing

/// The routines against the same mathematics in double precision.
@Suite struct AccuracyTests {
  /// Units in the last place that an activation may be off by, over the range where it is not flat.
  ///
  /// exp: half for its own rounding, half for p's polynomial and reduction. The others add the roundings
  /// of a sum and a division.
  static let ulpBounds: [(name: String, bound: Double)] = [
    ("exp", 1.5), ("sigmoid", 3), ("tanh", 3),
  ]

  @Test(arguments: ulpBounds.map(\.name))
  func activation(name: String) {
    let bound = Self.ulpBounds.first { $0.name == name }!.bound
    let inputs = stride(from: Float(-30), to: 30, by: 0.003).map(\.self)
    let table = kernels(CK_ISA_SCALAR)
    let (found, exact): ([Float], (Double) -> Double) =
      switch name {
      case "exp": (inputs.changed { unsafe table.exp_f32($0, inputs.count) }, { exp($0) })
      case "sigmoid":
        (inputs.changed { unsafe table.sigmoid_f32($0, inputs.count) }, { 1 / (1 + exp(-$0)) })
      default: (inputs.changed { unsafe table.tanh_f32($0, inputs.count) }, { tanh($0) })
      }
    for (x, y) in zip(inputs, found) {
      let expected = exact(Double(x))
      let error = abs(Double(y) - expected) / Double(Float(expected).ulp)
      #expect(error <= bound, "\(name)(\(x)) = \(y), expected \(expected)")
    }
  }

  @Test func extremesSaturate() {
    let table = kernels(CK_ISA_SCALAR)
    let extremes: [Float] = [-.infinity, -1000, 1000, .infinity]
    #expect(extremes.changed { unsafe table.tanh_f32($0, 4) } == [-1, -1, 1, 1])
    let sigmoids = extremes.changed { unsafe table.sigmoid_f32($0, 4) }
    #expect(sigmoids[..<2].allSatisfy { $0 >= 0 && $0 < 1e-37 } && sigmoids[2...] == [1, 1])
    #expect([Float.nan].changed { unsafe table.tanh_f32($0, 1) }[0].isNaN)
    #expect([Float.nan].changed { unsafe table.sigmoid_f32($0, 1) }[0].isNaN)
  }

  @Test func softmaxOfLargeScores() {
    let table = kernels(CK_ISA_SCALAR)
    let scores: [Float] = [1000, 999, -1000]
    let weights = scores.changed { unsafe table.softmax_f32($0, 1, 3, 3) }
    let logarithms = scores.changed { unsafe table.log_softmax_f32($0, 1, 3, 3) }
    let share = 1 / (1 + exp(-1.0))
    #expect(abs(Double(weights[0]) - share) < 1e-6 && abs(Double(weights[1]) - (1 - share)) < 1e-6)
    #expect(abs(Double(logarithms[0]) - log(share)) < 1e-6)
    #expect(abs(Double(logarithms[2]) - (log(share) - 2000)) < 1e-3)
  }

  @Test func stepAgreesWithDoublePrecision() {
    let problem = StepProblem(VariantTests.Shape(rows: 5, input: 9, hidden: 40), seed: 21)
    let found = problem.run(CK_ISA_SCALAR, hoisted: false)
    let expected = problem.reference()
    for (a, b) in zip(found.hidden + found.cell, expected.hidden + expected.cell) {
      #expect(abs(Double(a) - b) < 5e-6)
    }
  }

  /// The constant error carousel: an open forget gate and a shut input gate carry c to the bit.
  @Test(arguments: [CK_ISA_SCALAR.rawValue] + VariantTests.variants.map(\.rawValue))
  func carouselCarriesTheCell(isa: UInt32) {
    var problem = StepProblem(VariantTests.Shape(rows: 3, input: 2, hidden: 20), seed: 2)
    problem.inputWeights = problem.inputWeights.map { $0 * 0.1 }
    problem.recurrentWeights = problem.recurrentWeights.map { $0 * 0.1 }
    for unit in 0..<20 {
      problem.bias[unit] = -60  // i
      problem.bias[20 + unit] = 60  // f
    }
    let first = problem.cell
    for _ in 0..<1000 {
      let next = problem.run(ck_isa(isa), hoisted: true)
      (problem.hidden, problem.cell) = (next.hidden, next.cell)
    }
    #expect(problem.cell.map(\.bitPattern) == first.map(\.bitPattern))
  }
}
