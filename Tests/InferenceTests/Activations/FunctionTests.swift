import Glibc
import ModelFormat
import Testing

/// Elementary functions of each element, against the C library's in double precision.
@Suite struct FunctionTests {
  @Test func squareRoot() throws {
    try ActivationModel.expect(
      .sqrt, digest: 0x9884_033b_f341_5959, over: ActivationModel.values.map(abs)
    ) {
      $0.squareRoot()
    }
  }

  @Test func square() throws {
    try ActivationModel.expect(.square, digest: 0xf8cb_58e0_b40a_7996) { $0 * $0 }
  }

  @Test func magnitude() throws {
    try ActivationModel.expect(.abs, digest: 0x6acd_2afc_3b91_4775) { abs($0) }
  }

  @Test func exponential() throws {
    try ActivationModel.expect(.exp, digest: 0x6c35_ea9d_b7e0_6e70) { exp($0) }
  }

  @Test func logarithm() throws {
    try ActivationModel.expect(
      .log, digest: 0x9dda_85b2_46ec_9d45, over: ActivationModel.values.map(abs)
    ) { log($0) }
  }

  @Test func logarithmOfOnePlus() throws {
    try ActivationModel.expect(
      .log1p, digest: 0x1cc5_06d7_b5d1_672f, over: ActivationModel.values.map(abs)
    ) { log1p($0) }
  }

  @Test func exponentialMinusOne() throws {
    try ActivationModel.expect(.expm1, digest: 0xe193_b177_2682_92dd) { expm1($0) }
  }

  @Test func sine() throws {
    try ActivationModel.expect(.sin, digest: 0xd3fc_643e_d4e9_5baf) { sin($0) }
  }

  @Test func cosine() throws {
    try ActivationModel.expect(.cos, digest: 0xb489_4e1f_9ebb_450f) { cos($0) }
  }

  @Test func silu() throws {
    try ActivationModel.expect(.silu, digest: 0x3ba1_9629_af47_a16d) { $0 / (1 + exp(-$0)) }
  }

  @Test func selu() throws {
    try ActivationModel.expect(.selu, digest: 0xf9fd_6053_8e44_80d7) {
      1.0507009873554805 * ($0 < 0 ? 1.6732632423543772 * expm1($0) : $0)
    }
  }

  /// Beyond what a function is defined for, PyTorch's answers.
  @Test(
    arguments: [
      (.sqrt, [-1, -0.0], [.nan, -0.0]), (.log, [-1, 0, -0.0], [.nan, -.infinity, -.infinity]),
      (.exp, [1000, -1000], [.infinity, 0]), (.expm1, [1000, -1000, -0.0], [.infinity, -1, -0.0]),
      (.log1p, [-1, -2, -0.0], [-.infinity, .nan, -0.0]),
      (.silu, [-1000], [0]),
    ] as [(ModelDescription.Op, [Float], [Float])])
  func beyondTheDomain(op: ModelDescription.Op, values: [Float], expected: [Float]) throws {
    let padding = [Float](repeating: 1, count: 20 - values.count)
    let found = try ActivationModel(op)(values + padding).prefix(values.count)
    for (found, expected) in zip(found, expected) {
      #expect(expected.isNaN ? found.isNaN : found == expected)
    }
  }
}
