import ModelFormat
import Testing

@Suite struct SoftsignTests {
  @Test func isAsPyTorchHasIt() throws {
    try ActivationModel.expect(.softsign, digest: 0xef92_bdec_ab3e_6cf6) { $0 / (1 + $0.magnitude) }
  }

  @Test func refusesAttributes() throws {
    #expect(try ActivationModel.refusal(of: "softsign", "\"alpha\": 1").contains("\"alpha\""))
  }
}
