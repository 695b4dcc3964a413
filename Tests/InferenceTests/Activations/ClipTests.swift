import ModelFormat
import Testing

@Suite struct ClipTests {
  @Test(
    arguments: [
      (-1, 1, 0x2273_931a_6de2_4ea2), (nil, 0.5, 0xa7a4_ddd6_f8c4_2a74),
      (-0.25, nil, 0x1ffa_a63a_4eff_b2e0),
    ] as [(Float?, Float?, UInt64)])
  func holds(min: Float?, max: Float?, digest: UInt64) throws {
    try ActivationModel.expect(.clip(min: min, max: max), digest: digest) {
      Swift.min(Swift.max($0, Double(min ?? -.infinity)), Double(max ?? .infinity))
    }
  }

  @Test(
    arguments: [
      ("\"min\": \"x\"", "nodes[0].min", "\"x\""),
      ("\"min\": 1, \"max\": 0", "nodes[0].max", "1.0 or more"),
      ("\"weights\": \"w\"", "nodes[0].weights", "no weights"),
      ("\"max\": 1e99", "nodes[0].max", "float"),
    ])
  func refuses(attributes: String, path: String, reason: String) throws {
    let error = try ActivationModel.refusal(of: "clip", attributes)
    #expect(error.contains(path) && error.contains(reason), "\(error)")
  }

  @Test func needsABound() throws {
    #expect(throws: ModelError.self) { try ActivationModel(.clip()) }
  }
}
