import Glibc
import ModelFormat
import Testing

@Suite struct ThresholdedReLUTests {
  @Test(
    arguments: [
      (Float(1), 0xaf2e_1b55_3716_2df1), (-0.5, 0xb9de_db22_977f_1378),
      (0, 0xb603_0599_4587_3b37),
    ] as [(Float, UInt64)])
  func isAsONNXHasIt(alpha: Float, digest: UInt64) throws {
    try ActivationModel.expect(.thresholdedReLU(alpha: alpha), digest: digest) {
      $0 > Double(alpha) ? $0 : 0
    }
  }

  @Test func refuses() throws {
    let error = try ActivationModel.refusal(of: "thresholded_relu", "\"alpha\": \"1\"")
    #expect(error.contains("nodes[0].alpha"))
    #expect(throws: ModelError.self) { try ActivationModel(.thresholdedReLU(alpha: .infinity)) }
  }
}
