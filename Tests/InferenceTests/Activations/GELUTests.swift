import Glibc
import ModelFormat
import Testing

@Suite struct GELUTests {
  @Test(arguments: [nil, GELUOp.Approximation.none])
  func isExactByDefault(approximate: GELUOp.Approximation?) throws {
    try ActivationModel.expect(.gelu(approximate: approximate), digest: 0x51b2_5437_e738_cbe8) {
      let argument: Double = -$0 / 2.0.squareRoot()
      return $0 * (erfc(argument) / 2)
    }
  }

  @Test func approximation() throws {
    try ActivationModel.expect(.gelu(approximate: .tanh), digest: 0xf87d_f8d2_76d5_ef95) {
      // (1 + tanh u) / 2 without the loss of digits where tanh u is near −1.
      let u: Double = (2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)
      return $0 / (1 + exp(-2 * u))
    }
  }

  @Test(arguments: ["\"sigmoid\"", "true"]) func refuses(value: String) throws {
    let error = try ActivationModel.refusal(of: "gelu", "\"approximate\": \(value)")
    #expect(error.contains("nodes[0].approximate"))
    #expect(error.contains(value == "true" ? "true" : "\"none\" or \"tanh\""))
  }
}
