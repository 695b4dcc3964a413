import ModelFormat
import Testing

@Suite struct LeakyReLUTests {
  @Test(
    arguments: [
      (Float(0.01), 0x85c5_a511_75a6_6f2e), (0.3, 0x67b9_09b3_9731_aee6),
      (-2, 0x6af3_94c6_40e6_375f),
    ] as [(Float, UInt64)])
  func isAsPyTorchHasIt(slope: Float, digest: UInt64) throws {
    try ActivationModel.expect(.leakyReLU(slope: slope), digest: digest) {
      $0 < 0 ? Double(slope) * $0 : $0
    }
  }

  @Test func hasPyTorchsDefault() {
    #expect(ModelDescription.Op.leakyReLU() == .leakyReLU(slope: 0.01))
  }

  @Test func refuses() throws {
    let error = try ActivationModel.refusal(of: "leaky_relu", "\"slope\": [1]")
    #expect(error.contains("nodes[0].slope"))
    #expect(throws: ModelError.self) { try ActivationModel(.leakyReLU(slope: -.infinity)) }
    // Another op's name for it.
    #expect(try ActivationModel.refusal(of: "leaky_relu", "\"alpha\": 1").contains("\"alpha\""))
  }
}
