import Glibc
import ModelFormat
import Testing

@Suite struct ELUTests {
  @Test(
    arguments: [
      (Float(1), 0x561a_cbe0_d4b5_a5ed), (0.5, 0x062c_1e1b_7894_81e5),
      (-3, 0x867a_d515_2ffa_6fd4),
    ] as [(Float, UInt64)])
  func isAsPyTorchHasIt(alpha: Float, digest: UInt64) throws {
    try ActivationModel.expect(.elu(alpha: alpha), digest: digest) {
      $0 < 0 ? Double(alpha) * expm1($0) : $0
    }
  }

  @Test func refuses() throws {
    let error = try ActivationModel.refusal(of: "elu", "\"alpha\": null")
    #expect(error.contains("nodes[0].alpha"))
    #expect(throws: ModelError.self) { try ActivationModel(.elu(alpha: .nan)) }
  }
}
