import Glibc
import ModelFormat
import Testing

@Suite struct SoftplusTests {
  @Test(
    arguments: [
      (Float(1), Float(20), 0x5afa_8ff3_cc03_162a), (0.25, 3, 0xd32d_9be5_83cf_00ca),
      (7, 100, 0x8d96_0534_781e_a616),
    ] as [(Float, Float, UInt64)])
  func isAsPyTorchHasIt(beta: Float, threshold: Float, digest: UInt64) throws {
    try ActivationModel.expect(.softplus(beta: beta, threshold: threshold), digest: digest) {
      let scaled = Double(beta) * $0
      return scaled > Double(threshold) ? $0 : log1p(exp(scaled)) / Double(beta)
    }
  }

  @Test(arguments: [("beta", "0"), ("beta", "-1"), ("beta", "\"1\""), ("threshold", "[]")])
  func refuses(key: String, value: String) throws {
    let error = try ActivationModel.refusal(of: "softplus", "\"\(key)\": \(value)")
    #expect(error.contains("nodes[0].\(key)"))
  }

  @Test func refusesWhatIsNotFinite() throws {
    #expect(throws: ModelError.self) { try ActivationModel(.softplus(beta: .infinity)) }
    #expect(throws: ModelError.self) { try ActivationModel(.softplus(threshold: .nan)) }
  }
}
