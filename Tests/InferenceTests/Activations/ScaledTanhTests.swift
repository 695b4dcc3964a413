import Glibc
import ModelFormat
import Testing

@Suite struct ScaledTanhTests {
  @Test(
    arguments: [
      (Float(1), Float(1), 0x8c50_0809_3da3_d1d6), (1.7159, 0.6667, 0x15c2_b060_f2c9_edf7),
      (-3, 40, 0x858e_de53_38c4_01ce),
    ] as [(Float, Float, UInt64)])
  func isAsONNXHasIt(alpha: Float, beta: Float, digest: UInt64) throws {
    try ActivationModel.expect(.scaledTanh(alpha: alpha, beta: beta), digest: digest) {
      Double(alpha) * tanh(Double(beta) * $0)
    }
  }

  @Test(arguments: ["alpha", "beta"]) func refuses(key: String) throws {
    let error = try ActivationModel.refusal(of: "scaled_tanh", "\"\(key)\": []")
    #expect(error.contains("nodes[0].\(key)"))
    #expect(throws: ModelError.self) { try ActivationModel(.scaledTanh(beta: .nan)) }
  }
}
