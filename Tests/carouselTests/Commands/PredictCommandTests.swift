import ArgumentParser
import HTTPCore
import Testing

@testable import carousel

@Suite struct PredictCommandTests {
  private func command(_ arguments: [String]) throws -> PredictCommand {
    try #require(try PredictCommand.parseAsRoot(["folder"] + arguments) as? PredictCommand)
  }

  private let array = NPYFileTests.file(NPYFileTests.float, NPYFileTests.twoFloats)

  private func question(_ bytes: [UInt8], _ arguments: [String] = []) throws -> String {
    String(decoding: try command(arguments).question(from: bytes), as: UTF8.self)
  }

  @Test func jsonIsAskedAsItIs() throws {
    #expect(try question(Array("{\"inputs\": [1]}".utf8)) == "{\"inputs\": [1]}")
  }

  @Test func anArrayBecomesInputs() throws {
    #expect(try question(array) == #"{"inputs":[1.0,-2.5]}"#)
    #expect(
      try question(array, ["--outputs", "all", "--horizon", "3"])
        == #"{"inputs":[1.0,-2.5],"outputs":"all","horizon":3}"#)
  }

  @Test(arguments: [[0x50, 0x4B, 3, 4, 0x2D], [0x1F, 0x8B, 8]] as [[UInt8]])
  func anArchiveIsNoInput(bytes: [UInt8]) {
    #expect(throws: CarouselError.notAnInput(path: "x.npz")) {
      try question(bytes, ["--input", "x.npz"])
    }
  }

  @Test func optionsThatJSONHoldsAlready() {
    #expect(throws: ValidationError.self) { try question(Array("{}".utf8), ["--horizon", "3"]) }
  }

  @Test func answersWithoutAServer() throws {
    let graph = try BundledModel.graph()
    let good = PredictCommand.answer(to: Array(#"{"inputs": [1], "horizon": 2}"#.utf8), of: graph)
    #expect(good.status == .ok)
    #expect(String(decoding: good.body, as: UTF8.self).hasPrefix(#"{"model":"co2","outputs":["#))
    #expect(PredictCommand.answer(to: Array("{".utf8), of: graph).status == .badRequest)
  }
}
