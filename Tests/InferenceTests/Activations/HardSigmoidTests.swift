import ModelFormat
import Testing

@Suite struct HardSigmoidTests {
  @Test func isAsPyTorchHasIt() throws {
    try ActivationModel.expect(.hardSigmoid(), digest: 0x8744_ae08_d75e_a9e3) {
      min(max(Double(Float(1) / 6) * $0 + 0.5, 0), 1)
    }
  }

  @Test func isAsKerasHasIt() throws {
    try ActivationModel.expect(.hardSigmoid(slope: 0.2, offset: 0.5), digest: 0x81b5_b0f1_e8c3_5209)
    {
      min(max(Double(Float(0.2)) * $0 + 0.5, 0), 1)
    }
  }

  @Test(arguments: ["slope", "offset"]) func refuses(key: String) throws {
    let error = try ActivationModel.refusal(of: "hard_sigmoid", "\"\(key)\": \"x\"")
    #expect(error.contains("nodes[0].\(key)") && error.contains("\"x\""))
  }

  @Test func refusesWhatIsNotFinite() throws {
    #expect(throws: ModelError.self) { try ActivationModel(.hardSigmoid(slope: .nan)) }
    #expect(throws: ModelError.self) { try ActivationModel(.hardSigmoid(offset: .infinity)) }
  }
}
