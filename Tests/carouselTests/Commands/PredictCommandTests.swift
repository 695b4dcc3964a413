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

  /// Of the environment, the key alone is looked at.
  @Test func stateKey() throws {
    let key = "0123456789abcdef"
    let environment = ["CAROUSEL_STATE_KEY": key, "CAROUSEL_PORT": "x", "CAROUSEL_PROT": "1"]
    #expect(try PredictCommand.stateKey(in: environment) == Array(key.utf8))
    #expect(try PredictCommand.stateKey(in: ["CAROUSEL_PORT": "x"]) == nil)
    #expect(throws: CarouselError.self) {
      try PredictCommand.stateKey(in: ["CAROUSEL_STATE_KEY": "short"])
    }
  }
}
