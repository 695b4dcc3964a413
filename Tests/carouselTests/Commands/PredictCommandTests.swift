import ModelFormat
import Testing

@testable import carousel

@Suite struct PredictCommandTests {
  private func command(_ arguments: [String]) throws -> PredictCommand {
    try #require(try PredictCommand.parseAsRoot(["folder"] + arguments) as? PredictCommand)
  }

  @Test func options() throws {
    let plain = try command([])
    #expect(plain.input == "-" && plain.outputs == nil && plain.horizon == nil)
    #expect(plain.precision == nil)
    let full = try command([
      "--input", "x.npy", "--outputs", "all", "--horizon", "3", "--precision", "f16",
    ])
    #expect(full.input == "x.npy" && full.outputs == .all && full.horizon == 3)
    #expect(full.precision == .f16)
  }
}
